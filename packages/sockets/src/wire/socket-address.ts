import { formatAddress } from './address.js'
import { LITTLE_ENDIAN, viewOf } from './endian.js'

/** Address families of Linux: the domain of a socket, the first field of its addresses. */
export const AddressFamily = { unspec: 0, inet: 2, inet6: 10, netlink: 16, packet: 17 } as const

/** The number of an Internet address family; AF_UNSPEC stands for both. */
export const familyNumber = (family: 4 | 6 | undefined): number =>
  family === undefined ? AddressFamily.unspec : family === 4 ? AddressFamily.inet : AddressFamily.inet6

/** An Internet socket address (`sockaddr_in`, `sockaddr_in6`). */
export interface InternetAddress {
  readonly family: 4 | 6
  readonly address: string
  readonly port: number
  /** Interface index of a scoped IPv6 address; 0 when there is none. */
  readonly scopeId: number
}

/** Room that is enough for any address this package receives. */
export const SOCKET_ADDRESS_SPACE = 28

/**
 * `sockaddr_in` or `sockaddr_in6`, by the length of `octets`.
 *
 * @throws {RangeError} when `octets` is not 4 or 16 long, or the port is none
 */
export function encodeInternetAddress(octets: Uint8Array, port: number, scopeId = 0): Uint8Array {
  if (octets.length !== 4 && octets.length !== 16) throw new RangeError(`no IP address has ${octets.length} octets`)
  if (!Number.isInteger(port) || port < 0 || port > 0xffff) throw new RangeError(`no port: ${port}`)
  const isV4 = octets.length === 4
  const result = new Uint8Array(isV4 ? 16 : 28)
  const view = viewOf(result)
  view.setUint16(0, isV4 ? AddressFamily.inet : AddressFamily.inet6, LITTLE_ENDIAN)
  view.setUint16(2, port)
  result.set(octets, isV4 ? 4 : 8)
  if (!isV4) view.setUint32(24, scopeId, LITTLE_ENDIAN)
  return result
}

/** @returns undefined when the octets are no Internet address */
export function decodeInternetAddress(octets: Uint8Array): InternetAddress | undefined {
  if (octets.length < 16) return undefined
  const view = viewOf(octets)
  const family = view.getUint16(0, LITTLE_ENDIAN)
  const port = view.getUint16(2)
  if (family === AddressFamily.inet)
    return { family: 4, address: formatAddress(octets.subarray(4, 8)), port, scopeId: 0 }
  if (family !== AddressFamily.inet6 || octets.length < 28) return undefined
  const address = formatAddress(octets.subarray(8, 24))
  return { family: 6, address, port, scopeId: view.getUint32(24, LITTLE_ENDIAN) }
}

/** `sockaddr_ll`: one interface's frames of one EtherType (packet(7)). */
export function encodeLinkLayerAddress(interfaceIndex: number, etherType: number): Uint8Array {
  const result = new Uint8Array(20)
  const view = viewOf(result)
  view.setUint16(0, AddressFamily.packet, LITTLE_ENDIAN)
  view.setUint16(2, etherType)
  view.setInt32(4, interfaceIndex, LITTLE_ENDIAN)
  return result
}

/** `sockaddr_nl`: the kernel, or our end of a netlink socket with its multicast groups as a bit set (netlink(7)). */
export function encodeNetlinkAddress(groups = 0): Uint8Array {
  const result = new Uint8Array(12)
  const view = viewOf(result)
  view.setUint16(0, AddressFamily.netlink, LITTLE_ENDIAN)
  view.setUint32(8, groups, LITTLE_ENDIAN)
  return result
}

/** Octets of a `sockaddr_nl`. */
export const NETLINK_ADDRESS_LENGTH = 12

/** The port of a `sockaddr_nl`: 0 is the kernel, anything else a process; -1 when the octets are no such address. */
export function decodeNetlinkPort(octets: Uint8Array): number {
  if (octets.length < NETLINK_ADDRESS_LENGTH) return -1
  const view = viewOf(octets)
  return view.getUint16(0, LITTLE_ENDIAN) === AddressFamily.netlink ? view.getUint32(4, LITTLE_ENDIAN) : -1
}
