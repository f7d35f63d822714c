import { formatAddress } from './address.js'
import { LITTLE_ENDIAN, viewOf } from './endian.js'
import { align, decodeAttributes } from './netlink.js'
import { AddressFamily } from './socket-address.js'

/** One way a route leads (rtnetlink(7)). */
export interface NextHop {
  /** Address of the next router, an IPv6 one also in a route for IPv4 (RFC 8950); `''` when the destination is on the link. */
  readonly gateway: string
  /** 0 when there is none. */
  readonly interfaceIndex: number
  /** Its share beside those of the others, 1 to 256. */
  readonly weight: number
  /** The interface is down or lost its carrier: nothing is sent this way. */
  readonly dead: boolean
  /** The gateway is taken for a neighbour whatever its address. */
  readonly onLink: boolean
}

/** What the parts of a message say of a next hop. */
interface Parts {
  readonly gateway: string | undefined
  readonly interfaceIndex: number | undefined
  readonly flags: number
}

const HEADER_LENGTH = 8 // struct rtnexthop
const Attribute = { gateway: 5, via: 18 } as const
/** `RTNH_F_DEAD` and `RTNH_F_LINKDOWN`, `RTNH_F_ONLINK`. */
const Flag = { dead: 0x01 | 0x10, onLink: 0x04 } as const

/** The one next hop of a route without alternatives; none where it leads nowhere. */
export function nextHopOf({ gateway, interfaceIndex, flags }: Parts): readonly NextHop[] {
  if (gateway === undefined && interfaceIndex === undefined) return []
  return [makeNextHop({ gateway, interfaceIndex, flags }, 1)]
}

const makeNextHop = ({ gateway = '', interfaceIndex = 0, flags }: Parts, weight: number): NextHop => ({
  gateway,
  interfaceIndex,
  weight,
  dead: (flags & Flag.dead) !== 0,
  onLink: (flags & Flag.onLink) !== 0,
})

/** The data of an RTA_MULTIPATH attribute. Ends early at a length that does not fit. */
export function decodeNextHops(octets: Uint8Array): readonly NextHop[] {
  const nextHops: NextHop[] = []
  const view = viewOf(octets)
  for (let at = 0; at + HEADER_LENGTH <= octets.length;) {
    const length = view.getUint16(at, LITTLE_ENDIAN)
    if (length < HEADER_LENGTH || length > octets.length - at) break
    const gateway = decodeGateway(octets.subarray(at + HEADER_LENGTH, at + length))
    const interfaceIndex = view.getInt32(at + 4, LITTLE_ENDIAN)
    nextHops.push(makeNextHop({ gateway, interfaceIndex, flags: octets[at + 2]! }, octets[at + 3]! + 1))
    at += align(length)
  }
  return nextHops
}

function decodeGateway(octets: Uint8Array): string {
  let gateway = ''
  for (const { type, data } of decodeAttributes(octets)) {
    if (type === Attribute.gateway && (data.length === 4 || data.length === 16)) gateway = formatAddress(data)
    else if (type === Attribute.via) gateway = decodeVia(data)
  }
  return gateway
}

/** The data of an RTA_VIA attribute, `struct rtvia`: an address with its family; `''` when it is no Internet address. */
export function decodeVia(data: Uint8Array): string {
  if (data.length < 2) return ''
  const family = viewOf(data).getUint16(0, LITTLE_ENDIAN)
  const length = family === AddressFamily.inet ? 4 : family === AddressFamily.inet6 ? 16 : 0
  return length > 0 && data.length >= 2 + length ? formatAddress(data.subarray(2, 2 + length)) : ''
}
