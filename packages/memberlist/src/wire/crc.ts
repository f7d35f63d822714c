import { WireError } from './error.js'
import { MessageType } from './message-type.js'

/** Octets in front of the checked message. */
export const CRC_LENGTH = 5

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value
})

/** CRC-32 of IEEE 802.3 (the one of zlib). Written here because this floor imports nothing of Node.js. */
export function crc32(octets: Uint8Array): number {
  let crc = 0xffffffff
  for (let i = 0; i < octets.length; i++) crc = (crc >>> 8) ^ TABLE[(crc ^ octets[i]!) & 0xff]!
  return (crc ^ 0xffffffff) >>> 0
}

/** Puts type and checksum in front of a message. */
export function encodeCrc(inner: Uint8Array): Uint8Array {
  const message = new Uint8Array(CRC_LENGTH + inner.length)
  message[0] = MessageType.Crc
  new DataView(message.buffer).setUint32(1, crc32(inner))
  message.set(inner, CRC_LENGTH)
  return message
}

/** The message behind the checksum, a view. @throws {WireError} `crc` on mismatch, `truncated` below 5 octets */
export function decodeCrc(message: Uint8Array): Uint8Array {
  if (message.length < CRC_LENGTH) throw new WireError('truncated', 'checksum ends early', message.length)
  const inner = message.subarray(CRC_LENGTH)
  const expected = new DataView(message.buffer, message.byteOffset).getUint32(1)
  if (crc32(inner) !== expected) throw new WireError('crc', 'checksum mismatch', 1)
  return inner
}
