import type { Seconds } from './timers.js'

/** First wait after a failed session. */
const FIRST: Seconds = 1
/** A session that stood this long is forgiven what was before it. */
const STABLE: Seconds = 30

/**
 * Damping of peer oscillations (DampPeerOscillations, RFC 4271 section 8.1.1): the IdleHoldTime doubles with each attempt
 * that fails and each session that ends soon, up to a limit, and starts over after a session that stood.
 */
export class Damping {
  #failures = 0
  readonly #limit: Seconds
  readonly #random: () => number

  /** @param random 0 to 1; spreads the wait over 75 to 100 % of its value (RFC 4271 section 10) */
  constructor(limit: Seconds, random: () => number) {
    this.#limit = limit
    this.#random = random
  }

  /** Forgets all failures. */
  reset(): void {
    this.#failures = 0
  }

  /** Says how long an Established session stood. */
  sessionEnded(stood: Seconds): void {
    if (stood >= STABLE) this.reset()
  }

  /** Counts one more failure. @returns how long to wait before the next attempt */
  next(): Seconds {
    const wait = Math.min(this.#limit, FIRST * 2 ** Math.min(this.#failures, 30))
    this.#failures++
    return wait * (0.75 + 0.25 * this.#random())
  }
}
