import type { TransitionFacts } from './facts.js'

/** What happened, before it has a number. */
export type Happening = Omit<TransitionFacts, 'id'>

/** Transitions that are kept when nobody says otherwise. */
const USUAL_SIZE = 300

/** The last transitions of a process. Adding one costs the same however many there were, and nothing is made of them until somebody asks. */
export class TransitionLog {
  readonly #size: number
  /** The one with number n is at n modulo the size. */
  readonly #kept: TransitionFacts[] = []
  #next = 0
  /** What was made of them last; `undefined` when there is more by now. */
  #list: readonly TransitionFacts[] | undefined

  /**
   * @param size how many are kept. @default 300
   * @throws {RangeError} it is no whole number above 0
   */
  constructor(size = USUAL_SIZE) {
    if (!Number.isInteger(size) || size < 1) throw new RangeError(`size must be a whole number above 0: ${size}`)
    this.#size = size
  }

  /** The newest first; the same object until there is another one. */
  get newestFirst(): readonly TransitionFacts[] {
    if (this.#list) return this.#list
    const list: TransitionFacts[] = []
    for (let back = 1; back <= this.#kept.length; back++) list.push(this.#kept[(this.#next - back) % this.#size]!)
    this.#list = list
    return list
  }

  /** Remembers one, and forgets the oldest when there are too many. */
  add(happening: Happening): void {
    const id = this.#next++
    this.#kept[id % this.#size] = { id, ...happening }
    this.#list = undefined
  }
}
