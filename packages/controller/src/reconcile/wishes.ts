import { type Address, parseAddress, type Service } from '@typemetal/cluster'
import { quote } from '../allocator/address.js'
import type { AddressRequest, FamilyPolicy, ServiceFamily } from '../allocator/request.js'
import { Annotation, readAnnotation } from './annotations.js'
import { parseAddressList, type AddressList, type Unusable } from './families.js'

/** `namespace/name` of a Service. */
export const serviceKey = ({ metadata }: Service): string => `${metadata.namespace ?? 'default'}/${metadata.name}`

/** Cluster IPs as written; empty when the Service has none yet. */
export function clusterIPsOf({ spec }: Service): readonly string[] {
  const list = spec?.clusterIPs?.length ? spec.clusterIPs : [spec?.clusterIP ?? '']
  return list.filter(text => text !== '')
}

/** `spec.ipFamilyPolicy`; what is absent or unknown is SingleStack. */
export function familyPolicyOf({ spec }: Service): FamilyPolicy {
  const policy = spec?.ipFamilyPolicy
  return policy === 'PreferDualStack' || policy === 'RequireDualStack' ? policy : 'SingleStack'
}

/** Name of the pool that a Service asks for; empty when it asks for none. */
export const desiredPool = (service: Service): string => readAnnotation(service, Annotation.addressPool)

/** The exact addresses that a Service asks for, `undefined` when it asks for none, or why they make no sense. */
export function desiredAddresses(service: Service): AddressList | Unusable | undefined {
  const list = readAnnotation(service, Annotation.loadBalancerIPs)
  const single = service.spec?.loadBalancerIP ?? ''
  if (list && single) {
    return { error: `service can not have both ${Annotation.loadBalancerIPs} and svc.Spec.LoadBalancerIP` }
  }
  if (single) return orInvalid(parseAddressList([single]), `invalid spec.loadBalancerIP ${quote(shorten(single))}`)
  if (!list) return undefined
  const texts = list.split(',').map(text => text.trim())
  const parsed = parseAddressList(texts)
  // A list of good addresses that do not go together has its own reason. A long one is not looked through for bad ones.
  const allGood = texts.slice(0, 3).every(text => parseAddress(text))
  return allGood ? parsed : orInvalid(parsed, `invalid ${Annotation.loadBalancerIPs}: ${quote(shorten(list))}`)
}

/** What the allocator needs to know of a Service whose family is known. */
export function requestOf(service: Service, family: ServiceFamily): AddressRequest {
  const { metadata, spec } = service
  return {
    service: serviceKey(service),
    namespace: metadata.namespace ?? 'default',
    labels: metadata.labels ?? {},
    family,
    policy: familyPolicyOf(service),
    families: spec?.ipFamilies ?? [],
    ports: (spec?.ports ?? []).map(({ protocol = 'TCP', port }) => `${protocol}/${port}`),
    sharingKey: readAnnotation(service, Annotation.allowSharedIP),
    backendKey: backendKeyOf(service),
  }
}

/** Whether both lists hold the same addresses in any order. */
export function sameSet(a: readonly Address[], b: readonly Address[]): boolean {
  const texts = new Set(a.map(({ text }) => text))
  return a.length === b.length && b.every(({ text }) => texts.has(text))
}

/**
 * What Services on one address must have in common besides the key: under `externalTrafficPolicy: Local` the traffic goes
 * to the nodes of the endpoints, so the selectors must be the same.
 */
function backendKeyOf({ spec }: Service): string {
  if (spec?.externalTrafficPolicy !== 'Local') return ''
  const pairs = Object.entries(spec.selector ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return pairs.map(([key, value]) => `${key}=${value}`).join(',')
}

const orInvalid = (parsed: AddressList | Unusable, error: string): AddressList | Unusable =>
  'error' in parsed ? { error } : parsed

/** What users wrote may be as long as an annotation can be; a message must not. */
const shorten = (text: string): string => (text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text)
const LONGEST_QUOTE = 200
