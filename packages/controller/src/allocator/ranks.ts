import type { AddressBlock } from '@typemetal/cluster'
import { distance, type Rank, toRank } from './rank.js'

/** A block of a pool and the ranks of its usable addresses: `firstRank` up to `endRank`, exclusive. */
interface Stretch {
  readonly block: AddressBlock
  readonly firstRank: Rank
  readonly endRank: Rank
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
  /** {@link count} as a rank: no rank is as high. */
  readonly end: Rank
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
    let count = 0n
    this.#stretches = blocks.map(block => {
      const firstRank = toRank(count)
      count += this.#avoidBuggy ? countUsable(block) : countAll(block)
      return { block, firstRank, endRank: toRank(count) }
    })
    this.#ascending = this.#stretches.toSorted((a, b) => (a.block.first < b.block.first ? -1 : 1))
    this.count = count
    this.end = toRank(count)
    this.capacity = blocks.some(isHuge) ? MAX_INT64 : saturate(count)
  }

  /** Rank of an address, or `undefined` when the pool has no such usable address. */
  rankOf(value: bigint): Rank | undefined {
    const stretch = this.#stretchOf(value)
    if (!stretch || value > stretch.block.last) return undefined
    const { block, firstRank } = stretch
    if (!this.#avoidBuggy) return after(firstRank, value - block.first)
    if (isBuggy(value)) return undefined
    return after(firstRank, usableBelow(value) - usableBelow(block.first))
  }

  /**
   * Address of a rank.
   *
   * @throws {RangeError} the rank is not below {@link end}
   */
  valueAt(rank: Rank): bigint {
    const stretch = this.#stretchAt(rank)
    if (!stretch || rank >= stretch.endRank) throw new RangeError(`no address of rank ${rank}`)
    const { block, firstRank } = stretch
    const offset = distance(firstRank, rank)
    if (!this.#avoidBuggy) return block.first + offset
    const below = usableBelow(block.first) + offset
    return ((below / USABLE_IN_24) << 8n) + (below % USABLE_IN_24) + 1n
  }

  /** The last stretch that begins at or below an address, by bisection. */
  #stretchOf(value: bigint): Stretch | undefined {
    const list = this.#ascending
    let low = 0
    for (let high = list.length; low < high;) {
      const middle = (low + high) >>> 1
      if (list[middle]!.block.first <= value) low = middle + 1
      else high = middle
    }
    return list[low - 1]
  }

  /** The last stretch that begins at or below a rank, by bisection. */
  #stretchAt(rank: Rank): Stretch | undefined {
    const list = this.#stretches
    let low = 0
    for (let high = list.length; low < high;) {
      const middle = (low + high) >>> 1
      if (list[middle]!.firstRank <= rank) low = middle + 1
      else high = middle
    }
    return list[low - 1]
  }
}

/** The rank that is so far above another one. */
const after = (rank: Rank, offset: bigint): Rank => {
  if (typeof rank === 'number' && offset <= Number.MAX_SAFE_INTEGER) {
    const sum = rank + Number(offset)
    if (sum <= Number.MAX_SAFE_INTEGER) return sum
  }
  return toRank(BigInt(rank) + offset)
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
