/** Runs one piece of work for a burst of reasons. */
import type { Clock } from './clock.js'

/** A run that takes fewer milliseconds is cheap: the next one need not wait. */
const CHEAP = 1

/**
 * Runs `work` at once for the first request. After a run that was expensive it waits as long as that run took, so that a storm of
 * requests leaves half of the time to others; requests that come meanwhile share the next run. Never two runs at a time.
 */
export class Coalescer {
  readonly #work: () => Promise<void>
  readonly #longest: number
  readonly #clock: Clock
  /** When the next run may start. */
  #rested = -Infinity
  #cancel: (() => void) | undefined
  #running: Promise<void> | undefined
  #requested = false
  #closed = false

  /**
   * @param work must not reject
   * @param longest milliseconds: the wait between two runs, however long they take
   */
  constructor(work: () => Promise<void>, longest: number, clock: Clock) {
    this.#work = work
    this.#longest = longest
    this.#clock = clock
  }

  /** Asks for a run that starts after this call. */
  request(): void {
    if (this.#closed) return
    this.#requested = true
    if (this.#running || this.#cancel) return
    const wait = this.#rested - this.#clock.now()
    if (wait <= 0) this.#run()
    else this.#cancel = this.#clock.after(wait, () => this.#run())
  }

  /** Takes no further requests; resolves when the run under way has ended. */
  async close(): Promise<void> {
    this.#closed = true
    this.#cancel?.()
    await this.#running
  }

  #run(): void {
    this.#cancel = undefined
    this.#requested = false
    const start = this.#clock.now()
    this.#running = this.#work().finally(() => {
      this.#running = undefined
      const end = this.#clock.now()
      const took = end - start
      this.#rested = took < CHEAP ? end : end + Math.min(took, this.#longest)
      if (this.#requested) this.request()
    })
  }
}
