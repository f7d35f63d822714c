import type { OctetReader } from '../../octet-reader.js'
import type { OctetWriter } from '../../octet-writer.js'
import { decodeNlri, type Nlri } from '../../wire/nlri.js'
import { MrtError } from './error.js'

/**
 * One prefix as NLRI are written. Bits behind it come out zero.
 *
 * @param bits width of the family's addresses
 * @throws {MrtError} cut off, or longer than `bits`
 */
export function takePrefix(reader: OctetReader, bits: number): Nlri {
  const at = reader.at
  const length = reader.uint8('prefix length')
  if (length > bits) throw new MrtError(`prefix length ${length}`, at)
  const field = reader.take((length + 7) >>> 3, 'prefix')
  const octets = new Uint8Array(field.buffer, field.byteOffset - 1, field.length + 1)
  return decodeNlri(octets, { bits, pathIds: false }, at)[0]!
}

/** @throws {RangeError} longer than `bits`, or not as many octets as its length asks for */
export function writePrefix({ length, prefix }: Nlri, bits: number, writer: OctetWriter): void {
  if (length > bits || prefix.length !== (length + 7) >>> 3) {
    throw new RangeError(`prefix of ${length} bits in ${prefix.length} octets`)
  }
  writer.uint8(length, 'prefix length').bytes(prefix)
}
