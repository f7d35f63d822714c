/** The decision about one Service: needs nothing of the other Services. */
import { poolHolding } from '@typemetal/cluster'
import type { EndpointSlice, ObjectKey, Service } from '@typemetal/cluster'
import { ingressAddresses } from './addresses.js'
import { decideBGP } from './bgp.js'
import type { CandidateChange, Context } from './context.js'
import { decideLayer2 } from './layer2.js'
import type { Layer2Decision, ServiceDecision, ServiceReason } from './types.js'

/** Decides what this node does with one Service, with the reason for each protocol that does not announce it. */
export function planService(
  context: Context,
  key: ObjectKey,
  service: Service,
  slices: readonly EndpointSlice[],
): ServiceDecision {
  const { config } = context
  if (service.spec?.type !== 'LoadBalancer') return refuse(key, 'notLoadBalancer')
  if (!context.lbClasses.includes(service.spec.loadBalancerClass ?? '')) return refuse(key, 'loadBalancerClass')
  if (!config) return refuse(key, 'noConfig')
  const addresses = ingressAddresses(service)
  if (typeof addresses === 'string') return refuse(key, addresses)
  const [first] = addresses
  const texts = addresses.map(({ text }) => text)
  const pool = poolHolding(config.pools, addresses)
  if (!first || !pool) return refuse(key, 'ipNotAllowed', texts)
  return {
    service: key,
    addresses: texts,
    pool: pool.name,
    layer2: decideLayer2(context, service, slices, pool, first.text),
    bgp: decideBGP(context, service, slices, pool, addresses),
  }
}

/**
 * Decides again about a Service of which nothing has changed but who stands for election.
 * @param before the decision that was made with other candidates
 * @param since how the candidates differ
 */
export function reelect(
  context: Context,
  service: Service,
  slices: readonly EndpointSlice[],
  before: ServiceDecision,
  since: CandidateChange,
): ServiceDecision {
  const { layer2, addresses, pool: name = '' } = before
  const owner = ownerOf(layer2, context.node)
  if (owner !== undefined && !since.gone.has(owner) && since.came.length === 0) return before
  if (owner === undefined && !layer2.announce && layer2.reason !== 'notOwner') return before
  const pool = context.config?.pools.get(name)
  const [first] = addresses
  if (!pool || first === undefined) return before
  const standing = owner === undefined ? undefined : { winner: owner, among: since.before }
  return { ...before, layer2: decideLayer2(context, service, slices, pool, first, standing) }
}

const ownerOf = (decision: Layer2Decision, node: string): string | undefined =>
  decision.announce || decision.reason === 'noMatchingInterface' ? node : decision.owner

function refuse(service: ObjectKey, reason: ServiceReason, addresses: readonly string[] = []): ServiceDecision {
  return { service, addresses, layer2: { announce: false, reason }, bgp: { announce: false, reason } }
}
