import {
  ArpOperation,
  BROADCAST_MAC,
  encodeArp,
  encodeEthernet,
  encodeIpv6,
  encodeNeighborAdvertisement,
  encodeNeighborSolicitation,
  EtherType,
  multicastMac,
  NEXT_HEADER_ICMPV6,
  solicitedNodeMulticast,
  writeChecksum,
  ZERO_MAC,
  type NdpOption,
} from '@typemetal/arp-ndp/wire'
import { hex } from './octets.js'

export const OURS = hex('020000000001')
export const THEIRS = hex('0200000000ee')
export const V4 = hex('c0000201')
export const OTHER_V4 = hex('c0000202')
export const NO_V4 = hex('00000000')
export const V6 = hex('20010db8 00000000 00000000 00000001')
export const OTHER_V6 = hex('20010db8 00000000 00000000 00000002')
export const NO_V6 = new Uint8Array(16)
export const LINK_LOCAL = hex('fe800000 00000000 00000000 000000ee')
export const ALL_NODES = hex('ff020000 00000000 00000000 00000001')

/** An ARP frame of another host, which may be any kind of one. */
export function arp(change: {
  readonly operation?: number
  readonly sender?: Uint8Array
  readonly target?: Uint8Array
  readonly mac?: Uint8Array
  readonly source?: Uint8Array
}): Uint8Array {
  const { operation = ArpOperation.Request, sender = OTHER_V4, target = OTHER_V4, mac = THEIRS, source = mac } = change
  const payload = encodeArp({
    operation,
    senderHardwareAddress: mac,
    senderProtocolAddress: sender,
    targetHardwareAddress: ZERO_MAC,
    targetProtocolAddress: target,
  })
  return encodeEthernet({ destination: BROADCAST_MAC, source, tags: [], etherType: EtherType.ARP, payload })
}

interface Packet {
  readonly source?: Uint8Array
  readonly destination?: Uint8Array
  readonly mac?: Uint8Array
  readonly hopLimit?: number
}

function icmpv6(message: Uint8Array, packet: Required<Packet>): Uint8Array {
  const { source, destination, mac, hopLimit } = packet
  writeChecksum(source, destination, message)
  const payload = encodeIpv6({
    trafficClass: 0,
    flowLabel: 0,
    nextHeader: NEXT_HEADER_ICMPV6,
    hopLimit,
    source,
    destination,
    payload: message,
  })
  const group = destination[0] === 0xff ? multicastMac(destination) : OURS
  return encodeEthernet({ destination: group, source: mac, tags: [], etherType: EtherType.IPv6, payload })
}

/** A Neighbor Solicitation of another host; from `::` unless told otherwise: Duplicate Address Detection. */
export function solicitation(target: Uint8Array, change: Packet & { readonly options?: readonly NdpOption[] } = {}) {
  const { source = NO_V6, destination = solicitedNodeMulticast(target), mac = THEIRS, hopLimit = 255 } = change
  const message = encodeNeighborSolicitation({ targetAddress: target, options: change.options ?? [] })
  return icmpv6(message, { source, destination, mac, hopLimit })
}

/** A Neighbor Advertisement of another host. */
export function advertisement(
  target: Uint8Array,
  change: Packet & { readonly options?: readonly NdpOption[]; readonly solicited?: boolean } = {},
): Uint8Array {
  const { source = LINK_LOCAL, destination = ALL_NODES, mac = THEIRS, hopLimit = 255, solicited = false } = change
  const options = change.options ?? [{ kind: 'target-link-layer-address', address: mac }]
  const message = encodeNeighborAdvertisement({
    router: false,
    solicited,
    override: true,
    targetAddress: target,
    options,
  })
  return icmpv6(message, { source, destination, mac, hopLimit })
}
