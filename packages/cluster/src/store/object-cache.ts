import type { FindOrigin } from '../config/origin.js'
import type { EndpointSlice, KubernetesObject } from '../resources/core.js'
import { KIND_NAMES } from './kinds.js'
import { LayeredMap } from './layered-map.js'
import type { Change, Kind, Kinds, ObjectKey, ReadFault, Snapshot } from './store.js'

type Objects = LayeredMap<ObjectKey, KubernetesObject>

/** One object as it is now; `undefined`: it is gone. */
export interface Update {
  readonly kind: Kind
  readonly key: ObjectKey
  readonly object: KubernetesObject | undefined
}

const SERVICE_LABEL = 'kubernetes.io/service-name'

/** What a store knows, from which it hands out snapshots. */
export class ObjectCache {
  readonly #objects = new Map<Kind, Objects>(KIND_NAMES.map(kind => [kind, new LayeredMap()]))
  #slices = new LayeredMap<ObjectKey, readonly EndpointSlice[]>()
  #faults: readonly ReadFault[] = []
  #origin: FindOrigin | undefined
  #snapshot: Snapshot | undefined

  /** Newest state; the same object until something changes. */
  snapshot(): Snapshot {
    return (this.#snapshot ??= makeSnapshot(new Map(this.#objects), this.#slices, this.#faults, this.#origin))
  }

  /** Takes new versions of objects; returns what is different now. The same resourceVersion again is no difference. */
  apply(updates: readonly Update[]): readonly Change[] {
    const changes = updates.flatMap(update => this.#applyOne(update))
    if (changes.length > 0) this.#snapshot = undefined
    return changes
  }

  /** Replaces what could not be read; returns whether that is news. */
  setFaults(faults: readonly ReadFault[], origin: FindOrigin): boolean {
    const news = JSON.stringify(faults) !== JSON.stringify(this.#faults)
    this.#faults = faults
    this.#origin = origin
    this.#snapshot = undefined
    return news
  }

  #applyOne({ kind, key, object }: Update): readonly Change[] {
    const objects = this.#objects.get(kind) ?? new LayeredMap()
    const old = objects.get(key)
    if (old === object) return []
    if (old && object && old.metadata.resourceVersion === object.metadata.resourceVersion) return []
    this.#objects.set(kind, objects.with([[key, object]]))
    if (kind === 'EndpointSlice') this.#moveSlice(old as EndpointSlice | undefined, object as EndpointSlice | undefined)
    return [{ kind, key, type: old ? (object ? 'modified' : 'deleted') : 'added' }]
  }

  #moveSlice(old: EndpointSlice | undefined, slice: EndpointSlice | undefined): void {
    for (const service of new Set([serviceOf(old), serviceOf(slice)])) {
      if (service === undefined) continue
      const others = (this.#slices.get(service) ?? []).filter(other => other !== old)
      const now = slice && serviceOf(slice) === service ? [...others, slice] : others
      this.#slices = this.#slices.with([[service, now.length > 0 ? now : undefined]])
    }
  }
}

function serviceOf(slice: EndpointSlice | undefined): ObjectKey | undefined {
  const name = slice?.metadata.labels?.[SERVICE_LABEL]
  return name === undefined ? undefined : `${slice?.metadata.namespace ?? ''}/${name}`
}

function makeSnapshot(
  objects: ReadonlyMap<Kind, Objects>,
  slices: ReadonlyMap<ObjectKey, readonly EndpointSlice[]>,
  faults: readonly ReadFault[],
  origin: FindOrigin | undefined,
): Snapshot {
  return {
    // The map of a kind holds objects of that kind only: apply files them by it.
    objects: <K extends Kind>(kind: K) => (objects.get(kind) ?? new Map()) as ReadonlyMap<ObjectKey, Kinds[K]>,
    endpointSlicesOf: service => slices.get(service) ?? [],
    faults,
    ...(origin && { origin }),
  }
}
