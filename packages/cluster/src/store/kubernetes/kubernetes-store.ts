import { EventEmitter, setMaxListeners } from 'node:events'
import { type Logger, silentLogger } from '../../process/log.js'
import { StartupError } from '../../process/startup-error.js'
import type { ClusterEvent, KubernetesObject, ObjectReference } from '../../resources/core.js'
import { ChangeQueue } from '../change-queue.js'
import { isKind, KIND_NAMES, kindOf, KINDS, objectKey } from '../kinds.js'
import { ObjectCache, type Update } from '../object-cache.js'
import { type Kind, NotFoundError, type ObjectKey, type Snapshot, type Store, type StoreEvents } from '../store.js'
import { ApiError } from './api-error.js'
import { connect } from './connect.js'
import { EventRecorder } from './event-recorder.js'
import { Reflector, type ReflectorSink } from './reflector.js'
import { isHomeKind, resourcePath } from './resource-path.js'
import { ApiTransport } from './transport.js'

/** Options of {@link KubernetesStore}. */
export interface KubernetesStoreOptions {
  /** File that names the API server. @default as kubectl finds it, else the pod's service account */
  readonly kubeconfig?: string
  /** Where metallb.io objects, Secrets and ConfigMaps are read and written; those elsewhere are not seen. */
  readonly namespace: string
  /** What to watch; less needs fewer rights and less memory. @default all kinds */
  readonly kinds?: readonly Kind[]
  readonly log?: Logger
  /** Disposes the store when aborted. */
  readonly signal?: AbortSignal
  /** Uniform in [0, 1); for waits. @default Math.random */
  readonly random?: () => number
}

/**
 * A {@link Store} on the Kubernetes API: lists and watches every kind, writes statuses with optimistic locking. What it writes is in
 * its snapshots once the server's watch has said so.
 */
export class KubernetesStore extends EventEmitter<StoreEvents> implements Store {
  readonly #options: KubernetesStoreOptions
  readonly #log: Logger
  readonly #cache = new ObjectCache()
  readonly #changes = new ChangeQueue(changes => this.emit('change', changes))
  readonly #abort = new AbortController()
  readonly #troubles = new Map<Kind, string>()
  #outage: string | undefined
  #live: { readonly transport: ApiTransport; readonly events: EventRecorder; running: Promise<unknown> } | undefined

