import {
  CeaseSubcode,
  createHardReset as wrap,
  ErrorCode,
  hardResetCause,
  type NotificationMessage,
} from '../wire/index.js'

/** Whether a NOTIFICATION asks for the end of the session without graceful restart, RFC 8538 section 3. */
export const isHardReset = ({ errorCode, errorSubcode }: NotificationMessage): boolean =>
  errorCode === ErrorCode.Cease && errorSubcode === CeaseSubcode.HardReset

/**
 * Cease, Hard Reset, around the NOTIFICATION that says why, RFC 8538 section 3.1. To be sent only where both sides keep routes
 * through NOTIFICATIONs; one that is a hard reset already stays as it is.
 */
export const createHardReset = (reason: NotificationMessage): NotificationMessage =>
  isHardReset(reason) ? reason : wrap(reason)

/** The NOTIFICATION in a hard reset; `undefined` for any other, and for a hard reset that does not say why. */
export const hardResetReason: (message: NotificationMessage) => NotificationMessage | undefined = hardResetCause

/**
 * RFC 8538 section 5.1: Ceases after which the session is not to come back soon. And BFD Down (RFC 9384 section 4): what it is about is
 * the forwarding, and kept routes would lead into the gap.
 */
const FINAL: readonly number[] = [
  CeaseSubcode.MaximumNumberOfPrefixesReached,
  CeaseSubcode.AdministrativeShutdown,
  CeaseSubcode.PeerDeconfigured,
  CeaseSubcode.BfdDown,
]

/** Whether a NOTIFICATION of ours is better sent as a hard reset, RFC 8538 section 5.1. */
export const isFinal = ({ errorCode, errorSubcode }: NotificationMessage): boolean =>
  errorCode === ErrorCode.Cease && FINAL.includes(errorSubcode)
