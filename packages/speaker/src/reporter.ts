/** Tells people what was decided: log lines, events, statuses, metrics. */
import type { ObjectKey, OwnerReference, Store } from '@typemetal/cluster'
import type { Registry } from 'prom-client'
import type { PeerLimit } from './announcer/limits.js'
import type { Clock } from './clock.js'
import type { Outcome } from './core/decider.js'
import { eventsOf } from './core/events.js'
import { Narrator } from './core/narrator.js'
import { shownOutcome } from './drain/shown.js'
import type { Withdrawal } from './drain/shown.js'
import type { DrainScope } from './drain/types.js'
import type { Logger } from './logger.js'
import { createSpeakerMetrics, recordOutcome } from './metrics.js'
import type { SpeakerMetrics } from './metrics.js'
import { createWriteMetrics } from './status/metrics.js'
import { Statuses } from './status/statuses.js'

/** Options of {@link Reporter}. */
export interface ReporterOptions {
  readonly node: string
  readonly namespace: string
  readonly store: Store
  readonly ownerReference: OwnerReference | undefined
  /** What the peers ask for and do not get. */
  readonly limits: () => readonly PeerLimit[]
  readonly registry: Registry
  readonly log: Logger
  readonly clock: Clock
}

/** Milliseconds that a stop waits for the statuses to be cleared. */
const CLEAR_PATIENCE = 1_000

/** Says each thing once. */
export class Reporter {
  readonly #options: ReporterOptions
  readonly #narrator: Narrator
  readonly #metrics: SpeakerMetrics
  readonly #statuses: Statuses
  /** The last outcome as it was told, and which routes had been taken back then. */
  #told: { readonly outcome: Outcome; readonly withdrawn: DrainScope } | undefined
  #cleared: Promise<void> | undefined

  constructor(options: ReporterOptions) {
    const { node, namespace, store, ownerReference: reference, registry, log, clock } = options
    this.#options = options
    this.#narrator = new Narrator(log)
    this.#metrics = createSpeakerMetrics(registry)
    const writes = createWriteMetrics(registry, () => this.#statuses.counters)
    this.#statuses = new Statuses({
      store,
      owner: { node, namespace, reference },
      log,
      clock,
      onWorked: writes.observe,
    })
  }

  /** Changes of the cluster have come. */
  countChanges(count: number): void {
    this.#metrics.updates.inc(count)
  }

  /** Tells a step of the decider, with what a drain makes of it. */
  tell(outcome: Outcome, { withdrawn, sole }: Withdrawal): void {
    if (this.#narrator.tell(outcome)) this.#metrics.updateErrors.inc()
    const { store, node } = this.#options
    for (const event of outcome.transitions.flatMap(transition => eventsOf(transition, node))) store.emitEvent(event)
    const before = this.#told
    const other = before && before.withdrawn !== withdrawn ? before.outcome : undefined
    const shown = shownOutcome(outcome, { withdrawn, sole }, other)
    this.#told = { outcome: shown, withdrawn }
    recordOutcome(this.#metrics, shown)
    this.#report(shown.delta.services)
  }

  /** The limits of the peers are others now. */
  refresh(): void {
    this.#report([])
  }

  /** Takes back what says that this node announces. Safe to call twice. */
  clear(): Promise<void> {
    this.#cleared ??= this.#statuses.clear(CLEAR_PATIENCE)
    return this.#cleared
  }

  #report(changed: Iterable<ObjectKey>): void {
    if (this.#told && !this.#cleared) this.#statuses.report(this.#told.outcome, this.#options.limits(), changed)
  }
}
