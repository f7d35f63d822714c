/** Whole frames to start from: requests, claims, advertisements, every message with every option. */
import * as fc from 'fast-check'
import { arpRequest, gratuitousArp, neighborSolicitation, unsolicitedAdvertisement } from '@typemetal/arp-ndp/responder'
import * as wire from '@typemetal/arp-ndp/wire'
import { hex, METALLB } from '../octets.js'
import { anyArp, anyEthernet, anyIpv6, MESSAGE_CODECS } from '../wire-arbitraries.js'
import { mac } from '../wire-samples.js'

/** Ours. */
export const MAC = mac(1)
export const LINK_LOCAL = hex('fe80000000000000000000fffe000001')
/** Addresses that we answer for. */
export const OWNED = {
  '192.0.2.1': Uint8Array.of(192, 0, 2, 1),
  '192.0.2.2': Uint8Array.of(192, 0, 2, 2),
  '2001:db8::1': hex('20010db8000000000000000000000001'),
  '2001:db8::2': hex('20010db8000000000000000000000002'),
} as const
const CLIENT = { interface: 'eth0', mac: mac(0x99), linkLocal: hex('fe800000000000000000000000000099') }
const UNSPECIFIED = new Uint8Array(16)

/** An ICMPv6 message in packet and frame, its checksum right. */
export function ndpFrame(
  message: Uint8Array,
  source = CLIENT.linkLocal,
  destination: Uint8Array = wire.ALL_NODES,
): Uint8Array {
  const payload = message.slice()
  wire.writeChecksum(source, destination, payload)
  const header = { trafficClass: 0, flowLabel: 0, nextHeader: wire.NEXT_HEADER_ICMPV6, hopLimit: 255 }
  return wire.encodeEthernet({
    destination: wire.multicastMac(destination),
    source: CLIENT.mac,
    tags: [],
    etherType: wire.EtherType.IPv6,
    payload: wire.encodeIpv6({ ...header, source, destination, payload }),
  })
}

function requests(): Uint8Array[] {
  const v4 = [OWNED['192.0.2.1'], OWNED['192.0.2.2'], Uint8Array.of(192, 0, 2, 9)]
  const v6 = [OWNED['2001:db8::1'], OWNED['2001:db8::2'], hex('20010db8000000000000000000000009')]
  return [
    ...v4.map(address => arpRequest(CLIENT.mac, Uint8Array.of(192, 0, 2, 77), address)),
    ...v4.map(address => arpRequest(CLIENT.mac, new Uint8Array(4), address)),
    ...v4.flatMap(address => gratuitousArp(CLIENT.mac, address)),
    ...v6.map(address => neighborSolicitation(CLIENT, address)),
    ...v6.map(address => unsolicitedAdvertisement(CLIENT, address)),
    ...v6.map(targetAddress => {
      const message = wire.encodeNeighborSolicitation({ targetAddress, options: [{ kind: 'nonce', nonce: mac(7) }] })
      return ndpFrame(message, UNSPECIFIED, wire.solicitedNodeMulticast(targetAddress))
    }),
  ]
}

let frames: readonly Uint8Array[] | undefined

/** Frames of all kinds; the same ones each time. */
export function frameInputs(): readonly Uint8Array[] {
  if (frames) return frames
  const sample = <T>(any: fc.Arbitrary<T>, numRuns: number): T[] => fc.sample(any, { seed: 1, numRuns })
  const ethernet = { destination: MAC, source: CLIENT.mac, tags: [] }
  const vectors = [METALLB.gratuitousRequest, METALLB.gratuitousReply, METALLB.reply].map(hex)
  const advertisements = [METALLB.solicitedAdvertisement, METALLB.unsolicitedAdvertisement].map(octets =>
    ndpFrame(hex(octets)),
  )
  frames = [
    ...requests(),
    ...vectors,
    ...advertisements,
    ...MESSAGE_CODECS.flatMap(codec => sample(codec.any, 40).map(message => ndpFrame(codec.encode(message)))),
    ...sample(anyEthernet, 20).map(frame => wire.encodeEthernet(frame)),
    ...sample(anyArp, 20).map(packet =>
      wire.encodeEthernet({ ...ethernet, etherType: wire.EtherType.ARP, payload: wire.encodeArp(packet) }),
    ),
    ...sample(anyIpv6, 20).map(packet =>
      wire.encodeEthernet({ ...ethernet, etherType: wire.EtherType.IPv6, payload: wire.encodeIpv6(packet) }),
    ),
  ]
  return frames
}
