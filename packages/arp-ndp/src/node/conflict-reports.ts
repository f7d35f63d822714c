import type { ConflictSighting } from '../acd/conflict-detector.js'
import type { Conflict } from '../acd/conflict-table.js'
import type { Instant } from '../responder/announcer.js'
import { formatMac } from '../wire/mac.js'
import type { AddressConflict, Report } from './messages.js'
import type { Platform } from './platform.js'
import type { Port } from './port.js'

/**
 * Sightings of one moment that are told; a flood of invented MAC addresses must not reach the main thread. More only of those who
 * were told already: a host that takes over thousands of addresses at once is none.
 */
const AT_ONCE = 256

/** Tells the main thread of second owners: when they are seen, and when they are no longer. */
export class ConflictReports {
  readonly #platform: Platform
  readonly #ports: Iterable<Port>
  readonly #report: (report: Report) => void
  #sightings: AddressConflict[] = []
  readonly #macs = new Set<string>()
  #cancelReport: (() => void) | undefined
  #dueAt: Instant = Infinity
  #cancelExpiry = (): void => {}

  constructor(platform: Platform, ports: Iterable<Port>, report: (report: Report) => void) {
    this.#platform = platform
    this.#ports = ports
    this.#report = report
  }

  /** A second owner was seen. */
  note({ wanted }: Port, { owned, mac, kind, count, since }: ConflictSighting): void {
    this.arm()
    if (this.#sightings.length >= AT_ONCE && !this.#macs.has(formatMac(mac))) return
    const conflict = { address: owned.text, interface: wanted.identity.interface, mac, kind, count, firstSeen: since }
    const told = this.#told(conflict)
    this.#macs.add(told.mac)
    this.#sightings.push(told)
    this.#cancelReport ??= this.#platform.after(0, () => this.#tell())
  }

  #tell(): void {
    this.#cancelReport?.()
    this.#cancelReport = undefined
    if (this.#sightings.length === 0) return
    this.#report({ type: 'conflict', conflicts: this.#sightings })
    this.#sightings = []
    this.#macs.clear()
  }

  /** All that are seen now. */
  current(): readonly AddressConflict[] {
    const now = this.#platform.now()
    return [...this.#ports].flatMap(port => port.conflicts(now).map(conflict => this.#told(conflict)))
  }

  /** Takes out what is over; to be called when addresses were taken out of the table, and by itself in time. */
  expire(): void {
    const now = this.#platform.now()
    const over = [...this.#ports].flatMap(port => (port.conflictDeadline === Infinity ? [] : port.expireConflicts(now)))
    this.#tellOver(over)
    this.arm()
  }

  /** A port is about to close: nothing more is seen there. */
  leave(port: Port): void {
    const now = this.#platform.now()
    this.#tellOver([...port.expireConflicts(now), ...port.conflicts(now)])
  }

  #tellOver(over: readonly Conflict[]): void {
    if (over.length === 0) return
    this.#tell() // whoever hears first that it is over would keep it for good
    this.#report({ type: 'conflict-over', conflicts: over.map(conflict => this.#told(conflict)) })
  }

  /** Sets the timer anew, for the earliest that may be over. */
  arm(): void {
    const due = Math.min(...Array.from(this.#ports, port => port.conflictDeadline))
    if (due === this.#dueAt) return
    this.#cancelExpiry()
    this.#dueAt = due
    if (due === Infinity) return
    this.#cancelExpiry = this.#platform.after(Math.max(0, due - this.#platform.now()), () => {
      this.#dueAt = Infinity
      this.expire()
    })
  }

  #told({ mac, firstSeen, ...conflict }: Omit<Conflict, 'lastSeen'>): AddressConflict {
    const { address, interface: name, kind, count } = conflict
    return { address, interface: name, mac: formatMac(mac), kind, count, since: this.#platform.dateOf(firstSeen) }
  }

  /** No report comes afterwards. */
  close(): void {
    this.#cancelReport?.()
    this.#cancelExpiry()
  }
}
