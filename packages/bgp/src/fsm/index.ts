/**
 * The state machine of BGP-4, RFC 4271 section 8, without I/O: events and time go in, actions come out.
 *
 * ```ts
 * import { Session } from '@typemetal/bgp/fsm'
 *
 * const session = new Session({ asn: 64512, bgpIdentifier: 0x0a000001, remoteAs: 64513 })
 * console.log(session.handle({ type: 'ManualStart' }, 0)) // [ { type: 'connect' }, { type: 'transition', … } ]
 * // Milliseconds of the clock that `0` was of: call handleTimeout(now) then.
 * console.log(session.nextTimeout) // 120000
 * ```
 *
 * @packageDocumentation
 */
export {
  bfdVerdict,
  type BfdCondition,
  type BfdEvent,
  type BfdFailure,
  type BfdSubState,
  type BfdVerdict,
} from './bfd.js'
export { collisionSurvivor, type Initiator, type SpeakerIdentity } from './collision.js'
export {
  type AddPathOptions,
  type CapabilityOptions,
  type Confederation,
  type GracefulRestartOptions,
  type LongLivedGracefulRestartOptions,
  type RawCapability,
} from './capability-options.js'
export { receiveContext, sendContext } from './contexts.js'
export { Damping, type DampingOptions } from './damping.js'
export {
  describeEvent,
  errorEvent,
  messageEvent,
  STATES,
  updateEvent,
  type ControlMessage,
  type PlainEventType,
  type SessionAction,
  type SessionEnd,
  type SessionEvent,
  type SessionEventType,
  type State,
} from './events.js'
export { ReceivingSpeaker, type ReceivingSpeakerOptions, type StaleAction } from './graceful-restart.js'
export { createHardReset, hardResetReason, isHardReset } from './hard-reset.js'
export { userTimeout, type LivenessOptions } from './liveness.js'
export { PeerMemory } from './memory.js'
export { negotiate, type Negotiated, type PeerGracefulRestart, type PeerLongLivedFamily } from './negotiate.js'
export { createOpen, type LocalSpeaker, type OpenCircumstances, type OpenLevel, type RemoteAs } from './open.js'
export { checkSessionOptions, type CheckedSessionOptions, type SessionOptions } from './options.js'
export { Peering, type Acceptance, type ConnectionId, type PeeringAction } from './peering.js'
export { RestartingSpeaker, type RestartAction, type RestartingSpeakerOptions } from './restarting-speaker.js'
export { type RoleName } from './roles.js'
export { Session } from './session.js'
export type { Instant, Seconds, TimerName } from './timers.js'
