/** Time that passes only when told to. */
import type { Clock } from '@typemetal/controller'

/** Timers fire in order of their time, and only in {@link advance}. */
export class VirtualClock implements Clock {
  #now = Date.UTC(2026, 0, 1)
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>()

  now(): Date {
    return new Date(this.#now)
  }

  after(delay: number, callback: () => void): () => void {
    const timer = { at: this.#now + delay, callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Goes to the next timer and fires it. @returns false when there is none */
  advance(): boolean {
    const [next] = [...this.#timers].toSorted((a, b) => a.at - b.at)
    if (!next) return false
    this.#timers.delete(next)
    this.#now = Math.max(this.#now, next.at)
    next.callback()
    return true
  }
}
