import { WireError, type WireFault } from '../errors.js'
import type { Protocol } from '../responder/responder.js'
import { ArpOperation, decodeArp } from '../wire/arp.js'
import { decodeEthernet, EtherType, type EthernetFrame } from '../wire/ethernet.js'
import { Icmpv6Type, icmpv6Type } from '../wire/icmpv6.js'
import { decodeIpv6, isUnspecified, NEXT_HEADER_ICMPV6, type Ipv6Packet } from '../wire/ipv6.js'
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
const ETHER_TYPE = 12
const ARP_SENDER = 28
const ARP_TARGET = 38
const ARP_END = 42
const IPV6_NEXT_HEADER = 20
const IPV6_SOURCE = 22
const ICMPV6_TYPE = 54
const NDP_TARGET = 62
const NDP_END = 78

/** No address, for a reason that only the decoders know. */
const UNREADABLE = -1
/** No address: an honest frame about something else. */
const NO_CLAIM = -2

/**
 * Reads a frame as a claim of an address. Never throws, whatever the octets; one of an address that is nobody's business costs
 * a look at a few of them.
 * @param frame Ethernet frame
 * @param concerns whether anybody here asks about the address, of 4 octets for `arp` and 16 for `ndp`, that is in the frame at
 * `offset`
 */
export function readClaim(
  frame: Uint8Array,
  protocol: Protocol,
  concerns: (frame: Uint8Array, offset: Octets) => boolean,
): Claim | NoClaim {
  const subject = protocol === 'arp' ? arpSubject(frame) : ndpSubject(frame)
  if (subject === NO_CLAIM) return 'no-claim'
  if (subject !== UNREADABLE && !concerns(frame, subject)) return 'other-address'
  try {
    const ethernet = decodeEthernet(frame)
    if (ethernet.tags.length > 0) return 'vlan-tagged'
    if (subject === UNREADABLE) return whyUnreadable(ethernet, protocol)
    const claim = protocol === 'arp' ? arpClaim(ethernet) : ndpClaim(ethernet)
    return typeof claim === 'string' || isStationMac(claim.mac) ? claim : 'bad-sender'
  } catch (error) {
    if (error instanceof WireError) return error.fault
    throw error
  }
}

/** Where in an ARP frame the address is that it is about, unchecked. */
function arpSubject(frame: Uint8Array): Octets {
  if (frame.length < ARP_END || uint16At(frame, ETHER_TYPE) !== EtherType.ARP) return UNREADABLE
  return uint32At(frame, ARP_SENDER) === 0 ? ARP_TARGET : ARP_SENDER
}

function ndpSubject(frame: Uint8Array): Octets {
  if (frame.length < NDP_END || uint16At(frame, ETHER_TYPE) !== EtherType.IPv6) return UNREADABLE
  if (frame[IPV6_NEXT_HEADER] !== NEXT_HEADER_ICMPV6) return NO_CLAIM
  const type = frame[ICMPV6_TYPE]
  if (type === Icmpv6Type.NeighborAdvertisement) return NDP_TARGET
  // Enough to leave out the questions of ordinary hosts; solicitationClaim looks at all of it.
  return type === Icmpv6Type.NeighborSolicitation && uint32At(frame, IPV6_SOURCE) === 0 ? NDP_TARGET : NO_CLAIM
}

/** @throws {WireError} the packet is cut off */
function whyUnreadable({ etherType, payload }: EthernetFrame, protocol: Protocol): NoClaim {
  if (etherType !== (protocol === 'arp' ? EtherType.ARP : EtherType.IPv6)) return 'other-protocol'
  if (protocol === 'arp') decodeArp(payload)
  else decodeIpv6(payload)
  return 'no-claim'
}

function arpClaim({ source, payload }: EthernetFrame): Claim | NoClaim {
  const packet = decodeArp(payload)
  const request = packet.operation === ArpOperation.Request
  if (!request && packet.operation !== ArpOperation.Reply) return 'no-claim'
  const probe = packet.senderProtocolAddress.every(octet => octet === 0)
  if (probe && !request) return 'no-claim'
  return {
    kind: probe ? 'probe' : 'claim',
    address: probe ? packet.targetProtocolAddress : packet.senderProtocolAddress,
    mac: packet.senderHardwareAddress,
    frameSource: source,
    nonce: undefined,
  }
}

function ndpClaim({ source, payload }: EthernetFrame): Claim | NoClaim {
  const packet = decodeIpv6(payload)
  const fault = ndpFault(packet)
  if (fault !== undefined) return fault
  return icmpv6Type(packet.payload) === Icmpv6Type.NeighborAdvertisement
    ? advertisementClaim(packet, source)
    : solicitationClaim(packet, source)
}

function advertisementClaim({ payload }: Ipv6Packet, frameSource: Uint8Array): Claim {
  const { targetAddress: address, options } = decodeNeighborAdvertisement(payload)
  // RFC 4861 §4.4: the option may be left out of an answer to a unicast solicitation.
  const mac = linkLayerAddress(options, 'target-link-layer-address') ?? frameSource
  return { kind: 'claim', address, mac, frameSource, nonce: undefined }
}

function solicitationClaim({ source, payload }: Ipv6Packet, frameSource: Uint8Array): Claim | NoClaim {
  if (!isUnspecified(source)) return 'no-claim'
  const { targetAddress: address, options } = decodeNeighborSolicitation(payload)
  return { kind: 'probe', address, mac: frameSource, frameSource, nonce: nonceOf(options) }
}
