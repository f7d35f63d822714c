import { WireError } from './error.js'
import { readUint16, writeUint16 } from './octets.js'

/** Length of the message header, RFC 4271 section 4.1. */
export const HEADER_LENGTH = 19
/** Longest message without the extended message capability, RFC 4271 section 4.1. */
export const MAX_LENGTH = 4096

/** Message types of RFC 4271 section 4.1 and RFC 2918. */
export const MessageType = { Open: 1, Update: 2, Notification: 3, Keepalive: 4, RouteRefresh: 5 } as const
export type MessageType = (typeof MessageType)[keyof typeof MessageType]

const LENGTH = 16 // octets from the start of the message
const TYPE = 18

/** Least length of each message type: header and fixed part. */
const MIN_LENGTH: { readonly [type: number]: number } = { 1: 29, 2: 23, 3: 21, 4: 19, 5: 23 }

/** The fixed header of a message, without its marker. */
export interface Header {
  /** Octets of the whole message, header included. */
  readonly length: number
  readonly type: MessageType
}

/**
 * Reads and checks the header at `at`, RFC 4271 section 6.1. By hand, since every message passes here.
 *
 * @param octets holds at least 19 octets from `at`
 * @throws {WireError} 1/1 marker, 1/2 length, 1/3 type
 * @throws {RangeError} the caller's fault: fewer than 19 octets
 */
export function decodeHeader(octets: Uint8Array, at = 0): Header {
  if (octets.length - at < HEADER_LENGTH) throw new RangeError('a header has 19 octets')
  for (let i = 0; i < LENGTH; i++) {
    if (octets[at + i] !== 0xff) throw new WireError('marker is not all ones', i, [1, 1])
  }
  const length = readUint16(octets, at + LENGTH)
  const type = octets[at + TYPE]!
  const least = MIN_LENGTH[type]
  const lengthField = octets.slice(at + LENGTH, at + TYPE)
  if (length < HEADER_LENGTH || length > MAX_LENGTH) {
    throw new WireError(`message length ${length}`, LENGTH, [1, 2], 'session-reset', lengthField)
  }
  if (least === undefined) {
    throw new WireError(`unknown message type ${type}`, TYPE, [1, 3], 'session-reset', Uint8Array.of(type))
  }
  if (length < least || (type === MessageType.Keepalive && length > least)) {
    throw new WireError(`message length ${length} for type ${type}`, LENGTH, [1, 2], 'session-reset', lengthField)
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
 * @throws {RangeError} caller's fault: `into` too small, or the message above 4096 octets
 */
export function startMessage(into: Uint8Array | undefined, length: number, type: MessageType): Uint8Array {
  if (length > MAX_LENGTH) throw new RangeError(`a message has at most ${MAX_LENGTH} octets, not ${length}`)
  if (into && into.length < length) throw new RangeError(`no room for ${length} octets`)
  const octets = into ? into.subarray(0, length) : new Uint8Array(length)
  writeHeader(octets, length, type)
  return octets
}
