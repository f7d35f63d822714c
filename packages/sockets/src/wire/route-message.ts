import { formatAddress } from './address.js'
import { LITTLE_ENDIAN, viewOf } from './endian.js'
import { decodeAttributes, encodeAttributes, readWord, writeWord } from './netlink.js'
import { decodeNextHops, decodeVia, nextHopOf, type NextHop } from './next-hop.js'
import { scopeName } from './scope.js'
import { AddressFamily, familyNumber } from './socket-address.js'

/** A route as RTM_NEWROUTE tells it (rtnetlink(7)). */
export interface RouteMessage {
  readonly family: 4 | 6
  /** First address of the prefix it is for: `0.0.0.0` or `::` for the default route. */
  readonly destination: string
  readonly prefixLength: number
  /** First address of the prefix the packet must come from; `''` for any. */
  readonly source: string
  readonly sourcePrefixLength: number
  /** 254 is `main`, 255 `local`, as in `/etc/iproute2/rt_tables`. */
  readonly table: number
  /** `'unicast'`, `'local'`, `'broadcast'`, `'anycast'`, `'multicast'`, `'blackhole'`, `'unreachable'`, `'prohibit'`, ... */
  readonly type: string
  /** Who made it, as in `/etc/iproute2/rt_protos`: `'kernel'`, `'static'`, `'ra'`, `'bird'`, ..., or a number as text. */
  readonly protocol: string
  /** `'global'`, `'link'`, `'host'`, ... */
  readonly scope: string
  /** Of routes for one prefix the least is taken (RTA_PRIORITY). */
  readonly metric: number
  /** Address that packets of this host come from when it is for the route to choose; `''` when it is not. */
  readonly preferredSource: string
  /** Where it leads. A blackhole and its kind have none, or, in IPv6, the loopback interface. */
  readonly nextHops: readonly NextHop[]
  /** The nexthop object it uses (`ip nexthop`); `undefined` when it has its own. */
  readonly nextHopId: number | undefined
}

/** What of the routing tables a dump asks for. */
export interface RouteFilter {
  readonly family?: 4 | 6
  /** 254 is `main`. @default all tables */
  readonly table?: number
  /** Only routes that leave by this interface. */
  readonly interfaceIndex?: number
}

const FIXED_LENGTH = 12 // struct rtmsg
const Attribute = {
  destination: 1,
  source: 2,
  interfaceIndex: 4,
  gateway: 5,
  metric: 6,
  preferredSource: 7,
  multipath: 9,
  table: 15,
  via: 18,
  nextHopId: 30,
} as const
const TYPES = [
  'unspec',
  'unicast',
  'local',
  'broadcast',
  'anycast',
  'multicast',
  'blackhole',
  'unreachable',
  'prohibit',
  'throw',
  'nat',
] as const
const PROTOCOLS: Readonly<Record<number, string>> = {
  0: 'unspec',
  1: 'redirect',
  2: 'kernel',
  3: 'boot',
  4: 'static',
  9: 'ra',
  11: 'zebra',
  12: 'bird',
  16: 'dhcp',
  18: 'keepalived',
  42: 'babel',
  186: 'bgp',
  187: 'isis',
  188: 'ospf',
  189: 'rip',
  192: 'eigrp',
}

/** What the attributes of a route say. */
interface Attributes {
  destination?: Uint8Array
  source?: Uint8Array
  preferredSource?: Uint8Array
  gateway?: string
  interfaceIndex?: number
  metric?: number
  table?: number
  nextHopId?: number
  nextHops?: readonly NextHop[]
}

/**
 * @param payload of an RTM_NEWROUTE or RTM_DELROUTE message
 * @returns undefined when it is cut short, or is of another family (multicast routing, MPLS)
 */
export function decodeRoute(payload: Uint8Array): RouteMessage | undefined {
  if (payload.length < FIXED_LENGTH) return undefined
  const family = payload[0] === AddressFamily.inet ? 4 : payload[0] === AddressFamily.inet6 ? 6 : undefined
  if (family === undefined) return undefined
  const attributes = readAttributes(payload.subarray(FIXED_LENGTH))
  const flags = viewOf(payload).getUint32(8, LITTLE_ENDIAN)
  const single = nextHopOf({ gateway: attributes.gateway, interfaceIndex: attributes.interfaceIndex, flags })
  return {
    family,
    destination: addressOf(attributes.destination, family) || (family === 4 ? '0.0.0.0' : '::'),
    prefixLength: payload[1]!,
    source: addressOf(attributes.source, family),
    sourcePrefixLength: payload[2]!,
    table: attributes.table ?? payload[4]!,
    protocol: PROTOCOLS[payload[5]!] ?? String(payload[5]),
    scope: scopeName(payload[6]!),
    type: TYPES[payload[7]!] ?? String(payload[7]),
    metric: attributes.metric ?? 0,
    preferredSource: addressOf(attributes.preferredSource, family),
    nextHops: attributes.nextHops ?? single,
    nextHopId: attributes.nextHopId,
  }
}

function readAttributes(octets: Uint8Array): Attributes {
  const result: Attributes = {}
  for (const { type, data } of decodeAttributes(octets)) {
    const word = readWord(data)
    if (type === Attribute.destination) result.destination = data
    else if (type === Attribute.source) result.source = data
    else if (type === Attribute.preferredSource) result.preferredSource = data
    else if (type === Attribute.gateway) result.gateway = isAddress(data) ? formatAddress(data) : ''
    else if (type === Attribute.via) result.gateway = decodeVia(data)
    else if (type === Attribute.multipath) result.nextHops = decodeNextHops(data)
    else if (word === undefined) continue
    else if (type === Attribute.interfaceIndex) result.interfaceIndex = word
    else if (type === Attribute.metric) result.metric = word
    else if (type === Attribute.table) result.table = word
    else if (type === Attribute.nextHopId) result.nextHopId = word
  }
  return result
}

const isAddress = (data: Uint8Array): boolean => data.length === 4 || data.length === 16

const addressOf = (data: Uint8Array | undefined, family: 4 | 6): string =>
  data?.length === (family === 4 ? 4 : 16) ? formatAddress(data) : ''

/** Payload of an RTM_GETROUTE request. */
export function encodeRouteRequest({ family, table, interfaceIndex }: RouteFilter = {}): Uint8Array {
  const attributes = []
  if (interfaceIndex !== undefined) attributes.push({ type: Attribute.interfaceIndex, data: writeWord(interfaceIndex) })
  if (table !== undefined) attributes.push({ type: Attribute.table, data: writeWord(table) })
  return Uint8Array.of(familyNumber(family), ...new Uint8Array(FIXED_LENGTH - 1), ...encodeAttributes(attributes))
}
