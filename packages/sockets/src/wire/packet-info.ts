import { formatAddress } from './address.js'
import { decodeControl } from './control.js'
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
