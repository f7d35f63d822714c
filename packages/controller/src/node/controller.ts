import { EventEmitter } from 'node:events'
import { type Change, ConflictError, type Kind, type KubernetesObject, type Store } from '@typemetal/cluster'
import { type Logger, silentLogger } from '@typemetal/cluster/process'
import { Registry } from 'prom-client'
import { configurationStatus, newConfigurationState, STATE_NAME } from '../reconcile/configuration-state.js'
import type { Outcome } from '../reconcile/outcome.js'
import { Reconciler, type ReconcilerOptions } from '../reconcile/reconciler.js'
import { type Clock, type Milliseconds, pause, systemClock } from './clock.js'
import { createControllerMetrics, type ControllerMetrics } from './metrics.js'
import { StatusWriter, type Write } from './status-writer.js'

/** Options of a {@link Controller}. */
export interface ControllerOptions {
  /** Where Services and pools come from and statuses go to. The caller disposes it, after {@link Controller.run} has ended. */
  readonly store: Store
  /** What the decisions are made with: the namespace and the classes. */
  readonly options: ReconcilerOptions
  /** @default silent */
  readonly log?: Logger
  /** Where the metrics are registered. @default a new one */
  readonly registry?: Registry
  /** @default the machine's */
  readonly clock?: Clock
}

/** Whether a run may still write. */
export type MayWrite = () => boolean

/** Rests between attempts to read the cluster anew. */
const FIRST_DELAY: Milliseconds = 100
const LONGEST_DELAY: Milliseconds = 5000

/** Kinds whose statuses the controller writes. */
const WRITTEN: ReadonlySet<Kind> = new Set<Kind>(['Service', 'IPAddressPool', 'ConfigurationState'])

/**
 * Gives the Services of a store their addresses, as long as it runs. Decides nothing itself: it takes the store's changes to
 * a {@link Reconciler} and what that decides back to the store. Emits `decided` after each look.
 */
export class Controller extends EventEmitter<{ decided: [outcome: Outcome] }> {
  readonly #store: Store
  readonly #options: ReconcilerOptions
  readonly #namespace: string
  readonly #log: Logger
  readonly #clock: Clock
  readonly #metrics: ControllerMetrics
  #reconciler: Reconciler
  #writer: StatusWriter
  #mayWrite: MayWrite = () => true
  /** Changes that have not been looked at; `undefined` while no look is due. */
  #changes: Change[] | undefined
  #listed = false
  #outage: string | undefined
  #fail: (error: unknown) => void = () => {}

  constructor({
    store,
    options,
    log = silentLogger,
    registry = new Registry(),
    clock = systemClock,
  }: ControllerOptions) {
    super()
    this.#store = store
    this.#options = options
    this.#namespace = options.namespace
    this.#log = log
    this.#clock = clock
    this.#metrics = createControllerMetrics(registry)
    this.#reconciler = new Reconciler(options)
    this.#writer = this.#newWriter()
  }

