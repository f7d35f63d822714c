/**
 * The octets of BGP-4 (RFC 4271) and its extensions, without I/O. {@link decodeMessage} and {@link encodeMessage} invert
 * each other; {@link Framer} cuts a byte stream into messages.
 *
 * ```ts
 * import { decodeMessage, encodeMessage } from '@typemetal/bgp/wire'
 *
 * const octets = encodeMessage({ type: 'notification', errorCode: 6, errorSubcode: 2, data: new Uint8Array() })
 * console.log(decodeMessage(octets)) // { type: 'notification', errorCode: 6, errorSubcode: 2, data: … }
 * ```
 *
 * @packageDocumentation
 */
export { BgpError } from '../errors.js'
export type { Aggregator } from './attribute/aggregator.js'
export { mergeAs4Path } from './attribute/as4-path.js'
export {
  asPathLength,
  isConfederationSegment,
  SegmentType,
  type AsPath,
  type AsPathSegment,
} from './attribute/as-path.js'
export { AttributeFlag } from './attribute/codec.js'
export { WellKnownCommunity } from './attribute/communities.js'
export type { ExtendedCommunity } from './attribute/extended-communities.js'
export type { Ipv6ExtendedCommunity } from './attribute/ipv6-extended-communities.js'
export type { LargeCommunity } from './attribute/large-communities.js'
export type { MpReachNlri } from './attribute/mp-reach-nlri.js'
export type { MpUnreachNlri } from './attribute/mp-unreach-nlri.js'
export { Origin } from './attribute/origin.js'
export type { KnownAttributes, PathAttributes, UnknownAttribute } from './attribute/path-attributes.js'
export {
  AS_TRANS,
  capabilitiesLength,
  encodeCapabilities,
  lastCapability,
  Role,
  type AddPathCapability,
  type AddPathFamily,
  type BfdStrictModeCapability,
  type Capability,
  type EnhancedRouteRefreshCapability,
  type ExtendedMessageCapability,
  type ExtendedNextHopCapability,
  type ExtendedNextHopFamily,
  type FourOctetAsCapability,
  type FqdnCapability,
  type GracefulRestartCapability,
  type GracefulRestartFamily,
  type KnownCapability,
  type LongLivedFamily,
  type LongLivedGracefulRestartCapability,
  type MultiprotocolCapability,
  type RoleCapability,
  type RouteRefreshCapability,
  type UnknownCapability,
} from './capability/index.js'
export { createCease, shutdownCommunication } from './cease.js'
export { DEFAULT_CONTEXT, type MessageContext } from './context.js'
export { createEndOfRib, endOfRibFamily } from './end-of-rib.js'
export {
  CeaseSubcode,
  ErrorCode,
  FiniteStateMachineSubcode,
  MessageHeaderSubcode,
  notificationName,
  OpenMessageSubcode,
  RouteRefreshMessageSubcode,
  UpdateMessageSubcode,
} from './error-code.js'
export { WireError, type Disposition, type NotificationCode } from './error.js'
export { Afi, familyBits, familyName, familyOf, Safi, type Family, type FamilyName } from './family.js'
export { Framer } from './framer.js'
export {
  decodeHeader,
  HEADER_LENGTH,
  MAX_EXTENDED_LENGTH,
  MAX_LENGTH,
  messageLimit,
  MessageType,
  type Header,
} from './header.js'
export { createHardReset, hardResetCause } from './hard-reset.js'
export { encodeKeepalive, type KeepaliveMessage } from './keepalive.js'
export { decodeMessage, encodeMessage, type Message } from './message.js'
export { decodeNlri, encodeNlri, nlriFormat, nlriLength, type Nlri, type NlriFault, type NlriFormat } from './nlri.js'
export {
  createNotification,
  decodeNotification,
  encodeNotification,
  notificationLength,
  type NotificationMessage,
} from './notification.js'
export type { Octets } from './octets.js'
export { decodeOpen, encodeOpen, openAsn, openLength, type OpenMessage } from './open.js'
export { decodePathAttributes, encodePathAttributes, pathAttributesLength } from './path-attributes.js'
export type { DecodedAttributes } from './path-attributes.js'
export {
  decodeRouteRefresh,
  encodeRouteRefresh,
  RouteRefreshSubtype,
  type RouteRefreshMessage,
} from './route-refresh.js'
export {
  decodeUpdate,
  encodeUpdate,
  encodeUpdateParts,
  updateChanges,
  updateRoom,
  type FamilyChanges,
  type UpdateMessage,
} from './update.js'