  constructor(options: KubernetesStoreOptions) {
    super()
    this.#options = options
    this.#log = options.log ?? silentLogger
    // Every kind's list, watch and wait listen to it: many is no leak.
    setMaxListeners(0, this.#abort.signal)
    options.signal?.addEventListener('abort', () => void this[Symbol.asyncDispose](), { once: true })
  }

  async start(): Promise<void> {
    const { kubeconfig, namespace, kinds = KIND_NAMES, random = Math.random } = this.#options
    const { signal } = this.#abort
    const transport = new ApiTransport(await connect(kubeconfig))
    const sink: ReflectorSink = {
      replace: (kind, objects) => this.#replace(kind, objects),
      apply: (kind, key, object) => this.#apply([{ kind, key, object }]),
      trouble: (kind, error) => this.#trouble(kind, error),
    }
    const reflectors = kinds.map(kind => {
      const path = resourcePath(kind, { namespace: isHomeKind(kind) ? namespace : undefined })
      return { kind, reflector: new Reflector({ kind, path, transport, sink, log: this.#log, random }) }
    })
    await Promise.all(
      reflectors.map(({ kind, reflector }) =>
        reflector.list(signal).catch((error: unknown) => {
          throw new StartupError(describeFailure(kind, error, transport.server), { cause: error })
        }),
      ),
    ).catch((error: unknown) => {
      this.#abort.abort()
      throw error
    })
    this.#changes.clear()
    const events = new EventRecorder({ transport, log: this.#log, uidOf: reference => this.#uidOf(reference) })
    this.#live = { transport, events, running: Promise.all(reflectors.map(({ reflector }) => reflector.run(signal))) }
  }

  snapshot(): Snapshot {
    return this.#cache.snapshot()
  }

  async updateStatus(object: KubernetesObject & { readonly status?: unknown }): Promise<void> {
    await this.#putStatus(kindOf(object), object)
  }

  async create<T extends KubernetesObject & { readonly status?: unknown }>(object: T): Promise<T> {
    const kind = kindOf(object)
    const namespace = KINDS[kind].namespaced ? (object.metadata.namespace ?? this.#options.namespace) : undefined
    const { name, ...metadata } = object.metadata
    const body = {
      ...object,
      metadata: { ...metadata, ...(name && { name }), ...(namespace !== undefined && { namespace }) },
    }
    const path = resourcePath(kind, { namespace })
    const created = (await this.#transport().send({ method: 'POST', path, body })) as T
    // The server drops the status of a new object: it is a resource of its own.
    return object.status === undefined ? created : this.#putStatus(kind, { ...created, status: object.status })
  }

  async delete({ kind, namespace, name }: ObjectReference): Promise<void> {
    const path = resourcePath(kindOf({ kind }), { namespace: namespace ?? this.#options.namespace, name })
    try {
      await this.#transport().send({ method: 'DELETE', path })
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error
    }
  }

  emitEvent(event: ClusterEvent): void {
    this.#live?.events.record(event)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort()
    this.#changes.clear()
    await this.#live?.running
    await this.#live?.events.flush()
  }

  async #putStatus<T extends KubernetesObject>(kind: Kind, object: T): Promise<T> {
    const { namespace, name } = object.metadata
    const path = resourcePath(kind, { namespace, name, subresource: 'status' })
    return (await this.#transport().send({ method: 'PUT', path, body: object })) as T
  }

  #transport(): ApiTransport {
    if (!this.#live) throw new TypeError('the store has not been started')
    return this.#live.transport
  }

  #replace(kind: Kind, objects: ReadonlyMap<ObjectKey, KubernetesObject>): void {
    const gone = [...this.#cache.snapshot().objects(kind).keys()].filter(key => !objects.has(key))
    this.#apply([
      ...gone.map(key => ({ kind, key, object: undefined })),
      ...[...objects].map(([key, object]) => ({ kind, key, object })),
    ])
  }

  #apply(updates: readonly Update[]): void {
    const changes = this.#cache.apply(updates)
    if (changes.length > 0) this.#changes.push(changes)
  }

  #uidOf({ kind, namespace, name }: ObjectReference): string | undefined {
    if (!isKind(kind)) return undefined
    const objects = this.#cache.snapshot().objects(kind)
    return objects.get(objectKey({ name, ...(namespace !== undefined && { namespace }) }))?.metadata.uid
  }

  #trouble(kind: Kind, error: unknown): void {
    if (error === undefined) this.#troubles.delete(kind)
    else this.#troubles.set(kind, describeFailure(kind, error, this.#live?.transport.server ?? ''))
    const [reason] = this.#troubles.values()
    if (reason === this.#outage) return
    this.#outage = reason
    setImmediate(() => this.emit('outage', reason))
  }
}

/** Why a kind cannot be read, and what to do about it. */
function describeFailure(kind: Kind, error: unknown, server: string): string {
  const { plural, apiVersion } = KINDS[kind]
  const group = apiVersion.includes('/') ? `.${apiVersion.split('/')[0]}` : ''
  if (error instanceof NotFoundError)
    return `the Kubernetes API at ${server} has no ${plural}${group}: install the CRDs`
  if (!(error instanceof ApiError)) return `cannot reach the Kubernetes API at ${server}: ${messageOf(error)}`
  if (error.status === 401) return `the Kubernetes API at ${server} does not accept our credentials`
  if (error.status === 403) return `not allowed to list and watch ${plural}${group}: ${error.message}`
  return `the Kubernetes API at ${server} does not give us ${plural}${group}: ${error.message}`
}

/** An AggregateError of a failed connection has no message of its own. */
const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message || String((error as NodeJS.ErrnoException).code) : String(error)
