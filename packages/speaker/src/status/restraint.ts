/** Answers to those who undo what was written, but not without end: two nodes that both announce undo each other's statuses. */
import type { Clock } from '../clock.js'

/** Answers in a row that are given at once: to somebody who tidies up, and to a node that has taken over. */
const AT_ONCE = 4
/** Milliseconds that the next answer waits: doubled each time, up to the last. */
const FIRST_PAUSE = 1_000
const LONGEST_PAUSE = 300_000
/** Milliseconds without anything to answer after which the next one is the first again. */
const FORGET = 600_000

interface Undone {
  /** How often in a row. */
  readonly count: number
  /** When the last answer was given, in milliseconds on the clock. */
  at: number
  /** Prevents the answer that waits; `undefined` while none does. */
  cancel: (() => void) | undefined
}

/** Answers ever more seldom, each key for itself. */
export class Restraint {
  readonly #answer: (key: string) => void
  readonly #clock: Clock
  readonly #undone = new Map<string, Undone>()
  #cancelSweep: (() => void) | undefined
  #closed = false

  /** @param answer writes again what somebody has undone, if it is still right */
  constructor(answer: (key: string) => void, clock: Clock) {
    this.#answer = answer
    this.#clock = clock
  }

  /** Somebody has undone what was written; while an answer waits, that is the answer to this, too. */
  undone(key: string): void {
    const before = this.#undone.get(key)
    if (this.#closed || before?.cancel) return
    const now = this.#clock.now()
    const count = before && now - before.at < FORGET ? before.count + 1 : 1
    const undone: Undone = { count, at: now, cancel: undefined }
    this.#undone.set(key, undone)
    if (count > AT_ONCE) {
      const pause = Math.min(FIRST_PAUSE * 2 ** (count - AT_ONCE - 1), LONGEST_PAUSE)
      undone.cancel = this.#clock.after(pause, () => this.#give(key, undone))
    } else this.#answer(key)
    this.#sweepLater()
  }

  /** Answers nothing any more. */
  close(): void {
    this.#closed = true
    this.#cancelSweep?.()
    for (const { cancel } of this.#undone.values()) cancel?.()
    this.#undone.clear()
  }

  #give(key: string, undone: Undone): void {
    undone.cancel = undefined
    undone.at = this.#clock.now()
    this.#answer(key)
  }

  /** One timer for all, so that keys of what is long gone are not remembered. */
  #sweepLater(): void {
    this.#cancelSweep ??= this.#clock.after(FORGET, () => {
      this.#cancelSweep = undefined
      const now = this.#clock.now()
      for (const [key, { at, cancel }] of this.#undone) if (!cancel && now - at >= FORGET) this.#undone.delete(key)
      if (this.#undone.size > 0) this.#sweepLater()
    })
  }
}
