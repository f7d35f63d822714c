import type { Milliseconds } from './clock.js'

/** Writes of one object in a row that wait for nothing: nobody changes a Service by hand that often. */
const BURST = 20
/** Between two writes of one object after that. */
const INTERVAL: Milliseconds = 1000
/** Objects that are remembered before those are looked for whose time is over. */
const MANY = 1024

/**
 * How often one object is written: another controller that wants the same field otherwise undoes each write, and the two would go on as fast as
 * the API server lets them. A burst is free, then there is one write a second, until there has been nothing to write for a while.
 */
export class WritePace {
  /** When all that was written would have been written at one a {@link INTERVAL}. */
  readonly #due = new Map<string, Milliseconds>()
  #limit = MANY

  /** How long the next write of an object has to wait, from 0 to {@link INTERVAL}. */
  wait(key: string, now: Milliseconds): Milliseconds {
    return Math.max(0, this.#debt(key, now) - (BURST - 1) * INTERVAL)
  }

  /** An object has been written. */
  wrote(key: string, now: Milliseconds): void {
    this.#due.set(key, now + this.#debt(key, now) + INTERVAL)
    if (this.#due.size <= this.#limit) return
    for (const [other, due] of this.#due) if (due <= now) this.#due.delete(other)
    this.#limit = Math.max(MANY, 2 * this.#due.size)
  }

  /** Milliseconds that an object is ahead of its pace; a clock that was put back makes it no more than a burst can. */
  #debt(key: string, now: Milliseconds): Milliseconds {
    return Math.min(Math.max(0, (this.#due.get(key) ?? 0) - now), BURST * INTERVAL)
  }
}