  /** True while the controller does its work; otherwise what it is waiting for. */
  get ready(): true | string {
    if (!this.#listed) return 'the cluster has not been listed yet'
    if (this.#outage !== undefined) return this.#outage
    return this.#reconciler.loaded || 'there has been no valid configuration yet'
  }

  /** What it has decided by now; of another run when it runs again. Read only. */
  get decisions(): Pick<Reconciler, 'allocator' | 'config' | 'configErrors' | 'failures'> {
    return this.#reconciler
  }

  /**
   * Starts the store and works until `signal` aborts; writes under way are finished before it returns. Run again, it knows nothing
   * of the time before: somebody else may have worked meanwhile.
   *
   * @param mayWrite asked before each write; with several controllers, whether this one leads
   * @throws what the store's start throws
   */
  async run(signal: AbortSignal, mayWrite: MayWrite = () => true): Promise<void> {
    if (signal.aborted) return
    const store = this.#store
    this.#mayWrite = mayWrite
    this.#reconciler = new Reconciler(this.#options)
    this.#writer = this.#newWriter()
    this.#metrics.setConfig(false, false)
    const onChange = (changes: readonly Change[]): void => this.#onChange(changes)
    const onOutage = (reason: string | undefined): void => this.#onOutage(reason)
    const ended = new Promise<void>((resolve, reject) => {
      this.#fail = reject
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    await using writer = this.#writer
    try {
      store.on('change', onChange).on('outage', onOutage)
      await Promise.race([store.start().then(() => this.#refresh(signal)), ended])
      if (!signal.aborted) this.#look(undefined)
      await ended
    } finally {
      store.off('change', onChange).off('outage', onOutage)
      this.#changes = undefined
      this.#listed = false
      this.#metrics.reset()
      this.#log.debug({ pending: writer.pending }, 'controller stopping')
    }
  }

  /** Whoever worked before may have written what the store has not heard of yet. */
  async #refresh(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        return await this.#store.refresh?.()
      } catch (error) {
        this.#log.warn({ event: 'refresh', error }, 'the cluster could not be read anew, trying again')
        const delay = Math.min(FIRST_DELAY * 2 ** failures, LONGEST_DELAY)
        await pause(this.#clock, delay, signal)
      }
    }
    return undefined
  }

  #newWriter(): StatusWriter {
    return new StatusWriter({
      wanted: key => (this.#mayWrite() ? this.#wanted(key) : undefined),
      onError: (key, error) => this.#onWriteError(key, error),
      clock: this.#clock,
    })
  }

  #onChange(changes: readonly Change[]): void {
    // The first look is at everything.
    if (!this.#listed) return
    if (this.#changes) {
      this.#changes.push(...changes)
      return
    }
    this.#changes = [...changes]
    // Changes come in bursts: one look at many is cheaper, and wiser, than many looks.
    setImmediate(() => {
      const due = this.#changes
      this.#changes = undefined
      if (due) this.#look(due)
    })
  }

  #onOutage(reason: string | undefined): void {
    this.#outage = reason
    if (reason === undefined) this.#log.info({ event: 'storeReachable' }, 'the store works again')
    else this.#log.error({ event: 'storeUnreachable', error: reason }, 'the last known state stays in force')
  }

  #look(changes: readonly Change[] | undefined): void {
    try {
      const outcome = this.#reconciler.handle(this.#store.snapshot(), changes)
      this.#listed = true
      this.#apply(outcome)
      this.emit('decided', outcome)
      // The object has moved on, and with it whatever was wrong with writing it.
      for (const { kind, key } of changes ?? []) if (WRITTEN.has(kind)) this.#writer.wake(keyOfWrite(kind, key))
    } catch (error) {
      this.#fail(error)
    }
  }

  #apply({ services, pools, given, events, notes, updates, errors }: Outcome): void {
    for (const { level, fields, message } of notes) this.#log[level](fields, message)
    for (const event of events) this.#store.emitEvent(event)
    for (const key of services) this.#writer.mark(keyOfWrite('Service', key))
    for (const pool of pools) {
      this.#metrics.setPool(pool, this.#reconciler.allocator.counters(pool))
      this.#writer.mark(keyOfWrite('IPAddressPool', `${this.#namespace}/${pool}`))
    }
    for (const [pool, addresses] of given) this.#metrics.countGiven(pool, addresses)
    this.#metrics.countUpdates(updates, errors)
    this.#metrics.setConfig(this.#reconciler.loaded, this.#reconciler.configErrors.length > 0)
    this.#writer.mark(keyOfWrite('ConfigurationState', this.#stateKey))
  }

  get #stateKey(): string {
    return `${this.#namespace}/${STATE_NAME}`
  }

  #wanted(writeKey: string): Write | undefined {
    const [kind = '', key = ''] = writeKey.split(' ')
    // the speakers' are theirs to write
    if (kind === 'ConfigurationState') return key === this.#stateKey ? this.#wantedState(key) : undefined
    const wanted =
      kind === 'Service'
        ? this.#reconciler.wantedService(key)
        : this.#reconciler.wantedPool(key.slice(this.#namespace.length + 1))
    return wanted && this.#update(wanted)
  }

  #wantedState(key: string): Write | undefined {
    const present = this.#store.snapshot().objects('ConfigurationState').get(key)
    const { configErrors } = this.#reconciler
    const status = configurationStatus(configErrors, present?.status, timestamp(this.#clock.now()))
    if (present) return status === present.status ? undefined : this.#update({ ...present, status })
    const perform = async (): Promise<string | undefined> => {
      // The API takes a status only from an update.
      const created = await this.#store.create(newConfigurationState(this.#namespace))
      return this.#update({ ...created, status }).perform()
    }
    return { version: undefined, perform }
  }

  #update(object: KubernetesObject & { readonly status?: unknown }): Write {
    const version = object.metadata.resourceVersion
    const perform = async (): Promise<string | undefined> => {
      if (this.#mayWrite()) await this.#store.updateStatus(object)
      return version
    }
    return { version, perform }
  }

  #onWriteError(writeKey: string, error: unknown): void {
    this.#metrics.countUpdates(0, 1)
    const fields = {
      op: 'updateStatus',
      object: writeKey,
      error: error instanceof Error ? error.message : String(error),
    }
    if (error instanceof ConflictError) this.#log.debug(fields, 'the object has changed meanwhile, deciding again')
    else this.#log.error(fields, 'a status could not be written, trying again')
  }
}

/** Names a write: kind and key. Neither contains a blank. */
const keyOfWrite = (kind: Kind, key: string): string => `${kind} ${key}`

/** RFC 3339 in whole seconds, as Kubernetes writes times. */
const timestamp = (now: Date): string => `${now.toISOString().slice(0, 19)}Z`
