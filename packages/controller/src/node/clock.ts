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

/** Resolves after a delay, or when the signal aborts. */
export function pause(clock: Clock, delay: Milliseconds, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) return resolve()
    const done = (): void => {
      cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.after(delay, done)
    signal.addEventListener('abort', done)
    return undefined
  })
}
