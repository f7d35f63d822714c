import { setTimeout as delay } from 'node:timers/promises'

const FIRST = 500
const LONGEST = 30_000

/** Waits between attempts: twice as long each time, with jitter, so that a thousand clients do not come back at once. */
export class Backoff {
  readonly #random: () => number
  #attempts = 0

  /** @param random uniform in [0, 1) */
  constructor(random: () => number = Math.random) {
    this.#random = random
  }

  /** The next attempt begins from the shortest wait again. */
  reset(): void {
    this.#attempts = 0
  }

  /** Milliseconds to wait now: between half and all of the step, and not less than `least`. */
  next(least = 0): number {
    const step = Math.min(LONGEST, FIRST * 2 ** this.#attempts++)
    return Math.max(least, step * (0.5 + this.#random() / 2))
  }

  /** Waits; ends early, without error, when the signal aborts. */
  async wait(signal: AbortSignal, least = 0): Promise<void> {
    await delay(this.next(least), undefined, { signal }).catch(() => {})
  }
}
