/** Everything that the speaker tells the cluster about itself in status objects. */
import { isDeepStrictEqual } from 'node:util'
import { failureOf, NotFoundError } from '@typemetal/cluster'
import type { Change, ConfigurationState, Failure, ObjectKey, Store } from '@typemetal/cluster'
import type { PeerLimit } from '../announcer/limits.js'
import type { Clock } from '../clock.js'
import type { Outcome } from '../core/decider.js'
import { splitKey } from '../core/events.js'
import type { Logger } from '../logger.js'
import { carryOut } from './carry-out.js'
import { conditionsOf, configurationStateName, configurationStateWrites } from './configuration-state.js'
import type { Condition } from './configuration-state.js'
import { contentOf, isLabelValue, serviceStatusWrites } from './objects.js'
import type { ServicePlans, StatusObject, StatusOwner, StatusWrite } from './objects.js'
import { Restraint } from './restraint.js'
import { idOf, itemOf, StatusView } from './view.js'
import { WorkQueue } from './work-queue.js'
import type { WorkQueueCounters } from './work-queue.js'
import type { Item } from './written.js'

/** Options of {@link Statuses}. */
export interface StatusesOptions {
  /** Where statuses are read from and written to. */
  readonly store: Store
  /** Whose statuses they are: this node, and the Pod that they go with. */
  readonly owner: StatusOwner
  /** Is told of writes that fail. */
  readonly log: Logger
  /** Where timers run; a test's own. */
  readonly clock: Clock
  /** Told after each piece of work. @param ms it took */
  readonly onWorked?: (ms: number) => void
}

const CONFIGURATION: Item = { kind: 'ConfigurationState', service: '' }
const SERVICE_KINDS = ['ServiceL2Status', 'ServiceBGPStatus'] as const
/** Rounds of deciding and writing about one item; each must bring the next one closer to having nothing to do. */
const ROUNDS = 5
/** Failures that are about one object. After any other one the others would fail, too. */
const OF_ONE_OBJECT: ReadonlySet<Failure> = new Set<Failure>(['conflict', 'not-found', 'refused'])

/** ServiceL2Status, ServiceBGPStatus and ConfigurationState of one node. What changes costs work, nothing else does. */
export class Statuses {
  readonly #options: StatusesOptions
  readonly #view: StatusView
  readonly #queue: WorkQueue
  readonly #restraint: Restraint
  /** Services whose names cannot be labels, and objects without labels: each is named in the log once. */
  readonly #named = new Set<string>()
  readonly #isNodeALabel: boolean
  #plan: ServicePlans | undefined
  #conditions: readonly Condition[] = []

