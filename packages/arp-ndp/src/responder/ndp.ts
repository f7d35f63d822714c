import { ETHERNET_HEADER_LENGTH, EtherType, writeEthernetHeader, type EthernetFrame } from '../wire/ethernet.js'
import { hasValidChecksum, Icmpv6Type, icmpv6Type, writeChecksum } from '../wire/icmpv6.js'
import {
  decodeIpv6,
  encodeIpv6,
  IPV6_HEADER_LENGTH,
  isMulticast,
  isUnspecified,
  NEXT_HEADER_ICMPV6,
} from '../wire/ipv6.js'
import { isStationMac } from '../wire/mac.js'
import { ALL_NODES, multicastMac, solicitedNodeMulticast } from '../wire/multicast.js'
import { encodeNeighborAdvertisement } from '../wire/ndp/neighbor-advertisement.js'
import { decodeNeighborSolicitation, encodeNeighborSolicitation } from '../wire/ndp/neighbor-solicitation.js'
import { linkLayerAddress } from '../wire/ndp/option/index.js'
import { sameOctets } from '../wire/octets.js'
import type { ArpIdentity } from './arp.js'
import { isSelected, type OwnedAddresses } from './owned-addresses.js'
import type { Verdict } from './verdict.js'

/** RFC 4861 §7.1: senders set it, receivers check it, so that no router can have forwarded the message. */
export const NDP_HOP_LIMIT = 255

/** Who answers: one interface with a link-local address. */
export interface NdpIdentity extends ArpIdentity {
  /** 16 octets, source of everything we send. */
  readonly linkLocal: Uint8Array
}

/** Puts an ICMPv6 message into an IPv6 packet and an Ethernet frame, and its checksum into the message. */
export function ndpFrame(me: NdpIdentity, mac: Uint8Array, destination: Uint8Array, message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(ETHERNET_HEADER_LENGTH + IPV6_HEADER_LENGTH + message.length)
  writeChecksum(me.linkLocal, destination, message)
  writeEthernetHeader(frame, mac, me.mac, EtherType.IPv6)
  const packet = {
    trafficClass: 0,
    flowLabel: 0,
    nextHeader: NEXT_HEADER_ICMPV6,
    hopLimit: NDP_HOP_LIMIT,
    source: me.linkLocal,
    destination,
    payload: message,
  }
  encodeIpv6(packet, frame.subarray(ETHERNET_HEADER_LENGTH))
  return frame
}

const advertisement = (me: NdpIdentity, targetAddress: Uint8Array, solicited: boolean): Uint8Array =>
  encodeNeighborAdvertisement({
    router: false,
    solicited,
    override: !solicited,
    targetAddress,
    options: [{ kind: 'target-link-layer-address', address: me.mac }],
  })

/** Whether requests go to that Ethernet address: ours, or an IPv6 multicast group (RFC 2464 §7). */
const isForUs = (destination: Uint8Array, mac: Uint8Array): boolean =>
  (destination[0] === 0x33 && destination[1] === 0x33) || sameOctets(destination, mac)

/**
 * Decides about one IPv6 frame; only Neighbor Solicitations with a Source Link-Layer Address are answered.
 * @throws {WireError} the packet cannot be decoded
 */
export function answerNdp(frame: EthernetFrame, me: NdpIdentity, table: OwnedAddresses): Verdict {
  const packet = decodeIpv6(frame.payload)
  const { source, destination, payload } = packet
  if (packet.nextHeader !== NEXT_HEADER_ICMPV6) return 'not-a-request'
  if (icmpv6Type(payload) !== Icmpv6Type.NeighborSolicitation) return 'not-a-request'
  if (!isForUs(frame.destination, me.mac)) return 'not-for-us'
  if (sameOctets(frame.source, me.mac) || sameOctets(source, me.linkLocal)) return 'own-frame'
  if (packet.hopLimit !== NDP_HOP_LIMIT) return 'hop-limit'
  if (!hasValidChecksum(source, destination, payload)) return 'checksum'
  const solicitation = decodeNeighborSolicitation(payload)
  const requester = linkLayerAddress(solicitation.options, 'source-link-layer-address')
  if (requester === undefined) return 'no-source-link-layer-address'
  // RFC 4861 §7.1.1: from `::` that option is forbidden. An answer to a group would reach everybody.
  if (!isStationMac(requester) || isUnspecified(source) || isMulticast(source)) return 'bad-sender'
  const owned = table.find(solicitation.targetAddress)
  if (owned === undefined) return 'not-owned'
  if (!isSelected(owned, me.interface)) return 'interface-not-selected'
  return { frame: ndpFrame(me, requester, source, advertisement(me, owned.octets, true)), owned }
}

/**
 * Unsolicited Neighbor Advertisement to all nodes of the link, S=0 and O=1 (RFC 4861 §7.2.6).
 * @param address 16 octets
 */
export const unsolicitedAdvertisement = (me: NdpIdentity, address: Uint8Array): Uint8Array =>
  ndpFrame(me, multicastMac(ALL_NODES), ALL_NODES, advertisement(me, address, false))

/**
 * A Neighbor Solicitation to the address's solicited-node group: a question who has it (RFC 4861 §7.2.2).
 * @param address 16 octets
 */
export function neighborSolicitation(me: NdpIdentity, address: Uint8Array): Uint8Array {
  const group = solicitedNodeMulticast(address)
  const message = encodeNeighborSolicitation({
    targetAddress: address,
    options: [{ kind: 'source-link-layer-address', address: me.mac }],
  })
  return ndpFrame(me, multicastMac(group), group, message)
}
