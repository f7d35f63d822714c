/** Runs one piece of work for a burst of reasons. */
import type { Clock } from './clock.js'

/**
 * Runs `work` at once for the first request and at most once every `interval` milliseconds after that; requests that
 * come meanwhile share the next run. Never two runs at a time.
 */
export class Coalescer {
  readonly #work: () => Promise<void>
  readonly #interval: number
  readonly #clock: Clock
  #last = -Infinity
  #cancel: (() => void) | undefined
  #running: Promise<void> | undefined
  #requested = false
  #closed = false

  /** @param work must not reject */
  constructor(work: () => Promise<void>, interval: number, clock: Clock) {
    this.#work = work
    this.#interval = interval
    this.#clock = clock
  }

  /** Asks for a run that starts after this call. */
  request(): void {
    if (this.#closed) return
    this.#requested = true
    if (this.#running || this.#cancel) return
    const wait = this.#last + this.#interval - this.#clock.now()
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
    this.#last = this.#clock.now()
    this.#running = this.#work().finally(() => {
      this.#running = undefined
      if (this.#requested) this.request()
    })
  }
}
