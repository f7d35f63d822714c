import { WireError } from './error.js'
import type { Family } from './family.js'
import { HEADER_LENGTH, MAX_LENGTH, MessageType, startMessage } from './header.js'
import { EMPTY, readUint16, writeUint16, type Octets } from './octets.js'

/** Message subtypes of RFC 7313 section 3.2; any other number is carried, and to be ignored (section 5). */
export const RouteRefreshSubtype = {
  /** A normal request, RFC 2918. */
  Request: 0,
  /** Beginning of Route Refresh (BoRR). */
  Beginning: 1,
  /** End of Route Refresh (EoRR). */
  End: 2,
} as const
export type RouteRefreshSubtype = number

/** ROUTE-REFRESH message, RFC 2918 section 3. */
export interface RouteRefreshMessage extends Family {
  readonly type: 'route-refresh'
  /** The octet that RFC 2918 reserves and RFC 7313 makes the message subtype: 0 is a normal request. */
  readonly subtype: RouteRefreshSubtype
  /** Outbound Route Filters, RFC 5291 section 4, which are carried only; absent when there is none. A view after decoding. */
  readonly orf?: Uint8Array
}

const AFI = 0 // octets from the start of the body
const SUBTYPE = 2
const SAFI = 3
const ORF = 4

const carriesNothing = (subtype: number): boolean =>
  subtype === RouteRefreshSubtype.Beginning || subtype === RouteRefreshSubtype.End

/**
 * @param octets the whole message, its header read already
 * @throws {WireError} 1/2 (Bad Message Length) when its body is below 4 octets; 7/1 (Invalid Message Length) for a BoRR or
 *   EoRR with more, with the message as data (RFC 7313 section 5)
 */
export function decodeRouteRefresh(octets: Uint8Array): RouteRefreshMessage {
  const body = octets.subarray(HEADER_LENGTH)
  if (body.length < ORF) throw new WireError('ROUTE-REFRESH too short', octets.length, [1, 2])
  const subtype = body[SUBTYPE]!
  if (body.length > ORF && carriesNothing(subtype)) {
    const text = `ROUTE-REFRESH of subtype ${subtype} and ${body.length} octets`
    throw new WireError(text, HEADER_LENGTH + ORF, [7, 1], 'session-reset', octets)
  }
  const message = { type: 'route-refresh', afi: readUint16(body, AFI), subtype, safi: body[SAFI]! } as const
  return body.length > ORF ? { ...message, orf: body.subarray(ORF) } : message
}

/**
 * @param limit most octets that the session allows
 * @throws {RangeError} caller's fault: `into` too small, filters in a BoRR or EoRR, or a message above `limit` octets
 */
export function encodeRouteRefresh(
  message: RouteRefreshMessage,
  into?: Uint8Array,
  limit: Octets = MAX_LENGTH,
): Uint8Array {
  const { afi, subtype, safi, orf = EMPTY } = message
  if (orf.length > 0 && carriesNothing(subtype))
    throw new RangeError(`filters in a ROUTE-REFRESH of subtype ${subtype}`)
  const octets = startMessage(into, HEADER_LENGTH + ORF + orf.length, MessageType.RouteRefresh, limit)
  writeUint16(octets, HEADER_LENGTH + AFI, afi)
  octets[HEADER_LENGTH + SUBTYPE] = subtype
  octets[HEADER_LENGTH + SAFI] = safi
  octets.set(orf, HEADER_LENGTH + ORF)
  return octets
}
