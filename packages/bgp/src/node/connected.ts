import { addressFamily, parseAddress, parsePrefix } from '../address.js'
import type { Interfaces } from './next-hop.js'

const isLinkLocal = (address: Uint8Array): boolean =>
  address.length === 16 && address[0] === 0xfe && (address[1]! & 0xc0) === 0x80

/**
 * Whether an address is on a subnet of one of our interfaces; link-local ones are.
 *
 * @throws {RangeError} not an address
 */
export function isConnected(address: string, interfaces: Interfaces): boolean {
  const octets = parseAddress(address)
  if (isLinkLocal(octets)) return true
  return Object.values(interfaces).some(entries => entries?.some(({ cidr }) => cidr && isIn(octets, address, cidr)))
}

function isIn(octets: Uint8Array, address: string, cidr: string): boolean {
  const { family, nlri } = parsePrefix(cidr)
  if (family !== addressFamily(octets)) return false
  const same = parsePrefix(`${address}/${nlri.length}`).nlri.prefix
  return nlri.prefix.every((octet, at) => octet === same[at])
}
