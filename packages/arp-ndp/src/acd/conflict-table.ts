import type { Instant } from '../responder/announcer.js'
import type { Claim } from './claim.js'

/** Somebody else claims an address of ours. */
export interface Conflict {
  /** Canonical text. */
  readonly address: string
  /** Name of the interface it was seen on. */
  readonly interface: string
  /** Who, 6 octets. Do not write to it. */
  readonly mac: Uint8Array
  /** `claim` as soon as there was one; `probe` while it only wants the address (RFC 4862 §5.4.3). */
  readonly kind: Claim['kind']
  readonly firstSeen: Instant
  readonly lastSeen: Instant
  /** Frames. */
  readonly count: number
}

/** One sighting of a {@link Conflict}. */
export interface Sighting {
  readonly conflict: Conflict
  readonly first: boolean
  /** First, first that it has what it only wanted before, or the last one that was reported is longer ago than the interval. */
  readonly report: boolean
}

/** Bounds of a {@link ConflictTable}. */
export interface ConflictTableOptions {
  readonly interface: string
  /** Milliseconds after the last sighting at which a conflict is over. */
  readonly expiry: number
  /** Milliseconds between reports of one address and MAC address. */
  readonly reportInterval: number
  /** MAC addresses remembered for one address. */
  readonly macsPerAddress: number
  /** Conflicts remembered in all. */
  readonly capacity: number
}

type Entry = { -readonly [Field in keyof Conflict]: Conflict[Field] } & { reported: Instant }

/** Milliseconds between two looks at the whole table, however many conflicts end one by one. */
const SWEEP_INTERVAL = 1000

/** A MAC address as a number: 48 bits, exact in a double. */
export function macKey(mac: Uint8Array): number {
  let key = 0
  for (const octet of mac) key = key * 256 + octet
  return key
}

/** Conflicts by address and MAC address, no more than it is allowed to hold, each until it was not seen for a while. */
export class ConflictTable {
  readonly #options: ConflictTableOptions
  readonly #byAddress = new Map<string, Map<number, Entry>>()
  #size = 0
  #deadline: Instant = Infinity

  constructor(options: ConflictTableOptions) {
    this.#options = options
  }

  /** Number of conflicts, those over and not yet taken out included. */
  get size(): number {
    return this.#size
  }

  /** When {@link sweep} is due; `Infinity` while there is none. */
  get deadline(): Instant {
    return this.#deadline
  }

  /**
   * Counts a sighting.
   * @param mac 6 octets, copied
   * @returns `undefined` when there is no room for another MAC address
   */
  see(address: string, mac: Uint8Array, kind: Claim['kind'], now: Instant): Sighting | undefined {
    const key = macKey(mac)
    const known = this.#byAddress.get(address)?.get(key)
    if (known === undefined) return this.#add(address, key, mac, kind, now)
    const over = now - known.lastSeen >= this.#options.expiry
    if (over) Object.assign(known, { firstSeen: now, count: 0, kind })
    const report =
      over || (kind === 'claim' && known.kind === 'probe') || now - known.reported >= this.#options.reportInterval
    if (report) known.reported = now
    if (kind === 'claim') known.kind = kind
    known.lastSeen = now
    known.count++
    return { conflict: known, first: over, report }
  }

  #add(address: string, key: number, mac: Uint8Array, kind: Claim['kind'], now: Instant): Sighting | undefined {
    const macs = this.#byAddress.get(address) ?? new Map<number, Entry>()
    if (this.#size >= this.#options.capacity || macs.size >= this.#options.macsPerAddress) return undefined
    const entry: Entry = {
      address,
      interface: this.#options.interface,
      mac: mac.slice(),
      kind,
      firstSeen: now,
      lastSeen: now,
      count: 1,
      reported: now,
    }
    macs.set(key, entry)
    this.#byAddress.set(address, macs)
    this.#size++
    this.#deadline = Math.min(this.#deadline, now + this.#options.expiry)
    return { conflict: entry, first: true, report: true }
  }

  /**
   * Takes out what is over.
   * @param stays whether an address is still ours
   * @returns what was taken out
   */
  sweep(now: Instant, stays: (address: string) => boolean): readonly Conflict[] {
    const over: Conflict[] = []
    let deadline = Infinity
    for (const [address, macs] of this.#byAddress) {
      const ours = stays(address)
      for (const [key, entry] of macs) {
        const end = entry.lastSeen + this.#options.expiry
        if (ours && now < end) deadline = Math.min(deadline, end)
        else if (macs.delete(key)) over.push(copyOf(entry))
      }
      if (macs.size === 0) this.#byAddress.delete(address)
    }
    this.#size -= over.length
    this.#deadline = Math.max(deadline, now + SWEEP_INTERVAL)
    return over
  }

  /** What is not over, in the order of first sight by address; copies. */
  list(now: Instant, stays: (address: string) => boolean): readonly Conflict[] {
    const current = (entry: Entry): boolean => now < entry.lastSeen + this.#options.expiry
    return [...this.#byAddress]
      .filter(([address]) => stays(address))
      .flatMap(([, macs]) => [...macs.values()].filter(current).map(copyOf))
  }
}

const copyOf = ({ address, interface: name, mac, kind, firstSeen, lastSeen, count }: Entry): Conflict => ({
  address,
  interface: name,
  mac,
  kind,
  firstSeen,
  lastSeen,
  count,
})
