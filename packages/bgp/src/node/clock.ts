import type { Instant } from '../fsm/index.js'

/** Where time comes from. */
export interface Clock {
  /** Milliseconds on a monotonic clock. */
  now(): Instant
  /** Calls `fn` after `ms` milliseconds, once. @returns stops it */
  after(ms: number, fn: () => void): () => void
}

const MAX_DELAY = 0x7fff_ffff

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, fn) {
    const timer = setTimeout(fn, Math.min(MAX_DELAY, Math.max(0, ms)))
    return () => clearTimeout(timer)
  },
}
