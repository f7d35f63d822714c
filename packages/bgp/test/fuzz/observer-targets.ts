/** BMP and MRT under any octets. */
import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import {
  BmpError,
  BmpFramer,
  bmpMessageContext,
  decodeBmpMessage,
  encodeBmpMessage,
  type BmpMessage,
} from '@typemetal/bgp/bmp'
import {
  decodeMrtRecord,
  decodeRibAttributes,
  encodeMrtRecord,
  MrtError,
  readMrt,
  type MrtRecord,
} from '@typemetal/bgp/mrt'
import { WireError } from '@typemetal/bgp/wire'
import { anyBmpMessage, EXAMPLES } from '../bmp-messages.js'
import { anyMrtRecord, FILES, readFile } from '../mrt-records.js'
import { OctetSource } from './octet-source.js'
import type { FuzzTarget } from '@typemetal/lab'

/** An MRT file is no more than this long in the corpus, to keep its pieces small. */
const FILE_START = 4000

function bmpInputs(): readonly Uint8Array[] {
  const messages = [...EXAMPLES, ...fc.sample(anyBmpMessage, { seed: 1, numRuns: 100 })]
  return messages.map((message, i) => Uint8Array.from([i & 0xff, ...encodeBmpMessage(message)]))
}

/** What comes out of a decoder: a value, or an error of its kind and no other. */
function valueOrFault<T>(decode: () => T, isFault: (error: unknown) => boolean): T | undefined {
  try {
    return decode()
  } catch (error) {
    if (isFault(error)) return undefined
    throw error
  }
}

const isBmpFault = (error: unknown): boolean => error instanceof BmpError && error.offset >= 0
const isMrtFault = (error: unknown): boolean => error instanceof MrtError && error.offset >= 0

/** The messages of a stream, as far as it can be read. */
function readBmp(pieces: Iterable<Uint8Array>): readonly BmpMessage[] {
  const framer = new BmpFramer()
  const found: BmpMessage[] = []
  for (const piece of pieces) {
    framer.push(piece)
    const isOver = valueOrFault(() => {
      for (let octets = framer.next(); octets; octets = framer.next()) found.push(decodeBmpMessage(octets))
      return false
    }, isBmpFault)
    if (isOver === undefined) break
  }
  return found
}

function* cut(octets: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < octets.length; at += size) yield octets.slice(at, at + size)
}

export const BMP: FuzzTarget = {
  name: 'bmp',
  claim:
    'RFC 7854: a message is read or is a BmpError, however TCP cuts it; what was read is written and read the same',
  corpus: bmpInputs,
  open: () => ({
    run(input) {
      const source = new OctetSource(input)
      const size = 1 + source.uint8()
      const stream = source.rest()
      const messages = readBmp([stream])
      assert.deepEqual(readBmp(cut(stream, size)), messages)
      for (const message of messages) {
        assert.deepEqual(decodeBmpMessage(encodeBmpMessage(message)), message)
        if (message.type !== 'peer-up') continue
        valueOrFault(
          () => bmpMessageContext(message, message.peer),
          error => error instanceof WireError,
        )
      }
    },
  }),
}

function mrtInputs(): readonly Uint8Array[] {
  const records = fc.sample(anyMrtRecord, { seed: 1, numRuns: 100 }).map(encodeMrtRecord)
  const files = FILES.map(name => readFile(name).subarray(0, FILE_START))
  return [...files, ...records].map((octets, i) => Uint8Array.from([i * 31, ...octets]))
}

/** Records of a stream, and how many could not be read; `undefined` at the end of a stream that breaks off. */
async function readRecords(pieces: Iterable<Uint8Array>): Promise<readonly unknown[]> {
  const found: unknown[] = []
  try {
    for await (const record of readMrt(pieces, { malformed: () => found.push('malformed') })) found.push(record)
  } catch (error) {
    if (!isMrtFault(error)) throw error
    found.push(undefined)
  }
  return found
}

function checkRecord(record: MrtRecord): void {
  assert.deepEqual(decodeMrtRecord(encodeMrtRecord(record)), record)
  if (record.type !== 'rib') return
  for (const { attributes } of record.entries) valueOrFault(() => decodeRibAttributes(attributes, record), isMrtFault)
}

export const MRT: FuzzTarget = {
  name: 'mrt',
  claim:
    'RFC 6396: a record is read or is an MrtError, in whatever pieces the file comes; what was read is written and read the same',
  corpus: mrtInputs,
  open: () => ({
    async run(input) {
      const source = new OctetSource(input)
      const size = 1 + source.uint8()
      const file = source.rest()
      const records = await readRecords([file])
      assert.deepEqual(await readRecords(cut(file, size)), records)
      for (const record of records) if (typeof record === 'object') checkRecord(record as MrtRecord)
    },
  }),
}
