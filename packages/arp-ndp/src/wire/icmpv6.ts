import { WireError } from '../errors.js'
import { NEXT_HEADER_ICMPV6 } from './ipv6.js'
import { checkLength, putUint16, uint16At, type Octets } from './octets.js'

/** ICMPv6 types of Neighbor Discovery, RFC 4861 §4; other numbers are carried. */
export const Icmpv6Type = {
  RouterSolicitation: 133,
  RouterAdvertisement: 134,
  NeighborSolicitation: 135,
  NeighborAdvertisement: 136,
  Redirect: 137,
} as const
export type Icmpv6Type = number

/** Octets of the header: Type, Code, Checksum (RFC 4443 §2.1). */
export const ICMPV6_HEADER_LENGTH: Octets = 4
const TYPE = 0
const CODE = 1
const CHECKSUM = 2

/** Type of a message, the first octet. `undefined` for an empty one. */
export const icmpv6Type = (message: Uint8Array): Icmpv6Type | undefined => message[TYPE]

/** One's complement sum of 16-bit words, not folded; an odd last octet counts as its word's high half. */
function sumWords(octets: Uint8Array, sum: number): number {
  const even = octets.length & ~1
  for (let i = 0; i < even; i += 2) sum += uint16At(octets, i)
  return even === octets.length ? sum : sum + (octets[even]! << 8)
}

/** Sum over pseudo-header (RFC 8200 §8.1) and message, the checksum field as it stands. */
const sumPacket = (source: Uint8Array, destination: Uint8Array, message: Uint8Array): number =>
  sumWords(message, sumWords(destination, sumWords(source, message.length + NEXT_HEADER_ICMPV6)))

/** Adds the carries back in until 16 bits are left (RFC 1071 §1). */
function fold(sum: number): number {
  let folded = sum
  while (folded > 0xffff) folded = (folded >>> 16) + (folded & 0xffff)
  return folded
}

/**
 * Checksum of an ICMPv6 message, RFC 4443 §2.3, as if its checksum field were zero.
 * @param source 16 octets of the IPv6 header
 * @param destination 16 octets of the IPv6 header
 * @throws {WireError} `truncated` below 4 octets
 */
export function icmpv6Checksum(source: Uint8Array, destination: Uint8Array, message: Uint8Array): number {
  checkLength(message, ICMPV6_HEADER_LENGTH, 'ICMPv6 message')
  return ~fold(sumPacket(source, destination, message) - uint16At(message, CHECKSUM)) & 0xffff
}

/** Whether the checksum in the message is right for these addresses. `false` below 4 octets. */
export const hasValidChecksum = (source: Uint8Array, destination: Uint8Array, message: Uint8Array): boolean =>
  message.length >= ICMPV6_HEADER_LENGTH && fold(sumPacket(source, destination, message)) === 0xffff

/** Puts the right checksum into `message`, in place. */
export function writeChecksum(source: Uint8Array, destination: Uint8Array, message: Uint8Array): void {
  putUint16(message, CHECKSUM, icmpv6Checksum(source, destination, message))
}

/**
 * Checks what all Neighbor Discovery messages have in common: type, Code 0 and a shortest length (RFC 4861 §6.1, 7.1, 8.1).
 * @throws {WireError} `truncated` or `bad-field`
 */
export function checkIcmpv6(message: Uint8Array, type: Icmpv6Type, length: Octets, what: string): void {
  checkLength(message, length, what)
  if (message[TYPE] !== type) throw new WireError(`ICMPv6 type is not ${type}`, TYPE, 'bad-field')
  if (message[CODE] !== 0) throw new WireError(`${what} with a Code other than 0`, CODE, 'bad-field')
}

/** Writes Type, Code 0 and a checksum of zero, which {@link writeChecksum} or the kernel fills in. */
export function writeIcmpv6Header(into: Uint8Array, type: Icmpv6Type): void {
  into[TYPE] = type
  into[CODE] = 0
  putUint16(into, CHECKSUM, 0)
}
