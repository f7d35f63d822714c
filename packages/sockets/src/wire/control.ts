import { LITTLE_ENDIAN, viewOf } from './endian.js'

/** One control message of a received packet (cmsg(3)). `data` is a view into the input. */
export interface ControlMessage {
  readonly level: number
  readonly type: number
  readonly data: Uint8Array
}

const HEADER_LENGTH = 16 // struct cmsghdr where size_t has 8 octets: the 64-bit systems this package runs on
const align = (length: number): number => (length + 7) & ~7

/** The control messages in the octets that recvmsg filled. Ends early at a length that does not fit. */
export function decodeControl(octets: Uint8Array): readonly ControlMessage[] {
  const messages: ControlMessage[] = []
  const view = viewOf(octets)
  for (let at = 0; at + HEADER_LENGTH <= octets.length;) {
    const length = Number(view.getBigUint64(at, LITTLE_ENDIAN))
    if (length < HEADER_LENGTH || length > octets.length - at) break
    const level = view.getInt32(at + 8, LITTLE_ENDIAN)
    const type = view.getInt32(at + 12, LITTLE_ENDIAN)
    messages.push({ level, type, data: octets.subarray(at + HEADER_LENGTH, at + length) })
    at += align(length)
  }
  return messages
}

/** Octets for sendmsg, the inverse of {@link decodeControl}. */
export function encodeControl(messages: readonly ControlMessage[]): Uint8Array {
  const length = messages.reduce((sum, message) => sum + controlSpace(message.data.length), 0)
  const result = new Uint8Array(length)
  const view = viewOf(result)
  let at = 0
  for (const { level, type, data } of messages) {
    view.setBigUint64(at, BigInt(HEADER_LENGTH + data.length), LITTLE_ENDIAN)
    view.setInt32(at + 8, level, LITTLE_ENDIAN)
    view.setInt32(at + 12, type, LITTLE_ENDIAN)
    result.set(data, at + HEADER_LENGTH)
    at += controlSpace(data.length)
  }
  return result
}

/** Octets one control message with so much data takes (CMSG_SPACE). */
export const controlSpace = (dataLength: number): number => HEADER_LENGTH + align(dataLength)
