/** `typemetal plan DIR…`: which node would announce what, and why not the rest. */
import type { RememberingPlan, ServiceDecision } from '@typemetal/speaker'
import { type Answer, ExitCode } from '../exit-code.js'
import { type Format, type Paint, type Row, render, table, type Tone } from '../output.js'
import type { Cluster } from '../source/cluster.js'
import { type View, viewOf, type ViewRequest } from '../view.js'
import { invalid } from './validate.js'

/** What to plan with. */
export interface PlanRequest extends ViewRequest {
  /** Also Services of other types, and protocols that no advertisement of the pool is for; machines always get all. @default false */
  readonly all?: boolean
  /** Colours of a table. @default none */
  readonly paint?: Paint
}

/**
 * The decisions of every asked node, with the addresses that the controller would give first. Refuses, with the faults, when the configuration would not be taken.
 */
export function plan(cluster: Cluster, request: PlanRequest, format: Format): Answer {
  const view = viewOf(cluster, request)
  if (!view) return invalid(cluster, format, request.paint)
  const value = [...view.plans.values()].map(({ node, services, sessions, routes }) => ({
    node,
    sessions: [...sessions.values()].map(({ password, ...session }) => ({ ...session, authenticated: !!password })),
    routes,
    services,
  }))
  const text = render(format, value, () => forPeople(view, request))
  return { text, code: ExitCode.ok, notes: notesOf(cluster, view, request.namespace) }
}

/** What the reader should know when the plan is empty. */
export function notesOf({ notes = [] }: Cluster, { snapshot }: View, namespace: string): readonly string[] {
  const isEmpty = (kind: 'Node' | 'IPAddressPool'): boolean => snapshot.objects(kind).size === 0
  return [
    ...notes,
    ...(isEmpty('Node')
      ? [
          'there is no Node among the objects, so nobody announces anything: add them (kubectl get nodes -o yaml), or compare with a cluster (typemetal plan DIR --against live)',
        ]
      : []),
    ...(isEmpty('IPAddressPool')
      ? [
          `there is no IPAddressPool in namespace ${namespace}: nothing can be given an address (--namespace names the namespace of the metallb.io resources, not of Services)`,
        ]
      : []),
  ]
}

function forPeople(view: View, { paint, all = false }: PlanRequest): string {
  const rows = [...view.plans.values()].flatMap(plan =>
    [...plan.services.values()]
      .filter(decision => all || isBalanced(decision))
      .flatMap(decision => rowsOf(plan, decision).filter(row => all || isAdvertised(view, decision, row))),
  )
  const tone = (column: string, cell: string): Tone | undefined =>
    column === 'announces' ? (cell === 'yes' ? 'good' : 'dim') : undefined
  return table(rows, { tone, ...(paint && { paint }) })
}

const isBalanced = ({ layer2 }: ServiceDecision): boolean => layer2.announce || layer2.reason !== 'notLoadBalancer'

/** A protocol for which a pool has no advertisement is not news on every node; that there is none at all is. */
function isAdvertised({ config }: View, { pool: name }: ServiceDecision, { protocol }: Row): boolean {
  const pool = name === undefined ? undefined : config.pools.get(name)
  if (!pool || pool.l2Advertisements.length + pool.bgpAdvertisements.length === 0) return true
  return (protocol === 'bgp' ? pool.bgpAdvertisements : pool.l2Advertisements).length > 0
}

function rowsOf({ node, peersOf }: RememberingPlan, decision: ServiceDecision): Row[] {
  const { service, addresses, layer2, bgp } = decision
  const peers = peersOf.get(service) ?? []
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
