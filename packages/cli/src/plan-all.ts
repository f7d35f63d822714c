/** The plans of many nodes at the cost of a few: who owns a layer-2 address is decided once, not on every node. Pure. */
import { matchesAny } from '@typemetal/cluster'
import type { Config, ObjectKey, Pool, Service, Snapshot } from '@typemetal/cluster'
import { plan } from '@typemetal/speaker'
import type { Interfaces, Layer2Decision, PlanOptions, RememberingPlan, ServiceDecision } from '@typemetal/speaker'
import { withServices } from './allocation.js'

/** What every plan is made of. */
export interface PlanInput {
  readonly snapshot: Snapshot
  readonly config: Config
  readonly members: readonly string[]
  readonly options: PlanOptions
}

/** The plan of each node: the same that `plan` makes, one node after the other. */
export function planAll(input: PlanInput, nodes: readonly string[]): ReadonlyMap<string, RememberingPlan> {
  const { snapshot, config, members, options } = input
  if (nodes.length < 3) return new Map(nodes.map(node => [node, plan(snapshot, config, node, members, options)]))
  const known = decideOnce(input, nodes)
  const owned = new Map<string, Map<ObjectKey, Service>>()
  for (const [key, { owner }] of known) {
    const service = snapshot.objects('Service').get(key)
    if (owner !== undefined && service)
      owned.set(owner, (owned.get(owner) ?? new Map<ObjectKey, Service>()).set(key, service))
  }
  const silent = withoutLayer2(config)
  return new Map(
    nodes.map(node => {
      const rest = plan(snapshot, silent, node, members, options)
      const mine = plan(withServices(snapshot, owned.get(node) ?? new Map()), config, node, members, options)
      const layer2 = (decision: ServiceDecision): Layer2Decision =>
        mine.services.get(decision.service)?.layer2 ?? ofAnother(input, node, decision, known.get(decision.service))
      const services = new Map(
        [...rest.services].map(([key, decision]) => [key, { ...decision, layer2: layer2(decision) }] as const),
      )
      const answered: ReadonlyMap<string, Interfaces> = mine.layer2
      return [node, { ...rest, services, layer2: answered }] as const
    }),
  )
}

/** What the node that was asked says of a Service, and whom it takes for the owner. */
interface Known {
  readonly seen: Layer2Decision
  readonly owner?: string
}

/** Asks one node about every Service, and the next one about those that do not concern the first. */
function decideOnce(
  { snapshot, config, members, options }: PlanInput,
  nodes: readonly string[],
): ReadonlyMap<ObjectKey, Known> {
  const known = new Map<ObjectKey, Known>()
  let open: ReadonlyMap<ObjectKey, Service> = snapshot.objects('Service')
  for (const node of nodes) {
    if (open.size === 0) break
    const next = new Map<ObjectKey, Service>()
    for (const [key, { layer2, pool }] of plan(withServices(snapshot, open), config, node, members, options).services) {
      known.set(key, { seen: layer2, ...ownerOf(layer2, node) })
      const service = open.get(key)
      const elsewhere = !layer2.announce && layer2.owner === undefined && advertised(config, pool)
      if (service && elsewhere) next.set(key, service)
    }
    open = next
  }
  return known
}

const ownerOf = (layer2: Layer2Decision, node: string): { readonly owner?: string } => {
  const owner = layer2.announce ? node : layer2.owner
  return owner === undefined ? {} : { owner }
}

const advertised = ({ pools }: Config, pool: string | undefined): boolean =>
  pool !== undefined && (pools.get(pool)?.l2Advertisements.length ?? 0) > 0

/** Without its layer-2 advertisements a configuration has no elections, which are nearly all of the work. */
function withoutLayer2(config: Config): Config {
  const pools = [...config.pools].map(([name, pool]): [string, Pool] => [name, { ...pool, l2Advertisements: [] }])
  return { ...config, pools: new Map(pools) }
}

/** What a node says of a Service that it does not own. */
function ofAnother(
  { snapshot, config, options }: PlanInput,
  node: string,
  { service: key, layer2, pool: name }: ServiceDecision,
  known: Known | undefined,
): Layer2Decision {
  const pool = name === undefined ? undefined : config.pools.get(name)
  if (!pool || known === undefined || layer2.announce) return layer2
  const { seen, owner } = known
  if (!seen.announce && seen.reason === 'sharedIPWithServiceSelector') return seen
  const old = options.electionLevel === '0.15'
  // Without an endpoint that is ready nobody is asked further. At the old level the reason says nothing.
  if (!old && layer2.reason === 'notOwner') return layer2
  const labels = snapshot.objects('Service').get(key)?.metadata.labels ?? {}
  const concerned = pool.l2Advertisements.some(
    ad => ad.nodes.has(node) && (old || matchesAny(ad.serviceSelectors, labels)),
  )
  if (!concerned) return { announce: false, reason: old ? 'notOwner' : 'noMatchingAdvertisement' }
  return { announce: false, reason: 'notOwner', ...(owner !== undefined && { owner }) }
}
