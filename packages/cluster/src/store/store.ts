/** Where resources come from and statuses go to. Two real ones: a folder of manifests and the Kubernetes API. */
import type { ConfigError } from '../config/config.js'
import type { FindOrigin } from '../config/origin.js'
import type { LeaseClient } from '../leader/lease.js'
import type { ApiRequest } from './kubernetes/transport.js'
import type {
  ClusterEvent,
  ConfigMap,
  EndpointSlice,
  KubernetesObject,
  Namespace,
  Node,
  ObjectReference,
  Secret,
  Service,
} from '../resources/core.js'
import type {
  BFDProfile,
  BGPAdvertisement,
  BGPPeer,
  Community,
  ConfigurationState,
  IPAddressPool,
  L2Advertisement,
  ServiceBGPStatus,
  ServiceL2Status,
} from '../resources/metallb.js'

/** Every kind that Typemetal watches, with its type. */
export interface Kinds {
  readonly Service: Service
  readonly EndpointSlice: EndpointSlice
  readonly Node: Node
  readonly Namespace: Namespace
  readonly Secret: Secret
  readonly ConfigMap: ConfigMap
  readonly IPAddressPool: IPAddressPool
  readonly L2Advertisement: L2Advertisement
  readonly BGPAdvertisement: BGPAdvertisement
  readonly BGPPeer: BGPPeer
  readonly BFDProfile: BFDProfile
  readonly Community: Community
  readonly ServiceL2Status: ServiceL2Status
  readonly ServiceBGPStatus: ServiceBGPStatus
  readonly ConfigurationState: ConfigurationState
}

/** Name of a watched kind. */
export type Kind = keyof Kinds

/**
 * What a store keeps of the objects of a kind, where whoever reads them needs less than all. What tells versions apart,
 * `metadata.uid` and `metadata.resourceVersion`, must stay, and for EndpointSlices the label that names their Service.
 */
export type KeepRules = { readonly [K in Kind]?: (object: Kinds[K]) => Kinds[K] }

/** `namespace/name`, or `name` for cluster-scoped objects. */
export type ObjectKey = string

/** What the cluster contains at one moment. Never changes once handed out. */
export interface Snapshot {
  /** All objects of a kind by key. An empty map when there is none. */
  objects<K extends Kind>(kind: K): ReadonlyMap<ObjectKey, Kinds[K]>
  /** The slices that belong to a Service (label `kubernetes.io/service-name`). O(1). */
  endpointSlicesOf(service: ObjectKey): readonly EndpointSlice[]
  /** Objects that could not be read; the last good version of each, if any, is still in {@link objects}. */
  readonly faults: readonly ReadFault[]
  /** Where an object was written; absent when the store does not read files. */
  readonly origin?: FindOrigin
}

/** An object, or a whole file (`kind` is `File`), that could not be read. */
export interface ReadFault extends ConfigError {
  /** The configuration may be hidden in what could not be read, so it must not be built from the rest. */
  readonly affectsConfig: boolean
}

/** One object came, changed or went. */
export interface Change {
  readonly kind: Kind
  readonly key: ObjectKey
  readonly type: 'added' | 'modified' | 'deleted'
}

/** The object was changed by somebody else since it was read: read again and decide again. */
export class ConflictError extends Error {
  readonly code = 'ERR_STORE_CONFLICT'
}

/** The object is not (any longer) there. */
export class NotFoundError extends Error {
  readonly code = 'ERR_STORE_NOT_FOUND'
}

/** Events of a {@link Store}; listeners run on the caller's loop, never during a store call. */
export interface StoreEvents {
  /** The snapshot has moved on; the changes of one batch, or none when only `faults` changed. */
  readonly change: [changes: readonly Change[]]
  /** The source cannot be reached or read; the last snapshot stays. `undefined` when it works again. */
  readonly outage: [reason: string | undefined]
}

/** Asks an API server. */
export interface ApiClient {
  /**
   * Sends a request and reads its answer.
   *
   * @throws {ConflictError} 409
   * @throws {NotFoundError} 404
   * @throws {Error} any other status that is no success, with `status`; or there was no answer
   */
  send(request: ApiRequest): Promise<unknown>
}

/** A source of resources and a sink of statuses. */
export interface Store extends AsyncDisposable {
  /** Newest known state; call after {@link start}. */
  snapshot(): Snapshot
  /**
   * Resolves when everything has been listed once. Rejects with one clear sentence when the source does not exist. Called again, it
   * gives the first call's promise.
   */
  start(): Promise<void>
  /**
   * Reads everything anew: what anybody wrote before the call is in the snapshot when the promise resolves. Absent where snapshots are
   * never behind.
   *
   * @throws the source cannot be read
   */
  refresh?(): Promise<void>
  /** Listens to an event. */
  on<E extends keyof StoreEvents>(event: E, listener: (...args: StoreEvents[E]) => void): this
  /** Listens no more. */
  off<E extends keyof StoreEvents>(event: E, listener: (...args: StoreEvents[E]) => void): this
  /**
   * Writes `status` (and, for a Service, the annotations) of an object that exists. Without `metadata.resourceVersion` whatever is
   * there is overwritten. The write is in the snapshot with a later change, not necessarily when the promise resolves.
   * @throws {ConflictError} `metadata.resourceVersion` is not the newest
   * @throws {NotFoundError} the object is gone
   */
  updateStatus(object: KubernetesObject & { readonly status?: unknown }): Promise<void>
  /**
   * Creates an object that Typemetal owns (statuses, ConfigurationState, Secret), with its status, and returns it as stored. Where
   * `metadata.name` is empty, `generateName` begins the name.
   *
   * @throws {ConflictError} the name is taken
   */
  create<T extends KubernetesObject>(object: T): Promise<T>
  /** Deletes an object that Typemetal owns; not being there is fine. */
  delete(reference: ObjectReference): Promise<void>
  /** Records an event; the same one again raises its count. Never rejects: an event that cannot be written is logged. */
  emitEvent(event: ClusterEvent): void
  /** The API server itself, for what no other method is for; absent where there is none. Use it after {@link start}. */
  readonly api?: ApiClient
  /** Leases of the store's namespace, for processes of which one is to lead; absent where only one process ever writes. */
  readonly leases?: LeaseClient
}
