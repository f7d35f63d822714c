import { NotFoundError } from '@typemetal/cluster'
import { type Clock, type Milliseconds, systemClock } from './clock.js'
import { WritePace } from './write-pace.js'

/** A status to be written now. */
export interface Write {
  /** `resourceVersion` that it was decided on. */
  readonly version: string | undefined
  /** Writes it and gives the version that was replaced; rejects as {@link Store.updateStatus} does. */
  perform(): Promise<string | undefined>
}

/** Options of a {@link StatusWriter}. */
export interface StatusWriterOptions {
  /** What is to be written under a key now; `undefined` when the object is as it should be, or gone. */
  readonly wanted: (key: string) => Write | undefined
  /** A write failed and will be tried again. */
  readonly onError: (key: string, error: unknown) => void
  /** Writes under way at once. @default 16 */
  readonly concurrency?: number
  readonly clock?: Clock
}

const FIRST_DELAY: Milliseconds = 5
const LONGEST_DELAY: Milliseconds = 30_000
/** Failures, over a second or two, after which an object is no mere memory of one that is gone. */
const SURELY_THERE = 8
/** How long the store may take to show a write before the next one on the same version is tried all the same. */
const ECHO: Milliseconds = 1000

/** What is known of a key that is not simply in order. */
interface State {
  inFlight: boolean
  /** Marked again while in flight. */
  again: boolean
  failures: number
  /** `resourceVersion` of the last write that went well: a second one on it can only conflict. */
  written: string | undefined
  cancel: (() => void) | undefined
}

/**
 * Writes statuses, one at a time for each object and some objects at once. Level-based: what is written is asked for when
 * its turn comes, so many decisions on one object cost one write, and a failed write is not repeated but decided again.
 * After a failure the object rests, longer each time; the others go on. One that somebody else writes as often is written once a second.
 */
export class StatusWriter implements AsyncDisposable {
  readonly #options: StatusWriterOptions
  readonly #clock: Clock
  readonly #states = new Map<string, State>()
  readonly #pace = new WritePace()
  readonly #queue = new Set<string>()
  readonly #flights = new Set<Promise<void>>()
  #closed = false

  constructor(options: StatusWriterOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  /** Objects whose write is waiting, resting or under way. */
  get pending(): number {
    const resting = [...this.#states.values()].filter(({ cancel }) => cancel !== undefined)
    return this.#queue.size + this.#flights.size + resting.length
  }

  /** The status of this object may have to be written. */
  mark(key: string): void {
    if (this.#closed) return
    const state = this.#states.get(key)
    if (state?.inFlight) state.again = true
    // A resting object is not woken by others' business, only by its own timer.
    else if (!state?.cancel) this.#queue.add(key)
    this.#pump()
  }

  /** The object has changed: whatever kept its write from going well, it is worth another try. */
  wake(key: string): void {
    const state = this.#states.get(key)
    state?.cancel?.()
    if (state) state.cancel = undefined
    this.mark(key)
  }

  /** Begins no more writes, and waits for those under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#queue.clear()
    for (const state of this.#states.values()) state.cancel?.()
    await Promise.all(this.#flights)
  }

  #pump(): void {
    for (const key of this.#queue) {
      if (this.#flights.size >= (this.#options.concurrency ?? 16)) return
      this.#queue.delete(key)
      this.#start(key)
    }
  }

  #start(key: string): void {
    const write = this.#options.wanted(key)
    if (!write) {
      this.#states.delete(key)
      return
    }
    const state = this.#states.get(key) ?? newState()
    this.#states.set(key, state)
    if (write.version !== undefined && write.version === state.written) {
      state.written = undefined
      this.#rest(key, state, ECHO)
      return
    }
    const wait = this.#pace.wait(key, this.#now())
    if (wait > 0) {
      this.#rest(key, state, wait)
      return
    }
    state.inFlight = true
    const flight = this.#perform(key, state, write).finally(() => {
      this.#flights.delete(flight)
      state.inFlight = false
      if (state.again) this.mark(key)
      state.again = false
      this.#pump()
    })
    this.#flights.add(flight)
  }

  async #perform(key: string, state: State, write: Write): Promise<void> {
    try {
      state.written = await write.perform()
      state.failures = 0
      this.#pace.wrote(key, this.#now())
    } catch (error) {
      // Mostly the store is about to show that the object is gone, and then nothing is wanted any more.
      if (!(error instanceof NotFoundError) || state.failures >= SURELY_THERE) this.#options.onError(key, error)
      this.#rest(key, state, Math.min(FIRST_DELAY * 2 ** state.failures++, LONGEST_DELAY))
    }
  }

  #now(): Milliseconds {
    return this.#clock.now().getTime()
  }

  #rest(key: string, state: State, delay: Milliseconds): void {
    if (this.#closed) return
    state.again = false
    state.cancel = this.#clock.after(delay, () => {
      state.cancel = undefined
      this.mark(key)
    })
  }
}

const newState = (): State => ({ inFlight: false, again: false, failures: 0, written: undefined, cancel: undefined })
