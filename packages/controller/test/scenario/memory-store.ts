/** A cluster in memory that behaves as the API server does, and can be told to fail. */
import { EventEmitter } from 'node:events'
import {
  type Change,
  type ClusterEvent,
  ConflictError,
  type Kind,
  type Kinds,
  type KubernetesObject,
  NotFoundError,
  type ObjectKey,
  type ObjectReference,
  type ReadFault,
  type Snapshot,
  type Store,
} from '@typemetal/cluster'
import type { AnyObject, Failure } from './format.js'

const POOL_RECORD = 'metallb.io/ip-allocated-from-pool'

/** The objects, which outlive every component that works on them. */
export class MemoryCluster {
  readonly #namespace: string
  readonly #objects = new Map<string, Map<ObjectKey, AnyObject>>()
  readonly #stores = new Set<MemoryStore>()
  #snapshot: Snapshot | undefined
  #version = 0
  faults: readonly ReadFault[] = []
  /** Events since the last {@link beginStep}. */
  events: ClusterEvent[] = []
  /** Keys of the Services whose status was written since the last {@link beginStep}. */
  statusWrites: ObjectKey[] = []
  failures: { readonly failure: Failure; left: number }[] = []
  /** Grows with everything that happens. */
  activity = 0
  /** Told before the status of a Service is written. */
  onStatusWrite: (service: AnyObject) => void = () => {}
  /** All writes fail. */
  partition = false

  constructor(namespace = 'metallb-system') {
    this.#namespace = namespace
  }

  beginStep(failures: readonly Failure[] = []): void {
    this.events = []
    this.statusWrites = []
    this.failures = failures.map(failure => ({ failure, left: failure.times ?? 1 }))
  }

  /** Creates or replaces an object. A Service keeps its status and the record of its pool unless the new one has its own. */
  apply(given: AnyObject): void {
    const object = this.#withNamespace(given)
    const old = this.get(object.kind, keyOf(object))
    this.#put(object.kind === 'Service' && old ? keepDecided(object, old) : object)
    const { namespace } = object.metadata
    if (namespace !== undefined && !this.get('Namespace', namespace)) {
      this.#put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
    }
  }

