import type { Instant } from '../swim/index.js'

/**
 * What is to happen, in order of time, and at one time in order of entry: a binary heap. Everything in a run passes
 * through it, so it is three arrays and no object for each entry; an array of numbers holds doubles without boxes.
 */
export class Agenda {
  readonly #times: number[] = []
  readonly #orders: number[] = []
  readonly #runs: (() => void)[] = []
  #order = 0

  get next(): Instant | undefined {
    return this.#times[0]
  }

  add(at: Instant, run: () => void): void {
    const order = this.#order++
    let i = this.#times.length
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (this.#times[parent]! <= at) break // and the parent is the older entry
      this.#move(parent, i)
      i = parent
    }
    this.#put(i, at, order, run)
  }

  /** Takes the earliest; call only when {@link next} is defined. */
  take(): () => void {
    const first = this.#runs[0]!
    const at = this.#times.pop()!
    const order = this.#orders.pop()!
    const run = this.#runs.pop()!
    const count = this.#times.length
    if (count === 0) return first
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child + 1 < count && !this.#isBefore(child, this.#times[child + 1]!, this.#orders[child + 1]!)) child++
      if (child >= count || !this.#isBefore(child, at, order)) break
      this.#move(child, i)
      i = child
    }
    this.#put(i, at, order, run)
    return first
  }

  #isBefore(i: number, at: Instant, order: number): boolean {
    const time = this.#times[i]!
    return time < at || (time === at && this.#orders[i]! < order)
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#times[from]!, this.#orders[from]!, this.#runs[from]!)
  }

  #put(i: number, at: Instant, order: number, run: () => void): void {
    this.#times[i] = at
    this.#orders[i] = order
    this.#runs[i] = run
  }
}
