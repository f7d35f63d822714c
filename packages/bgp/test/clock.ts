import type { Clock } from '@typemetal/bgp'

interface Alarm {
  readonly at: number
  readonly ring: () => void
}

/** A clock that stands still until it is told to go on. */
export class TestClock implements Clock {
  #now = 0
  readonly #alarms = new Set<Alarm>()

  now(): number {
    return this.#now
  }

  after(ms: number, ring: () => void): () => void {
    const alarm = { at: this.#now + ms, ring }
    this.#alarms.add(alarm)
    return () => void this.#alarms.delete(alarm)
  }

  /** Lets time pass, one alarm after the other. */
  advance(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const [next] = [...this.#alarms].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)
      if (!next) break
      this.#alarms.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.ring()
    }
    this.#now = end
  }
}
