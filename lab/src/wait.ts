/** Waiting for something outside to become true. */
import { setTimeout as sleep } from 'node:timers/promises'
import { LabError, messageOf } from './errors.js'

/** How {@link until} waits. */
export interface WaitOptions {
  /** Milliseconds. @default 60_000, for a machine that does much else */
  readonly timeout?: number
  /** Milliseconds between two looks. @default 25 */
  readonly interval?: number
  readonly signal?: AbortSignal
}

/**
 * Looks again and again until `look` gives a value (`undefined` means "not yet"; an exception too), and returns it.
 * @param what for the error message: "waited 10 s for …"
 * @throws {LabError} ERR_LAB_TIMEOUT, with the last exception as its cause
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  { timeout = 60_000, interval = 25, signal }: WaitOptions = {},
): Promise<T> {
  const deadline = performance.now() + timeout
  for (;;) {
    signal?.throwIfAborted()
    let cause: unknown
    try {
      const value = await look()
      if (value !== undefined) return value
    } catch (error) {
      cause = error
    }
    if (performance.now() >= deadline) {
      const why = cause === undefined ? '' : ` (${messageOf(cause)})`
      throw new LabError('ERR_LAB_TIMEOUT', `waited ${timeout / 1000} s for ${what}${why}`, { cause })
    }
    await sleep(interval, undefined, { signal })
  }
}
