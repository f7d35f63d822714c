/** Works on keys, some at once and each alone; rests after failures, one key or all of them. */
import type { Clock } from '../clock.js'

/** What a failure says about the other keys: nothing, or that they would fail, too. */
export type Blame = 'key' | 'all'

/** How it fares, for metrics. */
export interface WorkQueueCounters {
  /** Keys that wait, rest or are worked on. */
  readonly depth: number
  readonly adds: number
  readonly retries: number
  /** Being worked on now. */
  readonly active: number
}

/** Options of {@link WorkQueue}. */
export interface WorkQueueOptions {
  /**
   * Does what is to be done about a key now.
   * @param consider says that all that was asked for until now is taken into account, so that it needs no further run
   */
  readonly work: (key: string, consider: () => void) => Promise<void>
  /** Says whose fault a failure is. @param retry lets it rest; gives the milliseconds, 0 when all rest already */
  readonly onError: (key: string, error: unknown, retry: (blame: Blame) => number) => void
  /** Where timers run; a test's own. */
  readonly clock: Clock
  /** Keys worked on at once. @default 16 */
  readonly concurrency?: number
  /** Told after each piece of work. @param ms it took */
  readonly onWorked?: (ms: number) => void
}

const FIRST_PAUSE = 1_000
const LONGEST_PAUSE = 60_000

/** Level-based: {@link add} says "look at this again", however often. */
export class WorkQueue {
  readonly #options: WorkQueueOptions
  readonly #waiting = new Set<string>()
  readonly #active = new Set<string>()
  readonly #again = new Set<string>()
  /** Failures in a row of each key that has failed last, and how to end its rest. */
  readonly #failures = new Map<string, { count: number; cancel: (() => void) | undefined }>()
  readonly #idle: (() => void)[] = []
  /** Failures in a row of everybody; above 0 one key at a time goes ahead. */
  #troubles = 0
  #cancelPause: (() => void) | undefined
  #adds = 0
  #retries = 0
  #closed = false

  constructor(options: WorkQueueOptions) {
    this.#options = options
  }

  /** What was done since the start. */
  get counters(): WorkQueueCounters {
    const resting = [...this.#failures.values()].filter(({ cancel }) => cancel !== undefined).length
    const active = this.#active.size
    return { depth: this.#waiting.size + active + resting, adds: this.#adds, retries: this.#retries, active }
  }

  /** Asks for work on a key that starts after this call; a key that rests after a failure is not waited for. */
  add(key: string): void {
    if (this.#closed) return
    this.#adds++
    this.#wakeKey(key)
    if (this.#active.has(key)) this.#again.add(key)
    else this.#waiting.add(key)
    this.#pump()
  }

  /** Whatever made everything fail, it is worth another try. */
  wake(): void {
    this.#troubles = 0
    this.#cancelPause?.()
    this.#cancelPause = undefined
    for (const key of this.#failures.keys()) this.#requeue(key)
    this.#pump()
  }

  /** Resolves when nothing waits or is worked on, and nothing rests. */
  idle(): Promise<void> {
    return new Promise(resolve => {
      this.#idle.push(resolve)
      this.#settle()
    })
  }

  /** Takes no further work and begins none. What is under way goes on; {@link idle} still tells when it has ended. */
  close(): void {
    this.#closed = true
    this.#waiting.clear()
    this.#again.clear()
    this.#cancelPause?.()
    this.#cancelPause = undefined
    for (const { cancel } of this.#failures.values()) cancel?.()
    this.#failures.clear()
    this.#settle()
  }

  #pump(): void {
    const { concurrency = 16 } = this.#options
    for (const key of this.#waiting) {
      if (this.#cancelPause || this.#active.size >= (this.#troubles > 0 ? 1 : concurrency)) return
      this.#waiting.delete(key)
      this.#active.add(key)
      void this.#run(key)
    }
    this.#settle()
  }

  async #run(key: string): Promise<void> {
    const { work, onError, clock, onWorked } = this.#options
    const start = clock.now()
    try {
      await work(key, () => this.#again.delete(key))
      this.#failures.delete(key)
      this.#troubles = 0
    } catch (error) {
      if (!this.#closed) onError(key, error, blame => this.#rest(key, blame))
    }
    onWorked?.(clock.now() - start)
    this.#active.delete(key)
    if (this.#again.delete(key) && !this.#closed) {
      this.#wakeKey(key)
      this.#waiting.add(key)
    }
    this.#pump()
  }

  #rest(key: string, blame: Blame): number {
    this.#retries++
    const count = (this.#failures.get(key)?.count ?? 0) + 1
    const pause = pauseAfter(count)
    const cancel = this.#options.clock.after(pause, () => this.#requeue(key))
    this.#failures.set(key, { count, cancel })
    return blame === 'key' ? pause : this.#pauseAll()
  }

  /** Those that were under way when it began fail, too: that is one trouble. @returns 0 for them */
  #pauseAll(): number {
    if (this.#cancelPause) return 0
    const pause = pauseAfter(++this.#troubles)
    this.#cancelPause = this.#options.clock.after(pause, () => {
      this.#cancelPause = undefined
      this.#pump()
    })
    return pause
  }

  /** Its rest is over. */
  #requeue(key: string): void {
    this.#wakeKey(key)
    if (!this.#active.has(key)) this.#waiting.add(key)
    this.#pump()
  }

  #wakeKey(key: string): void {
    const failure = this.#failures.get(key)
    failure?.cancel?.()
    if (failure) failure.cancel = undefined
  }

  #settle(): void {
    if (this.#active.size > 0 || this.#waiting.size > 0) return
    if ([...this.#failures.values()].some(({ cancel }) => cancel !== undefined)) return
    for (const resolve of this.#idle.splice(0)) resolve()
  }
}

const pauseAfter = (failures: number): number => Math.min(FIRST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE)
