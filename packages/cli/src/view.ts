/** A cluster as controller and speakers would see it: addresses given, and a plan for each node. */
import type { ClusterEvent, Config, ObjectKey, Service, Snapshot } from '@typemetal/cluster'
import type { PlanOptions, RememberingPlan } from '@typemetal/speaker'
import { addressesOf, allocate, withServices } from './allocation.js'
import { CommandError } from './exit-code.js'
import { planAll } from './plan-all.js'
import { listed } from './warnings/warning.js'
import type { Cluster } from './source/cluster.js'

/** What a question is asked with. */
export interface ViewRequest extends PlanOptions {
  /** Namespace of the `metallb.io` objects. */
  readonly namespace: string
  /** Live gossip members; empty: those that are known to run, else every Node. */
  readonly members: readonly string[]
  /** Only these nodes; empty: every Node. */
  readonly nodes?: readonly string[]
  /** Only what concerns this Service, `namespace/name`: in a large cluster that is little. @default all Services */
  readonly about?: ObjectKey
}

/** Everything that the commands ask about. */
export interface View {
  readonly config: Config
  /** Every Service with the addresses that the controller gives it. */
  readonly snapshot: Snapshot
  /** What the controller says while it does. */
  readonly events: readonly ClusterEvent[]
  readonly members: readonly string[]
  /** By name of the node. */
  readonly plans: ReadonlyMap<string, RememberingPlan>
}

/**
 * Runs the decisions of controller and speakers.
 *
 * @returns `undefined` when there is no valid configuration
 * @throws {CommandError} a node or member is named that does not exist
 */
export function viewOf({ snapshot, result, members: running }: Cluster, request: ViewRequest): View | undefined {
  const { config } = result
  if (!config) return undefined
  const { namespace, lbClass = '', nodes: asked = [] } = request
  const allocated = allocate(snapshot, namespace, lbClass)
  const known = [...snapshot.objects('Node').keys()].toSorted()
  const stranger = [...asked, ...request.members].find(name => !known.includes(name))
  if (stranger !== undefined) throw noSuchNode(stranger, known)
  const members = request.members.length > 0 ? request.members : (running ?? known)
  const names = asked.length > 0 ? asked : known
  const { about } = request
  const planned = about === undefined ? allocated.snapshot : concerning(allocated.snapshot, config, about)
  const plans = planAll({ snapshot: planned, config, members, options: request }, names)
  return { config, snapshot: allocated.snapshot, events: allocated.events, members, plans }
}

/** Names a node that is asked for and is not there, and some that are. */
export const noSuchNode = (name: string, known: readonly string[]): CommandError =>
  new CommandError(`there is no Node ${name}${known.length > 0 ? `; there are ${listed(known)}` : ''}`)

/** The Service and those that share an address with it, or, where a pool is announced in aggregates, perhaps a prefix. */
function concerning(snapshot: Snapshot, config: Config, about: ObjectKey): Snapshot {
  const services = snapshot.objects('Service')
  const addresses = new Set(addressesOf(services.get(about)))
  const aggregated = [...config.pools.values()].some(({ bgpAdvertisements }) =>
    bgpAdvertisements.some(ad => ad.aggregationLength < 32 || ad.aggregationLengthV6 < 128),
  )
  if (aggregated) return snapshot
  const near = [...services].filter(
    ([key, service]) => key === about || addressesOf(service).some(text => addresses.has(text)),
  )
  return withServices(snapshot, new Map(near))
}

/** The cluster after a change, whose Services keep the addresses that they had before it. */
export function keepingAddresses(after: Cluster, before: Snapshot): Cluster {
  const services = new Map<string, Service>()
  for (const [key, service] of after.snapshot.objects('Service')) {
    const standing = before.objects('Service').get(key)
    const keeps = addressesOf(service).length === 0 && standing?.status !== undefined
    services.set(key, keeps ? { ...service, status: standing.status } : service)
  }
  return { ...after, snapshot: withServices(after.snapshot, services) }
}
