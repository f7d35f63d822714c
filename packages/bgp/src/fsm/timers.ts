/** Milliseconds on the caller's monotonic clock. */
export type Instant = number
/** A length of time in seconds, as the RFC counts its timers. */
export type Seconds = number

/** Session timers of RFC 4271 section 8 and the SendHoldTimer of RFC 9687. */
export type TimerName =
  'ConnectRetryTimer' | 'HoldTimer' | 'KeepaliveTimer' | 'DelayOpenTimer' | 'IdleHoldTimer' | 'SendHoldTimer'

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
