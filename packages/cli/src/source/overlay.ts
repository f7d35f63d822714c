/** Snapshots made of others: of manifests that came by standard input, and of a folder laid over a cluster. */
import { isMetalLBKind, KIND_NAMES, KINDS, manifestResources, ObjectCache } from '@typemetal/cluster'
import type { Kind, Manifest, ReadFault, Snapshot, Update } from '@typemetal/cluster'

/** What manifests say, by the names of their files. */
export function manifestSnapshot(manifests: Readonly<Record<string, Manifest>>): Snapshot {
  const { faults = [], origin = () => undefined } = manifestResources(manifests)
  const cache = new ObjectCache()
  // Of two definitions the first counts, as in a folder; the faults name the other.
  const seen = new Set<string>()
  for (const { objects } of Object.values(manifests)) {
    for (const { kind, key, object } of objects) {
      if (seen.has(`${kind} ${key}`)) continue
      seen.add(`${kind} ${key}`)
      cache.apply([{ kind, key, object }])
    }
  }
  cache.setFaults(
    faults.map((fault): ReadFault => ({ affectsConfig: true, ...fault })),
    origin,
  )
  return cache.snapshot()
}

/** Kinds that say what to do, and not what is. */
const isConfiguration = (kind: Kind): boolean => isMetalLBKind(kind) && KINDS[kind].madeBy === 'user'

/** Options of {@link overlay}. */
export interface OverlayOptions {
  /** Configuration that `top` does not have is taken to be deleted, as a tool that prunes would. Else as `kubectl apply`. */
  readonly prune: boolean
}

/** `base` after the objects of `top` were applied to it. A Service keeps the status that it has in `base`. */
export function overlay(base: Snapshot, top: Snapshot, { prune }: OverlayOptions): Snapshot {
  const cache = new ObjectCache()
  for (const kind of KIND_NAMES) cache.apply(mergeKind(kind, base, top, prune))
  const origin = top.origin ?? (() => undefined)
  cache.setFaults([...base.faults, ...top.faults], (...where) => origin(...where) ?? base.origin?.(...where))
  return cache.snapshot()
}

function mergeKind(kind: Kind, base: Snapshot, top: Snapshot, prune: boolean): readonly Update[] {
  const below = base.objects(kind)
  const above = top.objects(kind)
  const kept = prune && isConfiguration(kind) ? [] : [...below].filter(([key]) => !above.has(key))
  const applied = [...above].map(([key, object]) => {
    const { status } = (below.get(key) ?? {}) as { readonly status?: unknown }
    return [key, status === undefined ? object : { ...object, status }] as const
  })
  return [...kept, ...applied].map(([key, object]) => ({ kind, key, object }))
}
