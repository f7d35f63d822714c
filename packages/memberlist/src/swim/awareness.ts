import type { Milliseconds } from './types.js'

/** How much we doubt ourselves (Lifeguard's local health): 0 is healthy, each point slows our probes down. */
export class Awareness {
  readonly #max: number
  #score = 0

  /** @param max the score stays below this */
  constructor(max: number) {
    this.#max = max
  }

  /** 0 to `max - 1`. */
  get score(): number {
    return this.#score
  }

  /** Adds to the score, within its bounds. */
  apply(delta: number): void {
    this.#score = Math.min(this.#max - 1, Math.max(0, this.#score + delta))
  }

  /** A probe interval as long as our doubts make it. */
  scale(interval: Milliseconds): Milliseconds {
    return interval * (this.#score + 1)
  }
}
