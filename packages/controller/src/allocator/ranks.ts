import type { AddressBlock } from '@typemetal/cluster'

/** A block of a pool and the ranks of its usable addresses: `firstRank` to `firstRank + count - 1`. */
interface Stretch {
  readonly block: AddressBlock
  readonly firstRank: bigint
  readonly count: bigint
}

const MAX_INT64 = 2n ** 63n - 1n
/** From this many host bits on, MetalLB counts a block as 2^63-1. */
const HUGE_HOST_BITS = 62

/**
 * Numbers the usable addresses of one family of a pool 0, 1, 2 … in the order in which they are given out: blocks in the
 * order of the spec, ascending within each. With `avoidBuggyIPs`, IPv4 addresses that end in 0 or 255 have no rank.
 * Nothing is enumerated: a rank is computed.
 */
export class Ranks {
  /** Usable addresses, exact. */
  readonly count: bigint
  /** Usable addresses as MetalLB reports them: at most 2^63-1, which a block with 62 host bits or more counts for alone. */
  readonly capacity: bigint
  readonly #avoidBuggy: boolean
  /** By rank. */
  readonly #stretches: readonly Stretch[]
  /** By address. */
  readonly #ascending: readonly Stretch[]

  /** @param blocks of one family, not overlapping */
  constructor(blocks: readonly AddressBlock[], avoidBuggyIPs: boolean) {
    this.#avoidBuggy = avoidBuggyIPs && blocks[0]?.family === 'IPv4'
    let firstRank = 0n
    this.#stretches = blocks.map(block => {
      const stretch = { block, firstRank, count: this.#avoidBuggy ? countUsable(block) : countAll(block) }
      firstRank += stretch.count
      return stretch
    })
    this.#ascending = this.#stretches.toSorted((a, b) => (a.block.first < b.block.first ? -1 : 1))
    this.count = firstRank
    this.capacity = blocks.some(isHuge) ? MAX_INT64 : saturate(firstRank)
  }

  /** Rank of an address, or `undefined` when the pool has no such usable address. */
  rankOf(value: bigint): bigint | undefined {
    const stretch = last(this.#ascending, s => s.block.first <= value)
    if (!stretch || value > stretch.block.last) return undefined
    const { block, firstRank } = stretch
    if (!this.#avoidBuggy) return firstRank + value - block.first
    if (isBuggy(value)) return undefined
    return firstRank + usableBelow(value) - usableBelow(block.first)
  }

  /**
   * Address of a rank.
   *
   * @throws {RangeError} the rank is not below {@link count}
   */
  valueAt(rank: bigint): bigint {
    const stretch = last(this.#stretches, s => s.firstRank <= rank)
    if (!stretch || rank >= stretch.firstRank + stretch.count) throw new RangeError(`no address of rank ${rank}`)
    const { block, firstRank } = stretch
    if (!this.#avoidBuggy) return block.first + rank - firstRank
    const below = usableBelow(block.first) + rank - firstRank
    return ((below / USABLE_IN_24) << 8n) + (below % USABLE_IN_24) + 1n
  }
}

/** The smaller of `count` and 2^63-1, the largest number that a status field holds. */
export const saturate = (count: bigint): bigint => (count > MAX_INT64 ? MAX_INT64 : count)

const USABLE_IN_24 = 254n
const isBuggy = (value: bigint): boolean => (value & 255n) === 0n || (value & 255n) === 255n
const countAll = (block: AddressBlock): bigint => block.last - block.first + 1n
const countUsable = (block: AddressBlock): bigint => usableBelow(block.last + 1n) - usableBelow(block.first)
const isHuge = (block: AddressBlock): boolean => block.family === 'IPv6' && 128 - block.prefixLength >= HUGE_HOST_BITS

/** How many addresses from 0 up to `value`, exclusive, end in neither 0 nor 255. */
function usableBelow(value: bigint): bigint {
  const octet = value & 255n
  const inLast24 = octet === 0n ? 0n : octet - 1n
  return (value >> 8n) * USABLE_IN_24 + inLast24
}

/** The last element that satisfies `test`, by bisection: `test` holds for a prefix of the list. */
function last<T>(list: readonly T[], test: (item: T) => boolean): T | undefined {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const item = list[middle]
    if (item !== undefined && test(item)) low = middle + 1
    else high = middle
  }
  return list[low - 1]
}
