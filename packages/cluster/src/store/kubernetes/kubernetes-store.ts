import { EventEmitter, setMaxListeners } from 'node:events'
import { type Logger, silentLogger } from '../../process/log.js'
import { StartupError } from '../../process/startup-error.js'
import type { LeaseClient } from '../../leader/lease.js'
import type { ClusterEvent, KubernetesObject, ObjectReference } from '../../resources/core.js'
import { ChangeQueue } from '../change-queue.js'
import { isKind, KIND_NAMES, kindOf, KINDS, objectKey } from '../kinds.js'
import { ObjectCache, type Update } from '../object-cache.js'
import {
  type ApiClient,
  type KeepRules,
  type Kind,
  NotFoundError,
  type ObjectKey,
  type Snapshot,
  type Store,
  type StoreEvents,
} from '../store.js'
import { ApiError, failureOf } from './api-error.js'
import { Backoff } from './backoff.js'
import { type Connection, connect } from './connect.js'
import { EventRecorder } from './event-recorder.js'
import { describeFailure } from './failure-text.js'
import { KubernetesLeases } from './lease-client.js'
import { checkLimits, type ClientLimits } from './limits.js'
import { type ClientMetrics, silentMetrics } from './metrics.js'
import { objectReader } from './object-page.js'
import { Reflector, type ReflectorSink } from './reflector.js'
import { isHomeKind, resourcePath } from './resource-path.js'
import { type WithStatus, writeStatus } from './status-writer.js'
import { ApiTransport } from './transport.js'

/** Options of {@link KubernetesStore}. */
export interface KubernetesStoreOptions {
  /** File that names the API server. @default as kubectl finds it, else the pod's service account */
  readonly kubeconfig?: string
  /** Of the kubeconfig. @default its `current-context` */
  readonly context?: string
  /** Where metallb.io objects, Secrets and ConfigMaps are read and written; those elsewhere are not seen. */
  readonly namespace: string
  /** What to watch; less needs fewer rights and less memory. @default all kinds */
  readonly kinds?: readonly Kind[]
  /** Label selectors: of these kinds, objects that match are seen, and no others. @default all objects */
  readonly labels?: Partial<Readonly<Record<Kind, string>>>
  /** What is kept of the objects. @default all but `metadata.managedFields` */
  readonly keep?: KeepRules
  /** How much, how often and how long the API server is asked. @default {@link DEFAULT_LIMITS} */
  readonly limits?: Partial<ClientLimits>
  /** Of `createClientMetrics`. @default nothing is counted */
  readonly metrics?: ClientMetrics
  /** @default silent */
  readonly log?: Logger
  /** Disposes the store when aborted. */
  readonly signal?: AbortSignal
  /** Uniform in [0, 1); for waits. @default Math.random */
  readonly random?: () => number
}

/** What there is once the store has been started. */
interface Live {
  readonly connection: Connection
  readonly transport: ApiTransport
  readonly events: EventRecorder
  readonly reflectors: readonly Reflector[]
  readonly running: Promise<unknown>
}

/**
 * A {@link Store} on the Kubernetes API: lists and watches every kind, writes statuses with optimistic locking. What it writes is in
 * its snapshots once the server's watch has said so.
 */
