/**
 * BGP-4 (RFC 4271) for Node.js: a speaker with sessions, IPv4 and IPv6 unicast, and the RIBs.
 *
 * ```ts
 * import { BgpSpeaker } from '@typemetal/bgp'
 *
 * await using speaker = new BgpSpeaker({ asn: 64512, bgpIdentifier: '10.0.0.1' })
 * speaker.on('state', (peer, to) => console.log(peer.address, to))
 * speaker.addPeer({ address: '10.0.0.254', asn: 64513 })
 * speaker.announce({ prefix: '192.0.2.0/24', communities: ['64512:100'] })
 * ```
 *
 * @packageDocumentation
 */
export {
  formatCommunities,
  formatCommunity,
  formatExtendedCommunity,
  formatLargeCommunity,
  parseCommunities,
  type AnyExtendedCommunity,
  type Communities,
} from './community.js'
export { BgpError, BgpSocketError } from './errors.js'
export type {
  AddPathOptions,
  BfdSubState,
  Confederation,
  Negotiated,
  RawCapability,
  RemoteAs,
  RoleName,
  Seconds,
  SessionEnd,
  State,
} from './fsm/index.js'
export type { BfdPeerOptions } from './node/bfd-options.js'
export type { BfdSessionRequest, BfdSource, BfdSourceSession, BfdStateDetails } from './node/bfd-source.js'
export type { Clock } from './node/clock.js'
export type { PeerCounters } from './node/counters.js'
export { diffPeerOptions, type ChangeEffect, type PeerOptionChange } from './node/diff-peer-options.js'
export type { ListenerOptions } from './node/listener.js'
export type { Logger } from './node/logger.js'
export type { AnnouncedRoute, ReceivedRoute } from './node/adj-ribs.js'
export type { CloseOptions, ResetOptions } from './node/parting.js'
export { Peer } from './node/peer.js'
export { missingSockets } from './node/sockets.js'
export type { PeerEvents } from './node/peer-events.js'
export type { NotificationDetails } from './node/peer-log.js'
export type { DynamicPeerRange } from './node/peer-ranges.js'
export type { CommonPeerOptions, DynamicPeerOptions, PeerOptions } from './node/peer-options.js'
export type {
  GracefulRestartPeerOptions,
  LongLivedGracefulRestartPeerOptions,
  ProtocolOptions,
} from './node/protocol-options.js'
export {
  BgpSpeaker,
  type BgpSpeakerEvents,
  type BgpSpeakerOptions,
  type RouteChange,
  type RoutePath,
} from './node/speaker.js'
export type { ExportPolicy, ImportPolicy, PolicyChanges, PolicyPeer, PolicyResult, PolicyRoute } from './policy.js'
export type { MultipathOptions } from './rib/index.js'
export type { Route } from './route.js'
export { CeaseSubcode, type FamilyName, type PathAttributes, type UpdateMessage } from './wire/index.js'
