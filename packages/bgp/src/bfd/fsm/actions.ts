import type { Microseconds, State } from '../wire/index.js'

/**
 * Why a session discards a packet that is well formed: RFC 5880 section 6.8.6 (our discriminator is another one; the A bit
 * against our configuration; we are AdminDown), section 6.7 (authentication), section 6.8.8 (an echo packet that we do not wait
 * for), and section 9 (good packets that come far faster than the intervals allow).
 */
export const SESSION_DISCARD_REASONS = [
  'discriminator',
  'authentication-missing',
  'authentication-unexpected',
  'authentication-type',
  'authentication-key-id',
  'authentication-password',
  'authentication-digest',
  'authentication-sequence',
  'rate',
  'administratively-down',
  'echo',
] as const

/** See {@link SESSION_DISCARD_REASONS}. */
export type SessionDiscardReason = (typeof SESSION_DISCARD_REASONS)[number]

/** Send these octets to the remote system, at once. They may be sent several times and are never written to again. */
export interface SendAction {
  readonly type: 'send'
  readonly octets: Uint8Array
}

/** Send these octets as a UDP payload that the remote system loops back (RFC 5880 section 6.4). */
export interface SendEchoAction {
  readonly type: 'send-echo'
  readonly octets: Uint8Array
}

/** bfd.SessionState has changed. */
export interface StateAction {
  readonly type: 'state'
  readonly from: State
  readonly to: State
  /** bfd.LocalDiag after the change. */
  readonly diagnostic: number
  /** bfd.RemoteSessionState, the last one reported: AdminDown tells that it was taken down on purpose (RFC 5882 section 4.2). */
  readonly remoteState: State
  /** Diagnostic of the last packet received. */
  readonly remoteDiagnostic: number
  /** One short sentence for people, such as `no control packet within the detection time`. */
  readonly cause: string
}

/** bfd.RemoteSessionState has changed, and bfd.SessionState has not: AdminDown of the neighbor while we are Down, say. */
export interface RemoteStateAction {
  readonly type: 'remote-state'
  readonly from: State
  readonly to: State
}

/** The received packet is discarded; nothing of it is believed, but for its values when the reason is 'administratively-down'. */
export interface DiscardAction {
  readonly type: 'discard'
  readonly reason: SessionDiscardReason
}

/** What the caller does next, in the order given. */
export type Action = SendAction | SendEchoAction | StateAction | RemoteStateAction | DiscardAction

/** What a session knows at one moment. Intervals are microseconds. */
export interface SessionSnapshot {
  /** bfd.SessionState. */
  readonly state: State
  /** bfd.RemoteSessionState. */
  readonly remoteState: State
  /** bfd.LocalDiag. */
  readonly diagnostic: number
  /** Diagnostic of the last packet received; 0 before. */
  readonly remoteDiagnostic: number
  /** bfd.LocalDiscr. */
  readonly myDiscriminator: number
  /** bfd.RemoteDiscr; 0 while it is unknown. */
  readonly yourDiscriminator: number
  /** bfd.DesiredMinTxInterval as told to the remote system. */
  readonly desiredMinTxInterval: Microseconds
  /** bfd.RequiredMinRxInterval as told to the remote system. */
  readonly requiredMinRxInterval: Microseconds
  /** Required Min Echo RX Interval as told to the remote system. */
  readonly requiredMinEchoRxInterval: Microseconds
  /** bfd.DetectMult. */
  readonly detectMult: number
  /** Desired Min TX Interval of the last packet received; 0 before. */
  readonly remoteDesiredMinTxInterval: Microseconds
  /** bfd.RemoteMinRxInterval. */
  readonly remoteMinRxInterval: Microseconds
  /** Required Min Echo RX Interval of the last packet received; 0 before. */
  readonly remoteMinEchoRxInterval: Microseconds
  /** Detect Mult of the last packet received; 0 before. */
  readonly remoteDetectMult: number
  /** C bit of the last packet received: the remote system's BFD is independent of its control plane. */
  readonly remoteControlPlaneIndependent: boolean
  /** Interval at which we send before jitter, RFC 5880 section 6.8.7; 0 while we send nothing periodically. */
  readonly transmitInterval: Microseconds
  /** Interval at which the remote system sends before jitter, as it is agreed; 0 before its first packet. */
  readonly receiveInterval: Microseconds
  /** Detection Time of this system, RFC 5880 section 6.8.4; 0 before the first packet. */
  readonly detectionTime: Microseconds
  /** Detection Time of the remote system as far as we can tell; 0 while we send nothing periodically. */
  readonly remoteDetectionTime: Microseconds
  /** A Poll Sequence is going on (section 6.5). */
  readonly polling: boolean
  /** A change of intervals waits for the end of a Poll Sequence. */
  readonly changePending: boolean
  /** The remote system has Demand mode active, so that we are silent but for Poll Sequences (section 6.6). */
  readonly remoteDemandActive: boolean
  /** The Echo function is active (section 6.4). */
  readonly echoActive: boolean
  /** Interval between our echo packets before jitter; 0 while the Echo function is not active. */
  readonly echoInterval: Microseconds
}