export class KubernetesStore extends EventEmitter<StoreEvents> implements Store {
  readonly leases: LeaseClient
  readonly api: ApiClient = { send: request => this.#connected().transport.send(request) }
  readonly #options: KubernetesStoreOptions
  readonly #limits: ClientLimits
  readonly #metrics: ClientMetrics
  readonly #random: () => number
  readonly #log: Logger
  readonly #cache = new ObjectCache()
  readonly #changes = new ChangeQueue(changes => this.emit('change', changes))
  readonly #abort = new AbortController()
  readonly #troubles = new Map<Kind, string>()
  #outage: string | undefined
  #started: Promise<void> | undefined
  #live: Live | undefined

  /** @throws {RangeError} a limit is no positive number */
  constructor(options: KubernetesStoreOptions) {
    super()
    this.#options = options
    this.#limits = checkLimits(options.limits)
    this.#metrics = options.metrics ?? silentMetrics
    this.#random = options.random ?? Math.random
    this.#log = options.log ?? silentLogger
    this.leases = new KubernetesLeases(() => this.#connected().transport, options.namespace)
    // Every kind's list, watch and wait listen to it: many is no leak.
    setMaxListeners(0, this.#abort.signal)
    options.signal?.addEventListener('abort', () => void this[Symbol.asyncDispose](), { once: true })
  }

  start(): Promise<void> {
    return (this.#started ??= this.#start())
  }

  async refresh(): Promise<void> {
    await Promise.all(this.#connected().reflectors.map(reflector => reflector.refresh()))
  }

  snapshot(): Snapshot {
    return this.#cache.snapshot()
  }

  async updateStatus(object: WithStatus): Promise<void> {
    await writeStatus(this.#connected().transport, object)
  }

  async create<T extends WithStatus>(object: T): Promise<T> {
    const { transport } = this.#connected()
    const kind = kindOf(object)
    const namespace = KINDS[kind].namespaced ? (object.metadata.namespace ?? this.#options.namespace) : undefined
    const { name, ...metadata } = object.metadata
    const body = {
      ...object,
      metadata: { ...metadata, ...(name && { name }), ...(namespace !== undefined && { namespace }) },
    }
    const path = resourcePath(kind, { namespace })
    const created = (await transport.send({ method: 'POST', path, body })) as T
    // The server drops the status of a new object: it is a resource of its own.
    return object.status === undefined ? created : writeStatus(transport, { ...created, status: object.status })
  }

  async delete({ kind, namespace, name }: ObjectReference): Promise<void> {
    const path = resourcePath(kindOf({ kind }), { namespace: namespace ?? this.#options.namespace, name })
    try {
      await this.#connected().transport.send({ method: 'DELETE', path })
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error
    }
  }

  emitEvent(event: ClusterEvent): void {
    this.#live?.events.record(event)
  }

  /** Ends watches and connections, and waits for them. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort()
    this.#changes.clear()
    await this.#live?.running
    await this.#live?.events.close()
    this.#live?.connection.close()
  }

  async #start(): Promise<void> {
    const { kubeconfig, context, namespace, kinds = KIND_NAMES, labels = {}, keep = {} } = this.#options
    const { signal } = this.#abort
    const [limits, metrics, random, log] = [this.#limits, this.#metrics, this.#random, this.#log]
    const connection = await connect(kubeconfig, context)
    const transport = new ApiTransport({ connection, limits, metrics })
    const sink: ReflectorSink = {
      replace: (kind, objects) => this.#replace(kind, objects),
      apply: (kind, key, object) => this.#apply(kind, [{ kind, key, object }]),
      trouble: (kind, error) => this.#trouble(kind, error, transport.server),
    }
    const reflectors = kinds.map(kind => {
      const selector = labels[kind]
      const all = resourcePath(kind, { namespace: isHomeKind(kind) ? namespace : undefined })
      const path = selector === undefined ? all : `${all}?labelSelector=${encodeURIComponent(selector)}`
      const read = objectReader(kind, keep)
      return { kind, reflector: new Reflector({ kind, path, transport, read, sink, log, random, limits, metrics }) }
    })
    try {
      await Promise.all(reflectors.map(({ kind, reflector }) => this.#listFirst(kind, reflector, transport.server)))
    } catch (error) {
      this.#abort.abort()
      connection.close()
      throw error
    }
    this.#changes.clear()
    const uidOf = (reference: ObjectReference): string | undefined => this.#uidOf(reference)
    this.#live = {
      connection,
      transport,
      events: new EventRecorder({ transport, log, uidOf, limits, random, metrics }),
      reflectors: reflectors.map(({ reflector }) => reflector),
      running: Promise.all(reflectors.map(({ reflector }) => reflector.run(signal))),
    }
  }

  /** Lists for the first time. A server that is only busy is asked again for a while; what else it says, somebody must hear. */
  async #listFirst(kind: Kind, reflector: Reflector, server: string): Promise<void> {
    const { signal } = this.#abort
    const backoff = new Backoff({ ...this.#limits, random: this.#random })
    const end = performance.now() + this.#limits.startPatience
    for (;;) {
      try {
        return await reflector.list(signal)
      } catch (error) {
        const pause = error instanceof ApiError ? (error.retryAfter ?? 0) : 0
        if (signal.aborted || failureOf(error) !== 'busy' || performance.now() + pause > end) {
          throw new StartupError(describeFailure(kind, error, server), { cause: error })
        }
        await backoff.wait(signal, pause)
      }
    }
  }

  /** @throws {TypeError} there is nothing yet */
  #connected(): Live {
    if (!this.#live) throw new TypeError('the store has not been started')
    return this.#live
  }

  #replace(kind: Kind, objects: ReadonlyMap<ObjectKey, KubernetesObject>): void {
    const gone = [...this.#cache.snapshot().objects(kind).keys()].filter(key => !objects.has(key))
    this.#apply(kind, [
      ...gone.map(key => ({ kind, key, object: undefined })),
      ...[...objects].map(([key, object]) => ({ kind, key, object })),
    ])
  }

  #apply(kind: Kind, updates: readonly Update[]): void {
    const changes = this.#cache.apply(updates)
    if (changes.length === 0) return
    this.#metrics.setObjects(kind, this.#cache.snapshot().objects(kind).size)
    this.#changes.push(changes)
  }

  #uidOf({ kind, namespace, name }: ObjectReference): string | undefined {
    if (!isKind(kind)) return undefined
    const objects = this.#cache.snapshot().objects(kind)
    return objects.get(objectKey({ name, ...(namespace !== undefined && { namespace }) }))?.metadata.uid
  }

  #trouble(kind: Kind, error: unknown, server: string): void {
    if (error === undefined) this.#troubles.delete(kind)
    else this.#troubles.set(kind, describeFailure(kind, error, server))
    const [reason] = this.#troubles.values()
    if (reason === this.#outage) return
    this.#outage = reason
    setImmediate(() => this.emit('outage', reason))
  }
}
