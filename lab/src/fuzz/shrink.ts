type Fails = (input: Uint8Array) => Promise<boolean>

const without = (octets: Uint8Array, start: number, length: number): Uint8Array => {
  const left = new Uint8Array(octets.length - Math.min(length, octets.length - start))
  left.set(octets.subarray(0, start))
  left.set(octets.subarray(start + length), start)
  return left
}

/**
 * A shorter input with more zeros that fails still.
 *
 * @param attempts most inputs to try
 */
export async function shrink(input: Uint8Array, fails: Fails, attempts = 3000): Promise<Uint8Array> {
  let best = input
  const budget = { left: attempts }
  const improve = async (candidate: Uint8Array): Promise<boolean> => {
    if (budget.left-- <= 0 || !(await fails(candidate.slice()))) return false
    best = candidate
    return true
  }
  for (let before = -1; before !== best.length && budget.left > 0;) {
    before = best.length
    for (let size = best.length >> 1; size >= 1; size >>= 1) {
      for (let start = 0; start < best.length && budget.left > 0;) {
        if (!(await improve(without(best, start, size)))) start += size
      }
    }
  }
  for (let i = 0; i < best.length && budget.left > 0; i++) {
    if (best[i] === 0) continue
    const zeroed = best.slice()
    zeroed[i] = 0
    await improve(zeroed)
  }
  return best
}
