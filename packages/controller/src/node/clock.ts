/** Milliseconds. */
export type Milliseconds = number

/** Time as the controller needs it; a test brings its own. */
export interface Clock {
  /** Now, for time stamps. */
  now(): Date
  /** Calls once after a delay. @returns a function that prevents it */
  after(delay: Milliseconds, callback: () => void): () => void
}

/** The time of this machine. */
export const systemClock: Clock = {
  now: () => new Date(),
  after: (delay, callback) => {
    const timer = setTimeout(callback, delay)
    return () => clearTimeout(timer)
  },
}
