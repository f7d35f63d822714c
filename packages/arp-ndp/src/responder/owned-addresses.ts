import { sameOctets, uint32At } from '../wire/octets.js'

/** What was counted for one address, ever since the table first held it. */
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

/** The addresses to answer for, and on which interfaces. Found by text, and by octets on the per-packet path. */
export class OwnedAddresses implements Iterable<OwnedAddress> {
  readonly #byText = new Map<string, OwnedAddress>()
  /** By length and low 32 bits, in which neighbouring addresses differ: the other bits are compared in the bucket. */
  readonly #buckets = { 4: new Map<number, OwnedAddress[]>(), 16: new Map<number, OwnedAddress[]>() }
  /** Kept when an address goes, so that a counter never falls when it comes back. */
  readonly #counters = new Map<string, AddressCounters>()

  /** Number of addresses. */
  get size(): number {
    return this.#byText.size
  }

  /** Counters by address text, of addresses no longer owned too. */
  get counters(): ReadonlyMap<string, AddressCounters> {
    return this.#counters
  }

  [Symbol.iterator](): IterableIterator<OwnedAddress> {
    return this.#byText.values()
  }

  /** @param text canonical text */
  get(text: string): OwnedAddress | undefined {
    return this.#byText.get(text)
  }

  /** The entry for a 4- or 16-octet address from a packet. */
  find(octets: Uint8Array): OwnedAddress | undefined {
    const bucket = this.#bucketsFor(octets).get(uint32At(octets, octets.length - 4))
    if (bucket === undefined) return undefined
    for (const owned of bucket) if (sameOctets(owned.octets, octets)) return owned
    return undefined
  }

  /**
   * Adds an address or changes its interfaces.
   * @param text canonical text of `octets`
   * @throws {RangeError} neither 4 nor 16 octets
   */
  set(text: string, octets: Uint8Array, interfaces: InterfaceSelection): OwnedAddress {
    const buckets = this.#bucketsFor(octets)
    this.delete(text)
    const owned: OwnedAddress = { text, octets: octets.slice(), interfaces, counters: this.#countersOf(text) }
    const key = uint32At(octets, octets.length - 4)
    this.#byText.set(text, owned)
    buckets.set(key, [...(buckets.get(key) ?? []), owned])
    return owned
  }

  /** Takes an address out. @returns the entry that was there */
  delete(text: string): OwnedAddress | undefined {
    const owned = this.#byText.get(text)
    if (owned === undefined) return undefined
    this.#byText.delete(text)
    const buckets = this.#bucketsFor(owned.octets)
    const key = uint32At(owned.octets, owned.octets.length - 4)
    const rest = (buckets.get(key) ?? []).filter(other => other !== owned)
    if (rest.length > 0) buckets.set(key, rest)
    else buckets.delete(key)
    return owned
  }

  #bucketsFor(octets: Uint8Array): Map<number, OwnedAddress[]> {
    if (octets.length === 4 || octets.length === 16) return this.#buckets[octets.length]
    throw new RangeError(`an address has 4 or 16 octets, not ${octets.length}`)
  }

  #countersOf(text: string): AddressCounters {
    let counters = this.#counters.get(text)
    if (counters === undefined) {
      counters = { requestsReceived: 0, responsesSent: 0, gratuitousSent: 0 }
      this.#counters.set(text, counters)
    }
    return counters
  }
}

/** Whether the address is to be answered on the interface of that name. */
export const isSelected = (owned: OwnedAddress, interfaceName: string): boolean =>
  owned.interfaces === 'all' || owned.interfaces.includes(interfaceName)
