import { type Address, type LoadBalancerIngress, type Service, parseAddress } from '@typemetal/cluster'
import { recordPool } from './annotations.js'

/** `status.loadBalancer.ingress[].ip` as written; entries with only a hostname are left out. */
export function ingressIPs(service: Service): readonly string[] {
  return (service.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip ?? '').filter(ip => ip !== '')
}

/** {@link ingressIPs}, each in the spelling of RFC 5952 if it is an address. */
export const canonicalIngressIPs = (service: Service): readonly string[] =>
  // An IPv4 address has one spelling only.
  ingressIPs(service).map(text => (text.includes(':') ? (parseAddress(text)?.text ?? text) : text))

/** Whether the status of a Service names these addresses in this order, and no others. */
export const namesExactly = (service: Service, addresses: readonly Address[]): boolean =>
  sayTheSame(service.status?.loadBalancer?.ingress ?? [], addresses)

/** The Service with these addresses in its status and its pool on record; the same object when it says so already. */
export function withAddresses(service: Service, addresses: readonly Address[], pool: string): Service {
  const present = service.status?.loadBalancer?.ingress ?? []
  return rewrite(service, sayTheSame(present, addresses) ? present : merge(present, addresses), pool)
}

/** The Service without addresses in its status and without a pool on record; the same object when it has neither. */
export function withoutAddresses(service: Service): Service {
  return rewrite(service, service.status?.loadBalancer?.ingress?.length ? [] : undefined, undefined)
}

/** @param ingress `undefined`: leave it as it is */
function rewrite(
  service: Service,
  ingress: readonly LoadBalancerIngress[] | undefined,
  pool: string | undefined,
): Service {
  const annotations = recordPool(service, pool)
  const present = service.status?.loadBalancer?.ingress
  const sameIngress = ingress === undefined || ingress === present
  if (sameIngress && annotations === service.metadata.annotations) return service
  const metadata = annotations ? { ...service.metadata, annotations } : service.metadata
  if (sameIngress) return { ...service, metadata }
  const loadBalancer = ingress.length > 0 ? { ingress } : {}
  return { ...service, metadata, status: { ...service.status, loadBalancer } }
}

/** Addresses are compared, not entries: `ipMode`, `hostname` and `ports` are set by others. */
function sayTheSame(present: readonly LoadBalancerIngress[], addresses: readonly Address[]): boolean {
  const texts = present.map(({ ip }) => ip ?? '').filter(ip => ip !== '')
  return texts.length === addresses.length && addresses.every((address, i) => isAddress(texts[i], address))
}

/** Entries of addresses that stay are kept whole, and hostnames beside them; the other entries are new. */
function merge(present: readonly LoadBalancerIngress[], addresses: readonly Address[]): readonly LoadBalancerIngress[] {
  const kept = addresses.map(address => present.find(({ ip }) => isAddress(ip, address)))
  const hostnames = kept.some(Boolean) ? present.filter(({ ip, hostname }) => !ip && hostname) : []
  return [...addresses.map((address, i) => kept[i] ?? { ip: address.text }), ...hostnames]
}

const isAddress = (text: string | undefined, address: Address): boolean =>
  text === address.text || (text !== undefined && text !== '' && parseAddress(text)?.text === address.text)
