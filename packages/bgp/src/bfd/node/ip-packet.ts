/** A UDP datagram with its IP header. Addresses are octets: 4 or 16. */
export interface UdpInIp {
  readonly source: Uint8Array
  readonly destination: Uint8Array
  readonly sourcePort: number
  readonly destinationPort: number
  /** Time to Live or Hop Limit. */
  readonly hops: number
  readonly payload: Uint8Array
}

const UDP = 17
const UDP_LENGTH = 8
const IPV4_LENGTH = 20
const IPV6_LENGTH = 40
/** DSCP CS6, as other implementations send. */
const TRAFFIC_CLASS = 0xc0

/** A whole IP packet (RFC 791, RFC 8200) without options. The kernel fills in an IPv4 header's checksum. */
export function encodeUdpInIp(packet: UdpInIp): Uint8Array {
  const { source, destination, sourcePort, destinationPort, payload } = packet
  const isV4 = source.length === 4
  const header = isV4 ? IPV4_LENGTH : IPV6_LENGTH
  const length = UDP_LENGTH + payload.length
  const octets = new Uint8Array(header + length)
  const view = new DataView(octets.buffer)
  if (isV4) writeIpv4(view, octets, packet)
  else writeIpv6(view, octets, packet, length)
  view.setUint16(header, sourcePort)
  view.setUint16(header + 2, destinationPort)
  view.setUint16(header + 4, length)
  octets.set(payload, header + UDP_LENGTH)
  view.setUint16(header + 6, udpChecksum(view, header, source, destination))
  return octets
}

function writeIpv4(view: DataView, octets: Uint8Array, { source, destination, hops }: UdpInIp): void {
  octets[0] = 0x45
  octets[1] = TRAFFIC_CLASS
  view.setUint16(2, octets.length)
  octets[8] = hops
  octets[9] = UDP
  octets.set(source, 12)
  octets.set(destination, 16)
}

function writeIpv6(view: DataView, octets: Uint8Array, { source, destination, hops }: UdpInIp, length: number): void {
  view.setUint32(0, 0x6000_0000 | (TRAFFIC_CLASS << 20))
  view.setUint16(4, length)
  octets[6] = UDP
  octets[7] = hops
  octets.set(source, 8)
  octets.set(destination, 24)
}

/** RFC 768, with the pseudo header of either version. */
function udpChecksum(view: DataView, header: number, source: Uint8Array, destination: Uint8Array): number {
  const length = view.byteLength - header
  let sum = UDP + length
  for (const address of [source, destination]) {
    for (let at = 0; at < address.length; at += 2) sum += (address[at]! << 8) | address[at + 1]!
  }
  for (let at = header; at + 1 < view.byteLength; at += 2) sum += view.getUint16(at)
  if (length % 2 === 1) sum += view.getUint8(view.byteLength - 1) << 8
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff || 0xffff // 0 would say that there is none
}

/** @returns views into the packet; `undefined` when it is no UDP datagram in an IP packet without options, or is cut short */
export function decodeUdpInIp(octets: Uint8Array): UdpInIp | undefined {
  const version = (octets[0] ?? 0) >> 4
  const header = version === 4 ? IPV4_LENGTH : IPV6_LENGTH
  if ((version === 4 ? octets[0] !== 0x45 : version !== 6) || octets.length < header + UDP_LENGTH) return undefined
  if (octets[version === 4 ? 9 : 6] !== UDP) return undefined
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length)
  const length = view.getUint16(header + 4)
  if (length < UDP_LENGTH || header + length > octets.length) return undefined
  return {
    source: version === 4 ? octets.subarray(12, 16) : octets.subarray(8, 24),
    destination: version === 4 ? octets.subarray(16, 20) : octets.subarray(24, 40),
    sourcePort: view.getUint16(header),
    destinationPort: view.getUint16(header + 2),
    hops: octets[version === 4 ? 8 : 7]!,
    payload: octets.subarray(header + UDP_LENGTH, header + length),
  }
}
