import { Parser } from 'binary-parser'
import { BmpError } from './error.js'

/** The version of RFC 7854 section 4.1. */
export const BMP_VERSION = 3
/** Length of the common header, RFC 7854 section 4.1. */
export const BMP_HEADER_LENGTH = 6

/** Message types of RFC 7854 section 4.1; any other number is carried. */
export const BmpMessageType = {
  RouteMonitoring: 0,
  StatisticsReport: 1,
  PeerDown: 2,
  PeerUp: 3,
  Initiation: 4,
  Termination: 5,
  RouteMirroring: 6,
} as const

/** The common header of a BMP message. */
export interface BmpHeader {
  /** Octets of the whole message, this header included. */
  readonly length: number
  readonly messageType: number
}

interface Fixed extends BmpHeader {
  readonly version: number
}

const fixedHeader = new Parser().endianness('big').uint8('version').uint32('length').uint8('messageType')
const LENGTH = 1 // octets from the start of the message

/**
 * Reads the common header at the start of `octets`.
 *
 * @throws {BmpError} cut off, another version than 3, or a length below the header's own
 */
export function decodeBmpHeader(octets: Uint8Array): BmpHeader {
  if (octets.length < BMP_HEADER_LENGTH) throw new BmpError('common header cut off', octets.length)
  const { version, length, messageType } = fixedHeader.parse(octets.subarray(0, BMP_HEADER_LENGTH)) as Fixed
  if (version !== BMP_VERSION) throw new BmpError(`BMP version ${version}`, 0)
  if (length < BMP_HEADER_LENGTH) throw new BmpError(`message length ${length}`, LENGTH)
  return { length, messageType }
}
