import { Address4, Address6 } from 'ip-address'
import { familyBits, type FamilyName, type Nlri } from './wire/index.js'

/** Family of an address of 4 or 16 octets. */
export const addressFamily = (address: Uint8Array): FamilyName =>
  address.length === 4 ? 'ipv4-unicast' : 'ipv6-unicast'

/** An IPv4 address as the kernel writes it, which needs no thorough reading. */
const PLAIN_IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/

/**
 * Octets of an IP address: 4, or 16. A zone (`%eth0`) is ignored.
 *
 * @throws {RangeError} not an address
 */
export function parseAddress(text: string): Uint8Array {
  if (PLAIN_IPV4.test(text)) return Uint8Array.from(text.split('.'), Number)
  try {
    if (!text.includes('/')) return text.includes(':') ? parseIpv6(text) : Uint8Array.from(new Address4(text).toArray())
  } catch (cause) {
    throw new RangeError(`not an IP address: ${text}`, { cause })
  }
  throw new RangeError(`not an IP address: ${text}`)
}

function parseIpv6(text: string): Uint8Array {
  // Without leading zeros, as it comes from a big number.
  const octets = new Address6(text).toUnsignedByteArray()
  const address = new Uint8Array(16)
  address.set(octets, 16 - octets.length)
  return address
}

/** Canonical text (RFC 5952) of an address of 4 or 16 octets; of 32, as a next hop may have, the first 16. */
export function formatAddress(address: Uint8Array): string {
  if (address.length === 4) return address.join('.')
  return Address6.fromUnsignedByteArray([...address.subarray(0, 16)]).correctForm()
}

/** Whether an address can be that of a host: not 0.0.0.0/8 or `::`, nor multicast or reserved. */
export function isHost(address: Uint8Array): boolean {
  if (address.length === 4) return address[0] !== 0 && address[0]! < 224
  return address[0] !== 0xff && address.some(octet => octet !== 0)
}

/** Whether an address in canonical text means something on one link only, RFC 4291 section 2.5.6. */
export const isLinkLocal = (address: string): boolean => /^fe[89ab][0-9a-f]:/.test(address)

/** The address with an IPv4 one behind `::ffff:` made plain IPv4, as dual-stack sockets show it; in canonical text. */
export function canonicalAddress(text: string): string {
  if (PLAIN_IPV4.test(text)) return text
  const octets = parseAddress(text)
  const mapped =
    octets.length === 16 && octets.subarray(0, 10).every(o => o === 0) && octets[10] === 255 && octets[11] === 255
  return formatAddress(mapped ? octets.subarray(12) : octets)
}

/** BGP Identifier in its usual form, four numbers with dots, as a number. @throws {RangeError} */
export function parseIdentifier(text: string): number {
  if (!Address4.isValid(text) || text.includes('/')) throw new RangeError(`not a BGP Identifier: ${text}`)
  const [a = 0, b = 0, c = 0, d = 0] = new Address4(text).toArray()
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
}

/** A prefix and its family. */
export interface ParsedPrefix {
  readonly family: FamilyName
  readonly nlri: Nlri
}

/**
 * Reads `192.0.2.0/24` or `2001:db8::/32`; bits behind the length are cleared.
 *
 * @throws {RangeError} not a prefix
 */
export function parsePrefix(text: string): ParsedPrefix {
  const slash = text.indexOf('/')
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash))
  const digits = text.slice(slash + 1)
  const length = Number(digits)
  if (slash < 0 || !/^\d{1,3}$/.test(digits) || length > address.length * 8)
    throw new RangeError(`not a prefix: ${text}`)
  const prefix = address.slice(0, (length + 7) >>> 3)
  const spare = prefix.length * 8 - length
  if (spare > 0) prefix[prefix.length - 1]! &= 0xff << spare
  return { family: addressFamily(address), nlri: { length, prefix } }
}

/** Canonical text of a prefix. */
export function formatPrefix(family: FamilyName, { length, prefix }: Nlri): string {
  const address = new Uint8Array(familyBits(family) / 8)
  address.set(prefix)
  return `${formatAddress(address)}/${length}`
}
