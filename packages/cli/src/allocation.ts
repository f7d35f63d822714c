/** What the controller would make of a cluster before any speaker looks at it. */
import type { ClusterEvent, Kind, Kinds, ObjectKey, Service, Snapshot } from '@typemetal/cluster'
import { Reconciler } from '@typemetal/controller'

/** A snapshot in which every Service, in order of their names, has the addresses that the controller would give it. */
export interface Allocated {
  readonly snapshot: Snapshot
  /** What the controller would say about the Services, refusals among them. */
  readonly events: readonly ClusterEvent[]
}

/** Runs the controller's own decisions on `snapshot`; standing addresses stay, only missing ones are new. */
export function allocate(snapshot: Snapshot, namespace: string, lbClass: string): Allocated {
  const reconciler = new Reconciler({ namespace, lbClass })
  const { services: changed, events } = reconciler.handle(snapshot)
  // Files are read in any order; what is said about a cluster is not to depend on it.
  const services = new Map<ObjectKey, Service>(
    [...snapshot.objects('Service')].toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )
  for (const key of changed) {
    const wanted = reconciler.wantedService(key)
    if (wanted) services.set(key, wanted)
  }
  return { snapshot: withServices(snapshot, services), events }
}

/** The snapshot with other Services. */
export function withServices(snapshot: Snapshot, services: ReadonlyMap<ObjectKey, Service>): Snapshot {
  const objects = <K extends Kind>(kind: K): ReadonlyMap<ObjectKey, Kinds[K]> =>
    kind === 'Service' ? (services as unknown as ReadonlyMap<ObjectKey, Kinds[K]>) : snapshot.objects(kind)
  return {
    objects,
    endpointSlicesOf: key => snapshot.endpointSlicesOf(key),
    faults: snapshot.faults,
    ...(snapshot.origin && { origin: snapshot.origin }),
  }
}

/** Addresses in the status of a Service, as text. */
export const addressesOf = (service: Service | undefined): readonly string[] =>
  (service?.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? [])
