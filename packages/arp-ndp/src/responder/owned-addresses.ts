import { matchesAt } from './in-place.js'

/** What was counted for one address, since the table first held it; see {@link OwnedAddresses.counters}. */
export interface AddressCounters {
  /** Requests and solicitations for the address while we owned it. */
  requestsReceived: number
  /** Answers handed to the kernel. */
  responsesSent: number
  /** Unsolicited frames: each ARP frame, and one per interface and round for NDP. */
  gratuitousSent: number
}

/** `'all'` interfaces, or the exact names of some. */
export type InterfaceSelection = 'all' | readonly string[]

/** One address that we answer for. */
export interface OwnedAddress {
  /** Canonical text, the key of the table. */
  readonly text: string
  /** 4 or 16 octets. */
  readonly octets: Uint8Array
  readonly interfaces: InterfaceSelection
  readonly counters: AddressCounters
}

/** Counters of so many addresses that are gone are kept, however few the table has held. */
const LEAST_KEPT = 4096

/** Octets of an IPv4 or an IPv6 address. */
export type AddressLength = 4 | 16
/** Addresses of one key: mostly one, which then needs no list of its own. */
type Bucket = OwnedAddress | OwnedAddress[]

/** All its words, so that neither neighbouring addresses nor the same host part in many prefixes share one. */
function keyAt(octets: Uint8Array, offset: number, length: AddressLength): number {
  let key = 0
  for (let at = offset; at < offset + length; at += 4) {
    const word = (octets[at]! << 24) | (octets[at + 1]! << 16) | (octets[at + 2]! << 8) | octets[at + 3]!
    key = Math.imul(key, 0x9e37_79b1) ^ word
  }
  return key
}

function lengthOf(octets: Uint8Array): AddressLength {
  if (octets.length === 4 || octets.length === 16) return octets.length
  throw new RangeError(`an address has 4 or 16 octets, not ${octets.length}`)
}

/** The addresses to answer for, and on which interfaces. Found by text, and by octets on the per-packet path. */
export class OwnedAddresses implements Iterable<OwnedAddress> {
  readonly #byText = new Map<string, OwnedAddress>()
  /** By length and key: the octets are compared in the bucket. */
  readonly #buckets = { 4: new Map<number, Bucket>(), 16: new Map<number, Bucket>() }
  /** Counters of addresses that have gone, in the order of going. */
  readonly #gone = new Map<string, AddressCounters>()
  #mostHeld = 0

  /** Number of addresses. */
  get size(): number {
    return this.#byText.size
  }

  /**
   * Counters by address text, gathered anew each time. Those of an address that goes are kept, so that they do not fall when it comes back: of as many
   * addresses as the table has ever held at once, and of 4,096 at least. Beyond that those that went first are forgotten, and begin
   * at zero when they come back. So a failover there and back of everything loses nothing, and years of churn do not grow memory.
   */
  get counters(): ReadonlyMap<string, AddressCounters> {
    const counters = new Map(this.#gone)
    for (const owned of this) counters.set(owned.text, owned.counters)
    return counters
  }

  /** Every owned address, in the order in which they came. */
  [Symbol.iterator](): IterableIterator<OwnedAddress> {
    return this.#byText.values()
  }

  /** The address with this canonical text, if it is owned. */
  get(text: string): OwnedAddress | undefined {
    return this.#byText.get(text)
  }

  /**
   * The entry for an address from a packet.
   * @param octets 4 or 16
   * @throws {RangeError} any other number of them
   */
  find(octets: Uint8Array): OwnedAddress | undefined {
    return this.findAt(octets, 0, lengthOf(octets))
  }

  /** The same for an address inside a frame, from `offset` on, all of which the caller knows to be there. */
  findAt(frame: Uint8Array, offset: number, length: AddressLength): OwnedAddress | undefined {
    const bucket = this.#buckets[length].get(keyAt(frame, offset, length))
    if (bucket === undefined) return undefined
    // The key of 4 octets is the address itself.
    if (!Array.isArray(bucket)) return length === 4 || matchesAt(frame, offset, bucket.octets) ? bucket : undefined
    for (const owned of bucket) if (matchesAt(frame, offset, owned.octets)) return owned
    return undefined
  }

  /**
   * Adds an address or changes its interfaces.
   * @param text canonical text of `octets`
   * @throws {RangeError} neither 4 nor 16 octets
   */
  set(text: string, octets: Uint8Array, interfaces: InterfaceSelection): OwnedAddress {
    const length = lengthOf(octets)
    const counters = this.#take(text)?.counters ?? this.#recall(text)
    const owned: OwnedAddress = { text, octets: octets.slice(), interfaces, counters }
    const buckets = this.#buckets[length]
    const key = keyAt(octets, 0, length)
    this.#byText.set(text, owned)
    const others = buckets.get(key)
    buckets.set(key, others === undefined ? owned : [others, owned].flat())
    this.#mostHeld = Math.max(this.#mostHeld, this.size)
    return owned
  }

  /** Takes an address out. @returns the entry that was there */
  delete(text: string): OwnedAddress | undefined {
    const owned = this.#take(text)
    if (owned === undefined) return undefined
    this.#gone.set(text, owned.counters)
    if (this.#gone.size > Math.max(LEAST_KEPT, this.#mostHeld)) this.#forgetOldest()
    return owned
  }

  #take(text: string): OwnedAddress | undefined {
    const owned = this.#byText.get(text)
    if (owned === undefined) return undefined
    this.#byText.delete(text)
    const length = lengthOf(owned.octets)
    const buckets = this.#buckets[length]
    const key = keyAt(owned.octets, 0, length)
    const rest = [buckets.get(key) ?? []].flat().filter(other => other !== owned)
    if (rest.length > 1) buckets.set(key, rest)
    else if (rest[0] !== undefined) buckets.set(key, rest[0])
    else buckets.delete(key)
    return owned
  }

  #forgetOldest(): void {
    for (const oldest of this.#gone.keys()) {
      this.#gone.delete(oldest)
      return
    }
  }

  #recall(text: string): AddressCounters {
    const counters = this.#gone.get(text)
    this.#gone.delete(text)
    return counters ?? { requestsReceived: 0, responsesSent: 0, gratuitousSent: 0 }
  }
}

/** Whether the address is to be answered on the interface of that name. */
export const isSelected = (owned: OwnedAddress, interfaceName: string): boolean =>
  owned.interfaces === 'all' || owned.interfaces.includes(interfaceName)
