import { parseAddress, type ParsedAddress } from '../address.js'
import { isLinkLocal, isMulticast, isUnspecified } from '../wire/ipv6.js'

const IPV4_LENGTH = 4
const IPV6_LENGTH = 16
const MAPPED_PREFIX = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff)
/** IFNAMSIZ less the final zero. */
const LONGEST_NAME = 15

/**
 * Why an address cannot be answered for on a link; `undefined` when it can.
 * @param octets 4 or 16
 */
export function addressRefusal(octets: Uint8Array): string | undefined {
  return octets.length === IPV4_LENGTH ? ipv4Refusal(octets) : ipv6Refusal(octets)
}

/**
 * RFC 6890 §2.2.2: what never is the address of one host on a link. Link-local (RFC 3927) and reserved (class E) addresses may be
 * somebody's on purpose: Linux talks to both.
 */
function ipv4Refusal(octets: Uint8Array): string | undefined {
  const [first] = octets
  if (first === 0) return 'is not the address of one host' // "this host on this network", RFC 1122 §3.2.1.3
  if (first === 127) return 'is a loopback address'
  if (octets.every(octet => octet === 255)) return 'is not the address of one host' // limited broadcast, RFC 919
  return first! >= 0xe0 && first! < 0xf0 ? 'is a multicast address' : undefined
}

function ipv6Refusal(octets: Uint8Array): string | undefined {
  if (isUnspecified(octets)) return 'is not the address of one host'
  if (isMulticast(octets)) return 'is a multicast address'
  if (isLinkLocal(octets)) return 'is a link-local address'
  if (MAPPED_PREFIX.every((octet, i) => octets[i] === octet)) return 'is an IPv4-mapped address, which no link carries'
  const loopback = octets[IPV6_LENGTH - 1] === 1 && isUnspecified(Uint8Array.of(...octets.subarray(0, 15), 0))
  return loopback ? 'is a loopback address' : undefined
}

/**
 * Reads an address that can be answered for.
 * @throws {TypeError} no string
 * @throws {RangeError} any other, with `address` in front
 */
export function parseAnswerable(address: string): ParsedAddress {
  if (typeof address !== 'string') throw new TypeError(`address ${String(address)} is not a string`)
  const parsed = parseOrRefuse(address)
  // An IPv4-mapped address has been made an IPv4 address here; a caller who means that shall say so.
  const isMapped = parsed.octets.length === 4 && address.includes(':')
  const refusal = isMapped ? 'is an IPv4-mapped address, which no link carries' : addressRefusal(parsed.octets)
  if (refusal !== undefined) throw new RangeError(`address ${JSON.stringify(address)} ${refusal}`)
  return parsed
}

function parseOrRefuse(address: string): ParsedAddress {
  try {
    return parseAddress(address)
  } catch (cause) {
    throw new RangeError(`address ${JSON.stringify(address)} is not an IP address`, { cause })
  }
}

/** Whether Linux lets an interface have this name: 1 to 15 octets, no white space, no slash, no colon. */
export const isInterfaceName = (name: string): boolean =>
  name !== '.' && name !== '..' && /^[^\s/:\0]+$/.test(name) && new TextEncoder().encode(name).length <= LONGEST_NAME
