import { DEFAULT_CONTEXT, type MessageContext } from './context.js'
import { WireError } from './error.js'
import { decodeHeader, HEADER_LENGTH, messageLimit, MessageType } from './header.js'
import { encodeKeepalive, type KeepaliveMessage } from './keepalive.js'
import { decodeNotification, encodeNotification, type NotificationMessage } from './notification.js'
import { decodeOpen, encodeOpen, type OpenMessage } from './open.js'
import { decodeRouteRefresh, encodeRouteRefresh, type RouteRefreshMessage } from './route-refresh.js'
import { decodeUpdate, encodeUpdate, type UpdateMessage } from './update.js'

/** Any BGP message. */
export type Message = OpenMessage | UpdateMessage | NotificationMessage | KeepaliveMessage | RouteRefreshMessage

/**
 * Reads one whole message, header included. {@link encodeMessage} is its inverse.
 *
 * @param octets one message, no more and no less
 * @param context what the session has negotiated
 * @returns a value whose octet fields are views into `octets`
 * @throws {WireError} the octets break a MUST and the session cannot go on; milder faults are in `faults` of an UPDATE
 */
export function decodeMessage(octets: Uint8Array, context: MessageContext = DEFAULT_CONTEXT): Message {
  if (octets.length < HEADER_LENGTH) throw new WireError('header cut off', octets.length, [1, 2])
  const { length, type } = decodeHeader(octets, 0, messageLimit(context))
  if (length !== octets.length) {
    throw new WireError(
      `message length ${length}, not ${octets.length}`,
      16,
      [1, 2],
      'session-reset',
      octets.slice(16, 18),
    )
  }
  const body = octets.subarray(HEADER_LENGTH)
  switch (type) {
    case MessageType.Open:
      return decodeOpen(body)
    case MessageType.Update:
      return decodeUpdate(body, context)
    case MessageType.Notification:
      return decodeNotification(body)
    case MessageType.Keepalive:
      return { type: 'keepalive' }
    case MessageType.RouteRefresh:
      return decodeRouteRefresh(octets)
    default:
      return type satisfies never
  }
}

/**
 * Writes a message, header included. {@link decodeMessage} is its inverse.
 *
 * @param into where to write; a new array when left out
 * @returns the octets written: a view of `into`, or the new array
 * @throws {RangeError} caller's fault: no room in `into`, longer than the session allows, or a value that its field cannot hold
 */
export function encodeMessage(
  message: Message,
  context: MessageContext = DEFAULT_CONTEXT,
  into?: Uint8Array,
): Uint8Array {
  switch (message.type) {
    case 'open':
      return encodeOpen(message, into)
    case 'update':
      return encodeUpdate(message, context, into)
    case 'notification':
      return encodeNotification(message, into, messageLimit(context))
    case 'keepalive':
      return encodeKeepalive(into)
    case 'route-refresh':
      return encodeRouteRefresh(message, into, messageLimit(context))
    default:
      return message satisfies never
  }
}
