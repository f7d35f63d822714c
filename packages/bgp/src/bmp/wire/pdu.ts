import type { OctetReader } from '../../octet-reader.js'
import { HEADER_LENGTH, type MessageType } from '../../wire/header.js'
import { readUint16 } from '../../wire/octets.js'
import { BmpError } from './error.js'

const LENGTH = 16 // octets from the start of a BGP message
const TYPE = 18

/**
 * A whole BGP message, header included, as a view. Its marker and body are not looked at: what a peer has sent is shown to the
 * station as it was, right or wrong.
 *
 * @throws {BmpError} cut off, shorter than its header, or of another type
 */
export function takePdu(reader: OctetReader, type: MessageType, name: string): Uint8Array {
  const start = reader.at
  const header = reader.take(HEADER_LENGTH, name)
  const length = readUint16(header, LENGTH)
  if (header[TYPE] !== type) throw new BmpError(`${name} of BGP message type ${header[TYPE]}`, start + TYPE)
  if (length < HEADER_LENGTH) throw new BmpError(`${name} of length ${length}`, start + LENGTH)
  const body = reader.take(length - HEADER_LENGTH, name)
  return new Uint8Array(header.buffer, header.byteOffset, HEADER_LENGTH + body.length)
}

/** @throws {RangeError} the caller's fault: not one whole BGP message of this type */
export function checkPdu(octets: Uint8Array, type: MessageType, name: string): Uint8Array {
  if (octets.length < HEADER_LENGTH || readUint16(octets, LENGTH) !== octets.length || octets[TYPE] !== type) {
    throw new RangeError(`${name} is not one whole BGP message of type ${type}`)
  }
  return octets
}
