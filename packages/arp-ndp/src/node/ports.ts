import type { ConflictSighting } from '../acd/conflict-detector.js'
import { macKey } from '../acd/conflict-table.js'
import type { Instant } from '../responder/announcer.js'
import type { OwnedAddresses } from '../responder/owned-addresses.js'
import { compareScan, excludes, scan, type WantedResponder } from '../responder/scan.js'
import { plainError, type Report, type WorkerOptions } from './messages.js'
import type { Closable, Platform } from './platform.js'
import { Port } from './port.js'

/** Milliseconds that link events are gathered before the next look, so that a storm of them costs one look each. */
const SETTLE = 20
/** Where there are so many interfaces that a look takes long, they are gathered so many times as long, */
const LOOK_SHARE = 8
/** but never so long that a change would be followed later than promised. */
const LONGEST_SETTLE = 80

/** What {@link Ports} tells. */
export interface PortsListener {
  /** Something for the main thread. */
  report(report: Report): void
  /** The names of all interfaces that are not excluded have changed. */
  known(names: readonly string[]): void
  /** A port has come, or its link has its carrier again: the neighbours behind it know nothing of us. */
  fresh(port: Port): void
  /** A port is about to close. */
  gone(port: Port): void
  conflict(port: Port, sighting: ConflictSighting): void
}

/** Keeps a responder on every interface that wants one, and follows what happens to the interfaces. */
export class Ports implements Iterable<Port> {
  readonly #platform: Platform
  readonly #options: WorkerOptions
  readonly #table: OwnedAddresses
  readonly #listener: PortsListener
  readonly #isExcluded: (name: string) => boolean
  readonly #ports = new Map<string, Port>()
  readonly #standing = new Map<string, WantedResponder>()
  /** Responder key → what it failed with: logged once for each error code, not at each look. */
  readonly #failures = new Map<string, Error & { readonly code?: unknown }>()
  /** Keys of ports whose interface went down or away: their sockets may be dead although it is there again. */
  readonly #suspects = new Set<string>()
  #macs: ReadonlySet<number> = new Set()
  #known = ''
  #monitor: Closable | undefined
  #scanAt: Instant = Infinity
  #settle = SETTLE
  #cancelScan = (): void => {}

  constructor(platform: Platform, options: WorkerOptions, table: OwnedAddresses, listener: PortsListener) {
    this.#platform = platform
    this.#options = options
    this.#table = table
    this.#listener = listener
    this.#isExcluded = excludes(options.excludeInterfaces)
  }

  [Symbol.iterator](): IterableIterator<Port> {
    return this.#ports.values()
  }

  /**
   * Looks at the interfaces once and goes on doing so.
   * @throws {SocketError} links cannot be listed, or no responder at all can be opened for want of a privilege
   */
  start(): void {
    // Before the first look: what changes after that one must not wait for the poll.
    this.#monitor = this.#platform.watchLinks(
      () => this.#scanWithin(this.#settle),
      error => this.#log({ error: error.message }, 'watching links has failed; polling goes on'),
    )
    this.#scan()
    const refused = [...this.#failures.values()].find(({ code }) => code === 'EPERM')
    if (refused !== undefined && this.#ports.size === 0) throw refused
  }

  /** Closes every socket and timer. Safe to call twice. */
  close(): void {
    this.#monitor?.close()
    this.#cancelScan()
    for (const port of this.#ports.values()) port.close()
    this.#ports.clear()
  }

  /** Makes the next look happen no later than so; events that keep coming do not put it off. */
  #scanWithin(milliseconds: number): void {
    const at = this.#platform.now() + milliseconds
    if (at >= this.#scanAt) return
    this.#cancelScan()
    this.#scanAt = at
    this.#cancelScan = this.#platform.after(milliseconds, () => {
      try {
        this.#scan()
      } catch (error) {
        this.#log({ error: plainError(error).message }, 'looking at the interfaces has failed')
      }
    })
  }

  /** One look at all interfaces. @throws {SocketError} links cannot be listed */
  #scan(): void {
    this.#scanAt = Infinity
    this.#scanWithin(this.#options.scanInterval)
    const begin = this.#platform.now()
    const { known, macs, wanted } = scan(this.#platform.links(), this.#isExcluded)
    this.#macs = new Set(macs.map(macKey))
    this.#setKnown(known)
    this.#reconcile(wanted)
    const took = this.#platform.now() - begin
    this.#settle = Math.min(LONGEST_SETTLE, Math.max(SETTLE, LOOK_SHARE * took))
  }

  #setKnown(names: readonly string[]): void {
    const known = names.join(' ')
    if (known === this.#known) return
    this.#known = known
    this.#listener.report({ type: 'interfaces', names })
    this.#listener.known(names)
  }

  #reconcile(wanted: readonly WantedResponder[]): void {
    for (const key of this.#suspects) this.#closePort(key)
    const { close, open, recovered, keep } = compareScan(this.#standing, wanted)
    for (const key of close) this.#closePort(key)
    for (const responder of keep) this.#standing.set(responder.key, responder)
    for (const port of this.#ports.values()) port.retry()
    for (const responder of open) this.#openPort(responder)
    for (const key of recovered) this.#announceOn(key)
    for (const key of this.#failures.keys()) {
      if (!wanted.some(responder => responder.key === key)) this.#failures.delete(key)
    }
  }

  #announceOn(key: string): void {
    const port = this.#ports.get(key)
    if (port !== undefined) this.#listener.fresh(port)
  }

  #closePort(key: string): void {
    const port = this.#ports.get(key)
    this.#suspects.delete(key)
    this.#ports.delete(key)
    this.#standing.delete(key)
    if (port === undefined) return
    this.#listener.gone(port)
    port.close()
    this.#reportResponder('delete', port.wanted)
  }

  #openPort(wanted: WantedResponder): void {
    const { gratuitousRate, defend } = this.#options
    try {
      const port = new Port(this.#platform, {
        wanted,
        table: this.#table,
        gratuitousRate,
        defend,
        isOwn: mac => this.#macs.has(macKey(mac)),
        onError: error => this.#portFailed(wanted, error),
        onConflict: (port, sighting) => this.#listener.conflict(port, sighting),
      })
      this.#ports.set(wanted.key, port)
      this.#standing.set(wanted.key, wanted)
      this.#failures.delete(wanted.key)
      port.adopt(this.#table)
      this.#reportResponder('create', wanted)
      this.#listener.fresh(port)
    } catch (error) {
      this.#logOnce(wanted, error, 'a responder could not be created; it is tried again')
    }
  }

  /** The port stays until the next look, which replaces one whose interface has been away, if only for a moment. */
  #portFailed(wanted: WantedResponder, error: unknown): void {
    if (plainError(error).code === 'ENETDOWN') this.#suspects.add(wanted.key)
    else this.#logOnce(wanted, error, 'a responder has met an error')
  }

  #reportResponder(action: 'create' | 'delete', { identity }: WantedResponder): void {
    const { protocol, interface: name } = identity
    this.#listener.report({ type: 'responder', change: { action, protocol, interface: name } })
  }

  #logOnce(wanted: WantedResponder, cause: unknown, message: string): void {
    const error: Error & { readonly code?: unknown } = cause instanceof Error ? cause : new Error(String(cause))
    const known = this.#failures.get(wanted.key)
    this.#failures.set(wanted.key, error)
    if (known !== undefined && known.code === error.code) return
    const { protocol, interface: name } = wanted.identity
    this.#log({ protocol, interface: name, error: error.message }, message)
  }

  #log(fields: object, message: string): void {
    this.#listener.report({ type: 'log', level: 'warn', fields, message })
  }
}
