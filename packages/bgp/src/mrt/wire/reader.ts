import { callback, checkOptions, number, optional, wrongType, type Kinds } from '@typemetal/options'
import { OctetAccumulator } from '../../octet-accumulator.js'
import type { Octets } from '../../wire/octets.js'
import { MrtError } from './error.js'
import { decodeMrtHeader, MRT_HEADER_LENGTH } from './header.js'
import { decodeMrtRecord, type MrtRecord } from './record.js'

/** Longest record that {@link readMrt} takes unless told otherwise; a peer index table of 65,535 peers has 1.6 MB. */
export const MRT_MAX_LENGTH = 1 << 24

/** Options of {@link readMrt}. */
export interface ReadMrtOptions {
  /** Longest record to take, header included. @default 16 MiB */
  readonly maxLength?: Octets
  /**
   * Called for a record that cannot be read, which is left out then; its `offset` is that in the stream. A stream that ends in
   * the middle of a record, or has one that is too long, is an error all the same.
   *
   * @default such a record is an error
   */
  readonly malformed?: (error: MrtError, octets: Uint8Array) => void
}

const KINDS: Kinds<ReadMrtOptions> = {
  maxLength: optional(number('a number of octets from 1 on', value => value >= 1)),
  malformed: optional(callback<NonNullable<ReadMrtOptions['malformed']>>()),
}

const shifted = (error: MrtError, by: number): MrtError =>
  new MrtError(error.message.replace(/ \(octet \d+\)$/, ''), by + error.offset, { cause: error })

/**
 * Reads MRT records one by one from a stream of octets, such as a file or what `zlib` makes of one; reads no further than its
 * reader does. Holds one unfinished record at most.
 *
 * @param source pieces of any size; records are views into them
 * @throws {TypeError | RangeError} an option that cannot work, or an unknown one; the message begins with its name
 * @throws {MrtError} a record breaks RFC 6396, is too long, or the stream ends within it; all records before it have come out
 */
export function readMrt(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: ReadMrtOptions = {},
): AsyncGenerator<MrtRecord, void, undefined> {
  const { [Symbol.iterator]: each, [Symbol.asyncIterator]: later } = Object(source) as Partial<
    AsyncIterable<Uint8Array> & Iterable<Uint8Array>
  >
  if (each === undefined && later === undefined) throw wrongType('source', 'an iterable of octets', source)
  checkOptions(options, KINDS)
  return recordsOf(source, options)
}

async function* recordsOf(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { maxLength = MRT_MAX_LENGTH, malformed }: ReadMrtOptions,
): AsyncGenerator<MrtRecord, void, undefined> {
  const octets = new OctetAccumulator()
  let offset = 0
  for await (const chunk of source) {
    octets.push(chunk)
    while (octets.length >= MRT_HEADER_LENGTH) {
      const length = MRT_HEADER_LENGTH + decodeMrtHeader(octets.peek()).length
      if (length > maxLength) throw new MrtError(`record of ${length} octets`, offset + 8)
      if (octets.length < length) break
      const whole = octets.take(length)
      const record = decodeOr(whole, offset, malformed)
      offset += length
      if (record) yield record
    }
  }
  if (octets.length > 0) throw new MrtError('the stream ends within a record', offset + octets.length)
}

function decodeOr(whole: Uint8Array, offset: number, malformed: ReadMrtOptions['malformed']): MrtRecord | undefined {
  try {
    return decodeMrtRecord(whole)
  } catch (error) {
    if (!(error instanceof MrtError)) throw error
    const inStream = shifted(error, offset)
    if (!malformed) throw inStream
    malformed(inStream, whole)
    return undefined
  }
}
