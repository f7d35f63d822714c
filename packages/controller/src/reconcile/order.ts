import type { Service } from '@typemetal/cluster'
import { ingressIPs } from './ingress.js'
import { desiredAddresses, desiredPool, serviceKey } from './wishes.js'

/**
 * The order in which Services are given back what their status says: two addresses before one, then the older Service.
 * It only matters when two statuses name the same address.
 */
export function inReclaimOrder(services: readonly Service[]): readonly Service[] {
  return sortBy(services, service => -ingressIPs(service).length)
}

/**
 * The order in which Services are served: those that have something first, since they may release it; then those that ask
 * for an address, those that ask for a pool, and at last those that are content with any; the older first among equals.
 */
export function inServingOrder(services: readonly Service[]): readonly Service[] {
  return sortBy(services, choosiness)
}

function choosiness(service: Service): number {
  if (ingressIPs(service).length > 0) return 0
  if (desiredAddresses(service)) return 1
  return desiredPool(service) === '' ? 3 : 2
}

/** Stable over restarts and stores: equal ranks go by age, then by name. */
function sortBy(services: readonly Service[], rankOf: (service: Service) => number): readonly Service[] {
  const ranked = services.map(service => ({
    service,
    rank: rankOf(service),
    tie: `${service.metadata.creationTimestamp ?? ''} ${serviceKey(service)}`,
  }))
  ranked.sort((a, b) => a.rank - b.rank || (a.tie < b.tie ? -1 : a.tie > b.tie ? 1 : 0))
  return ranked.map(({ service }) => service)
}
