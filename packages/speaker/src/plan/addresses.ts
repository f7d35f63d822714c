/** A Service's addresses as the election and BGP want them. */
import { ADDRESS_BITS, formatAddress, parseAddress } from '@typemetal/cluster'
import type { Address, Service } from '@typemetal/cluster'

/** Not unspecified and not multicast or beyond: something that one host can own. */
const isHostAddress = ({ family, value }: Address): boolean =>
  value !== 0n && (family === 'IPv4' ? value >> 28n < 0xen : value >> 120n !== 0xffn)

/** Addresses in the order of the status, or why there are none to announce. */
export type IngressAddresses = readonly Address[] | 'noIPAllocated' | 'invalidIP'

// A change of the configuration asks about every Service again, and reading addresses is half of the work.
const read = new WeakMap<Service, IngressAddresses>()

/** The addresses of a Service. Objects of a snapshot never change, so each is read once. */
export function ingressAddresses(service: Service): IngressAddresses {
  const known = read.get(service)
  if (known !== undefined) return known
  const addresses = readAddresses(service)
  read.set(service, addresses)
  return addresses
}

function readAddresses(service: Service): IngressAddresses {
  const ingress = service.status?.loadBalancer?.ingress ?? []
  if (ingress.length === 0) return 'noIPAllocated'
  const addresses: Address[] = []
  for (const { ip } of ingress) {
    const address = parseAddress(ip ?? '')
    if (!address || !isHostAddress(address)) return 'invalidIP'
    addresses.push(address)
  }
  return addresses
}

/** The prefix of the given length that holds an address, as canonical CIDR text. */
export function maskedPrefix({ family, value, text }: Address, length: number): string {
  const hostBits = BigInt(ADDRESS_BITS[family] - length)
  if (hostBits === 0n) return `${text}/${length}`
  return `${formatAddress(family, (value >> hostBits) << hostBits)}/${length}`
}
