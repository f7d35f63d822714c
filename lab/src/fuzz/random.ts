/** Chance that can be had again: the same seed gives the same numbers. */

/** Numbers from 0 up to 1. */
export type Random = () => number

/** Mulberry32. */
export function seeded(seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let z = Math.imul(state ^ (state >>> 15), 1 | state)
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z
    return ((z ^ (z >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** A whole number from 0 up to `count`, exclusive. */
export const below = (random: Random, count: number): number => Math.floor(random() * count)

/** One of a list that is not empty. */
export const pick = <T>(random: Random, list: readonly T[]): T => list[below(random, list.length)]!

/** Any octets, short ones more often than long ones. */
export function randomOctets(random: Random, longest: number): Uint8Array {
  return Uint8Array.from({ length: below(random, 1 + below(random, longest)) }, () => below(random, 256))
}
