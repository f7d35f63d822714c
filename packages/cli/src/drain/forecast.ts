/** What a drain of one node would do: who takes over, what peers are told, in which order. Pure. */
import type { ObjectKey } from '@typemetal/cluster'
import { heirsOf, sessionTarget, simulateDrain } from '@typemetal/speaker'
import type { DrainScenario, PlanOptions, RememberingPlan } from '@typemetal/speaker'
import { addressesOf } from '../allocation.js'
import type { View } from '../view.js'
import { describeStep, type Moment } from './moment.js'

/** A layer-2 address of the node, and who answers for it then. */
export interface Takeover {
  readonly address: string
  readonly services: readonly ObjectKey[]
  /** Absent: nobody can. */
  readonly heir?: string
}

/** A prefix that the node announces, and who else does. */
export interface RouteTakeover {
  readonly prefix: string
  readonly services: readonly ObjectKey[]
  /** Peers that are told by this node. */
  readonly peers: readonly string[]
  /** Nodes whose announcement stays, sorted. Empty: this node keeps it until its sessions end, then it is gone from the routers. */
  readonly others: readonly string[]
}

/** The whole forecast. */
export interface Forecast {
  readonly node: string
  readonly cause: DrainScenario['cause']
  readonly layer2: readonly Takeover[]
  readonly bgp: readonly RouteTakeover[]
  readonly sessions: readonly { readonly peer: string; readonly target: string; readonly gracefulRestart: boolean }[]
  readonly timeline: readonly Moment[]
}

/** How the drain is made, and what is assumed of the world. */
export type ForecastOptions = PlanOptions & Pick<DrainScenario, 'cause' | 'options' | 'successorAfter'>

/** @param view with a plan for every node */
export function forecast(view: View, node: string, { cause, options, ...rest }: ForecastOptions): Forecast {
  const { snapshot, config, members, plans } = view
  const plan = plans.get(node)
  const addresses = [...(plan?.layer2.keys() ?? [])]
  const others = members.filter(name => name !== node)
  const heirs = heirsOf({ snapshot, config, others, options: rest, addresses })
  const sessions = [...(plan?.sessions.values() ?? [])]
  const steps = simulateDrain({
    cause,
    peers: sessions.length,
    heirs,
    alone: others.length === 0,
    ...(options && { options }),
    ...('successorAfter' in rest && { successorAfter: rest.successorAfter }),
  })
  const targets = sessions.map(({ name }) => name)
  const bgp = routeTakeovers(view, node)
  const sole = bgp.filter(route => route.others.length === 0).map(({ prefix }) => prefix)
  return {
    node,
    cause,
    layer2: addresses.map(address => ({
      address,
      services: servicesWith(view, address),
      ...heirOf(heirs.get(address)),
    })),
    bgp,
    sessions: sessions.map(session => ({
      peer: session.name,
      target: sessionTarget(session),
      gracefulRestart: session.gracefulRestart,
    })),
    timeline: steps.flatMap(step => describeStep(step, { heirs, peers: targets, node, sole })),
  }
}

const heirOf = (heir: string | undefined): { readonly heir?: string } => (heir === undefined ? {} : { heir })

const servicesWith = ({ snapshot }: View, address: string): readonly ObjectKey[] =>
  [...snapshot.objects('Service')].filter(([, service]) => addressesOf(service).includes(address)).map(([key]) => key)

function routeTakeovers({ plans }: View, node: string): readonly RouteTakeover[] {
  const mine = plans.get(node)
  if (!mine) return []
  const services = new Map<string, Set<ObjectKey>>()
  for (const { service, bgp } of mine.services.values()) {
    for (const { prefix } of bgp.announce ? bgp.prefixes : [])
      services.set(prefix, (services.get(prefix) ?? new Set<ObjectKey>()).add(service))
  }
  const others = [...plans.values()]
    .filter(plan => plan.node !== node)
    .map(plan => [plan.node, prefixesOf(plan)] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  return [...prefixesOf(mine)].map(([prefix, peers]) => ({
    prefix,
    peers,
    services: [...(services.get(prefix) ?? [])],
    others: others.filter(([, prefixes]) => prefixes.has(prefix)).map(([name]) => name),
  }))
}

/** Every prefix that a node tells, with the peers that it tells it. */
function prefixesOf({ routes }: Pick<RememberingPlan, 'routes'>): ReadonlyMap<string, readonly string[]> {
  const peers = new Map<string, string[]>()
  for (const [peer, list] of routes) {
    for (const { prefix } of list) {
      const known = peers.get(prefix)
      if (known) known.push(peer)
      else peers.set(prefix, [peer])
    }
  }
  return peers
}
