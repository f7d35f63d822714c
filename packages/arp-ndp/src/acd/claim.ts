import type { WireFault } from '../errors.js'
import type { Protocol } from '../responder/responder.js'
import { ArpOperation } from '../wire/arp.js'
import { ETHERNET_HEADER_LENGTH, EtherType, isVlanTag } from '../wire/ethernet.js'
import { Icmpv6Type } from '../wire/icmpv6.js'
import { decodeIpv6, isUnspecified, NEXT_HEADER_ICMPV6 } from '../wire/ipv6.js'
import { isStationMac } from '../wire/mac.js'
import { decodeNeighborAdvertisement } from '../wire/ndp/neighbor-advertisement.js'
import { decodeNeighborSolicitation } from '../wire/ndp/neighbor-solicitation.js'
import { linkLayerAddress } from '../wire/ndp/option/index.js'
import { ndpFault, type NdpFault } from '../wire/ndp/validity.js'
import { uint16At, uint32At, type Octets } from '../wire/octets.js'
import { nonceOf } from './nonce.js'

/** Somebody has an address, or wants it. All octets are views into the frame. */
export interface Claim {
  /**
   * `claim`: ARP with this sender protocol address, or a Neighbor Advertisement for it: the sender has it. `probe`: an ARP Probe
   * (RFC 5227 §1.1), or a Neighbor Solicitation from `::` (RFC 4862 §5.4.2): the sender wants to have it.
   */
  readonly kind: 'claim' | 'probe'
  /** 4 or 16 octets. */
  readonly address: Uint8Array
  /** Who, 6 octets: ar$sha, the Target Link-Layer Address, or else the source of the frame. */
  readonly mac: Uint8Array
  /** Source of the Ethernet frame, 6 octets. */
  readonly frameSource: Uint8Array
  /** Of a Neighbor Solicitation with a Nonce option (RFC 7527 §4). */
  readonly nonce: Uint8Array | undefined
}

/**
 * Why a frame is no claim: a fault of its octets, what RFC 4861 says must be thrown away, or
 *
 * - `vlan-tagged`: it belongs to another network
 * - `other-protocol`: another EtherType than that of the protocol
 * - `no-claim`: an honest frame that says nothing about whose an address is
 * - `other-address`: a claim of an address that nobody here asks about
 * - `bad-sender`: the MAC address of the one who claims is broadcast, multicast or zero
 */
export type NoClaim =
  WireFault | NdpFault | 'vlan-tagged' | 'other-protocol' | 'no-claim' | 'other-address' | 'bad-sender'

// octets from the start of an untagged frame
const SOURCE = 6
const ETHER_TYPE = 12
const ARP_TYPES = 14
const ARP_LENGTHS = 18
const ARP_OPERATION = 20
const ARP_SENDER_MAC = 22
const ARP_SENDER = 28
const ARP_TARGET = 38
const ARP_END = 42
const IPV6_VERSION = 14
const IPV6_PAYLOAD_LENGTH = 18
const IPV6_NEXT_HEADER = 20
const IPV6_SOURCE = 22
const ICMPV6_TYPE = 54
const NDP_TARGET = 62
const NDP_END = 78

/** Ethernet and IPv4 in ar$hrd and ar$pro; lengths 6 and 4 in ar$hln and ar$pln. */
const IPV4_OVER_ETHERNET = [0x0001_0800, 0x0604] as const
/** Smaller values of an EtherType are an 802.3 length (IEEE 802.3 §3.2.6). */
const FIRST_ETHER_TYPE = 0x0600

/**
 * Reads a frame as a claim of an address. Never throws, whatever the octets, and makes no error either, which would cost more than
 * all the rest; of a claim that is nobody's business it looks at a few octets.
 * @param frame Ethernet frame
 * @param concerns whether anybody here asks about the address, of 4 octets for `arp` and 16 for `ndp`, that is in the frame at
 * `offset`
 */
