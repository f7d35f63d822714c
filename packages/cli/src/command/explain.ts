/** `typemetal explain service/NAME DIR…`: one Service from pool to announcement, each step with its reason. */
import type { EndpointSlice, Service } from '@typemetal/cluster'
import { electionOrder, hasActiveEndpoint, LAYER2_ENDPOINTS, nodesWithActiveEndpoint } from '@typemetal/speaker'
import { plan as planNode } from '@typemetal/speaker'
import type { PlanOptions, RememberingPlan } from '@typemetal/speaker'
import { allocate } from '../allocation.js'
import type { Allocated } from '../allocation.js'
import type { Cluster } from '../cluster.js'
import type { Answer } from './validate.js'
import { validate } from './validate.js'

/** What {@link explain} needs to know beside the cluster. */
export interface ExplainRequest extends PlanOptions {
  readonly namespace: string
  readonly members: readonly string[]
}

/**
 * @param key `namespace/name`
 * @returns the story as indented lines; code 1 when there is no such Service or no valid configuration
 */
export function explain(cluster: Cluster, key: string, request: ExplainRequest): Answer {
  const { config } = cluster.result
  if (!config) return validate(cluster, 'table')
  const allocated = allocate(cluster.snapshot, request.namespace, request.lbClass ?? '')
  const { snapshot } = allocated
  const service = snapshot.objects('Service').get(key)
  if (!service) return { text: `there is no Service ${key}\n`, code: 1 }
  const nodes = [...snapshot.objects('Node').keys()]
  const members = request.members.length > 0 ? request.members : nodes
  const plans = nodes.map(node => planNode(snapshot, config, node, members, request))
  const decision = plans[0]?.services.get(key)
  const lines = [
    `Service ${key}`,
    ...allocation(service, decision?.addresses ?? [], decision?.pool, refusals(key, allocated)),
    ...endpoints(service, snapshot.endpointSlicesOf(key)),
    ...layer2(key, plans, decision?.addresses[0], members),
    ...bgp(key, plans),
  ]
  return { text: `${lines.join('\n')}\n`, code: 0 }
}

/** What the controller would complain of. */
const refusals = (key: string, { events }: Allocated): string[] =>
  events
    .filter(({ type, regarding }) => type === 'Warning' && `${regarding.namespace}/${regarding.name}` === key)
    .map(({ reason, message }) => `  address: ${reason}: ${message}`)

function allocation(
  service: Service,
  addresses: readonly string[],
  pool: string | undefined,
  refused: readonly string[],
): string[] {
  if (service.spec?.type !== 'LoadBalancer') return [`  type ${service.spec?.type ?? 'ClusterIP'}: nothing to announce`]
  if (addresses.length === 0) return refused.length > 0 ? [...refused] : ['  address: none']
  return [`  address: ${addresses.join(', ')} from ${pool ? `pool ${pool}` : 'no pool of this configuration'}`]
}

function endpoints(service: Service, slices: readonly EndpointSlice[]): string[] {
  const nodes = [...nodesWithActiveEndpoint(slices, LAYER2_ENDPOINTS)]
  const policy = service.spec?.externalTrafficPolicy === 'Local' ? 'Local' : 'Cluster'
  if (!hasActiveEndpoint(slices, LAYER2_ENDPOINTS)) return [`  endpoints: none is ready, so nobody announces`]
  return [`  endpoints: ready on ${nodes.toSorted().join(', ') || 'no node by name'}; externalTrafficPolicy ${policy}`]
}

function layer2(
  key: string,
  plans: readonly RememberingPlan[],
  address: string | undefined,
  members: readonly string[],
): string[] {
  if (address === undefined) return []
  const order = electionOrder(members, address)
  return [
    `  layer 2: by hash of node#${address} the order is ${order.join(' > ')}`,
    ...plans.map(({ node, services }) => {
      const decision = services.get(key)?.layer2
      return `    ${node}: ${decision?.announce ? 'announces' : (decision?.reason ?? 'unknown')}`
    }),
  ]
}

function bgp(key: string, plans: readonly RememberingPlan[]): string[] {
  return [
    '  BGP:',
    ...plans.map(({ node, services, peersOf }) => {
      const decision = services.get(key)?.bgp
      if (!decision?.announce) return `    ${node}: ${decision?.reason ?? 'unknown'}`
      const prefixes = decision.prefixes.map(({ prefix }) => prefix).join(', ')
      return `    ${node}: announces ${prefixes} to ${peersOf.get(key)?.join(', ') || 'no session'}`
    }),
  ]
}
