import type { OctetReader } from '../../octet-reader.js'
import type { OctetWriter } from '../../octet-writer.js'
import { Afi, type Family } from '../../wire/family.js'
import type { Nlri } from '../../wire/nlri.js'
import type { MrtTime } from './header.js'
import { takePrefix, writePrefix } from './prefix.js'

/** What one peer says of a prefix: a RIB Entry, RFC 6396 section 4.3.4. */
export interface MrtRibEntry {
  /** Place of the peer in the PEER_INDEX_TABLE. */
  readonly peerIndex: number
  /** Seconds since 1970 UTC. */
  readonly originatedTime: number
  /** Path Identifier of RFC 8050 section 4; present exactly in records with {@link MrtRib.addPath}. */
  readonly pathId?: number
  /** Path attributes as written, 4-octet AS numbers; `decodeRibAttributes` reads them. After decoding: a view. */
  readonly attributes: Uint8Array
}

/** The RIB subtypes of one family, RFC 6396 section 4.3.2 and RFC 8050 section 4: all paths of a prefix. */
export interface MrtRib extends MrtTime, Family {
  readonly type: 'rib'
  /** The entries have Path Identifiers. */
  readonly addPath: boolean
  readonly sequenceNumber: number
  /** The prefix. */
  readonly nlri: Nlri
  readonly entries: readonly MrtRibEntry[]
}

const SUBTYPES = [
  { afi: Afi.IPv4, safi: 1 },
  { afi: Afi.IPv4, safi: 2 },
  { afi: Afi.IPv6, safi: 1 },
  { afi: Afi.IPv6, safi: 2 },
] as const
const FIRST = 2 // subtype of the first of these
const FIRST_ADD_PATH = 8

/** @throws {MrtError} cut off */
export function takeEntries(reader: OctetReader, addPath: boolean): MrtRibEntry[] {
  const count = reader.uint16('entry count')
  const entries: MrtRibEntry[] = []
  for (let i = 0; i < count; i++) {
    const peerIndex = reader.uint16('peer index')
    const originatedTime = reader.uint32('originated time')
    const path = addPath ? { pathId: reader.uint32('path identifier') } : {}
    const attributes = reader.take(reader.uint16('attribute length'), 'attributes')
    entries.push({ peerIndex, originatedTime, ...path, attributes })
  }
  return entries
}

/** @throws {RangeError} a field that does not fit, or a Path Identifier where there must be none or is none where one must be */
export function writeEntries(entries: readonly MrtRibEntry[], addPath: boolean, writer: OctetWriter): void {
  writer.uint16(entries.length, 'entries')
  for (const { peerIndex, originatedTime, pathId, attributes } of entries) {
    writer.uint16(peerIndex, 'peerIndex').uint32(originatedTime, 'originatedTime')
    if ((pathId !== undefined) !== addPath) throw new RangeError('pathId goes with addPath')
    if (pathId !== undefined) writer.uint32(pathId, 'pathId')
    writer.uint16(attributes.length, 'attributes').bytes(attributes)
  }
}

/**
 * @returns `undefined` when it is another subtype
 * @throws {MrtError} cut off, octets behind the last entry, or a prefix that is too long
 */
export function decodeRib(time: MrtTime, subtype: number, reader: OctetReader): MrtRib | undefined {
  const addPath = subtype >= FIRST_ADD_PATH
  const family = SUBTYPES[subtype - (addPath ? FIRST_ADD_PATH : FIRST)]
  if (!family) return undefined
  const sequenceNumber = reader.uint32('sequence number')
  const nlri = takePrefix(reader, family.afi === Afi.IPv4 ? 32 : 128)
  const entries = takeEntries(reader, addPath)
  reader.end('the last entry')
  return { type: 'rib', ...time, ...family, addPath, sequenceNumber, nlri, entries }
}

/** Subtype of a RIB record. @throws {RangeError} a family that only RIB_GENERIC has */
export function ribSubtype({ afi, safi, addPath }: MrtRib): number {
  const index = SUBTYPES.findIndex(family => family.afi === afi && family.safi === safi)
  if (index < 0) throw new RangeError(`AFI ${afi}, SAFI ${safi} has no RIB subtype of its own: use 'rib-generic'`)
  return index + (addPath ? FIRST_ADD_PATH : FIRST)
}

/** @throws {RangeError} a field that does not fit */
export function encodeRib({ afi, sequenceNumber, nlri, entries, addPath }: MrtRib, writer: OctetWriter): void {
  writer.uint32(sequenceNumber, 'sequenceNumber')
  writePrefix(nlri, afi === Afi.IPv4 ? 32 : 128, writer)
  writeEntries(entries, addPath, writer)
}
