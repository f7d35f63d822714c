/** Consecutive 32-bit values, both ends included. */
export type Run = readonly [first: number, last: number]

/** Sorted runs of the values, which may come in any order and more than once. */
export function runsOf(values: Iterable<number>): readonly Run[] {
  const runs: [first: number, last: number][] = []
  let run: [first: number, last: number] | undefined
  for (const value of Uint32Array.from(values).toSorted()) {
    if (run !== undefined && value <= run[1] + 1) run[1] = value
    else runs.push((run = [value, value]))
  }
  return runs
}

/** Closes the narrowest gaps between runs until there are at most so many: what lies in them is found as well then. */
export function closeGaps(runs: readonly Run[], most: number): readonly Run[] {
  if (runs.length <= most) return runs
  const gaps = runs.slice(1).map(([first], i) => ({ behind: i, width: first - runs[i]![1] }))
  gaps.sort((a, b) => a.width - b.width)
  const closed = new Set(gaps.slice(0, runs.length - most).map(({ behind }) => behind))
  const wide: Run[] = []
  let first: number | undefined
  for (const [i, run] of runs.entries()) {
    first ??= run[0]
    if (closed.has(i)) continue
    wide.push([first, run[1]])
    first = undefined
  }
  return wide
}
