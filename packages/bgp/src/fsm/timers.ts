/** Milliseconds on the caller's monotonic clock. */
export type Instant = number
/** A length of time in seconds, as the RFC counts its timers. */
export type Seconds = number

/** Session timers of RFC 4271 section 8, the SendHoldTimer of RFC 9687, the BfdHoldTimer of draft-ietf-idr-bgp-bfd-strict-mode. */
export type TimerName =
  | 'ConnectRetryTimer'
  | 'HoldTimer'
  | 'KeepaliveTimer'
  | 'DelayOpenTimer'
  | 'IdleHoldTimer'
  | 'SendHoldTimer'
  | 'BfdHoldTimer'

/** 75 to 100 % of a time, RFC 4271 section 10. @param random 0 up to 1 */
export const jitter = (seconds: Seconds, random: () => number): Seconds => seconds * (0.75 + 0.25 * random())

/** The running timers of one FSM: names and deadlines, nothing that fires by itself. */
export class Timers {
  readonly #deadlines = new Map<TimerName, Instant>()

  /** Starts the timer anew, whether it runs or not. */
  start(name: TimerName, seconds: Seconds, now: Instant): void {
    this.#deadlines.set(name, now + seconds * 1000)
  }

  stop(name: TimerName): void {
    this.#deadlines.delete(name)
  }

  stopAll(): void {
    this.#deadlines.clear()
  }

  isRunning(name: TimerName): boolean {
    return this.#deadlines.has(name)
  }

  /** When the first timer expires; `undefined` while none runs. */
  get next(): Instant | undefined {
    let next: Instant | undefined
    for (const at of this.#deadlines.values()) if (next === undefined || at < next) next = at
    return next
  }

  /** Stops and returns the timer that is due first, if one is due at `now`. */
  takeDue(now: Instant): TimerName | undefined {
    const next = this.next
    if (next === undefined || next > now) return undefined
    for (const [name, at] of this.#deadlines) {
      if (at !== next) continue
      this.#deadlines.delete(name)
      return name
    }
    return undefined
  }
}