  constructor(options: StatusesOptions) {
    this.#options = options
    const { store, owner, clock, onWorked } = options
    this.#isNodeALabel = isLabelValue(owner.node)
    this.#view = new StatusView({
      snapshot: () => store.snapshot(),
      owner,
      clock,
      onSurprise: item => this.#add(item),
      onUnlabelled: object => this.#tellUnlabelled(object),
    })
    this.#queue = new WorkQueue({
      work: (id, consider) => this.#work(itemOf(id), consider),
      onError: (id, error, retry) => this.#onError(itemOf(id), error, retry),
      clock,
      ...(onWorked && { onWorked }),
    })
    this.#restraint = new Restraint(id => this.#queue.add(id), clock)
    store.on('change', this.#onChange)
    store.on('outage', this.#onOutage)
  }

  /** How much there is to be written. */
  get counters(): WorkQueueCounters {
    return this.#queue.counters
  }

  /**
   * Takes a new outcome and writes what it changes.
   * @param changed Services about which something may be new. @default those whose decision is another object
   */
  report({ plan, configuration }: Outcome, limits: readonly PeerLimit[], changed?: Iterable<ObjectKey>): void {
    const before = this.#plan
    this.#plan = plan
    const conditions = conditionsOf(configuration, limits)
    const isNews = !isDeepStrictEqual(conditions, this.#conditions)
    this.#conditions = conditions
    if (!before) {
      if (!this.#isNodeALabel) this.#tellLongNode()
      for (const item of this.#view.load()) this.#add(item)
    }
    for (const service of changed ?? changedServices(before, plan)) this.#addService(service)
    if (isNews || !before) this.#add(CONFIGURATION)
  }

  /** Takes back what says that this node announces; gives up after `patience` milliseconds. */
  async clear(patience: number): Promise<void> {
    const { store, clock } = this.#options
    if (this.#plan) {
      this.#plan = { services: new Map(), peersOf: new Map() }
      for (const item of this.#view.ownItems()) this.#add(item)
    }
    let cancel = (): void => {}
    const late = new Promise<void>(resolve => (cancel = clock.after(patience, resolve)))
    await Promise.race([this.#queue.idle(), late])
    cancel()
    store.off('change', this.#onChange)
    store.off('outage', this.#onOutage)
    this.#queue.close()
    this.#restraint.close()
    this.#view.close()
  }

  readonly #onChange = (changes: readonly Change[]): void => {
    // Before the first plan there is nothing to compare with, and what is there is read as a whole.
    if (this.#plan) for (const item of this.#view.follow(changes)) this.#restraint.undone(idOf(item))
  }

  readonly #onOutage = (reason: string | undefined): void => {
    if (reason === undefined) this.#queue.wake()
  }

  #add(item: Item): void {
    this.#queue.add(idOf(item))
  }

  #addService(service: ObjectKey): void {
    for (const kind of SERVICE_KINDS) {
      const item = { kind, service }
      const isWanted = this.#plan !== undefined && contentOf(kind, this.#plan, service) !== undefined
      if (isWanted || this.#view.objectsOf(item).length > 0) this.#add(item)
    }
  }

  async #work(item: Item, consider: () => void): Promise<void> {
    const { store, clock } = this.#options
    for (let round = 0; round < ROUNDS; round++) {
      consider()
      const writes = this.#writes(item)
      if (writes.length === 0) return
      for (const write of writes) {
        try {
          const { key, ...written } = await carryOut(store, write)
          this.#view.remember(key, { item, at: clock.now(), ...written })
        } catch (error) {
          if (!(error instanceof NotFoundError) || write.type === 'create') throw error
          // Somebody has deleted it: the next round makes another one.
          const { name, namespace } = write.object.metadata
          this.#view.remember(`${namespace}/${name}`, { item, at: clock.now(), now: undefined, on: write.object })
        }
      }
    }
  }

  #writes(item: Item): readonly StatusWrite[] {
    const { owner, clock } = this.#options
    const existing = this.#view.objectsOf(item)
    const plan = this.#plan
    if (!plan) return []
    const { kind, service } = item
    if (kind === 'ConfigurationState') {
      const name = configurationStateName(owner.node)
      if (name.length > LONGEST_NAME) {
        this.#tellOnce(name, { op: 'writeStatus', node: owner.node }, LONG_STATE)
        return []
      }
      const [state] = existing as readonly ConfigurationState[]
      return configurationStateWrites(this.#conditions, owner, state, clock.timestamp())
    }
    const content = contentOf(kind, plan, service)
    if (content && !this.#canBeNamed(service)) return []
    return serviceStatusWrites(kind, service, content, owner, existing)
  }

  #canBeNamed(service: ObjectKey): boolean {
    if (!this.#isNodeALabel) return false
    const { name, namespace } = splitKey(service)
    const fits = isLabelValue(name) && isLabelValue(namespace)
    if (!fits) this.#tellOnce(`Service ${service}`, { op: 'writeStatus', service }, LONG_SERVICE)
    return fits
  }

  #onError(item: Item, error: unknown, retry: (blame: 'key' | 'all') => number): void {
    const failure = failureOf(error)
    const retryMs = retry(OF_ONE_OBJECT.has(failure) ? 'key' : 'all')
    // What fails for all is said once for all of them.
    if (retryMs === 0) return
    const about = item.kind === 'ConfigurationState' ? {} : { service: item.service }
    const fields = { op: 'writeStatus', kind: item.kind, ...about, error: String(error), retryMs }
    this.#options.log.warn(fields, 'status not written')
  }

  #tellLongNode(): void {
    const { log, owner } = this.#options
    log.warn({ op: 'writeStatus', node: owner.node }, LONG_NODE)
  }

  #tellUnlabelled({ kind, metadata }: StatusObject): void {
    const name = `${metadata.namespace}/${metadata.name}`
    this.#tellOnce(`${kind} ${name}`, { op: 'readStatus', kind, name }, UNLABELLED)
  }

  #tellOnce(what: string, fields: object, text: string): void {
    if (this.#named.has(what)) return
    if (this.#named.size >= NAMED) this.#named.clear()
    this.#named.add(what)
    this.#options.log.error(fields, text)
  }
}

/** Things that are remembered as said. */
const NAMED = 10_000
const UNLABELLED = 'a status object lacks the labels that say whose it is: ignored'
const LONG_NODE =
  'the name of the node has more than 63 characters, or some that no label may have: no ServiceL2Status and ServiceBGPStatus are written'
/** Characters of any object's name. */
const LONGEST_NAME = 253
const LONG_STATE = 'the name of the node is too long to be part of a name: no ConfigurationState is written'
const LONG_SERVICE =
  'the name of the Service or its namespace has more than 63 characters, or some that no label may have: its statuses are not written'

/** Services whose decision or peers differ. @param before `undefined`: all */
function* changedServices(before: ServicePlans | undefined, after: ServicePlans): Generator<ObjectKey> {
  for (const [key, decision] of after.services) {
    const isSame = before?.services.get(key) === decision
    if (!isSame || !isDeepStrictEqual(before?.peersOf.get(key), after.peersOf.get(key))) yield key
  }
  for (const key of before?.services.keys() ?? []) if (!after.services.has(key)) yield key
}
