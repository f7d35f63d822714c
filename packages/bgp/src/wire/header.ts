import { WireError } from './error.js'
import type { MessageContext } from './context.js'
import { readUint16, writeUint16, type Octets } from './octets.js'

/** Length of the message header, RFC 4271 section 4.1. */
export const HEADER_LENGTH = 19
/** Longest message without the extended message capability, RFC 4271 section 4.1. */
export const MAX_LENGTH = 4096
/** Longest message with the extended message capability, but for OPEN and KEEPALIVE (RFC 8654 section 4). */
export const MAX_EXTENDED_LENGTH = 65_535

/** Longest message of a session: 4096 octets, or 65,535. */
export const messageLimit = ({ extendedMessage = false }: MessageContext): Octets =>
  extendedMessage ? MAX_EXTENDED_LENGTH : MAX_LENGTH

/** Message types of RFC 4271 section 4.1 and RFC 2918. */
export const MessageType = { Open: 1, Update: 2, Notification: 3, Keepalive: 4, RouteRefresh: 5 } as const
export type MessageType = (typeof MessageType)[keyof typeof MessageType]

const LENGTH = 16 // octets from the start of the message
const TYPE = 18

/** Least length of each message type: header and fixed part. */
const MIN_LENGTH: { readonly [type: number]: number } = { 1: 29, 2: 23, 3: 21, 4: 19, 5: 23 }

/** Most octets of a message of this type, where a session allows `limit`. */
const limitOf = (type: number, limit: Octets): Octets =>
  type === MessageType.Open || type === MessageType.Keepalive ? MAX_LENGTH : limit

/** The fixed header of a message, without its marker. */
export interface Header {
  /** Octets of the whole message, header included. */
  readonly length: number
  readonly type: MessageType
}

/** RFC 4271 section 6.1: the data is the Length field as it came. */
const lengthFault = (text: string, length: number): WireError =>
  new WireError(text, LENGTH, [1, 2], 'session-reset', Uint8Array.of(length >>> 8, length))

/**
 * Reads and checks the header at `at`, RFC 4271 section 6.1. By hand, since every message passes here.
 *
 * @param octets holds at least 19 octets from `at`
 * @param limit most octets that the session allows, see {@link messageLimit}
 * @throws {WireError} 1/1 marker, 1/2 length, 1/3 type
 * @throws {RangeError} the caller's fault: fewer than 19 octets
 */
export function decodeHeader(octets: Uint8Array, at = 0, limit: Octets = MAX_LENGTH): Header {
  if (octets.length - at < HEADER_LENGTH) throw new RangeError('a header has 19 octets')
  for (let i = 0; i < LENGTH; i++) {
    if (octets[at + i] !== 0xff) throw new WireError('marker is not all ones', i, [1, 1])
  }
  const length = readUint16(octets, at + LENGTH)
  const type = octets[at + TYPE]!
  const least = MIN_LENGTH[type]
  if (length < HEADER_LENGTH || length > limitOf(type, limit)) throw lengthFault(`message length ${length}`, length)
  if (least === undefined) {
    throw new WireError(`unknown message type ${type}`, TYPE, [1, 3], 'session-reset', Uint8Array.of(type))
  }
  if (length < least || (type === MessageType.Keepalive && length > least)) {
    throw lengthFault(`message length ${length} for type ${type}`, length)
  }
  return { length, type: type as MessageType }
}

/** Writes marker, length and type into the first 19 octets. */
export function writeHeader(into: Uint8Array, length: number, type: MessageType): void {
  into.fill(0xff, 0, LENGTH)
  writeUint16(into, LENGTH, length)
  into[TYPE] = type
}

/**
 * The first `length` octets of `into`, or of a new array, with the header written.
 *
 * @throws {RangeError} caller's fault: `into` too small, or the message above `limit` octets
 */
export function startMessage(
  into: Uint8Array | undefined,
  length: number,
  type: MessageType,
  limit: Octets = MAX_LENGTH,
): Uint8Array {
  if (length > limit) throw new RangeError(`a message has at most ${limit} octets, not ${length}`)
  if (into && into.length < length) throw new RangeError(`no room for ${length} octets`)
  const octets = into ? into.subarray(0, length) : new Uint8Array(length)
  writeHeader(octets, length, type)
  return octets
}
