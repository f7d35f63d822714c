import { setTimeout as delay } from 'node:timers/promises'
import type { Milliseconds } from './limits.js'

/** Options of {@link Backoff}. */
export interface BackoffOptions {
  readonly firstPause: Milliseconds
  readonly longestPause: Milliseconds
  /** Uniform in [0, 1). */
  readonly random: () => number
}

/** Waits between attempts: twice as long each time, with jitter, so that a thousand clients do not come back at once. */
export class Backoff {
  readonly #options: BackoffOptions
  #attempts = 0

  constructor(options: BackoffOptions) {
    this.#options = options
  }

  /** The next attempt begins from the shortest wait again. */
  reset(): void {
    this.#attempts = 0
  }

  /** How long to wait now: between half and all of the step, and not less than `least`. */
  next(least: Milliseconds = 0): Milliseconds {
    const { firstPause, longestPause, random } = this.#options
    const step = Math.min(longestPause, firstPause * 2 ** this.#attempts++)
    return Math.max(least, step * (0.5 + random() / 2))
  }

  /** Waits; ends early, without error, when the signal aborts. */
  async wait(signal: AbortSignal, least: Milliseconds = 0): Promise<void> {
    await delay(this.next(least), undefined, { signal }).catch(() => {})
  }
}
