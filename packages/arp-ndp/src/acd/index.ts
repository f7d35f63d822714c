/**
 * Address conflict detection as decisions: is anybody else using an address (RFC 5227 §2.1, RFC 4862 §5.4), and has an address of
 * ours a second owner (RFC 5227 §2.4). Frames and time in; frames, verdicts and conflicts out. Pure.
 * @packageDocumentation
 */
export { AddressProbe, type AddressProbeOptions, type ProbeAction, type ProbeIdentity } from './address-probe.js'
export { AttemptLimit, type AttemptLimitOptions } from './attempt-limit.js'
export { readClaim, type Claim, type NoClaim } from './claim.js'
export {
  ConflictDetector,
  type ConflictDetectorOptions,
  type ConflictSighting,
  type ConflictVerdict,
  type NoConflict,
} from './conflict-detector.js'
export type { Conflict } from './conflict-table.js'
export type { DefencePolicy } from './defence.js'
export type { ProbeTimes } from './probe-schedule.js'
