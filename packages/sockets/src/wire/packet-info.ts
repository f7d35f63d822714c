import { formatAddress } from './address.js'
import { decodeControl, encodeControl } from './control.js'
import { LITTLE_ENDIAN, viewOf } from './endian.js'

/** What the kernel tells about a received packet beside its octets (RFC 3542 section 6, ip(7)). */
export interface PacketInfo {
  /** Time to Live or Hop Limit it arrived with; -1 when the socket did not ask for it. */
  readonly hopLimit: number
  /** Address it was sent to; `''` when the socket did not ask for it. */
  readonly destination: string
  /** Interface it came in by; 0 when the socket did not ask for it. */
  readonly interfaceIndex: number
}

const SOL_IP = 0
const SOL_IPV6 = 41
const IP_TTL = 2
const IP_PKTINFO = 8
const IPV6_PKTINFO = 50
const IPV6_HOPLIMIT = 52

/** Octets that the control messages of either family take. */
export const PACKET_INFO_SPACE = 64

/** Reads the control messages of a packet of either family. */
export function decodePacketInfo(control: Uint8Array): PacketInfo {
  const info = { hopLimit: -1, destination: '', interfaceIndex: 0 }
  for (const { level, type, data } of decodeControl(control)) {
    const view = viewOf(data)
    if ((level === SOL_IPV6 && type === IPV6_HOPLIMIT) || (level === SOL_IP && type === IP_TTL)) {
      if (data.length >= 4) info.hopLimit = view.getInt32(0, LITTLE_ENDIAN)
    } else if (level === SOL_IPV6 && type === IPV6_PKTINFO && data.length >= 20) {
      info.destination = formatAddress(data.subarray(0, 16))
      info.interfaceIndex = view.getInt32(16, LITTLE_ENDIAN)
    } else if (level === SOL_IP && type === IP_PKTINFO && data.length >= 12) {
      info.interfaceIndex = view.getInt32(0, LITTLE_ENDIAN)
      info.destination = formatAddress(data.subarray(8, 12))
    }
  }
  return info
}

/** What the kernel is told about an IPv6 packet to send beside its octets. */
export interface Ipv6SendInfo {
  /** 16 octets; the kernel chooses when `undefined`. */
  readonly source: Uint8Array | undefined
  /** Interface to send by; 0 lets the kernel choose. */
  readonly interfaceIndex: number
  /** 0 to 255; the socket's when `undefined`. */
  readonly hopLimit: number | undefined
}

/** Control messages for one packet (RFC 3542 sections 6.2 and 6.3). */
export function encodeIpv6PacketInfo({ source, interfaceIndex, hopLimit }: Ipv6SendInfo): Uint8Array {
  const info = new Uint8Array(20) // struct in6_pktinfo
  if (source !== undefined) info.set(source)
  viewOf(info).setInt32(16, interfaceIndex, LITTLE_ENDIAN)
  const messages = [{ level: SOL_IPV6, type: IPV6_PKTINFO, data: info }]
  if (hopLimit !== undefined) {
    const data = new Uint8Array(4)
    viewOf(data).setInt32(0, hopLimit, LITTLE_ENDIAN)
    messages.push({ level: SOL_IPV6, type: IPV6_HOPLIMIT, data })
  }
  return encodeControl(messages)
}
