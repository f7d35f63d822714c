/** Which protocol an Ethernet frame carries, as far as a capture wants to tell them apart. */

/** Protocols that a capture can be narrowed to. */
export const CAPTURE_PROTOCOLS = ['arp', 'ndp', 'bgp', 'gossip', 'http'] as const
/** One of {@link CAPTURE_PROTOCOLS}. */
export type CaptureProtocol = (typeof CAPTURE_PROTOCOLS)[number]

const ETHERNET_HEADER_LENGTH = 14
const ETHERTYPE = 12
const ARP = 0x0806
const IPV4 = 0x0800
const IPV6 = 0x86dd
const TCP = 6
const UDP = 17
const ICMPV6 = 58
/** ICMPv6 types of neighbour discovery: router solicitation (133) to redirect (137). */
const NDP_TYPES = [133, 137] as const
const PORTS: ReadonlyMap<number, CaptureProtocol> = new Map([
  [179, 'bgp'],
  [7946, 'gossip'],
  [80, 'http'],
])

/** `undefined` for everything else, fragments and frames with IPv6 extension headers included. */
export function protocolOf(frame: Uint8Array): CaptureProtocol | undefined {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  if (frame.length < ETHERNET_HEADER_LENGTH + 28) return undefined
  const etherType = view.getUint16(ETHERTYPE)
  if (etherType === ARP) return 'arp'
  if (etherType === IPV4) {
    const headerLength = (view.getUint8(ETHERNET_HEADER_LENGTH) & 0x0f) * 4
    return ofTransport(view, view.getUint8(ETHERNET_HEADER_LENGTH + 9), ETHERNET_HEADER_LENGTH + headerLength)
  }
  if (etherType === IPV6)
    return ofTransport(view, view.getUint8(ETHERNET_HEADER_LENGTH + 6), ETHERNET_HEADER_LENGTH + 40)
  return undefined
}

function ofTransport(view: DataView, protocol: number, offset: number): CaptureProtocol | undefined {
  if (view.byteLength < offset + 4) return undefined
  if (protocol === ICMPV6) {
    const type = view.getUint8(offset)
    return type >= NDP_TYPES[0] && type <= NDP_TYPES[1] ? 'ndp' : undefined
  }
  if (protocol !== TCP && protocol !== UDP) return undefined
  return PORTS.get(view.getUint16(offset)) ?? PORTS.get(view.getUint16(offset + 2))
}
