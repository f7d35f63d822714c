/** Names that are longer are no slips, and the comparison takes time. */
const MAX_NAME = 64

/**
 * The candidate that `name` is most likely a slip of: same letters in another case, or few edits away.
 *
 * @returns `undefined` when none is close
 */
export function closest<T extends string>(name: string, candidates: readonly T[]): T | undefined {
  if (name.length > MAX_NAME) return undefined
  const wanted = name.toLowerCase()
  const limit = Math.max(1, Math.floor(name.length / 4))
  const ranked = candidates
    .map(candidate => ({ candidate, distance: editDistance(wanted, candidate.toLowerCase()) }))
    .filter(({ distance }) => distance <= limit)
    .toSorted((a, b) => a.distance - b.distance)
  return ranked[0]?.candidate
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
