/** Time for everything here that waits, so that tests can run it faster than life. */

/** A monotonic clock with timers. */
export interface Clock {
  /** Milliseconds; only differences mean anything. */
  now(): number
  /** Calls `fn` once after `ms` milliseconds. @returns cancels the call */
  after(ms: number, fn: () => void): () => void
  /** Wall-clock time in RFC 3339, for statuses. */
  timestamp(): string
}

/** The machine's own; its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, fn) => {
    const timer = setTimeout(fn, ms).unref()
    return () => clearTimeout(timer)
  },
  timestamp: () => `${new Date().toISOString().slice(0, 19)}Z`,
}
