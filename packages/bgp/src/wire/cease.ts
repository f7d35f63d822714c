import { CeaseSubcode, ErrorCode } from './error-code.js'
import { hardResetCause } from './hard-reset.js'
import { EMPTY } from './octets.js'
import type { NotificationMessage } from './notification.js'

const MAX_COMMUNICATION = 255

/** Cuts `text` so that its UTF-8 form has at most 255 octets, never within a character (RFC 9003 section 2). */
function communicationOctets(text: string): Uint8Array {
  const octets = new TextEncoder().encode(text)
  if (octets.length <= MAX_COMMUNICATION) return octets
  let end = MAX_COMMUNICATION
  while ((octets[end]! & 0xc0) === 0x80) end--
  return octets.subarray(0, end)
}

/**
 * A Cease NOTIFICATION, RFC 4486, with the Shutdown Communication of RFC 9003.
 *
 * @param communication text for the peer's operator; sent with subcodes 2 and 4 only, cut at 255 octets
 */
export function createCease(errorSubcode: number, communication?: string): NotificationMessage {
  const carries =
    errorSubcode === CeaseSubcode.AdministrativeShutdown || errorSubcode === CeaseSubcode.AdministrativeReset
  if (!carries || !communication) return { type: 'notification', errorCode: ErrorCode.Cease, errorSubcode, data: EMPTY }
  const text = communicationOctets(communication)
  const data = new Uint8Array(1 + text.length)
  data[0] = text.length
  data.set(text, 1)
  return { type: 'notification', errorCode: ErrorCode.Cease, errorSubcode, data }
}

/**
 * The Shutdown Communication in a Cease, RFC 9003 section 2; `undefined` if there is none or it is malformed
 * (a length beyond the data, or not UTF-8), which must not disturb anything (RFC 9003 section 4). That of a Cease in a Hard Reset counts too.
 */
export function shutdownCommunication(message: NotificationMessage): string | undefined {
  const { errorCode, errorSubcode, data } = hardResetCause(message) ?? message
  if (errorCode !== ErrorCode.Cease || (errorSubcode !== 2 && errorSubcode !== 4)) return undefined
  const length = data[0]
  if (!length || data.length < 1 + length) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data.subarray(1, 1 + length))
  } catch {
    return undefined
  }
}
