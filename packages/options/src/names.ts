/** Names of options: in a sentence, and the one that was meant by another. */
import { distance } from 'fastest-levenshtein'

/** Names as a sentence has them. */
export const listed = (names: readonly string[], word = 'and'): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} ${word} ${names.at(-1)}`

/** The name that it begins, or that the fewest strokes make of it, if that is not most of it. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const lower = name.toLowerCase()
  const strokesTo = (other: string): number =>
    lower.length > 3 && other.startsWith(lower) ? 1 : distance(lower, other)
  const ranked = known
    .map(other => ({ other, strokes: strokesTo(other.toLowerCase()) }))
    .toSorted((a, b) => a.strokes - b.strokes)
  const best = ranked[0]
  return best && best.strokes <= Math.max(1, Math.floor(name.length / 2)) ? best.other : undefined
}
