import { OwnedAddresses, type ResponderIdentity } from '@typemetal/arp-ndp/responder'
import * as wire from '@typemetal/arp-ndp/wire'

/** What the responder is to say, written down with the decoders of the wire: whether it answers, and if so what. */
export function expected(frame: Uint8Array, me: ResponderIdentity, table: OwnedAddresses): Uint8Array | undefined {
  try {
    const ethernet = wire.decodeEthernet(frame)
    if (ethernet.tags.length > 0) return undefined
    return me.protocol === 'arp' ? arp(ethernet, me, table) : ndp(ethernet, me, table)
  } catch (error) {
    if (error instanceof wire.WireError) return undefined
    throw error
  }
}

const same = (a: Uint8Array, b: Uint8Array): boolean => a.join() === b.join()

function arp(
  frame: wire.EthernetFrame,
  me: ResponderIdentity & { protocol: 'arp' },
  table: OwnedAddresses,
): Uint8Array | undefined {
  if (frame.etherType !== wire.EtherType.ARP) return undefined
  const { operation, senderHardwareAddress, senderProtocolAddress, targetProtocolAddress } = wire.decodeArp(
    frame.payload,
  )
  if (operation !== wire.ArpOperation.Request || !wire.isStationMac(senderHardwareAddress)) return undefined
  if (!same(frame.destination, wire.BROADCAST_MAC) && !same(frame.destination, me.mac)) return undefined
  if (same(frame.source, me.mac) || same(senderHardwareAddress, me.mac)) return undefined
  if (table.find(targetProtocolAddress) === undefined) return undefined
  const payload = wire.encodeArp({
    operation: wire.ArpOperation.Reply,
    senderHardwareAddress: me.mac,
    senderProtocolAddress: targetProtocolAddress,
    targetHardwareAddress: senderHardwareAddress,
    targetProtocolAddress: senderProtocolAddress,
  })
  const ethernet = { destination: senderHardwareAddress, source: me.mac, tags: [], etherType: wire.EtherType.ARP }
  return wire.encodeEthernet({ ...ethernet, payload })
}

function ndp(
  frame: wire.EthernetFrame,
  me: ResponderIdentity & { protocol: 'ndp' },
  table: OwnedAddresses,
): Uint8Array | undefined {
  if (frame.etherType !== wire.EtherType.IPv6) return undefined
  const packet = wire.decodeIpv6(frame.payload)
  const { source, destination, payload } = packet
  const toGroup = frame.destination[0] === 0x33 && frame.destination[1] === 0x33
  if (!toGroup && !same(frame.destination, me.mac)) return undefined
  if (same(frame.source, me.mac) || same(source, me.linkLocal)) return undefined
  if (packet.nextHeader !== wire.NEXT_HEADER_ICMPV6 || packet.hopLimit !== 255) return undefined
  if (wire.icmpv6Type(payload) !== wire.Icmpv6Type.NeighborSolicitation) return undefined
  if (!wire.hasValidChecksum(source, destination, payload)) return undefined
  const { targetAddress, options } = wire.decodeNeighborSolicitation(payload)
  const requester = wire.linkLayerAddress(options, 'source-link-layer-address')
  if (requester === undefined || !wire.isStationMac(requester) || same(requester, me.mac)) return undefined
  if (wire.isUnspecified(source) || wire.isMulticast(source) || table.find(targetAddress) === undefined)
    return undefined
  return advertisement(me, requester, source, targetAddress)
}

function advertisement(
  me: ResponderIdentity & { protocol: 'ndp' },
  mac: Uint8Array,
  to: Uint8Array,
  targetAddress: Uint8Array,
): Uint8Array {
  const flags = { router: false, solicited: true, override: false }
  const options = [{ kind: 'target-link-layer-address', address: me.mac } as const]
  const message = wire.encodeNeighborAdvertisement({ ...flags, targetAddress, options })
  wire.writeChecksum(me.linkLocal, to, message)
  const header = { trafficClass: 0, flowLabel: 0, nextHeader: wire.NEXT_HEADER_ICMPV6, hopLimit: 255 }
  const payload = wire.encodeIpv6({ ...header, source: me.linkLocal, destination: to, payload: message })
  return wire.encodeEthernet({ destination: mac, source: me.mac, tags: [], etherType: wire.EtherType.IPv6, payload })
}
