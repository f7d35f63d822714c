import { checkOptions, number, optional, type Kinds } from '@typemetal/options'
import type { Instant } from '../responder/announcer.js'

/** RFC 5227 §2.1.1, with its defaults. */
export interface AttemptLimitOptions {
  /** MAX_CONFLICTS: so many conflicts make attempts rare. @default 10 */
  readonly maxConflicts?: number
  /** RATE_LIMIT_INTERVAL: milliseconds between rare attempts. @default 60000 */
  readonly rateLimitInterval?: number
}

const notNegative = optional(number('a number from 0 on', value => value >= 0))
const KINDS: Kinds<AttemptLimitOptions> = { maxConflicts: notNegative, rateLimitInterval: notNegative }

/**
 * How often one interface may try another address (RFC 5227 §2.1.1): after MAX_CONFLICTS conflicts at most once each
 * RATE_LIMIT_INTERVAL, so that a broken network is not flooded with probes on top. Reads no clock.
 */
export class AttemptLimit {
  readonly #maxConflicts: number
  readonly #interval: number
  #conflicts = 0
  #last: Instant = -Infinity

  /** @throws {TypeError | RangeError} an option below 0, or an unknown one; the message begins with its name */
  constructor(options: AttemptLimitOptions = {}) {
    checkOptions(options, KINDS)
    const { maxConflicts = 10, rateLimitInterval = 60_000 } = options
    this.#maxConflicts = maxConflicts
    this.#interval = rateLimitInterval
  }

  /** Whether attempts are rare by now. */
  get limited(): boolean {
    return this.#conflicts >= this.#maxConflicts
  }

  /** An attempt that is about to be made. @returns when it may begin: `notBefore` of its {@link AddressProbe} */
  attempt(now: Instant): Instant {
    this.#last = this.limited ? Math.max(now, this.#last + this.#interval) : now
    return this.#last
  }

  /** An attempt has found a conflict. */
  conflicted(): void {
    this.#conflicts++
  }
}
