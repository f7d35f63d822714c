/**
 * Announces the addresses of LoadBalancer Services from one node, by ARP, NDP and BGP. The program is `typemetal-speaker`;
 * here are its decisions and its parts.
 *
 * ```ts
 * import { electionOrder } from '@typemetal/speaker'
 *
 * console.log(electionOrder(['node1', 'node2', 'node3'], '192.0.2.1')) // [ 'node3', 'node2', 'node1' ]
 * ```
 *
 * @packageDocumentation
 */
export { ELECTION_LEVELS, electionDigest, electionOrder, electionWinner, type ElectionLevel } from './election.js'
export { BGP_ENDPOINTS, LAYER2_ENDPOINTS, hasActiveEndpoint, isActive, nodesWithActiveEndpoint } from './endpoints.js'
export type { EndpointRule } from './endpoints.js'
export { plan, type RememberingPlan } from './plan/plan.js'
export type * from './plan/types.js'
export { isInternal, sessionChange, sessionTarget, type SessionChange } from './plan/sessions.js'
export { compareCommunities } from './plan/routes.js'
export { Decider, type DeciderOptions, type Outcome, type Surroundings } from './core/decider.js'
export { type ConfigurationReport, type Stranded } from './core/configuration.js'
export { transitions, type Transition } from './core/transitions.js'
export { eventsOf } from './core/events.js'
export { bgpStatusWrites, layer2StatusWrites, type StatusOwner, type StatusWrite } from './status/objects.js'
export { conditionsOf, configurationStateWrites, type Condition } from './status/configuration-state.js'
export { StatusWriter } from './status/writer.js'
export { canOpen, peerLimits, type PeerLimit } from './announcer/limits.js'
export { Layer2Announcer } from './announcer/layer2.js'
export { createSpeakerMetrics, recordOutcome, type SpeakerMetrics } from './metrics.js'
export { crc32, localAddressTowards, nodeRouterId, routerIdOf } from './router-id.js'
export { memberlistKey } from './gossip/key.js'
export { parseGoDuration, parseGossipSettings, type GossipSettings } from './gossip/config-file.js'
export { Ring, type Gossip, type GossipMember, type RingOptions } from './gossip/ring.js'
export { Coalescer } from './coalesce.js'
export { systemClock, type Clock } from './clock.js'
export { silent, type Logger } from './logger.js'
export { UsageError, parseFlags, type Flags } from './flags.js'
export { Speaker, internalAddresses, type SpeakerOptions } from './speaker.js'
export { BGPAnnouncer, type BGPAnnouncerOptions, type PeerReading } from './announcer/bgp.js'
export type { CreateEngine, Engine, EnginePeer, EnginePeerOptions, PeerCounters } from './announcer/engine.js'
export type { AddressCounters, Layer2AnnouncerOptions, Responder, ResponderChange } from './announcer/layer2.js'
export { registerBGPMetrics } from './announcer/bgp-metrics.js'
export { registerLayer2Metrics } from './announcer/layer2-metrics.js'
export { parseExcludedInterfaces, readExcludedInterfaces } from './startup/exclude-file.js'
export { startGossip, type GossipFlags } from './startup/gossip.js'
