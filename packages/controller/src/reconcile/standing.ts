import type { Address, Service } from '@typemetal/cluster'
import type { Allocator } from '../allocator/allocator.js'
import type { AddressRequest, ServiceFamily } from '../allocator/request.js'
import { Annotation, readAnnotation } from './annotations.js'
import { type AddressList, parseAddressList, type Unusable } from './families.js'
import { ingressIPs } from './ingress.js'
import { shapeFault } from './shape.js'
import { clusterIPsOf, desiredAddresses, requestOf, sameSet, serviceKey } from './wishes.js'

/**
 * The addresses in the status of a Service (`held`), in the order in which it wants them, if it may keep them; `undefined` when
 * it has none, when they make no sense, or when they are not of the families that the Service has now.
 */
export function standingAddresses(
  service: Service,
  request: AddressRequest,
  held: AddressList | Unusable,
): readonly Address[] | undefined {
  if ('error' in held || familyChanged(held.family, request)) return undefined
  return inWishedOrder(held, service)
}

/**
 * Gives a Service for which the allocator knows of nothing back what its status says: after a restart, and when a pool
 * that was gone is there again.
 */
export function reclaim(service: Service, allocator: Allocator): void {
  if (service.spec?.type !== 'LoadBalancer' || ingressIPs(service).length === 0) return
  const cluster = parseAddressList(clusterIPsOf(service))
  if ('error' in cluster) return reserve(service, allocator)
  const request = requestOf(service, cluster.family)
  const addresses = standingAddresses(service, request, parseAddressList(ingressIPs(service)))
  if (addresses) allocator.assign(request, addresses)
}

/**
 * Keeps the addresses of a Service that cannot be judged, as its cluster IPs make no sense: its status goes on naming
 * them, so nobody else may have them.
 */
export function reserve(service: Service, allocator: Allocator): void {
  const held = parseAddressList(ingressIPs(service))
  if (!('error' in held)) allocator.assign(requestOf(service, held.family), held.addresses)
}

/**
 * {@link reserve} for a Service that cannot be understood, if the allocator knows of nothing: who it is and which addresses its
 * status names can mostly be told even so. Only what we have given it, by the record of the pool.
 */
export function reserveUnreadable({ apiVersion, kind, metadata, status }: Service, allocator: Allocator): void {
  const { name, namespace, annotations } = metadata
  const where = namespace === undefined ? {} : { namespace }
  const rest = {
    apiVersion,
    kind,
    metadata: { name, ...where, ...(annotations && { annotations }) },
    ...(status && { status }),
  }
  if (allocator.get(serviceKey(rest)) || shapeFault(rest) !== undefined) return
  if (readAnnotation(rest, Annotation.allocatedFromPool) !== '') reserve(rest, allocator)
}

/** Whether addresses of one kind no longer suit a Service. One address of either family suits one that prefers both. */
function familyChanged(held: ServiceFamily, { family, policy }: AddressRequest): boolean {
  return held !== family && !(family === 'dual' && policy === 'PreferDualStack')
}

/** The order of the annotation, when it names the same addresses. */
function inWishedOrder({ addresses }: AddressList, service: Service): readonly Address[] {
  const desired = desiredAddresses(service)
  return desired && !('error' in desired) && sameSet(desired.addresses, addresses) ? desired.addresses : addresses
}
