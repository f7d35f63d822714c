/** What a run of churn counts, and how its lines say it. */

/** What must not happen, as its count is said. */
const WORDS = {
  disagreement: ['disagreement', 'disagreements'],
  fault: ['decode error (ours)', 'decode errors (ours)'],
  complaint: ['complaint (Go)', 'complaints (Go)'],
  falseDeath: ['false death', 'false deaths'],
  lostMessage: ['lost message', 'lost messages'],
  failedCommand: ['failed command', 'failed commands'],
  crash: ['crash', 'crashes'],
} as const

/** Something that must not happen. */
export type Wrong = keyof typeof WORDS

/** Said in every line, also when there are none. */
const ALWAYS: readonly Wrong[] = ['disagreement', 'fault', 'complaint']

/** Counts of a run so far. */
export class Tally {
  /** Events carried out. */
  events = 0
  /** Times that all came to agree after one. */
  agreements = 0
  readonly #wrong = new Map<Wrong, number>()
  /** From the end of a change until all agreed on it, milliseconds. */
  readonly #convergence: number[] = []

  /** Counts something that must not happen. */
  add(wrong: Wrong, count = 1): void {
    if (count > 0) this.#wrong.set(wrong, (this.#wrong.get(wrong) ?? 0) + count)
  }

  /** Takes down how long the ring took to agree on a change, milliseconds. */
  converged(time: number): void {
    this.#convergence.push(time)
  }

  /** Whether anything went wrong. */
  get failed(): boolean {
    return this.#wrong.size > 0
  }

  /** `41 events, 0 disagreements, 0 decode errors (ours), 0 complaints (Go), convergence p50 0.6 s max 3.1 s` */
  get summary(): string {
    const rare = [...this.#wrong.keys()].filter(wrong => !ALWAYS.includes(wrong))
    const wrongs = [...ALWAYS, ...rare].map(wrong => count(this.#wrong.get(wrong) ?? 0, WORDS[wrong]))
    const convergence = `convergence p50 ${this.#percentile(0.5)} s max ${this.#percentile(1)} s`
    return [count(this.events, ['event', 'events']), ...wrongs, convergence].join(', ')
  }

  #percentile(part: number): string {
    const sorted = this.#convergence.toSorted((a, b) => a - b)
    return ((sorted[Math.ceil(sorted.length * part) - 1] ?? 0) / 1000).toFixed(1)
  }
}

const count = (number: number, [one, many]: readonly [string, string]): string =>
  `${number} ${number === 1 ? one : many}`