export function readClaim(
  frame: Uint8Array,
  protocol: Protocol,
  concerns: (frame: Uint8Array, offset: Octets) => boolean,
): Claim | NoClaim {
  if (frame.length < ETHERNET_HEADER_LENGTH) return 'truncated'
  const type = uint16At(frame, ETHER_TYPE)
  if (type !== (protocol === 'arp' ? EtherType.ARP : EtherType.IPv6)) return foreign(type)
  const subject = protocol === 'arp' ? arpSubject(frame) : ndpSubject(frame)
  if (typeof subject === 'string') return subject
  if (!concerns(frame, subject)) return 'other-address'
  const claim = protocol === 'arp' ? arpClaim(frame, subject) : ndpClaim(frame)
  return typeof claim === 'string' || isStationMac(claim.mac) ? claim : 'bad-sender'
}

function foreign(type: EtherType): NoClaim {
  if (isVlanTag(type)) return 'vlan-tagged'
  return type < FIRST_ETHER_TYPE ? 'bad-field' : 'other-protocol'
}

/** Where in an ARP frame the address is that it is about. */
function arpSubject(frame: Uint8Array): Octets | NoClaim {
  if (frame.length < ARP_END) return 'truncated'
  return uint32At(frame, ARP_SENDER) === 0 ? ARP_TARGET : ARP_SENDER
}

function arpClaim(frame: Uint8Array, subject: Octets): Claim | NoClaim {
  const [types, lengths] = IPV4_OVER_ETHERNET
  if (uint32At(frame, ARP_TYPES) !== types || uint16At(frame, ARP_LENGTHS) !== lengths) return 'bad-field'
  const operation = uint16At(frame, ARP_OPERATION)
  const probe = subject === ARP_TARGET
  if (operation !== ArpOperation.Request && (probe || operation !== ArpOperation.Reply)) return 'no-claim'
  return {
    kind: probe ? 'probe' : 'claim',
    address: frame.subarray(subject, subject + 4),
    mac: frame.subarray(ARP_SENDER_MAC, ARP_SENDER),
    frameSource: sourceOf(frame),
    nonce: undefined,
  }
}

/** The same in IPv6; what it finds has a whole packet around it. */
function ndpSubject(frame: Uint8Array): Octets | NoClaim {
  if (frame.length < ICMPV6_TYPE) return 'truncated'
  if (frame[IPV6_VERSION]! >>> 4 !== 6) return 'bad-field'
  if (frame[IPV6_NEXT_HEADER] !== NEXT_HEADER_ICMPV6) return 'no-claim'
  const end = ICMPV6_TYPE + uint16At(frame, IPV6_PAYLOAD_LENGTH)
  if (frame.length < end) return 'truncated'
  const type = end > ICMPV6_TYPE ? frame[ICMPV6_TYPE] : undefined
  // Enough to leave out the questions of ordinary hosts; ndpClaim looks at all of it.
  const probe = type === Icmpv6Type.NeighborSolicitation && uint32At(frame, IPV6_SOURCE) === 0
  if (!probe && type !== Icmpv6Type.NeighborAdvertisement) return 'no-claim'
  return end < NDP_END ? 'truncated' : NDP_TARGET
}

function ndpClaim(frame: Uint8Array): Claim | NoClaim {
  const packet = decodeIpv6(frame.subarray(ETHERNET_HEADER_LENGTH))
  const fault = ndpFault(packet)
  if (fault !== undefined) return fault
  const frameSource = sourceOf(frame)
  if (frame[ICMPV6_TYPE] === Icmpv6Type.NeighborSolicitation) {
    return isUnspecified(packet.source) ? solicitationClaim(packet.payload, frameSource) : 'no-claim'
  }
  return advertisementClaim(packet.payload, frameSource)
}

function advertisementClaim(message: Uint8Array, frameSource: Uint8Array): Claim {
  const { targetAddress: address, options } = decodeNeighborAdvertisement(message)
  // RFC 4861 §4.4: the option may be left out of an answer to a unicast solicitation.
  const mac = linkLayerAddress(options, 'target-link-layer-address') ?? frameSource
  return { kind: 'claim', address, mac, frameSource, nonce: undefined }
}

function solicitationClaim(message: Uint8Array, frameSource: Uint8Array): Claim {
  const { targetAddress: address, options } = decodeNeighborSolicitation(message)
  return { kind: 'probe', address, mac: frameSource, frameSource, nonce: nonceOf(options) }
}

const sourceOf = (frame: Uint8Array): Uint8Array => frame.subarray(SOURCE, ETHER_TYPE)
