import { addressFamily, parseAddress, parsePrefix } from '../address.js'
import type { InterfaceAddress, Interfaces } from './next-hop.js'

/**
 * Whether an address is on a subnet of one of our interfaces.
 *
 * @throws {RangeError} not an address
 */
export const isConnected = (address: string, interfaces: Interfaces): boolean =>
  subnetsOf(address, interfaces).length > 0

/**
 * Whether the kernel sends from `local` to a neighbour by itself: it is the first of our addresses on the neighbour's subnet.
 *
 * @throws {RangeError} not an address
 */
export const isUsualSource = (local: string, neighbor: string, interfaces: Interfaces): boolean =>
  subnetsOf(neighbor, interfaces)[0]?.address === local

/** Our addresses on the subnets that an address is in. */
function subnetsOf(address: string, interfaces: Interfaces): readonly InterfaceAddress[] {
  const octets = parseAddress(address)
  const all = Object.values(interfaces).flatMap(entries => entries ?? [])
  return all.filter(({ cidr }) => cidr && isIn(octets, address, cidr))
}

function isIn(octets: Uint8Array, address: string, cidr: string): boolean {
  const { family, nlri } = parsePrefix(cidr)
  if (family !== addressFamily(octets)) return false
  const same = parsePrefix(`${address}/${nlri.length}`).nlri.prefix
  return nlri.prefix.every((octet, at) => octet === same[at])
}
