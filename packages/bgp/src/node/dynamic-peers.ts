import { addressFamily } from '../address.js'
import type { FamilyName, Nlri } from '../wire/index.js'
import type { Peer } from './peer.js'
import type { CommonPeerOptions } from './peer-options.js'

/** A prefix that peers may connect from. */
export interface DynamicRange<P = Peer, O = CommonPeerOptions> {
  readonly family: FamilyName
  readonly nlri: Nlri
  /** Of each peer that comes from here. */
  options: O
  /** Most peers at a time; see {@link isFull}. */
  limit: number
  /** Those that are connected. */
  readonly peers: Set<P>
}

/** Peers of one range at a time unless it says otherwise: the default of FRR's `bgp listen limit`. */
export const DEFAULT_DYNAMIC_LIMIT = 100

/** Whether another peer would be one too many. */
export const isFull = ({ peers, limit }: DynamicRange<unknown, unknown>): boolean => peers.size >= limit

/** @throws {RangeError} not a whole number of 1 and more */
export function checkLimit(limit = DEFAULT_DYNAMIC_LIMIT): number {
  if (!Number.isInteger(limit) || limit < 1) throw new RangeError(`limit must be 1 or more, not ${limit}`)
  return limit
}

/** Ranges of one family and length, by the octets of their prefix; equal ones in the order they came. */
type SameLength<P, O> = Map<string, DynamicRange<P, O>[]>

/** The first `length` bits of an address as a key, the others cleared. */
function keyOf(octets: Uint8Array, length: number): string {
  const whole = length >>> 3
  const spare = length & 7
  const key = String.fromCharCode(...octets.subarray(0, whole))
  return spare === 0 ? key : key + String.fromCharCode(octets[whole]! & (0xff << (8 - spare)) & 0xff)
}

/**
 * The prefixes that peers may connect from. The cost of a look-up grows with the number of different lengths, not of prefixes:
 * one hash table for each length, the longest first.
 */
export class DynamicPeers<P = Peer, O = CommonPeerOptions> {
  readonly #tables: { readonly [F in FamilyName]: Map<number, SameLength<P, O>> } = {
    'ipv4-unicast': new Map(),
    'ipv6-unicast': new Map(),
  }
  readonly #lengths: { [F in FamilyName]: readonly number[] } = { 'ipv4-unicast': [], 'ipv6-unicast': [] }

  /** @throws {RangeError} `limit` is not a whole number of 1 and more */
  add(family: FamilyName, nlri: Nlri, options: O, limit?: number): DynamicRange<P, O> {
    const range: DynamicRange<P, O> = { family, nlri, options, limit: checkLimit(limit), peers: new Set() }
    const table = this.#table(family, nlri.length)
    const key = keyOf(nlri.prefix, nlri.length)
    const same = table.get(key)
    if (same) same.push(range)
    else table.set(key, [range])
    return range
  }

  /** Does nothing where it has been deleted. */
  delete(range: DynamicRange<P, O>): void {
    const { family, nlri } = range
    const table = this.#tables[family].get(nlri.length)
    const key = keyOf(nlri.prefix, nlri.length)
    const left = table?.get(key)?.filter(each => each !== range) ?? []
    if (left.length > 0) table?.set(key, left)
    else table?.delete(key)
    if (table?.size === 0) this.#tables[family].delete(nlri.length)
    this.#sortLengths(family)
  }

  /** The range with the longest prefix that has the address, and that fits; of equal ones the first. It may be full. */
  find(address: Uint8Array, fits: (options: O) => boolean = () => true): DynamicRange<P, O> | undefined {
    const family = addressFamily(address)
    for (const length of this.#lengths[family]) {
      const ranges = this.#tables[family].get(length)?.get(keyOf(address, length))
      const range = ranges?.find(({ options }) => fits(options))
      if (range) return range
    }
    return undefined
  }

  #table(family: FamilyName, length: number): SameLength<P, O> {
    const known = this.#tables[family].get(length)
    if (known) return known
    const table: SameLength<P, O> = new Map()
    this.#tables[family].set(length, table)
    this.#sortLengths(family)
    return table
  }

  #sortLengths(family: FamilyName): void {
    const lengths = this.#tables[family]
    if (lengths.size !== this.#lengths[family].length) {
      this.#lengths[family] = [...lengths.keys()].toSorted((a, b) => b - a)
    }
  }
}
