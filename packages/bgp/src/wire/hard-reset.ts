import type { NotificationMessage } from './notification.js'

const CEASE = 6
const HARD_RESET = 9
const DATA = 2 // behind the Error Code and Error Subcode of the cause

/**
 * A NOTIFICATION in a Hard Reset, RFC 8538 section 3.1: ends the session without a graceful restart, between speakers that
 * would have one after any other NOTIFICATION.
 */
export function createHardReset({ errorCode, errorSubcode, data }: NotificationMessage): NotificationMessage {
  const wrapped = new Uint8Array(DATA + data.length)
  wrapped[0] = errorCode
  wrapped[1] = errorSubcode
  wrapped.set(data, DATA)
  return { type: 'notification', errorCode: CEASE, errorSubcode: HARD_RESET, data: wrapped }
}

/**
 * The NOTIFICATION in a Hard Reset, its data a view; `undefined` for any other NOTIFICATION, and for a Hard Reset that says
 * nothing of its cause.
 */
export function hardResetCause(
  message: Pick<NotificationMessage, 'errorCode' | 'errorSubcode' | 'data'>,
): NotificationMessage | undefined {
  const { errorCode, errorSubcode, data } = message
  if (errorCode !== CEASE || errorSubcode !== HARD_RESET || data.length < DATA) return undefined
  return { type: 'notification', errorCode: data[0]!, errorSubcode: data[1]!, data: data.subarray(DATA) }
}
