/** What `/healthz` and `/readyz` say. */
import type { Store } from '@typemetal/cluster'
import type { Clock } from './clock.js'

/** Milliseconds for which the cluster may be out of reach before the process is no longer ready. */
const OUTAGE_PATIENCE = 60_000
/** Milliseconds that a pass of decisions, or an answer of the layer-2 worker, may take before only a restart can help. */
const WORK_PATIENCE = 60_000
/** Milliseconds between questions to the worker. */
const PROBE_INTERVAL = 10_000

/** Options of {@link Health}. */
export interface HealthOptions {
  /** Whose outages are listened to. */
  readonly store: Pick<Store, 'on' | 'off'>
  /** Where timers run; a test's own. */
  readonly clock: Clock
  /** Whether the work is done; otherwise what it waits for. */
  readonly ready: () => true | string
  /** When the pass under way began, in milliseconds on the clock. */
  readonly passSince: () => number | undefined
  /** Asks the worker for an answer; a rejection is one, too. */
  readonly probe: () => Promise<unknown>
}

/**
 * Alive: the event loop turns (nobody would answer otherwise), decisions come to an end, the layer-2 worker answers. Ready: a
 * configuration is in force, what it needs runs, and the cluster has been heard of within a minute.
 */
export class Health implements Disposable {
  readonly #options: HealthOptions
  #outage: { readonly reason: string; readonly since: number } | undefined
  #askedSince: number | undefined
  #cancel: (() => void) | undefined
  #closed = false

  constructor(options: HealthOptions) {
    this.#options = options
    options.store.on('outage', this.#onOutage)
    this.#askLater()
  }

  /** True, or what only a restart can mend. */
  healthy(): true | string {
    const { clock, passSince } = this.#options
    const since = (start: number | undefined): number => (start === undefined ? 0 : clock.now() - start)
    const [pass, answer] = [since(passSince()), since(this.#askedSince)]
    if (pass > WORK_PATIENCE) return `a decision has been under way for ${seconds(pass)}`
    if (answer > WORK_PATIENCE) return `the layer-2 worker has not answered for ${seconds(answer)}`
    return true
  }

  /** True, or what keeps the node from announcing what the cluster says now. */
  ready(): true | string {
    const health = this.healthy()
    if (health !== true) return health
    const { clock, ready } = this.#options
    const away = this.#outage ? clock.now() - this.#outage.since : 0
    if (this.#outage && away > OUTAGE_PATIENCE) {
      return `the cluster cannot be read for ${seconds(away)}, the last known state is announced: ${this.#outage.reason}`
    }
    return ready()
  }

  /** Stops watching. */
  [Symbol.dispose](): void {
    this.#closed = true
    this.#options.store.off('outage', this.#onOutage)
    this.#cancel?.()
  }

  readonly #onOutage = (reason: string | undefined): void => {
    const { clock } = this.#options
    this.#outage = reason === undefined ? undefined : { reason, since: this.#outage?.since ?? clock.now() }
  }

  #askLater(): void {
    if (!this.#closed) this.#cancel = this.#options.clock.after(PROBE_INTERVAL, () => void this.#ask())
  }

  async #ask(): Promise<void> {
    const { clock, probe } = this.#options
    this.#askedSince = clock.now()
    try {
      await probe()
    } catch {
      // That it is not well is said elsewhere; here it counts that it answers.
    }
    this.#askedSince = undefined
    this.#askLater()
  }
}

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`
