import type { OctetReader } from '../../octet-reader.js'
import type { OctetWriter } from '../../octet-writer.js'
import { Afi } from '../../wire/family.js'
import { MrtError } from './error.js'
import type { MrtTime } from './header.js'

/** TABLE_DUMP, RFC 6396 section 4.2: one path of one prefix. Octet fields are views after decoding. */
export interface MrtTableDump extends MrtTime {
  readonly type: 'table-dump'
  readonly viewNumber: number
  readonly sequenceNumber: number
  /** The address of the prefix, 4 or 16 octets. */
  readonly prefix: Uint8Array
  /** Bits of the prefix. */
  readonly prefixLength: number
  /** 1; nothing has ever used it. */
  readonly status: number
  /** Seconds since 1970 UTC. */
  readonly originatedTime: number
  /** As many octets as the prefix. */
  readonly peerAddress: Uint8Array
  /** 2 octets. */
  readonly peerAsn: number
  /** Path attributes as written, 2-octet AS numbers; `decodeRibAttributes` reads them. */
  readonly attributes: Uint8Array
}

/**
 * @param subtype the address family
 * @returns `undefined` for another family than IPv4 and IPv6
 * @throws {MrtError} cut off, octets behind the attributes, or a prefix that is too long
 */
export function decodeTableDump(time: MrtTime, subtype: number, reader: OctetReader): MrtTableDump | undefined {
  if (subtype !== Afi.IPv4 && subtype !== Afi.IPv6) return undefined
  const width = subtype === Afi.IPv4 ? 4 : 16
  const viewNumber = reader.uint16('view number')
  const sequenceNumber = reader.uint16('sequence number')
  const prefix = reader.take(width, 'prefix')
  const prefixLength = reader.uint8('prefix length')
  if (prefixLength > 8 * width) throw new MrtError(`prefix length ${prefixLength}`, reader.at - 1)
  const status = reader.uint8('status')
  const originatedTime = reader.uint32('originated time')
  const peerAddress = reader.take(width, 'peer address')
  const peerAsn = reader.uint16('peer AS')
  const attributes = reader.take(reader.uint16('attribute length'), 'attributes')
  reader.end('the attributes')
  const peer = { peerAddress, peerAsn, attributes }
  return {
    type: 'table-dump',
    ...time,
    viewNumber,
    sequenceNumber,
    prefix,
    prefixLength,
    status,
    originatedTime,
    ...peer,
  }
}

/** @throws {RangeError} a field that does not fit */
export function encodeTableDump(record: MrtTableDump, writer: OctetWriter): void {
  const { viewNumber, sequenceNumber, prefix, prefixLength, status, originatedTime } = record
  const { peerAddress, peerAsn, attributes } = record
  if (prefix.length !== peerAddress.length || (prefix.length !== 4 && prefix.length !== 16)) {
    throw new RangeError(`addresses of ${prefix.length} and ${peerAddress.length} octets`)
  }
  if (prefixLength > 8 * prefix.length) throw new RangeError(`prefix length ${prefixLength}`)
  writer.uint16(viewNumber, 'viewNumber').uint16(sequenceNumber, 'sequenceNumber').bytes(prefix)
  writer.uint8(prefixLength, 'prefixLength').uint8(status, 'status').uint32(originatedTime, 'originatedTime')
  writer.bytes(peerAddress).uint16(peerAsn, 'peerAsn').uint16(attributes.length, 'attributes').bytes(attributes)
}
