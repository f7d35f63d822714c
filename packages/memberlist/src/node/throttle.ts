import type { Instant, Milliseconds } from '../swim/index.js'

/** Sources remembered at most: a flood of forged ones must not fill the memory. */
const MAX_SOURCES = 1000

/** Lines of all sources together in one interval, at most. */
const MAX_LINES = 200

/** Lets one line per source and interval through, and says how many it held back. */
export class Throttle {
  readonly #interval: Milliseconds
  #lines = 0
  #until: Instant = 0
  readonly #seen = new Map<string, { until: Instant; held: number }>()

  constructor(interval: Milliseconds) {
    this.#interval = interval
  }

  /** @returns how many were held back since the last line of this source; `undefined` to hold this one back too */
  pass(source: string, now: Instant): number | undefined {
    if (now >= this.#until) {
      this.#until = now + this.#interval
      this.#lines = 0
    }
    const entry = this.#seen.get(source)
    if (entry && now < entry.until) {
      entry.held++
      return undefined
    }
    if (++this.#lines > MAX_LINES) return undefined
    if (!entry && this.#seen.size >= MAX_SOURCES) this.#seen.clear()
    this.#seen.set(source, { until: now + this.#interval, held: 0 })
    return entry?.held ?? 0
  }
}
