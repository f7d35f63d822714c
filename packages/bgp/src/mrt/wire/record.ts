import { OctetReader } from '../../octet-reader.js'
import { OctetWriter } from '../../octet-writer.js'
import { bgp4mpSubtype, decodeBgp4mp, encodeBgp4mp, type MrtBgpMessage, type MrtStateChange } from './bgp4mp.js'
import { MrtError, mrtError } from './error.js'
import { decodeMrtHeader, isExtended, MRT_HEADER_LENGTH, MrtType, type MrtTime } from './header.js'
import { decodePeerIndexTable, encodePeerIndexTable, type MrtPeerIndexTable } from './peer-index-table.js'
import { decodeRibGeneric, encodeRibGeneric, ribGenericSubtype, type MrtRibGeneric } from './rib-generic.js'
import { decodeRib, encodeRib, ribSubtype, type MrtRib } from './rib.js'
import { decodeTableDump, encodeTableDump, type MrtTableDump } from './table-dump.js'

/** A record of a type or subtype that this package does not know; carried. */
export interface MrtUnknown extends MrtTime {
  readonly type: 'unknown'
  readonly mrtType: number
  readonly subtype: number
  /** What follows the header, and the microseconds where the type has them. A view after decoding. */
  readonly body: Uint8Array
}

/** Any MRT record. */
export type MrtRecord =
  MrtBgpMessage | MrtStateChange | MrtPeerIndexTable | MrtRib | MrtRibGeneric | MrtTableDump | MrtUnknown

const PEER_INDEX_TABLE = 1 // a subtype of TABLE_DUMP_V2

function decodeBody(time: MrtTime, mrtType: number, subtype: number, reader: OctetReader): MrtRecord | undefined {
  switch (mrtType) {
    case MrtType.Bgp4mp:
    case MrtType.Bgp4mpEt:
      return decodeBgp4mp(time, subtype, reader)
    case MrtType.TableDumpV2:
      if (subtype === PEER_INDEX_TABLE) return decodePeerIndexTable(time, reader)
      return decodeRibGeneric(time, subtype, reader) ?? decodeRib(time, subtype, reader)
    case MrtType.TableDump:
      return decodeTableDump(time, subtype, reader)
    default:
      return undefined
  }
}

/**
 * Reads one whole MRT record, header included. {@link encodeMrtRecord} is its inverse.
 *
 * @param octets one record, no more and no less
 * @returns a value whose octet fields are views into `octets`
 * @throws {MrtError} the octets break RFC 6396
 */
export function decodeMrtRecord(octets: Uint8Array): MrtRecord {
  const { timestamp, mrtType, subtype, length } = decodeMrtHeader(octets)
  if (MRT_HEADER_LENGTH + length !== octets.length) {
    throw new MrtError(`record length ${length}, not ${octets.length - MRT_HEADER_LENGTH}`, 8)
  }
  const reader = new OctetReader(octets, MRT_HEADER_LENGTH, mrtError)
  const time = isExtended(mrtType) ? { timestamp, microseconds: reader.uint32('microseconds') } : { timestamp }
  const body = reader.at
  const record = decodeBody(time, mrtType, subtype, reader)
  return record ?? { type: 'unknown', ...time, mrtType, subtype, body: octets.subarray(body) }
}

interface Kind {
  readonly mrtType: number
  readonly subtype: number
}

function kindOf(record: MrtRecord): Kind {
  switch (record.type) {
    case 'bgp4mp-message':
    case 'bgp4mp-state-change':
      return {
        mrtType: record.microseconds === undefined ? MrtType.Bgp4mp : MrtType.Bgp4mpEt,
        subtype: bgp4mpSubtype(record),
      }
    case 'peer-index-table':
      return { mrtType: MrtType.TableDumpV2, subtype: PEER_INDEX_TABLE }
    case 'rib':
      return { mrtType: MrtType.TableDumpV2, subtype: ribSubtype(record) }
    case 'rib-generic':
      return { mrtType: MrtType.TableDumpV2, subtype: ribGenericSubtype(record) }
    case 'table-dump':
      return { mrtType: MrtType.TableDump, subtype: record.prefix.length === 4 ? 1 : 2 }
    case 'unknown':
      return record
    default:
      return record satisfies never
  }
}

function encodeBody(record: MrtRecord, writer: OctetWriter): void {
  switch (record.type) {
    case 'bgp4mp-message':
    case 'bgp4mp-state-change':
      encodeBgp4mp(record, writer)
      break
    case 'peer-index-table':
      encodePeerIndexTable(record, writer)
      break
    case 'rib':
      encodeRib(record, writer)
      break
    case 'rib-generic':
      encodeRibGeneric(record, writer)
      break
    case 'table-dump':
      encodeTableDump(record, writer)
      break
    case 'unknown':
      writer.bytes(record.body)
      break
    default:
      record satisfies never
  }
}

/**
 * Writes an MRT record, header included. {@link decodeMrtRecord} is its inverse.
 *
 * @throws {RangeError} caller's fault: a value that its field cannot hold, or microseconds in a record whose type has none
 */
export function encodeMrtRecord(record: MrtRecord): Uint8Array {
  const { mrtType, subtype } = kindOf(record)
  const { timestamp, microseconds } = record
  if (isExtended(mrtType) !== (microseconds !== undefined)) {
    throw new RangeError(`microseconds do not go with MRT type ${mrtType}`)
  }
  const writer = new OctetWriter()
  writer.uint32(timestamp, 'timestamp').uint16(mrtType, 'mrtType').uint16(subtype, 'subtype').uint32(0, 'length')
  if (microseconds !== undefined) writer.uint32(microseconds, 'microseconds')
  encodeBody(record, writer)
  writer.patchUint32(8, writer.length - MRT_HEADER_LENGTH)
  return writer.octets
}
