import { remainingSuspicion } from './formulas.js'
import type { Timer, Timers } from './timers.js'
import type { Instant, Milliseconds } from './types.js'

/** How long a suspicion lasts. */
export interface SuspicionOptions {
  /** Confirmations from others after which it has become as short as it gets. */
  readonly k: number
  readonly min: Milliseconds
  readonly max: Milliseconds
  /** The first accuser, who does not count as a confirmation. */
  readonly from: string
  readonly onExpire: (now: Instant) => void
  /** Called {@link LAST_CALLS} times in the last `callTime` before the expiry. */
  readonly onLastCall: (now: Instant) => void
  readonly callTime: Milliseconds
}

/** How often a suspect is asked directly, right before it is declared dead. */
const LAST_CALLS = 3

/** The time a suspect has to contradict: long while one node accuses it, shorter with each further one (Lifeguard). */
export class Suspicion {
  readonly #options: SuspicionOptions
  readonly #timers: Timers
  readonly #start: Instant
  readonly #accusers: Set<string>
  #confirmations = 0
  #expiry: Timer
  #call: Timer | undefined

  constructor(options: SuspicionOptions, timers: Timers, now: Instant) {
    this.#options = options
    this.#timers = timers
    this.#start = now
    this.#accusers = new Set([options.from])
    this.#expiry = this.#arm(now + (options.k < 1 ? options.min : options.max), now)
  }

  /** Nodes other than the first accuser that confirmed; at most `k` are counted, at least one, whom {@link Watch} asks for. */
  get confirmedBy(): number {
    return this.#accusers.size - 1
  }

  /** Confirmations that made the time shorter. */
  get confirmations(): number {
    return this.#confirmations
  }

  /** Whether fewer confirmed than might have. */
  get isDegraded(): boolean {
    return this.#confirmations < this.#options.k
  }

  /** @returns whether it was news that others should hear */
  confirm(from: string, now: Instant): boolean {
    const { k, min, max } = this.#options
    if (this.confirmedBy >= Math.max(k, 1) || this.#accusers.has(from)) return false
    this.#accusers.add(from)
    if (this.#confirmations >= k) return false
    this.#confirmations++
    this.cancel()
    const remaining = remainingSuspicion(this.#confirmations, k, now - this.#start, min, max)
    this.#expiry = this.#arm(now + Math.max(0, remaining), now)
    return true
  }

  /** The suspect has spoken, or is dead. */
  cancel(): void {
    this.#expiry.cancel()
    this.#call?.cancel()
  }

  #arm(at: Instant, now: Instant): Timer {
    this.#armCall(at, Math.max(now, at - this.#options.callTime))
    return this.#timers.set(at, later => this.#options.onExpire(later), true)
  }

  #armCall(expiry: Instant, at: Instant): void {
    this.#call = this.#timers.set(at, now => {
      this.#options.onLastCall(now)
      const next = now + this.#options.callTime / LAST_CALLS
      if (next < expiry) this.#armCall(expiry, next)
    })
  }
}
