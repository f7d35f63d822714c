/** A cluster in memory: objects in, snapshots out. */
import type { EndpointSlice, Kind, Kinds, KubernetesObject, ObjectKey, Snapshot } from '@typemetal/cluster'

/** An object as YAML gives it. */
export type AnyObject = KubernetesObject & { readonly status?: unknown }

/** `namespace/name`, or `name` without a namespace. */
export const keyOf = ({ metadata }: AnyObject): ObjectKey =>
  metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name

/** Kinds that live in `default` when nothing else is said. */
const USER_KINDS: ReadonlySet<string> = new Set(['Service', 'EndpointSlice'])

/** Mutable; every {@link snapshot} is a copy. */
export class MemoryCluster {
  readonly #objects = new Map<string, Map<ObjectKey, AnyObject>>()

  /** Creates or replaces an object. A Service keeps its status unless the new one has its own. */
  apply(given: AnyObject): void {
    const object = withNamespace(given)
    const kind = this.#kind(object.kind)
    const old = kind.get(keyOf(object))
    const keepStatus = object.kind === 'Service' && object.status === undefined && old?.status !== undefined
    kind.set(keyOf(object), keepStatus ? { ...object, status: old.status } : object)
    const { namespace } = object.metadata
    if (namespace !== undefined && !this.#kind('Namespace').has(namespace)) {
      this.#kind('Namespace').set(namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
    }
  }

  delete(kind: string, key: ObjectKey): void {
    this.#kind(kind).delete(key)
  }

  snapshot(): Snapshot {
    const objects = new Map([...this.#objects].map(([kind, map]) => [kind, new Map(map)]))
    const slices = slicesByService(objects.get('EndpointSlice')?.values() ?? [])
    return {
      objects: <K extends Kind>(kind: K) => (objects.get(kind) ?? new Map()) as ReadonlyMap<ObjectKey, Kinds[K]>,
      endpointSlicesOf: service => slices.get(service) ?? [],
      faults: [],
    }
  }

  #kind(kind: string): Map<ObjectKey, AnyObject> {
    let map = this.#objects.get(kind)
    if (!map) this.#objects.set(kind, (map = new Map()))
    return map
  }
}

function withNamespace(object: AnyObject): AnyObject {
  if (object.metadata.namespace !== undefined || !USER_KINDS.has(object.kind)) return object
  return { ...object, metadata: { ...object.metadata, namespace: 'default' } }
}

function slicesByService(slices: Iterable<AnyObject>): ReadonlyMap<ObjectKey, readonly EndpointSlice[]> {
  const map = new Map<ObjectKey, EndpointSlice[]>()
  for (const slice of slices as Iterable<EndpointSlice>) {
    const name = slice.metadata.labels?.['kubernetes.io/service-name']
    if (name === undefined) continue
    const key = `${slice.metadata.namespace}/${name}`
    map.set(key, [...(map.get(key) ?? []), slice])
  }
  return map
}
