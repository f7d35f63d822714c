import { OctetReader } from '../../octet-reader.js'
import type { OctetWriter } from '../../octet-writer.js'
import { Afi, type Family } from '../../wire/family.js'
import { MrtError, mrtError } from './error.js'
import type { MrtTime } from './header.js'
import { takeEntries, writeEntries, type MrtRibEntry } from './rib.js'

/** RIB_GENERIC, RFC 6396 section 4.3.3, and RIB_GENERIC_ADDPATH, RFC 8050 section 4. Octet fields are views after decoding. */
export interface MrtRibGeneric extends MrtTime, Family {
  readonly type: 'rib-generic'
  readonly sequenceNumber: number
  /** The NLRI begins with a Path Identifier of 4 octets. */
  readonly addPath: boolean
  /** One NLRI as the family writes it; empty where the length of its NLRI is not known here. */
  readonly nlri: Uint8Array
  /** Empty where the length of the NLRI is not known here. */
  readonly entries: readonly MrtRibEntry[]
  /** NLRI and entries together, where nothing here can tell one from the other. */
  readonly opaque?: Uint8Array
}

const GENERIC = 6
const GENERIC_ADD_PATH = 12
/** SAFIs of both address families whose NLRI begin with their length in bits: unicast, multicast, labelled, VPN. */
const LENGTH_FIRST: readonly number[] = [1, 2, 4, 128, 129]

const isLengthFirst = ({ afi, safi }: Family): boolean =>
  (afi === Afi.IPv4 || afi === Afi.IPv6) && LENGTH_FIRST.includes(safi)

function takeNlri(reader: OctetReader, addPath: boolean, octets: Uint8Array): Uint8Array {
  const start = reader.at
  if (addPath) reader.take(4, 'path identifier')
  reader.take((reader.uint8('NLRI length') + 7) >>> 3, 'NLRI')
  return octets.subarray(start, reader.at)
}

/** Reads NLRI and entries; `undefined` when they do not add up, as where RFC 8050 is read in another way than here. */
function split(octets: Uint8Array, addPath: boolean): Pick<MrtRibGeneric, 'nlri' | 'entries'> | undefined {
  const reader = new OctetReader(octets, 0, mrtError)
  try {
    const nlri = takeNlri(reader, addPath, octets)
    const entries = takeEntries(reader, false)
    return reader.left === 0 ? { nlri, entries } : undefined
  } catch (error) {
    if (error instanceof MrtError) return undefined
    throw error
  }
}

/**
 * @returns `undefined` when it is another subtype
 * @throws {MrtError} cut off before the NLRI
 */
export function decodeRibGeneric(time: MrtTime, subtype: number, reader: OctetReader): MrtRibGeneric | undefined {
  if (subtype !== GENERIC && subtype !== GENERIC_ADD_PATH) return undefined
  const addPath = subtype === GENERIC_ADD_PATH
  const sequenceNumber = reader.uint32('sequence number')
  const family = { afi: reader.uint16('AFI'), safi: reader.uint8('SAFI') }
  const opaque = reader.rest()
  const known = isLengthFirst(family) ? split(opaque, addPath) : undefined
  const content = known ?? { nlri: opaque.subarray(0, 0), entries: [], opaque }
  return { type: 'rib-generic', ...time, ...family, addPath, sequenceNumber, ...content }
}

/** Subtype of such a record. */
export const ribGenericSubtype = ({ addPath }: MrtRibGeneric): number => (addPath ? GENERIC_ADD_PATH : GENERIC)

/** @throws {RangeError} a field that does not fit */
export function encodeRibGeneric(record: MrtRibGeneric, writer: OctetWriter): void {
  const { afi, safi, sequenceNumber, nlri, entries, opaque } = record
  writer.uint32(sequenceNumber, 'sequenceNumber').uint16(afi, 'afi').uint8(safi, 'safi')
  if (opaque) {
    writer.bytes(opaque)
    return
  }
  writer.bytes(nlri)
  writeEntries(entries, false, writer)
}