  delete({ kind, namespace, name }: ObjectReference): void {
    const key = keyOf(
      this.#withNamespace({ apiVersion: '', kind, metadata: { name, ...(namespace && { namespace }) } }),
    )
    if (!this.#kind(kind).delete(key)) return
    this.#version++
    this.#changed({ kind: kind as Kind, key, type: 'deleted' })
  }

  get(kind: string, key: ObjectKey): AnyObject | undefined {
    return this.#kind(kind).get(key)
  }

  all(kind: string): readonly AnyObject[] {
    return [...this.#kind(kind).values()]
  }

  snapshot(): Snapshot {
    return (this.#snapshot ??= this.#copy())
  }

  /** Grows with every change. */
  get version(): number {
    return this.#version
  }

  /** A view for one component; dispose it when the component ends. */
  connect(): MemoryStore {
    const store = new MemoryStore(this, () => this.#stores.delete(store))
    this.#stores.add(store)
    return store
  }

  updateStatus(object: AnyObject): void {
    this.#failOnPurpose('updateStatus', object)
    const key = keyOf(object)
    const stored = this.get(object.kind, key)
    if (!stored) throw new NotFoundError(`${object.kind} ${key} is gone`)
    if (stored.metadata.resourceVersion !== object.metadata.resourceVersion)
      throw new ConflictError(`${key} has changed`)
    if (object.kind === 'Service') {
      this.statusWrites.push(key)
      this.onStatusWrite(object)
    }
    this.#put(object)
  }

  create(object: AnyObject): AnyObject {
    this.#failOnPurpose('create', object)
    if (this.get(object.kind, keyOf(object))) throw new ConflictError(`${keyOf(object)} exists`)
    return this.#put(object)
  }

  #failOnPurpose(verb: Failure['verb'], object: AnyObject): void {
    this.activity++
    if (this.partition) throw new Error('the cluster cannot be reached')
    const matches = ({ failure: f, left }: (typeof this.failures)[number]): boolean =>
      left > 0 && f.verb === verb && f.kind === object.kind && [keyOf(object), object.metadata.name].includes(f.name)
    const due = this.failures.find(matches)
    if (!due) return
    due.left--
    if (due.failure.code === 409) throw new ConflictError('told to conflict')
    if (due.failure.code === 404) throw new NotFoundError('told to be gone')
    throw new Error(`told to fail with ${due.failure.code}`)
  }

  #put(object: AnyObject): AnyObject {
    const kind = this.#kind(object.kind)
    const key = keyOf(object)
    const type = kind.has(key) ? 'modified' : 'added'
    const metadata = { ...object.metadata, resourceVersion: String(++this.#version) }
    const stored = { ...object, metadata }
    kind.set(key, stored)
    this.#changed({ kind: object.kind as Kind, key, type })
    return stored
  }

  #changed(change: Change): void {
    this.activity++
    this.#snapshot = undefined
    for (const store of this.#stores) store.notify(change)
  }

  #copy(): Snapshot {
    const objects = new Map([...this.#objects].map(([kind, map]) => [kind, new Map(map)]))
    return {
      objects: <K extends Kind>(kind: K) => (objects.get(kind) ?? new Map()) as ReadonlyMap<ObjectKey, Kinds[K]>,
      endpointSlicesOf: () => [],
      faults: this.faults,
    }
  }

  #kind(kind: string): Map<ObjectKey, AnyObject> {
    const map = this.#objects.get(kind) ?? new Map<ObjectKey, AnyObject>()
    this.#objects.set(kind, map)
    return map
  }

  #withNamespace(object: AnyObject): AnyObject {
    if (object.metadata.namespace !== undefined || object.kind === 'Namespace' || object.kind === 'Node') return object
    const namespace = object.apiVersion.startsWith('metallb.io/') || isOurs(object.kind) ? this.#namespace : 'default'
    return { ...object, metadata: { ...object.metadata, namespace } }
  }
}

/** {@link StoreEvents} as an EventEmitter takes them. */
interface StoreEventMap {
  change: [changes: readonly Change[]]
  outage: [reason: string | undefined]
}

/** One component's connection to a {@link MemoryCluster}. */
export class MemoryStore extends EventEmitter<StoreEventMap> implements Store {
  readonly #cluster: MemoryCluster
  readonly #disconnect: () => void
  #batch: Change[] = []

  constructor(cluster: MemoryCluster, disconnect: () => void) {
    super()
    this.#cluster = cluster
    this.#disconnect = disconnect
  }

  async start(): Promise<void> {}

  snapshot(): Snapshot {
    return this.#cluster.snapshot()
  }

  async updateStatus(object: AnyObject): Promise<void> {
    this.#cluster.updateStatus(object)
  }

  async create<T extends KubernetesObject>(object: T): Promise<T> {
    return this.#cluster.create(object) as KubernetesObject as T
  }

  async delete(reference: ObjectReference): Promise<void> {
    this.#cluster.delete(reference)
  }

  emitEvent(event: ClusterEvent): void {
    this.#cluster.activity++
    this.#cluster.events.push(event)
  }

  /** Tells a change, with those that come in the same turn of the loop. */
  notify(change: Change): void {
    if (this.#batch.push(change) > 1) return
    queueMicrotask(() => {
      const changes = this.#batch
      this.#batch = []
      this.emit('change', changes)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disconnect()
  }
}

/** `namespace/name`, or `name` without a namespace. */
export const keyOf = ({ metadata }: KubernetesObject): ObjectKey =>
  metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name

const isOurs = (kind: string): boolean => ['IPAddressPool', 'Community', 'ConfigurationState'].includes(kind)

function keepDecided(object: AnyObject, old: AnyObject): AnyObject {
  const record = old.metadata.annotations?.[POOL_RECORD]
  const annotations = { ...(record !== undefined && { [POOL_RECORD]: record }), ...object.metadata.annotations }
  const status = object.status === undefined ? old.status : object.status
  return { ...object, metadata: { ...object.metadata, annotations }, ...(status !== undefined && { status }) }
}
