import { WireError } from './error.js'
import { HEADER_LENGTH, MAX_LENGTH, MessageType, startMessage } from './header.js'
import type { Octets } from './octets.js'

/** NOTIFICATION message, RFC 4271 section 4.5. */
export interface NotificationMessage {
  readonly type: 'notification'
  readonly errorCode: number
  readonly errorSubcode: number
  /** Diagnostic octets. After {@link decodeNotification}: a view into the input, so copy to keep. */
  readonly data: Uint8Array
}

const CODE = 0 // octets from the start of the body
const SUBCODE = 1
const DATA = 2

/**
 * @param body the octets after the 19-octet header
 * @throws {WireError} 1/2 (Bad Message Length) below 2 octets
 */
export function decodeNotification(body: Uint8Array): NotificationMessage {
  if (body.length < DATA) throw new WireError('NOTIFICATION too short', HEADER_LENGTH + body.length, [1, 2])
  return { type: 'notification', errorCode: body[CODE]!, errorSubcode: body[SUBCODE]!, data: body.subarray(DATA) }
}

/** Octets that {@link encodeNotification} writes, header included. */
export const notificationLength = (message: NotificationMessage): Octets => HEADER_LENGTH + DATA + message.data.length

/**
 * @param limit most octets that the session allows
 * @throws {RangeError} caller's fault: `into` too small, or the message above `limit` octets
 */
export function encodeNotification(
  message: NotificationMessage,
  into?: Uint8Array,
  limit: Octets = MAX_LENGTH,
): Uint8Array {
  const octets = startMessage(into, notificationLength(message), MessageType.Notification, limit)
  octets[HEADER_LENGTH + CODE] = message.errorCode
  octets[HEADER_LENGTH + SUBCODE] = message.errorSubcode
  octets.set(message.data, HEADER_LENGTH + DATA)
  return octets
}

/**
 * The NOTIFICATION that answers an error in the peer's octets. Data that do not fit a message of 4096 octets are cut: any
 * receiver takes that many.
 */
export function createNotification({ notification, data }: WireError): NotificationMessage {
  const [errorCode, errorSubcode] = notification
  const room = MAX_LENGTH - HEADER_LENGTH - DATA
  return { type: 'notification', errorCode, errorSubcode, data: data.subarray(0, room) }
}
