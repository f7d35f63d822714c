// Whether a figure grows, by the line that fits its samples best.

/**
 * How much of a growth is in samples over time: least squares. Of each of `windows` equal parts of the time only the lowest sample counts,
 * so that garbage which is not collected yet is no growth.
 *
 * @param samples `{ at, value }`, ascending
 * @returns `{ growth, mean }` over the whole time, in the samples' unit
 */
export function growthOf(samples, windows) {
  const lowest = lowestOf(samples, windows)
  const mean = field => lowest.reduce((sum, sample) => sum + sample[field], 0) / lowest.length
  const [at, value] = [mean('at'), mean('value')]
  let [covariance, variance] = [0, 0]
  for (const sample of lowest) {
    covariance += (sample.at - at) * (sample.value - value)
    variance += (sample.at - at) ** 2
  }
  const slope = variance > 0 ? covariance / variance : 0
  return { growth: slope * (lowest.at(-1).at - lowest[0].at), mean: value }
}

function lowestOf(samples, windows) {
  const [first, last] = [samples[0].at, samples.at(-1).at]
  const parts = Array.from({ length: windows }, () => [])
  for (const sample of samples) {
    const part = Math.floor(((sample.at - first) / (last - first || 1)) * windows)
    parts[Math.min(part, windows - 1)].push(sample)
  }
  return parts
    .filter(part => part.length > 0)
    .map(part => part.reduce((low, sample) => (sample.value < low.value ? sample : low)))
}

/**
 * One sentence, and whether the growth is within what is allowed over the whole time: so much, or a share of the mean if that is more. As
 * this does not depend on the time, a longer run is the stricter test.
 */
export function judge(what, unit, samples, { windows = 12, absolute, share = 0 }) {
  if (samples.length < windows) return { ok: false, text: `${what}: only ${samples.length} samples` }
  const { growth, mean } = growthOf(samples, windows)
  const allowed = Math.max(absolute, mean * share)
  const ok = growth <= allowed
  const figures = `${mean.toFixed(1)} ${unit}, grows by ${growth.toFixed(2)} (allowed ${allowed.toFixed(2)})`
  return { ok, text: `${ok ? 'ok    ' : 'FAILED'} ${what}: ${figures}` }
}
