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
export type { StandingElection } from './election.js'
export { BGP_ENDPOINTS, LAYER2_ENDPOINTS, hasActiveEndpoint, isActive, nodesWithActiveEndpoint } from './endpoints.js'
export type { EndpointRule } from './endpoints.js'
export { plan, type PlanMemory, type RememberingPlan } from './plan/plan.js'
export type { Context as PlanContext } from './plan/context.js'
export type * from './plan/delta.js'
export type * from './plan/types.js'
export { isExcluded, isNetworkUnavailable } from './plan/nodes.js'
export { layer2Candidates, preferenceScores } from './plan/layer2.js'
export { isInternal, sessionChange, sessionTarget, type FieldChange, type SessionChange } from './plan/sessions.js'
export { compareCommunities } from './plan/routes.js'
export { Decider, type DeciderOptions, type Outcome, type Surroundings } from './core/decider.js'
export { type ConfigurationReport, type Stranded } from './core/configuration.js'
export { transitions, type Transition } from './core/transitions.js'
export { eventsOf } from './core/events.js'
export { keepRules } from './core/kept.js'
export { bgpStatusWrites, layer2StatusWrites, type StatusOwner, type StatusWrite } from './status/objects.js'
export type { StatusObject } from './status/objects.js'
export { conditionsOf, configurationStateWrites, type Condition } from './status/configuration-state.js'
export { Statuses, type StatusesOptions } from './status/statuses.js'
export { createWriteMetrics, type WriteMetrics } from './status/metrics.js'
export { Health, type HealthOptions } from './health.js'
export { WorkQueue, type Blame, type WorkQueueCounters, type WorkQueueOptions } from './status/work-queue.js'
export { canOpen, peerLimits, type PeerLimit } from './announcer/limits.js'
export { Layer2Announcer } from './announcer/layer2.js'
export type { Layer2AnnouncerEvents, Layer2AnnouncerOptions, SplitBrainOptions, Successor } from './announcer/layer2.js'
export type * from './announcer/layer2-responder.js'
export { Layer2Set, type AddressDifference } from './announcer/layer2-set.js'
export { Layer2Elections, type ElectionState } from './announcer/layer2-election.js'
export { ConflictGuard, type ConflictGuardOptions, type GuardHands, type Segment } from './announcer/conflict-guard.js'
export { ConflictMachine, type ConflictMachineOptions } from './announcer/conflict-machine.js'
export type { Claim, Conflict, ConflictAction, ConflictEvent, Instant } from './announcer/conflict-machine.js'
export { resolveConflict, type AddressElection, type Dispute, type Resolution } from './announcer/conflict-rule.js'
export { CONFLICT_REASON, conflictEvents } from './announcer/conflict-events.js'
export { LanSegment, addressesByNode, interfaceTowards, type LanSegmentOptions } from './announcer/segment.js'
export { createSpeakerMetrics, recordOutcome } from './metrics.js'
export type { AnnouncedGauge, AnnouncedLabel, SpeakerMetrics } from './metrics.js'
export { crc32, localAddressTowards, nodeRouterId, routerIdFor, routerIdOf } from './router-id.js'
export type { Interfaces as RouterIdInterfaces, RouterId } from './router-id.js'
export { memberlistKey } from './gossip/key.js'
export { parseGoDuration, parseGossipSettings } from './gossip/config-file.js'
export type { GossipSettings, ParsedGossipSettings } from './gossip/config-file.js'
export { GOSSIP_PRESETS, type GossipPreset } from './gossip/presets.js'
export { PodDirectory, speakerAddresses, type Pod, type PodDirectoryOptions } from './gossip/discovery.js'
export { quietLog } from './gossip/quiet-log.js'
export { SilentHosts, type SilentHostsOptions, type SuspectedMember } from './gossip/silent-hosts.js'
export {
  Ring,
  type Gossip,
  type GossipMember,
  type JoinCounts,
  type RingEvents,
  type RingOptions,
} from './gossip/ring.js'
export { Coalescer } from './coalesce.js'
export { DrainMachine } from './drain/machine.js'
export { simulateDrain, type DrainScenario, type DrainStep } from './drain/simulate.js'
export { drainCauseOf, isLeaving, parseDrainCauses, servingNodes } from './drain/node.js'
export { Succession, heirsOf, type Decided, type SuccessionInput, type SuccessionResult } from './drain/succession.js'
export { DRAIN_CAUSES, DRAIN_DEFAULTS, DRAIN_STATES, checkDrainOptions } from './drain/types.js'
export type {
  DrainAction,
  DrainCause,
  DrainEvent,
  DrainOptions,
  DrainReason,
  DrainScope,
  DrainState,
  Heirs,
  Milliseconds,
} from './drain/types.js'
export { NodeDrain, type DrainableRing, type NodeDrainOptions, type NodeDrainSettings } from './drain/node-drain.js'
export { Drainer, type DrainHands, type DrainerEvents, type DrainerOptions } from './drain/drainer.js'
export {
  drainHands,
  type DrainParts,
  type DrainableAnswers,
  type DrainableSessions,
  type LeavableRing,
} from './drain/hands.js'
export { createDrainMetrics, type DrainMetrics } from './drain/metrics.js'
export { systemClock, type Clock } from './clock.js'
export { silent, type Logger } from './logger.js'
export { UsageError, parseFlags, type Flags } from './flags.js'
export { Speaker, internalAddresses, type SpeakerOptions } from './speaker.js'
export { SpeakerPage, type SpeakerPageOptions, type SpeakerParts } from './page/speaker-page.js'
export { BGPAnnouncer, type BGPAnnouncerEvents, type BGPAnnouncerOptions, type PeerReading } from './announcer/bgp.js'
export type * from './announcer/engine.js'
export { BfdSessions, type BfdReading, type BfdStateListener, type BfdWorker, type StartBfd } from './announcer/bfd.js'
export { registerBFDMetrics } from './announcer/bfd-metrics.js'
export type { RunningBfdSession, StandingBfdSession, State as BfdState } from './announcer/bfd-session.js'
export { hasCapability, readEnvironment, type Environment } from './announcer/environment.js'
export { isConnected, multihopHint, type Interfaces as ConnectedInterfaces } from './announcer/connected.js'
export { peerOptions, type PeerCircumstances } from './announcer/peer-options.js'
export { refusalOf } from './announcer/refusal.js'
export { SessionHistory, type LastNotification } from './announcer/session-history.js'
export { registerBGPMetrics } from './announcer/bgp-metrics.js'
export { registerLayer2Metrics, type Layer2Readings } from './announcer/layer2-metrics.js'
export { registerRingMetrics, type RingReadings } from './gossip/metrics.js'
export { parseExcludedInterfaces, readExcludedInterfaces } from './startup/exclude-file.js'
export { startGossip, type GossipFlags } from './startup/gossip.js'
