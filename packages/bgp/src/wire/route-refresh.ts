import { WireError } from './error.js'
import type { Family } from './family.js'
import { HEADER_LENGTH, MessageType, startMessage } from './header.js'
import { readUint16, writeUint16 } from './octets.js'

/** ROUTE-REFRESH message, RFC 2918 section 3. */
export interface RouteRefreshMessage extends Family {
  readonly type: 'route-refresh'
  /** The octet that RFC 2918 reserves and RFC 7313 makes the message subtype: 0 is a normal request. */
  readonly subtype: number
}

const AFI = 0 // octets from the start of the body
const SUBTYPE = 2
const SAFI = 3
const BODY_LENGTH = 4
const LENGTH = HEADER_LENGTH + BODY_LENGTH

/**
 * @param body the octets after the 19-octet header
 * @throws {WireError} 1/2 (Bad Message Length) when it does not have 4 octets
 */
export function decodeRouteRefresh(body: Uint8Array): RouteRefreshMessage {
  if (body.length !== BODY_LENGTH) {
    const at = HEADER_LENGTH + Math.min(body.length, BODY_LENGTH)
    throw new WireError(`ROUTE-REFRESH of ${body.length} octets`, at, [1, 2])
  }
  return { type: 'route-refresh', afi: readUint16(body, AFI), subtype: body[SUBTYPE]!, safi: body[SAFI]! }
}

/** @throws {RangeError} caller's fault: `into` too small */
export function encodeRouteRefresh(message: RouteRefreshMessage, into?: Uint8Array): Uint8Array {
  const octets = startMessage(into, LENGTH, MessageType.RouteRefresh)
  writeUint16(octets, HEADER_LENGTH + AFI, message.afi)
  octets[HEADER_LENGTH + SUBTYPE] = message.subtype
  octets[HEADER_LENGTH + SAFI] = message.safi
  return octets
}
