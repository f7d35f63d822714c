import { WireError } from './error.js'
import { MessageType } from './message-type.js'
import { type Reader, StructReader, Writer } from './msgpack/index.js'
import { MAX_USER_OCTETS } from './push-pull.js'

/** Head of a user message on a stream. In a datagram the payload follows the type octet at once. */
export interface UserMessageHeader {
  readonly userMsgLen: number
}

const header = new StructReader<UserMessageHeader>(() => ({ userMsgLen: 0 }), {
  UserMsgLen: (r, m) => void (m.userMsgLen = r.int()),
})

/** Reads the head. @throws {WireError} `limit` when the length is negative or above 20 MiB */
export function readUserMessageHeader(reader: Reader): UserMessageHeader {
  const h = header.read(reader)
  if (h.userMsgLen < 0 || h.userMsgLen > MAX_USER_OCTETS) {
    throw new WireError('limit', `user message of ${h.userMsgLen} octets`)
  }
  return h
}

/** User message for a datagram. */
export function encodeUserMessage(payload: Uint8Array): Uint8Array {
  const message = new Uint8Array(1 + payload.length)
  message[0] = MessageType.User
  message.set(payload, 1)
  return message
}

/** Payload of a user message from a datagram: a view. */
export const decodeUserMessage = (message: Uint8Array): Uint8Array => message.subarray(1)

/** User message for a stream. @throws {RangeError} above 20 MiB, which no peer takes */
export function encodeUserStream(payload: Uint8Array): Uint8Array {
  if (payload.length > MAX_USER_OCTETS) throw new RangeError(`user message of ${payload.length} octets`)
  const w = new Writer(24 + payload.length).octet(MessageType.User).map(1)
  return w.int('UserMsgLen', payload.length).raw(payload).finish()
}
