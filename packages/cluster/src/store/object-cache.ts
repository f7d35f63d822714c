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
    const changes: Change[] = []
    // A list of ten thousand objects makes one new map, not ten thousand.
    const fresh = new Map<Kind, Map<ObjectKey, KubernetesObject | undefined>>()
    const slices: SliceMove[] = []
    for (const { kind, key, object } of updates) {
      const mine = fresh.get(kind) ?? new Map<ObjectKey, KubernetesObject | undefined>()
      const old = mine.has(key) ? mine.get(key) : this.#objects.get(kind)?.get(key)
      if (isSame(old, object)) continue
      fresh.set(kind, mine.set(key, object))
      changes.push({ kind, key, type: old ? (object ? 'modified' : 'deleted') : 'added' })
      if (kind === 'EndpointSlice') slices.push([old as EndpointSlice | undefined, object as EndpointSlice | undefined])
    }
    for (const [kind, mine] of fresh) {
      this.#objects.set(kind, (this.#objects.get(kind) ?? new LayeredMap<ObjectKey, KubernetesObject>()).with(mine))
    }
    this.#moveSlices(slices)
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

  #moveSlices(moves: readonly SliceMove[]): void {
    const fresh = new Map<ObjectKey, readonly EndpointSlice[]>()
    for (const [old, slice] of moves) {
      for (const service of new Set([serviceOf(old), serviceOf(slice)])) {
        if (service === undefined) continue
        const others = (fresh.get(service) ?? this.#slices.get(service) ?? []).filter(other => other !== old)
        const joins = slice && serviceOf(slice) === service
        // Nearly always it is one alone, which needs no list with room for more: there are thousands.
        fresh.set(service, !joins ? others : others.length === 0 ? [slice] : [...others, slice])
      }
    }
    if (fresh.size === 0) return
    this.#slices = this.#slices.with(
      Array.from(fresh, ([service, slices]) => [service, slices.length > 0 ? slices : undefined] as const),
    )
  }
}

/** A slice as it was and as it is. */
type SliceMove = readonly [old: EndpointSlice | undefined, slice: EndpointSlice | undefined]

function isSame(old: KubernetesObject | undefined, object: KubernetesObject | undefined): boolean {
  if (old === object) return true
  return old !== undefined && object !== undefined && old.metadata.resourceVersion === object.metadata.resourceVersion
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
