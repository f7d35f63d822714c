import { jitter, type Seconds } from './timers.js'

/** A session that stood this long is forgiven what was before it. */
const STABLE: Seconds = 30

/** Options of {@link Damping}. */
export interface DampingOptions {
  /** IdleHoldTime after the first failure. */
  readonly first: Seconds
  /** Longest IdleHoldTime. */
  readonly limit: Seconds
  /** DampPeerOscillations; `false` keeps the IdleHoldTime at `first`. */
  readonly doubles: boolean
  /** 0 up to 1; spreads the wait over 75 to 100 % of its value (RFC 4271 section 10). */
  readonly random: () => number
}

/**
 * Damping of peer oscillations (DampPeerOscillations, RFC 4271 section 8.1.1): the IdleHoldTime doubles with each attempt
 * that fails and each session that ends soon, up to a limit, and starts over after a session that stood.
 */
export class Damping {
  #failures = 0
  /** Taken as they are now at each failure. */
  options: DampingOptions

  constructor(options: DampingOptions) {
    this.options = options
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
    const { first, limit, doubles, random } = this.options
    const wait = doubles ? Math.min(limit, first * 2 ** Math.min(this.#failures, 30)) : first
    this.#failures++
    return jitter(wait, random)
  }
}
