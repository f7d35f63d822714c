import type { Instant, Milliseconds } from './types.js'

/** A timer that runs once. */
export interface Timer {
  readonly at: Instant
  cancel(): void
}

class Entry implements Timer {
  readonly at: Instant
  readonly order: number
  /** Runs later, once, when we ourselves are late. */
  readonly graceful: boolean
  run: ((now: Instant) => void) | undefined
  /** The entry that runs in its place. */
  successor: Entry | undefined

  constructor(at: Instant, order: number, run: (now: Instant) => void, graceful: boolean) {
    this.at = at
    this.order = order
    this.run = run
    this.graceful = graceful
  }

  cancel(): void {
    this.run = undefined
    this.successor?.cancel()
  }
}

/**
 * All timers of a node in one heap, so that a thousand nodes fit into one process and one real timer.
 *
 * A timer that would accuse another node (`graceful`) is not run when it comes due in a stall of our own: in that time
 * we could not hear the other either. It gets as much time again as the stall took, up to the limit, once.
 */
export class Timers {
  readonly #heap: Entry[] = []
  readonly #stall: Milliseconds
  readonly #graceLimit: Milliseconds
  readonly #onStall: (late: Milliseconds) => void
  #order = 0

  /**
   * @param stall being late by more than this means that the process was not scheduled
   * @param graceLimit most that a graceful timer is put off
   */
  constructor(stall: Milliseconds, graceLimit: Milliseconds, onStall: (late: Milliseconds) => void) {
    this.#stall = stall
    this.#graceLimit = graceLimit
    this.#onStall = onStall
  }

  /** When the next timer is due; `undefined` when there is none. */
  get next(): Instant | undefined {
    this.#dropCancelled()
    return this.#heap[0]?.at
  }

  /** Runs `run` once at `at`, or as soon as possible after. */
  set(at: Instant, run: (now: Instant) => void, graceful = false): Timer {
    const entry = new Entry(at, this.#order++, run, graceful)
    this.#push(entry)
    return entry
  }

  /** Runs what is due, in order of time. */
  runDue(now: Instant): void {
    let stall = 0
    for (let at = this.next; at !== undefined && at <= now; at = this.next) {
      const entry = this.#pop()
      const late = now - entry.at
      const { run } = entry
      entry.run = undefined
      if (run && entry.graceful && late > this.#stall) {
        stall = Math.max(stall, late)
        entry.successor = new Entry(now + Math.min(late, this.#graceLimit), this.#order++, run, false)
        this.#push(entry.successor)
      } else run?.(now)
    }
    if (stall > 0) this.#onStall(stall)
  }

  #dropCancelled(): void {
    while (this.#heap.length > 0 && this.#heap[0]!.run === undefined) this.#pop()
  }

  #push(entry: Entry): void {
    const heap = this.#heap
    let i = heap.push(entry) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!before(entry, heap[parent]!)) break
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = entry
  }

  #pop(): Entry {
    const heap = this.#heap
    const top = heap[0]!
    const last = heap.pop()!
    if (heap.length === 0) return top
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, last)) break
      heap[i] = heap[child]!
      i = child
    }
    heap[i] = last
    return top
  }
}

const before = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)
