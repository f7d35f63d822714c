import { Parser } from 'binary-parser'
import { capabilitiesLength, decodeCapabilities, encodeCapabilities, type Capability } from './capability/index.js'
import { WireError } from './error.js'
import { HEADER_LENGTH, MessageType, startMessage } from './header.js'
import { readUint16, writeUint16, writeUint32, type Octets } from './octets.js'

/** OPEN message, RFC 4271 section 4.2. */
export interface OpenMessage {
  readonly type: 'open'
  readonly version: 4
  /** My Autonomous System, the 2-octet field: {@link AS_TRANS} above 65535. See {@link openAsn} for the real number. */
  readonly asn: number
  /** Hold Time in seconds: 0, or 3 and more. */
  readonly holdTime: number
  /** BGP Identifier as a number; not 0 (RFC 6286). */
  readonly bgpIdentifier: number
  /** Capabilities of all Capabilities Optional Parameters, in order. */
  readonly capabilities: readonly Capability[]
}

interface Fixed {
  readonly version: number
  readonly asn: number
  readonly holdTime: number
  readonly bgpIdentifier: number
  readonly optionalLength: number
}

const FIXED_LENGTH = 10 // octets of the body before the optional parameters
const OPTIONAL_LENGTH = 9 // where their length stands
const fixedPart = new Parser()
  .endianness('big')
  .uint8('version')
  .uint16('asn')
  .uint16('holdTime')
  .uint32('bgpIdentifier')
  .uint8('optionalLength')

/** Optional Parameter Types: Capabilities (RFC 5492), and the mark of the extended form (RFC 9072). */
const CAPABILITIES = 2
const EXTENDED = 255

function checkFixed(fixed: Fixed): void {
  const { version, asn, holdTime, bgpIdentifier } = fixed
  if (version !== 4) {
    throw new WireError(`version ${version}`, HEADER_LENGTH, [2, 1], 'session-reset', Uint8Array.of(0, 4))
  }
  if (asn === 0) throw new WireError('AS number 0', HEADER_LENGTH + 1, [2, 2])
  if (holdTime === 1 || holdTime === 2) throw new WireError(`hold time ${holdTime}`, HEADER_LENGTH + 3, [2, 6])
  if (bgpIdentifier === 0) throw new WireError('BGP Identifier 0', HEADER_LENGTH + 5, [2, 3])
}

/** Walks the parameters: 1 octet of length each, 2 in the extended form of RFC 9072. */
function decodeParameters(octets: Uint8Array, offset: number, lengthWidth: 1 | 2): Capability[] {
  const capabilities: Capability[] = []
  for (let at = 0; at < octets.length;) {
    const start = at + 1 + lengthWidth
    if (start > octets.length) throw new WireError('optional parameter cut off', offset + octets.length, [2, 0])
    const length = lengthWidth === 1 ? octets[at + 1]! : readUint16(octets, at + 1)
    const end = start + length
    if (end > octets.length) throw new WireError('optional parameter cut off', offset + octets.length, [2, 0])
    if (octets[at] !== CAPABILITIES) throw new WireError(`optional parameter ${octets[at]}`, offset + at, [2, 4])
    capabilities.push(...decodeCapabilities(octets.subarray(start, end), offset + start))
    at = end
  }
  return capabilities
}

function decodeOptional(body: Uint8Array, optionalLength: number): Capability[] {
  if (optionalLength !== 0 && body[FIXED_LENGTH] === EXTENDED) {
    const start = FIXED_LENGTH + 3
    if (body.length < start || readUint16(body, FIXED_LENGTH + 1) !== body.length - start) {
      throw new WireError('extended optional parameters length', HEADER_LENGTH + FIXED_LENGTH, [2, 0])
    }
    return decodeParameters(body.subarray(start), HEADER_LENGTH + start, 2)
  }
  if (optionalLength !== body.length - FIXED_LENGTH) {
    throw new WireError('optional parameters length', HEADER_LENGTH + OPTIONAL_LENGTH, [2, 0])
  }
  return decodeParameters(body.subarray(FIXED_LENGTH), HEADER_LENGTH + FIXED_LENGTH, 1)
}

/**
 * @param body the octets after the 19-octet header
 * @throws {WireError} 1/2 below 10 octets; 2/1 version; 2/2 AS number 0; 2/3 BGP Identifier 0; 2/6 hold time 1 or 2;
 *   2/4 an optional parameter other than Capabilities; 2/0 lengths that do not add up
 */
export function decodeOpen(body: Uint8Array): OpenMessage {
  if (body.length < FIXED_LENGTH) throw new WireError('OPEN too short', HEADER_LENGTH + body.length, [1, 2])
  const fixed = fixedPart.parse(body) as Fixed
  checkFixed(fixed)
  const { asn, holdTime, bgpIdentifier, optionalLength } = fixed
  const capabilities = decodeOptional(body, optionalLength)
  return { type: 'open', version: 4, asn, holdTime, bgpIdentifier, capabilities }
}

/** The sender's AS number: that of capability 65 (RFC 6793), else the 2-octet field. */
export function openAsn(open: OpenMessage): number {
  for (const capability of open.capabilities) if (capability.type === 'four-octet-as') return capability.asn
  return open.asn
}

/** Octets between the fixed part and the capabilities: parameter headers, plain or of RFC 9072. */
function parameterHeader(length: Octets): Octets {
  if (length === 0) return 0
  return length + 2 > 255 ? 6 : 2
}

/** Octets that {@link encodeOpen} writes, header included. */
export function openLength(open: OpenMessage): Octets {
  const length = capabilitiesLength(open.capabilities)
  return HEADER_LENGTH + FIXED_LENGTH + parameterHeader(length) + length
}

/**
 * Writes all capabilities in one Capabilities Optional Parameter; above 255 octets in the extended form of RFC 9072.
 *
 * @throws {RangeError} caller's fault: `into` too small, or the message above 4096 octets
 */
export function encodeOpen(open: OpenMessage, into?: Uint8Array): Uint8Array {
  const length = capabilitiesLength(open.capabilities)
  const header = parameterHeader(length)
  const octets = startMessage(into, openLength(open), MessageType.Open)
  octets[HEADER_LENGTH] = open.version
  let at = writeUint16(octets, HEADER_LENGTH + 1, open.asn)
  at = writeUint16(octets, at, open.holdTime)
  at = writeUint32(octets, at, open.bgpIdentifier)
  octets[at++] = header === 6 ? 255 : header + length
  if (header === 6) {
    octets[at++] = EXTENDED
    at = writeUint16(octets, at, length + 3)
    octets[at++] = CAPABILITIES
    at = writeUint16(octets, at, length)
  } else if (header === 2) {
    octets[at++] = CAPABILITIES
    octets[at++] = length
  }
  encodeCapabilities(open.capabilities, octets, at)
  return octets
}
