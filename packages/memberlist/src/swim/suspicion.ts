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
  readonly onExpire: (now: Instant, confirmations: number) => void
}

/** The time a suspect has to contradict: long while one node accuses it, shorter with each further one (Lifeguard). */
export class Suspicion {
  readonly #options: SuspicionOptions
  readonly #timers: Timers
  readonly #start: Instant
  readonly #accusers: Set<string>
  #confirmations = 0
  #timer: Timer

  constructor(options: SuspicionOptions, timers: Timers, now: Instant) {
    this.#options = options
    this.#timers = timers
    this.#start = now
    this.#accusers = new Set([options.from])
    this.#timer = this.#arm(now + (options.k < 1 ? options.min : options.max))
  }

  /** Nodes other than the first accuser that confirmed, whether or not it made the time shorter. */
  get confirmedBy(): number {
    return this.#accusers.size - 1
  }

  /** @returns whether it was news that others should hear */
  confirm(from: string, now: Instant): boolean {
    const { k, min, max } = this.#options
    if (this.#accusers.has(from)) return false
    this.#accusers.add(from)
    if (this.#confirmations >= k) return false
    this.#confirmations++
    this.#timer.cancel()
    const remaining = remainingSuspicion(this.#confirmations, k, now - this.#start, min, max)
    this.#timer = this.#arm(now + Math.max(0, remaining))
    return true
  }

  /** The suspect has spoken, or is dead. */
  cancel(): void {
    this.#timer.cancel()
  }

  #arm(at: Instant): Timer {
    return this.#timers.set(at, now => this.#options.onExpire(now, this.#confirmations), true)
  }
}
