/** `typemetal plan DIR…`: which node would announce what, and why not the rest. */
import { plan as planNode } from '@typemetal/speaker'
import type { PlanOptions, ServiceDecision } from '@typemetal/speaker'
import { allocate } from '../allocation.js'
import type { Cluster } from '../cluster.js'
import { render } from '../output.js'
import type { Format, Row } from '../output.js'
import { validate } from './validate.js'
import type { Answer } from './validate.js'

/** What to plan with. */
export interface PlanRequest extends PlanOptions {
  /** Only these nodes; empty: every Node object. */
  readonly nodes: readonly string[]
  readonly namespace: string
  /** Live gossip members; empty: every node is alive. */
  readonly members: readonly string[]
}

/**
 * The decisions of every asked node, with the addresses that the controller would give first. Refuses, with the faults, when the configuration would not be taken.
 */
export function plan(cluster: Cluster, request: PlanRequest, format: Format): Answer {
  const { config } = cluster.result
  if (!config) return validate(cluster, format)
  const { snapshot } = allocate(cluster.snapshot, request.namespace, request.lbClass ?? '')
  const known = [...snapshot.objects('Node').keys()]
  const members = request.members.length > 0 ? request.members : known
  const plans = (request.nodes.length > 0 ? request.nodes : known).map(node =>
    planNode(snapshot, config, node, members, request),
  )
  const value = plans.map(({ node, services, sessions, routes }) => ({
    node,
    sessions: [...sessions.values()].map(({ password, ...session }) => ({ ...session, authenticated: !!password })),
    routes: Object.fromEntries(routes),
    services: Object.fromEntries(services),
  }))
  const rows = plans.flatMap(({ node, services, peersOf }) =>
    [...services.values()].flatMap(decision => rowsOf(node, decision, peersOf.get(decision.service) ?? [])),
  )
  return { text: render(format, value, rows), code: 0 }
}

function rowsOf(node: string, decision: ServiceDecision, peers: readonly string[]): Row[] {
  const { service, addresses, layer2, bgp } = decision
  const row = (protocol: string, announce: boolean, detail: string): Row => ({
    service,
    addresses: addresses.join(','),
    node,
    protocol,
    announces: announce ? 'yes' : 'no',
    detail,
  })
  const where = layer2.announce && layer2.interfaces !== 'all' ? layer2.interfaces.join(',') : 'all interfaces'
  return [
    row('layer2', layer2.announce, layer2.announce ? where : layer2.reason),
    row('bgp', bgp.announce, bgp.announce ? `to ${peers.join(',') || 'no session'}` : bgp.reason),
  ]
}
