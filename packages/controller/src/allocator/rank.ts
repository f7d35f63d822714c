/**
 * Place of an address in the order of its pool, from 0 up. A number as long as that is exact, else a bigint: bigints are slow, and only
 * the far end of a pool of more than 2^53 addresses needs them. So equal ranks are identical, and `<` orders them all.
 */
export type Rank = number | bigint

/** The rank of this value. */
export const toRank = (value: bigint): Rank => (value <= Number.MAX_SAFE_INTEGER ? Number(value) : value)

/** The rank after this one. */
export function nextRank(rank: Rank): Rank {
  if (typeof rank === 'bigint') return rank + 1n
  return rank < Number.MAX_SAFE_INTEGER ? rank + 1 : BigInt(rank) + 1n
}

/** The rank before this one, which is above 0. */
export const previousRank = (rank: Rank): Rank => (typeof rank === 'bigint' ? toRank(rank - 1n) : rank - 1)

/** How far a rank is above another one. */
export const distance = (from: Rank, to: Rank): bigint =>
  typeof from === 'number' && typeof to === 'number' ? BigInt(to - from) : BigInt(to) - BigInt(from)
