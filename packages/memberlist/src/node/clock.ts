import type { Instant, Milliseconds } from '../swim/index.js'

/** Time as the driver takes it. */
export interface Clock {
  /** Monotonic. */
  now(): Instant
  /** Runs once after a time; the result cancels it. */
  after(delay: Milliseconds, run: () => void): () => void
}

/** Longest delay that setTimeout keeps. */
const MAX_DELAY = 0x7fffffff

/** The process's own monotonic clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(delay, run) {
    const timer = setTimeout(run, Math.min(Math.ceil(delay), MAX_DELAY))
    return () => clearTimeout(timer)
  },
}
