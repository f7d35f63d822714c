/** Services of type LoadBalancer, their addresses, and why some have none. Pure. */
import type { ObjectKey, Service } from '@typemetal/cluster'
import type { ServiceFacts } from '@typemetal/cluster/page'
import type { Allocation } from '../allocator/allocation.js'
import { Annotation, readAnnotation } from '../reconcile/annotations.js'
import { isOurClass } from '../reconcile/class-filter.js'
import { canonicalIngressIPs } from '../reconcile/ingress.js'
import { desiredPool } from '../reconcile/wishes.js'

/** Who decides about Services. */
export interface Decisions {
  /** What a Service holds. */
  readonly held: (service: ObjectKey) => Allocation | undefined
  /** Why Services lack what they want. */
  readonly failures: ReadonlyMap<ObjectKey, string>
}

/**
 * A row for each Service that is ours.
 *
 * @param decisions absent: another controller decides, so that only statuses tell
 */
export function serviceRows(
  services: ReadonlyMap<ObjectKey, Service>,
  classes: ReadonlySet<string>,
  decisions: Decisions | undefined,
): readonly ServiceFacts[] {
  const rows: ServiceFacts[] = []
  for (const [key, service] of services) {
    if (service.spec?.type !== 'LoadBalancer' || !isOurClass(service, classes)) continue
    rows.push(decisions ? decidedFacts(key, service, decisions) : statusFacts(key, service))
  }
  return rows
}

function decidedFacts(service: ObjectKey, object: Service, { held, failures }: Decisions): ServiceFacts {
  const allocation = held(service)
  const failure = failures.get(service)
  const addresses = allocation?.addresses.map(({ text }) => text) ?? []
  const reason = failure ?? (addresses.length === 0 ? 'it has not been looked at yet' : whyThis(object))
  return {
    service,
    verdict: addresses.length === 0 ? 'bad' : failure === undefined ? 'good' : 'note',
    addresses,
    ...(allocation && { pool: allocation.pool }),
    ...(reason !== undefined && { reason }),
  }
}

function statusFacts(service: ObjectKey, object: Service): ServiceFacts {
  const addresses = canonicalIngressIPs(object)
  const pool = readAnnotation(object, Annotation.allocatedFromPool)
  return {
    service,
    verdict: addresses.length === 0 ? 'note' : 'good',
    addresses,
    ...(pool !== '' && { pool }),
    ...(addresses.length === 0 && { reason: 'no address yet; the controller that leads knows why' }),
  }
}

/** Whose wish an address is; nothing where it is just the lowest one that was free. */
function whyThis(service: Service): string | undefined {
  const isWished = readAnnotation(service, Annotation.loadBalancerIPs) || service.spec?.loadBalancerIP
  const sharingKey = readAnnotation(service, Annotation.allowSharedIP)
  const parts = [
    ...(isWished ? ['it asks for this address'] : []),
    ...(desiredPool(service) === '' ? [] : ['it asks for this pool']),
    ...(sharingKey === '' ? [] : [`it may share with others of key ${sharingKey}`]),
  ]
  return parts.length > 0 ? parts.join('; ') : undefined
}
