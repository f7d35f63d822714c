import { WireError } from '../errors.js'
import { MAC_LENGTH } from './mac.js'
import {
  checkAddress,
  checkInteger,
  checkLength,
  checkRoom,
  putUint16,
  sameOctets,
  uint16At,
  type Octets,
} from './octets.js'

/** ar$op, RFC 826; other numbers are carried. */
export const ArpOperation = { Request: 1, Reply: 2 } as const
export type ArpOperation = number

/** ARP packet for IPv4 over Ethernet, RFC 826. After decoding all four addresses are views into the input. */
export interface ArpPacket {
  /** ar$op */
  readonly operation: ArpOperation
  /** ar$sha, 6 octets */
  readonly senderHardwareAddress: Uint8Array
  /** ar$spa, 4 octets */
  readonly senderProtocolAddress: Uint8Array
  /** ar$tha, 6 octets */
  readonly targetHardwareAddress: Uint8Array
  /** ar$tpa, 4 octets */
  readonly targetProtocolAddress: Uint8Array
}

const HARDWARE_ETHERNET = 1
const PROTOCOL_IPV4 = 0x0800
const PROTOCOL_LENGTH = 4
// octets from the start of the packet
const HTYPE = 0
const PTYPE = 2
const HLEN = 4
const PLEN = 5
const OPERATION = 6
const SHA = 8
const SPA = 14
const THA = 18
const TPA = 24
const END = 28

/** Octets of every packet that {@link encodeArp} writes. */
export const ARP_LENGTH: Octets = END

/**
 * Decodes an ARP packet; octets after the 28th are Ethernet padding and not looked at.
 * @throws {WireError} `truncated` below 28 octets; `bad-field` when it is not IPv4 over Ethernet
 */
export function decodeArp(packet: Uint8Array): ArpPacket {
  checkLength(packet, END, 'ARP packet')
  if (uint16At(packet, HTYPE) !== HARDWARE_ETHERNET) throw new WireError('ar$hrd is not Ethernet', HTYPE, 'bad-field')
  if (uint16At(packet, PTYPE) !== PROTOCOL_IPV4) throw new WireError('ar$pro is not IPv4', PTYPE, 'bad-field')
  if (packet[HLEN] !== MAC_LENGTH) throw new WireError('ar$hln is not 6', HLEN, 'bad-field')
  if (packet[PLEN] !== PROTOCOL_LENGTH) throw new WireError('ar$pln is not 4', PLEN, 'bad-field')
  return {
    operation: uint16At(packet, OPERATION),
    senderHardwareAddress: packet.subarray(SHA, SPA),
    senderProtocolAddress: packet.subarray(SPA, THA),
    targetHardwareAddress: packet.subarray(THA, TPA),
    targetProtocolAddress: packet.subarray(TPA, END),
  }
}

/** Octets that {@link encodeArp} writes: always 28. */
export const arpLength = (_packet: ArpPacket): Octets => END

/**
 * @throws {RangeError} `into` too small, an operation above 65535, or an address of the wrong length
 *
 * @example
 * ```ts
 * import { ArpOperation, BROADCAST_MAC, decodeArp, decodeEthernet, encodeArp, encodeEthernet } from '@typemetal/arp-ndp/wire'
 * import { EtherType, formatMac, isArpProbe, parseMac, ZERO_MAC } from '@typemetal/arp-ndp/wire'
 *
 * const mac = parseMac('02:00:00:00:00:01')
 * const payload = encodeArp({
 *   operation: ArpOperation.Request,
 *   senderHardwareAddress: mac,
 *   senderProtocolAddress: Uint8Array.of(0, 0, 0, 0),
 *   targetHardwareAddress: ZERO_MAC,
 *   targetProtocolAddress: Uint8Array.of(192, 0, 2, 1),
 * })
 * const frame = encodeEthernet({ destination: BROADCAST_MAC, source: mac, tags: [], etherType: EtherType.ARP, payload })
 * const packet = decodeArp(decodeEthernet(frame).payload)
 * console.log(frame.length, formatMac(packet.senderHardwareAddress), isArpProbe(packet)) // 60 02:00:00:00:00:01 true
 * ```
 */
export function encodeArp(packet: ArpPacket, into: Uint8Array = new Uint8Array(END)): Uint8Array {
  checkRoom(into, END)
  checkInteger(packet.operation, 0xffff, 'operation')
  checkAddress(packet.senderHardwareAddress, MAC_LENGTH, 'senderHardwareAddress')
  checkAddress(packet.senderProtocolAddress, PROTOCOL_LENGTH, 'senderProtocolAddress')
  checkAddress(packet.targetHardwareAddress, MAC_LENGTH, 'targetHardwareAddress')
  checkAddress(packet.targetProtocolAddress, PROTOCOL_LENGTH, 'targetProtocolAddress')
  putUint16(into, HTYPE, HARDWARE_ETHERNET)
  putUint16(into, PTYPE, PROTOCOL_IPV4)
  into[HLEN] = MAC_LENGTH
  into[PLEN] = PROTOCOL_LENGTH
  putUint16(into, OPERATION, packet.operation)
  into.set(packet.senderHardwareAddress, SHA)
  into.set(packet.senderProtocolAddress, SPA)
  into.set(packet.targetHardwareAddress, THA)
  into.set(packet.targetProtocolAddress, TPA)
  return into.subarray(0, END)
}

/** ARP Probe, RFC 5227 §1.1: a request from 0.0.0.0, asking whether the target address is in use. */
export const isArpProbe = (packet: ArpPacket): boolean =>
  packet.operation === ArpOperation.Request && packet.senderProtocolAddress.every(octet => octet === 0)

/** ARP Announcement, RFC 5227 §1.1: a request whose sender and target protocol address are the same. */
export const isArpAnnouncement = (packet: ArpPacket): boolean =>
  packet.operation === ArpOperation.Request &&
  !isArpProbe(packet) &&
  sameOctets(packet.senderProtocolAddress, packet.targetProtocolAddress)
