import type { Instant } from '../swim/index.js'

/** What is to happen, in order of time, and at one time in order of entry. */
export class Agenda {
  readonly #times: number[] = []
  readonly #orders: number[] = []
  readonly #runs: (() => void)[] = []
  #order = 0

  get next(): Instant | undefined {
    return this.#times[0]
  }

  add(at: Instant, run: () => void): void {
    this.#times.push(at)
    this.#orders.push(this.#order++)
    this.#runs.push(run)
    let i = this.#times.length - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!this.#before(i, parent)) break
      this.#swap(i, parent)
      i = parent
    }
  }

  /** Takes the earliest; call only when {@link next} is defined. */
  take(): () => void {
    const last = this.#times.length - 1
    this.#swap(0, last)
    const run = this.#runs.pop()!
    this.#times.pop()
    this.#orders.pop()
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= last) return run
      if (child + 1 < last && this.#before(child + 1, child)) child++
      if (!this.#before(child, i)) return run
      this.#swap(i, child)
      i = child
    }
  }

  #before(i: number, j: number): boolean {
    const [a, b] = [this.#times[i]!, this.#times[j]!]
    return a < b || (a === b && this.#orders[i]! < this.#orders[j]!)
  }

  #swap(i: number, j: number): void {
    const [time, order, run] = [this.#times[i]!, this.#orders[i]!, this.#runs[i]!]
    this.#times[i] = this.#times[j]!
    this.#orders[i] = this.#orders[j]!
    this.#runs[i] = this.#runs[j]!
    this.#times[j] = time
    this.#orders[j] = order
    this.#runs[j] = run
  }
}
