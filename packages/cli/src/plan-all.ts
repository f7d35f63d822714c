/**
 * The plans of many nodes at the cost of a few: who owns a layer-2 address is decided once, and nodes of one kind are planned once, not
 * each for itself. Pure.
 */
import { matchesAny } from '@typemetal/cluster'
import type { Config, Node, ObjectKey, Pool, Service, Snapshot } from '@typemetal/cluster'
import { BGP_ENDPOINTS, isExcluded, isNetworkUnavailable, nodesWithActiveEndpoint, plan } from '@typemetal/speaker'
import type { Layer2Decision, PlanOptions, RememberingPlan, ServiceDecision } from '@typemetal/speaker'
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
  const owned = ownedServices(input, known)
  const local = localServices(input)
  const kinds = new Map<string, Kind>()
  return new Map(
    nodes.map(node => {
      const name = kindOf(input, node)
      const kind = kinds.get(name) ?? planKind(input, node, known)
      kinds.set(name, kind)
      const here = new Set([...(local.get(node) ?? []), ...(local.get(kind.sample) ?? [])])
      const rest = planLike(input, kind, node, here)
      const mine = plan(withServices(snapshot, owned.get(node) ?? new Map()), config, node, members, options)
      const services = new Map(kind.services)
      for (const key of [...here, ...mine.services.keys()]) {
        const decision = rest.services.get(key)
        const layer2 = mine.services.get(key)?.layer2 ?? kind.services.get(key)?.layer2
        if (decision && layer2) services.set(key, { ...decision, layer2 })
      }
      return [node, { ...rest, services, layer2: mine.layer2 }] as const
    }),
  )
}

/** Nodes that everything but ownership and local endpoints treats alike. */
interface Kind {
  /** The node that was planned for all of them. */
  readonly sample: string
  /** Its plan without layer 2. */
  readonly plan: RememberingPlan
  /** What a node of the kind decides that owns nothing. */
  readonly services: ReadonlyMap<ObjectKey, ServiceDecision>
}

/** Equal texts: the same advertisements and peers select both nodes, and they are fit or unfit for the same reasons. */
function kindOf({ snapshot, config }: PlanInput, name: string): string {
  const node: Node | undefined = snapshot.objects('Node').get(name)
  const labels = node?.metadata.labels ?? {}
  const advertisements = [...config.pools.values()].flatMap(pool => [
    ...pool.l2Advertisements,
    ...pool.bgpAdvertisements,
  ])
  return [
    node !== undefined,
    isExcluded(node),
    isNetworkUnavailable(node),
    ...advertisements.map(ad => ad.nodes.has(name)),
    ...[...config.peers.values()].map(peer => matchesAny(peer.nodeSelectors, labels)),
  ]
    .map(Number)
    .join('')
}

/** Plans the first node of a kind. Without layer-2 advertisements there are no elections, which are nearly all of the work. */
function planKind(input: PlanInput, node: string, known: ReadonlyMap<ObjectKey, Known>): Kind {
  const { snapshot, config, members, options } = input
  const made = plan(snapshot, withoutLayer2(config), node, members, options)
  const decisions = [...made.services].map(([key, decision]) => {
    const layer2 = ofAnother(input, node, decision, known.get(key))
    return [key, { ...decision, layer2 }] as const
  })
  return { sample: node, plan: made, services: new Map(decisions) }
}

/**
 * Plans another node of a kind: only what has local endpoints on it, or on the sample, is decided anew.
 * @param here those Services
 */
function planLike(
  { snapshot, members, options }: PlanInput,
  { sample, plan: made }: Kind,
  node: string,
  here: ReadonlySet<ObjectKey>,
): RememberingPlan {
  if (node === sample) return made
  const { context } = made.memory
  const before = { ...made, node, memory: { ...made.memory, context: { ...context, node } } }
  const services = new Map(snapshot.objects('Service'))
  for (const key of here) {
    const service = services.get(key)
    // What is not the same object counts as changed.
    if (service) services.set(key, { ...service })
  }
  return plan(withServices(snapshot, services), context.config, node, members, options, before)
}

/** Services whose announcement depends on where their endpoints are, by the nodes that have one. */
function localServices({ snapshot }: PlanInput): ReadonlyMap<string, readonly ObjectKey[]> {
  const local = new Map<string, ObjectKey[]>()
  for (const [key, { spec }] of snapshot.objects('Service')) {
    if (spec?.externalTrafficPolicy !== 'Local') continue
    for (const node of nodesWithActiveEndpoint(snapshot.endpointSlicesOf(key), BGP_ENDPOINTS))
      listIn(local, node).push(key)
  }
  return local
}

function listIn<T>(lists: Map<string, T[]>, name: string): T[] {
  const list = lists.get(name) ?? []
  lists.set(name, list)
  return list
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

/** Services by the node that owns their addresses. */
function ownedServices(
  { snapshot }: PlanInput,
  known: ReadonlyMap<ObjectKey, Known>,
): ReadonlyMap<string, ReadonlyMap<ObjectKey, Service>> {
  const owned = new Map<string, Map<ObjectKey, Service>>()
  for (const [key, { owner }] of known) {
    const service = snapshot.objects('Service').get(key)
    if (owner === undefined || !service) continue
    owned.set(owner, (owned.get(owner) ?? new Map<ObjectKey, Service>()).set(key, service))
  }
  return owned
}

const advertised = ({ pools }: Config, pool: string | undefined): boolean =>
  pool !== undefined && (pools.get(pool)?.l2Advertisements.length ?? 0) > 0

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
