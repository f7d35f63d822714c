import { HEADER_LENGTH } from './wire/index.js'
import { readUint16 } from './wire/octets.js'

const LENGTH = 16 // octets from the start of a message
const TYPE = 18

/** The message type of a whole BGP message. */
export const typeOf = (message: Uint8Array): number => message[TYPE]!

/** The messages that stand back to back in `octets`, as views. */
export function* splitMessages(octets: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at + HEADER_LENGTH <= octets.length;) {
    const length = readUint16(octets, at + LENGTH)
    yield octets.subarray(at, at + Math.max(length, HEADER_LENGTH))
    at += Math.max(length, HEADER_LENGTH)
  }
}
