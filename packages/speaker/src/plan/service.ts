/** The decision about one Service: needs nothing of the other Services. */
import { poolHolding } from '@typemetal/cluster'
import type { EndpointSlice, ObjectKey, Service } from '@typemetal/cluster'
import { ingressAddresses } from './addresses.js'
import { decideBGP } from './bgp.js'
import type { Context } from './context.js'
import { decideLayer2 } from './layer2.js'
import type { ServiceDecision, ServiceReason } from './types.js'

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

function refuse(service: ObjectKey, reason: ServiceReason, addresses: readonly string[] = []): ServiceDecision {
  return { service, addresses, layer2: { announce: false, reason }, bgp: { announce: false, reason } }
}
