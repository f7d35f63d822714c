import { checkAddress } from './octets.js'
import { IPV6_LENGTH } from './ipv6.js'

/** ff02::1, all nodes of the link (RFC 4291 §2.7.1). Do not write to it. */
export const ALL_NODES: Uint8Array = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)

/** ff02::2, all routers of the link (RFC 4291 §2.7.1). Do not write to it. */
export const ALL_ROUTERS: Uint8Array = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2)

const SOLICITED_NODE_PREFIX = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff)
const LOW_24_BITS = 13

/**
 * Solicited-node multicast address: the low 24 bits of `address` behind the prefix ff02::1:ff00:0/104 (RFC 4291 §2.7.1).
 * @throws {RangeError} `address` has not 16 octets
 *
 * @example
 * ```ts
 * import { formatMac, multicastMac, solicitedNodeMulticast } from '@typemetal/arp-ndp/wire'
 *
 * const address = Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3) // 2001:db8::1:203
 * console.log(formatMac(multicastMac(solicitedNodeMulticast(address)))) // 33:33:ff:01:02:03
 * ```
 */
export function solicitedNodeMulticast(address: Uint8Array): Uint8Array {
  checkAddress(address, IPV6_LENGTH, 'address')
  const group = new Uint8Array(IPV6_LENGTH)
  group.set(SOLICITED_NODE_PREFIX)
  group.set(address.subarray(LOW_24_BITS), LOW_24_BITS)
  return group
}

/** MAC address of an IPv6 multicast group, 33:33 and its low 32 bits (RFC 2464 §7). */
export const multicastMac = (group: Uint8Array): Uint8Array =>
  Uint8Array.of(0x33, 0x33, group[12]!, group[13]!, group[14]!, group[15]!)

/** Whether the address is a solicited-node multicast address, ff02::1:ff00:0/104 (RFC 4291 §2.7.1). */
export function isSolicitedNodeMulticast(address: Uint8Array): boolean {
  for (let i = 0; i < LOW_24_BITS; i++) if (address[i] !== SOLICITED_NODE_PREFIX[i]) return false
  return address.length === IPV6_LENGTH
}
