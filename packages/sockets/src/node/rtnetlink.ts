import { checkOptions, type Kinds, oneOf, optional, whole } from '@typemetal/options'
import {
  decodeInterfaceAddress,
  encodeAddressRequest,
  type AddressFilter,
  type AddressMessage,
} from '../wire/address-message.js'
import { decodeLink, encodeLinkRequest } from '../wire/link-message.js'
import {
  decodeNeighbor,
  encodeNeighborRequest,
  type NeighborFilter,
  type NeighborMessage,
} from '../wire/neighbor-message.js'
import { NetlinkType } from '../wire/netlink.js'
import { decodeRoute, encodeRouteRequest, type RouteFilter, type RouteMessage } from '../wire/route-message.js'
import type { RtnetlinkKind, RtnetlinkValues } from '../wire/rtnetlink-message.js'
import { interrupted, NetlinkSocket } from './netlink.js'
import { interfaceIndex, ipVersion } from './socket-kinds.js'

/** What of each kind a dump asks for. */
export interface RtnetlinkFilters {
  readonly link: Readonly<Record<string, never>>
  readonly address: AddressFilter
  readonly neighbor: NeighborFilter
  readonly route: RouteFilter
}

/** How one kind is asked for and read. */
interface Dump<K extends RtnetlinkKind> {
  readonly type: number
  readonly encode: (filter: RtnetlinkFilters[K]) => Uint8Array
  readonly decode: (payload: Uint8Array) => RtnetlinkValues[K] | undefined
}

const DUMPS: { readonly [K in RtnetlinkKind]: Dump<K> } = {
  link: { type: NetlinkType.getLink, encode: encodeLinkRequest, decode: decodeLink },
  address: { type: NetlinkType.getAddress, encode: encodeAddressRequest, decode: decodeInterfaceAddress },
  neighbor: { type: NetlinkType.getNeighbor, encode: encodeNeighborRequest, decode: decodeNeighbor },
  route: { type: NetlinkType.getRoute, encode: encodeRouteRequest, decode: decodeRoute },
}

/**
 * All addresses of all interfaces, or what of them is asked for.
 *
 * @throws {TypeError | RangeError} a field of the filter that cannot be, or an unknown one; the message begins with its name
 * @throws {SocketError} `ENODEV` when there is no such interface; `ENOSYS` off Linux
 */
export const listAddresses = (filter: AddressFilter = {}): readonly AddressMessage[] => list('address', filter)

/**
 * The neighbour cache of both families (ARP and NDP), or what of it is asked for.
 *
 * @throws {TypeError | RangeError} a field of the filter that cannot be, or an unknown one; the message begins with its name
 * @throws {SocketError} `ENODEV` when there is no such interface; `ENOSYS` off Linux
 */
export const listNeighbors = (filter: NeighborFilter = {}): readonly NeighborMessage[] => list('neighbor', filter)

/**
 * The routes of all tables and both families, or what of them is asked for. A full BGP table is some hundred megabytes of objects:
 * {@link readRtnetlink} gives them in batches.
 *
 * @throws {TypeError | RangeError} a field of the filter that cannot be, or an unknown one; the message begins with its name
 * @throws {SocketError} `ENODEV` when there is no such interface, `ENOENT` when the family has no such table; `ENOSYS` off Linux
 */
export const listRoutes = (filter: RouteFilter = {}): readonly RouteMessage[] => list('route', filter)

function list<K extends RtnetlinkKind>(kind: K, filter: RtnetlinkFilters[K]): readonly RtnetlinkValues[K][] {
  checkFilter(kind, filter)
  const { type, encode, decode } = DUMPS[kind]
  using socket = new NetlinkSocket()
  return socket.dump(type, encode(filter), decode)
}

/**
 * Everything of one kind as the kernel gives it: batches of what at most 32 KB of messages hold (some hundred routes), each made
 * when it is asked for, so that memory does not grow with the table. Waits for nothing: a caller with a large table lets its thread
 * do other things between batches. What changes meanwhile may be missing, or come twice.
 *
 * ```ts
 * import { readRtnetlink } from '@typemetal/sockets'
 *
 * let count = 0
 * for (const routes of readRtnetlink('route', { table: 254 })) count += routes.length
 * ```
 *
 * @throws {TypeError | RangeError} a field of the filter that cannot be, or an unknown one; the message begins with its name
 * @throws {SocketError} as {@link listRoutes}; `EINTR` behind the last batch when the kernel says that what it gave is not consistent
 */
export function readRtnetlink<K extends RtnetlinkKind>(
  kind: K,
  filter: RtnetlinkFilters[K] = {},
): Generator<readonly RtnetlinkValues[K][], void, undefined> {
  rtnetlinkKind('kind', kind)
  checkFilter(kind, filter)
  return batchesOf(kind, filter)
}

function* batchesOf<K extends RtnetlinkKind>(
  kind: K,
  filter: RtnetlinkFilters[K],
): Generator<readonly RtnetlinkValues[K][], void, undefined> {
  const { type, encode, decode } = DUMPS[kind]
  using socket = new NetlinkSocket()
  yield* socket.batches(type, encode(filter), decode)
  if (socket.interrupted) throw interrupted()
}

const family = optional(ipVersion)
const ADDRESS_KINDS: Kinds<AddressFilter> = { family, interfaceIndex: optional(interfaceIndex) }
const NEIGHBOR_KINDS: Kinds<NeighborFilter> = ADDRESS_KINDS
const ROUTE_KINDS: Kinds<RouteFilter> = { ...ADDRESS_KINDS, table: optional(whole(1, 0xffff_ffff)) }
const FILTER_KINDS: { readonly [K in RtnetlinkKind]: object } = {
  link: {},
  address: ADDRESS_KINDS,
  neighbor: NEIGHBOR_KINDS,
  route: ROUTE_KINDS,
}
const rtnetlinkKind = oneOf(...(Object.keys(DUMPS) as RtnetlinkKind[]))

const checkFilter = (kind: RtnetlinkKind, filter: unknown): void =>
  checkOptions(filter, FILTER_KINDS[kind], {}, 'filter')
