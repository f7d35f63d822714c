/**
 * The octets of the kernel's socket interfaces as values and back: netlink, socket addresses, control messages. Pure.
 *
 * @packageDocumentation
 */
export { formatAddress, formatMac, needsScope, parseAddress, type ParsedAddress } from './address.js'
export {
  AddressFamily,
  decodeInternetAddress,
  decodeNetlinkPort,
  encodeInternetAddress,
  encodeLinkLayerAddress,
  encodeNetlinkAddress,
  SOCKET_ADDRESS_SPACE,
  type InternetAddress,
} from './socket-address.js'
export { controlSpace, decodeControl, encodeControl, type ControlMessage } from './control.js'
export {
  decodeAttributes,
  decodeNetlink,
  decodeNetlinkError,
  encodeAttributes,
  encodeNetlink,
  NetlinkFlag,
  NetlinkType,
  type NetlinkAttribute,
  type NetlinkMessage,
} from './netlink.js'
export { decodeLink, encodeLinkRequest, InterfaceFlag, type LinkMessage } from './link-message.js'
export {
  decodeInterfaceAddress,
  encodeAddressRequest,
  type AddressFilter,
  type AddressMessage,
} from './address-message.js'
export {
  decodeNeighbor,
  encodeNeighborRequest,
  type NeighborFilter,
  type NeighborMessage,
  type NeighborState,
} from './neighbor-message.js'
export { decodeRoute, encodeRouteRequest, type RouteFilter, type RouteMessage } from './route-message.js'
export { decodeNextHops, type NextHop } from './next-hop.js'
export {
  decodeRtnetlinkChange,
  type RtnetlinkChange,
  type RtnetlinkKind,
  type RtnetlinkValues,
} from './rtnetlink-message.js'
export {
  decodePacketInfo,
  encodeIpv6PacketInfo,
  PACKET_INFO_SPACE,
  type Ipv6SendInfo,
  type PacketInfo,
} from './packet-info.js'
export { encodeMd5Signature, MAX_MD5_KEY } from './md5-signature.js'
export { decodeMd5Counters, type Md5Counters } from './netstat.js'
export { ttlOfHeader } from './ip-header.js'
