import { checkOptions, flag, optional, text, whole, type Kinds } from '@typemetal/options'

/** How to part with a peer. */
export interface CloseOptions {
  /** Subcode of the Cease NOTIFICATION, RFC 4486. @default `CeaseSubcode.PeerDeconfigured` */
  readonly subcode?: number
  /** Shutdown Communication, RFC 9003; sent with AdministrativeShutdown and AdministrativeReset. */
  readonly communication?: string
  /**
   * This process is about to restart, and packets are forwarded on: towards a peer that would keep our routes meanwhile (RFC 4724) TCP just
   * closes, without a NOTIFICATION; the others are told as ever. Come back with the speaker's option `restarting`. @default false
   */
  readonly gracefulRestart?: boolean
}

/** How to end a session that is to come back. */
export interface ResetOptions {
  /** Subcode of the Cease NOTIFICATION, RFC 4486. @default `CeaseSubcode.AdministrativeReset` */
  readonly subcode?: number
  /** Shutdown Communication, RFC 9003; sent with AdministrativeShutdown and AdministrativeReset. */
  readonly communication?: string
  /** Neither side keeps the other's routes meanwhile: Hard Reset, RFC 8538, where both would. @default false */
  readonly hard?: boolean
}

const cease = { subcode: optional(whole(0, 255)), communication: optional(text) }
const CLOSE_KINDS: Kinds<CloseOptions> = { ...cease, gracefulRestart: optional(flag) }
const RESET_KINDS: Kinds<ResetOptions> = { ...cease, hard: optional(flag) }

/** @throws {TypeError | RangeError} an unknown option, or a value that is not what its option wants */
export function checkCloseOptions(options: unknown): asserts options is CloseOptions {
  checkOptions(options, CLOSE_KINDS)
}

/** As {@link checkCloseOptions}. @throws {TypeError | RangeError} likewise */
export function checkResetOptions(options: unknown): asserts options is ResetOptions {
  checkOptions(options, RESET_KINDS)
}
