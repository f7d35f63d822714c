import { Parser } from 'binary-parser'
import { MrtError } from './error.js'

/** Length of the common header, RFC 6396 section 2; that of a type with microseconds has 4 octets more. */
export const MRT_HEADER_LENGTH = 12

/** Record types of RFC 6396 section 4; any other number is carried. */
export const MrtType = {
  TableDump: 12,
  TableDumpV2: 13,
  Bgp4mp: 16,
  Bgp4mpEt: 17,
  Isis: 32,
  IsisEt: 33,
  Ospfv3: 48,
  Ospfv3Et: 49,
} as const

/** When something was recorded. */
export interface MrtTime {
  /** Seconds since 1970 UTC. */
  readonly timestamp: number
  /** Microseconds beside these; present exactly in records of a type with extended timestamp (RFC 6396 section 3). */
  readonly microseconds?: number
}

/** The common header of an MRT record, RFC 6396 sections 2 and 3. */
export interface MrtHeader {
  readonly timestamp: number
  readonly mrtType: number
  readonly subtype: number
  /** Octets behind the header's first 12. */
  readonly length: number
}

const fixedHeader = new Parser()
  .endianness('big')
  .uint32('timestamp')
  .uint16('mrtType')
  .uint16('subtype')
  .uint32('length')

/** Whether records of a type have microseconds in front of their message, RFC 6396 section 3. */
export const isExtended = (mrtType: number): boolean =>
  mrtType === MrtType.Bgp4mpEt || mrtType === MrtType.IsisEt || mrtType === MrtType.Ospfv3Et

/**
 * Reads the common header at the start of `octets`.
 *
 * @throws {MrtError} cut off
 */
export function decodeMrtHeader(octets: Uint8Array): MrtHeader {
  if (octets.length < MRT_HEADER_LENGTH) throw new MrtError('MRT header cut off', octets.length)
  return fixedHeader.parse(octets.subarray(0, MRT_HEADER_LENGTH)) as MrtHeader
}
