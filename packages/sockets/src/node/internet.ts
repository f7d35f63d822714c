import { parseAddress, type ParsedAddress } from '../wire/address.js'
import { AddressFamily, encodeInternetAddress } from '../wire/socket-address.js'
import { Level, Option, type OptionTarget } from './descriptor.js'
import { listLinks } from './links.js'
import { systemError } from './system-error.js'

const ENODEV = 19
const LONGEST_INTERFACE_NAME = 15
const IpOption = { typeOfService: 1, ttl: 2, minTtl: 21 } as const
const Ipv6Option = { unicastHops: 16, ipv6Only: 26, trafficClass: 67, minHopCount: 73 } as const

/** The socket domain of a family. */
export const domainOf = (family: 4 | 6): number => (family === 4 ? AddressFamily.inet : AddressFamily.inet6)

/** Address and port as one reads them: `10.0.0.1:179`, `[fd00::1]:179`. */
export const endpointText = (address: string, port: number): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`

/**
 * A socket address from text. An IPv4 address becomes an IPv4-mapped one (RFC 4291 section 2.5.5.2) for an IPv6 socket.
 *
 * @throws {TypeError} when it is no address, or an IPv6 address for an IPv4 socket
 * @throws {SocketError} `ENODEV` when the zone names no interface
 */
export function nameOf(address: string, port: number, family: 4 | 6): Uint8Array {
  const parsed = parseAddress(address)
  if (parsed.family === 6 && family === 4) throw new TypeError(`an IPv4 socket cannot use ${address}`)
  const octets = parsed.family === 4 && family === 6 ? mapped(parsed.octets) : parsed.octets
  return encodeInternetAddress(octets, port, scopeOf(parsed))
}

function mapped(octets: Uint8Array): Uint8Array {
  const result = new Uint8Array(16).fill(0xff, 10, 12)
  result.set(octets, 12)
  return result
}

function scopeOf({ zone }: ParsedAddress): number {
  if (zone === undefined) return 0
  if (/^\d+$/.test(zone)) return Number(zone)
  const link = listLinks().find(link => link.name === zone)
  if (!link) throw systemError(ENODEV, 'if_nametoindex', zone)
  return link.index
}

/** Uses only one interface, whatever the routing table says. @throws {RangeError} when the name is too long */
export function bindToDevice(descriptor: OptionTarget, name: string): void {
  const octets = new TextEncoder().encode(name)
  if (octets.length === 0 || octets.length > LONGEST_INTERFACE_NAME)
    throw new RangeError(`device must be the name of an interface, not '${name}'`)
  descriptor.setOption(Level.socket, Option.bindToDevice, octets, `SO_BINDTODEVICE ${name}`)
}

/** Asks for the kernel's own TTL again. */
const DEFAULT_TTL = -1

/** Time to Live and Hop Limit of what is sent. */
export function setTtl(descriptor: OptionTarget, family: 4 | 6, hops: number | 'default'): void {
  const ttl = hops === 'default' ? DEFAULT_TTL : checkHops(hops)
  // An IPv6 socket may carry IPv4 as well, so it gets both.
  descriptor.setOption(Level.ip, IpOption.ttl, ttl, 'IP_TTL')
  if (family === 6) descriptor.setOption(Level.ipv6, Ipv6Option.unicastHops, ttl, 'IPV6_UNICAST_HOPS')
}

/** The octet with DSCP and ECN of what is sent (RFC 2474). @throws {RangeError} when it is no octet */
export function setTrafficClass(descriptor: OptionTarget, family: 4 | 6, octet: number): void {
  if (!Number.isInteger(octet) || octet < 0 || octet > 255)
    throw new RangeError(`trafficClass must be a whole number from 0 to 255, not ${octet}`)
  if (family === 4) descriptor.setOption(Level.ip, IpOption.typeOfService, octet, 'IP_TOS')
  else descriptor.setOption(Level.ipv6, Ipv6Option.trafficClass, octet, 'IPV6_TCLASS')
}

/** Packets that arrive with less are dropped by the kernel (GTSM, RFC 5082). */
export function setMinTtl(descriptor: OptionTarget, family: 4 | 6, minTtl: number): void {
  checkHops(minTtl)
  descriptor.setOption(Level.ip, IpOption.minTtl, minTtl, 'IP_MINTTL')
  if (family === 6) descriptor.setOption(Level.ipv6, Ipv6Option.minHopCount, minTtl, 'IPV6_MINHOPCOUNT')
}

/** Whether an IPv6 socket leaves IPv4 alone. */
export function setIpv6Only(descriptor: OptionTarget, only: boolean): void {
  descriptor.setOption(Level.ipv6, Ipv6Option.ipv6Only, only ? 1 : 0, 'IPV6_V6ONLY')
}

function checkHops(hops: number): number {
  if (Number.isInteger(hops) && hops >= 1 && hops <= 255) return hops
  throw new RangeError(`ttl must be a whole number from 1 to 255, not ${hops}`)
}
