import type { ControlPacket, DigestAlgorithm, EchoPacket, Microseconds } from '../wire/index.js'
import type { Action, SessionSnapshot } from './actions.js'
import type { SessionOptions } from './options.js'

/** What a session gets from its surroundings. */
export interface SessionContext {
  /** bfd.LocalDiscr: unique in this system, not 0. */
  readonly myDiscriminator: number
  /** A number from 0 up to 1, without 1: jitter, sequence numbers, the cookie of echo packets. */
  readonly random: () => number
  /** When the session begins; on the monotonic clock of every later `now`. */
  readonly now: Microseconds
  /** Hashes octets; an authentication with a digest needs it. */
  readonly digest?: (algorithm: DigestAlgorithm, octets: Uint8Array) => Uint8Array
}

/** One BFD session, RFC 5880 section 6.8. */
export declare class Session {
  /**
   * The session begins in state Down; an active one is due to send at once.
   * @throws {RangeError | TypeError} of `checkSessionOptions`, or the context does not fit
   */
  constructor(options: SessionOptions, context: SessionContext)
  /** When {@link expire} wants to be called; Infinity for never. In the past: at once. */
  get deadline(): Microseconds
  /** When {@link expire} would believe that the remote system or the path has failed (control or echo): drain the sockets before. */
  get detectionDeadline(): Microseconds
  /** Takes a packet that `checkControlPacket` has accepted. @param octets what it was decoded from, for authentication */
  receive(packet: ControlPacket, octets: Uint8Array, now: Microseconds): readonly Action[]
  /** Takes an echo packet of ours that has come back; `myDiscriminator` has selected the session. */
  receiveEcho(echo: EchoPacket, now: Microseconds): readonly Action[]
  /** Does what is due at `now`. */
  expire(now: Microseconds): readonly Action[]
  /** Changes the options, all of them: what is left out has its default. @throws {RangeError | TypeError} of `checkSessionOptions` */
  change(options: SessionOptions, now: Microseconds): readonly Action[]
  /** Takes the session to AdminDown. @param diagnostic @default Diagnostic.AdministrativelyDown */
  disable(now: Microseconds, diagnostic?: number): readonly Action[]
  /** Takes the session from AdminDown to Down, from where it comes up. */
  enable(now: Microseconds): readonly Action[]
  /** Takes a session that is Init or Up down for a local reason, such as Diagnostic.PathDown or ForwardingPlaneReset. */
  fail(now: Microseconds, diagnostic: number, cause: string): readonly Action[]
  /** What the session knows now. */
  snapshot(): SessionSnapshot
}
