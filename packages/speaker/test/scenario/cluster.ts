/** A cluster in memory: objects in, snapshots out, as the real stores hand them out. */
import { ObjectCache } from '@typemetal/cluster'
import type { Kind, KubernetesObject, ObjectKey, Snapshot } from '@typemetal/cluster'

/** An object as YAML gives it. */
export type AnyObject = KubernetesObject & { readonly status?: unknown }

/** `namespace/name`, or `name` without a namespace. */
export const keyOf = ({ metadata }: KubernetesObject): ObjectKey =>
  metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name

/** Kinds that live in no namespace. */
const CLUSTER_KINDS: ReadonlySet<string> = new Set(['Node', 'Namespace'])
/** Kinds that live in `default` when nothing else is said; all others live where MetalLB does. */
const USER_KINDS: ReadonlySet<string> = new Set(['Service', 'EndpointSlice'])

/** Mutable; every {@link snapshot} stays as it is. */
export class MemoryCluster {
  readonly #cache = new ObjectCache()
  readonly #namespace: string
  #version = 0

  /** @param namespace where the `metallb.io` resources live */
  constructor(namespace = 'metallb-system') {
    this.#namespace = namespace
  }

  /** Creates or replaces an object. A Service keeps its status unless the new one has its own. */
  apply(given: AnyObject): void {
    const object = this.#withNamespace(given)
    const old = this.#get(object.kind, keyOf(object))
    const keepStatus = object.kind === 'Service' && object.status === undefined && old?.status !== undefined
    this.#put(keepStatus ? { ...object, status: old.status } : object)
    const { namespace } = object.metadata
    if (namespace !== undefined && !this.#get('Namespace', namespace)) {
      this.#put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
    }
  }

  delete(kind: string, key: ObjectKey): void {
    this.#cache.apply([{ kind: kind as Kind, key, object: undefined }])
  }

  /** Key of an object that is named without its namespace. */
  keyOf(kind: string, name: string, namespace?: string): ObjectKey {
    return keyOf(this.#withNamespace({ apiVersion: '', kind, metadata: { name, ...(namespace && { namespace }) } }))
  }

  snapshot(): Snapshot {
    return this.#cache.snapshot()
  }

  #get(kind: string, key: ObjectKey): AnyObject | undefined {
    return this.snapshot()
      .objects(kind as Kind)
      .get(key)
  }

  #put(object: AnyObject): void {
    const { metadata } = object
    // A version that is known already is no change to a store.
    const { resourceVersion = `memory-${++this.#version}` } = metadata
    const stored = { ...object, metadata: { ...metadata, resourceVersion } }
    this.#cache.apply([{ kind: object.kind as Kind, key: keyOf(object), object: stored }])
  }

  #withNamespace(object: AnyObject): AnyObject {
    if (object.metadata.namespace !== undefined || CLUSTER_KINDS.has(object.kind)) return object
    const namespace = USER_KINDS.has(object.kind) ? 'default' : this.#namespace
    return { ...object, metadata: { ...object.metadata, namespace } }
  }
}
