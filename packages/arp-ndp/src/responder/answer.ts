import { WireError } from '../errors.js'
import { ArpOperation, decodeArp } from '../wire/arp.js'
import { decodeEthernet, EtherType, type EthernetFrame } from '../wire/ethernet.js'
import { hasValidChecksum, Icmpv6Type, icmpv6Type } from '../wire/icmpv6.js'
import { decodeIpv6, NEXT_HEADER_ICMPV6 } from '../wire/ipv6.js'
import { isStationMac } from '../wire/mac.js'
import { decodeNeighborAdvertisement } from '../wire/ndp/neighbor-advertisement.js'
import { linkLayerAddress } from '../wire/ndp/option/index.js'
import { sameOctets } from '../wire/octets.js'
import { NDP_HOP_LIMIT } from './ndp.js'

/**
 * Reads a frame as the answer to our question who has `address`: an ARP reply or a Neighbor Advertisement sent to us.
 * @param frame Ethernet frame
 * @param mac our own, 6 octets; gratuitous frames, which go to everybody, are no answers
 * @param address 4 or 16 octets
 * @returns the MAC address of the owner, a view into the frame; `undefined` for any other frame
 */
export function answeredBy(frame: Uint8Array, mac: Uint8Array, address: Uint8Array): Uint8Array | undefined {
  try {
    const ethernet = decodeEthernet(frame)
    if (ethernet.tags.length > 0 || !sameOctets(ethernet.destination, mac)) return undefined
    const owner = address.length === 4 ? arpOwner(ethernet, address) : ndpOwner(ethernet, address)
    return owner !== undefined && isStationMac(owner) ? owner : undefined
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}

function arpOwner(frame: EthernetFrame, address: Uint8Array): Uint8Array | undefined {
  if (frame.etherType !== EtherType.ARP) return undefined
  const packet = decodeArp(frame.payload)
  const answers = packet.operation === ArpOperation.Reply && sameOctets(packet.senderProtocolAddress, address)
  return answers ? packet.senderHardwareAddress : undefined
}

function ndpOwner(frame: EthernetFrame, address: Uint8Array): Uint8Array | undefined {
  if (frame.etherType !== EtherType.IPv6) return undefined
  const { nextHeader, hopLimit, source, destination, payload } = decodeIpv6(frame.payload)
  if (nextHeader !== NEXT_HEADER_ICMPV6 || icmpv6Type(payload) !== Icmpv6Type.NeighborAdvertisement) return undefined
  if (hopLimit !== NDP_HOP_LIMIT || !hasValidChecksum(source, destination, payload)) return undefined
  const advertisement = decodeNeighborAdvertisement(payload)
  if (!sameOctets(advertisement.targetAddress, address)) return undefined
  // RFC 4861 §4.4: the option may be left out of an answer to a unicast solicitation; the sender is the frame's source.
  return linkLayerAddress(advertisement.options, 'target-link-layer-address') ?? frame.source
}
