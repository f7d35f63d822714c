import type { Random } from './types.js'

/** A whole number of 0 to `n - 1`. */
export const randomBelow = (random: Random, n: number): number => Math.min(n - 1, Math.floor(random() * n))

/** Shuffles in place (Fisher–Yates). */
export function shuffle<T>(items: T[], random: Random): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = randomBelow(random, i + 1)
    const item = items[i]!
    items[i] = items[j]!
    items[j] = item
  }
  return items
}

/**
 * At most `k` different items that pass the filter, by chance. Misses none when there are few: it draws from the list
 * without replacement until it has enough, and costs `k` draws when most items pass.
 */
export function pickRandom<T>(items: readonly T[], k: number, random: Random, accept: (item: T) => boolean): T[] {
  const picked: T[] = []
  const moved = new Map<number, number>() // a partial Fisher–Yates that leaves the list alone
  for (let left = items.length; left > 0 && picked.length < k; left--) {
    const draw = randomBelow(random, left)
    const item = items[moved.get(draw) ?? draw]!
    moved.set(draw, moved.get(left - 1) ?? left - 1)
    if (accept(item)) picked.push(item)
  }
  return picked
}
