import { WireError } from '../errors.js'
import {
  checkAddress,
  checkInteger,
  checkLength,
  checkRoom,
  putUint16,
  putUint32,
  uint16At,
  uint32At,
  type Octets,
} from './octets.js'

/** Octets of an IPv6 address. */
export const IPV6_LENGTH: Octets = 16

/** Next Header of ICMPv6 (RFC 4443 §1). */
export const NEXT_HEADER_ICMPV6 = 58

/** IPv6 packet, RFC 8200 §3; extension headers are part of the payload. */
export interface Ipv6Packet {
  readonly trafficClass: number
  /** 20 bits. */
  readonly flowLabel: number
  readonly nextHeader: number
  readonly hopLimit: number
  /** 16 octets; after decoding a view into the input. */
  readonly source: Uint8Array
  /** 16 octets; after decoding a view into the input. */
  readonly destination: Uint8Array
  /** As long as Payload Length says; after decoding a view into the input. */
  readonly payload: Uint8Array
}

/** Octets of the fixed header. */
export const IPV6_HEADER_LENGTH: Octets = 40
const PAYLOAD_LENGTH = 4
const NEXT_HEADER = 6
const HOP_LIMIT = 7
const SOURCE = 8
const DESTINATION = 24
const VERSION = 6

/**
 * Decodes the fixed header; octets after Payload Length are Ethernet padding and left out.
 * @throws {WireError} `bad-field` when the version is not 6; `truncated` inside the header or the payload
 */
export function decodeIpv6(packet: Uint8Array): Ipv6Packet {
  checkLength(packet, IPV6_HEADER_LENGTH, 'IPv6 header')
  const first = uint32At(packet, 0)
  if (first >>> 28 !== VERSION) throw new WireError('IP version is not 6', 0, 'bad-field')
  const end = IPV6_HEADER_LENGTH + uint16At(packet, PAYLOAD_LENGTH)
  checkLength(packet, end, 'IPv6 packet')
  return {
    trafficClass: (first >>> 20) & 0xff,
    flowLabel: first & 0xfffff,
    nextHeader: packet[NEXT_HEADER]!,
    hopLimit: packet[HOP_LIMIT]!,
    source: packet.subarray(SOURCE, DESTINATION),
    destination: packet.subarray(DESTINATION, IPV6_HEADER_LENGTH),
    payload: packet.subarray(IPV6_HEADER_LENGTH, end),
  }
}

/** Octets that {@link encodeIpv6} writes, header included. */
export const ipv6Length = (packet: Ipv6Packet): Octets => IPV6_HEADER_LENGTH + packet.payload.length

/** @throws {RangeError} `into` too small, a field out of its range, or a payload above 65,535 octets */
export function encodeIpv6(packet: Ipv6Packet, into: Uint8Array = new Uint8Array(ipv6Length(packet))): Uint8Array {
  const length = ipv6Length(packet)
  checkRoom(into, length)
  checkAddress(packet.source, IPV6_LENGTH, 'source')
  checkAddress(packet.destination, IPV6_LENGTH, 'destination')
  checkInteger(packet.trafficClass, 0xff, 'trafficClass')
  checkInteger(packet.flowLabel, 0xfffff, 'flowLabel')
  checkInteger(packet.nextHeader, 0xff, 'nextHeader')
  checkInteger(packet.hopLimit, 0xff, 'hopLimit')
  if (packet.payload.length > 0xffff) throw new RangeError(`payload has ${packet.payload.length} octets, above 65535`)
  putUint32(into, 0, (VERSION << 28) | (packet.trafficClass << 20) | packet.flowLabel)
  putUint16(into, PAYLOAD_LENGTH, packet.payload.length)
  into[NEXT_HEADER] = packet.nextHeader
  into[HOP_LIMIT] = packet.hopLimit
  into.set(packet.source, SOURCE)
  into.set(packet.destination, DESTINATION)
  into.set(packet.payload, IPV6_HEADER_LENGTH)
  return into.subarray(0, length)
}

/** Whether every octet is zero: the unspecified address `::` (RFC 4291 §2.5.2). */
export const isUnspecified = (address: Uint8Array): boolean => address.every(octet => octet === 0)

/** Whether the address is multicast, ff00::/8 (RFC 4291 §2.7). */
export const isMulticast = (address: Uint8Array): boolean => address[0] === 0xff

/** Whether the address is link-local unicast, fe80::/10 (RFC 4291 §2.5.6). */
export const isLinkLocal = (address: Uint8Array): boolean => address[0] === 0xfe && (address[1]! & 0xc0) === 0x80
