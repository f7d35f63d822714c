import type { PathAttributes } from './attribute/path-attributes.js'
import { DEFAULT_CONTEXT, type MessageContext } from './context.js'
import { WireError } from './error.js'
import { Afi, familyName, Safi, type Family } from './family.js'
import { HEADER_LENGTH, messageLimit, MessageType, startMessage } from './header.js'
import { checkPathIds, encodeNlri, nlriFormat, nlriLength, readNlri, type Nlri } from './nlri.js'
import { readUint16, writeUint16, type Octets } from './octets.js'
import { encodePathAttributes, readPathAttributes } from './path-attributes.js'
import { handleFaults } from './revised-error-handling.js'

/** UPDATE message, RFC 4271 section 4.3. */
export interface UpdateMessage {
  readonly type: 'update'
  /** IPv4 unicast prefixes that are no longer reachable. */
  readonly withdrawnRoutes: readonly Nlri[]
  readonly pathAttributes: PathAttributes
  /** IPv4 unicast prefixes that are reachable as the path attributes say. */
  readonly nlri: readonly Nlri[]
  /**
   * Faults that RFC 7606 lets the session outlive; absent when there is none. They are dealt with already: discarded
   * attributes are not there, and a message to treat as withdraw has its prefixes among the withdrawn ones. All but one: after
   * `afi-safi-disable` the receiver deletes the routes of {@link WireError.family} and ignores the family from then on, or
   * resets the session (RFC 4760 section 7).
   */
  readonly faults?: readonly WireError[]
}

const LENGTH_FIELDS = 4 // Withdrawn Routes Length and Total Path Attribute Length

/** Lengths of the two variable fields, RFC 4271 section 6.3. @throws {WireError} 3/1 */
function readLengths(body: Uint8Array): { attributesAt: number; nlriAt: number } {
  if (body.length < LENGTH_FIELDS) throw new WireError('UPDATE too short', HEADER_LENGTH + body.length, [1, 2])
  const attributesAt = LENGTH_FIELDS + readUint16(body, 0)
  if (attributesAt > body.length) throw new WireError('Withdrawn Routes Length', HEADER_LENGTH, [3, 1])
  const nlriAt = attributesAt + readUint16(body, attributesAt - 2)
  if (nlriAt > body.length) throw new WireError('Total Path Attribute Length', HEADER_LENGTH + attributesAt - 2, [3, 1])
  return { attributesAt, nlriAt }
}

/**
 * Reads an UPDATE as RFC 7606 asks: see {@link UpdateMessage.faults}.
 *
 * @param body the octets after the 19-octet header
 * @returns values that may be views into `body`
 * @throws {WireError} 3/x when the session must be reset
 *
 * @example
 * ```ts
 * import { decodeMessage, encodeMessage, SegmentType } from '@typemetal/bgp/wire'
 *
 * const octets = encodeMessage({
 *   type: 'update',
 *   withdrawnRoutes: [],
 *   pathAttributes: {
 *     origin: 0,
 *     asPath: [{ type: SegmentType.AsSequence, asns: [64512] }],
 *     nextHop: Uint8Array.of(10, 0, 0, 1),
 *     unknown: [],
 *   },
 *   nlri: [{ prefix: Uint8Array.of(192, 0, 2), length: 24 }],
 * })
 * const message = decodeMessage(octets)
 * if (message.type === 'update') console.log(message.nlri, message.pathAttributes.asPath, message.faults)
 * ```
 */
export function decodeUpdate(body: Uint8Array, context: MessageContext): UpdateMessage {
  const { attributesAt, nlriAt } = readLengths(body)
  const format = nlriFormat('ipv4-unicast', context)
  const withdrawnRoutes = readNlri(body, 2, attributesAt - 2, format, HEADER_LENGTH)
  const nlri = readNlri(body, nlriAt, body.length, format, HEADER_LENGTH)
  const decoded = readPathAttributes(body, attributesAt, nlriAt, context, HEADER_LENGTH)
  return handleFaults({ type: 'update', withdrawnRoutes, pathAttributes: decoded.attributes, nlri }, decoded)
}

/**
 * Writes an UPDATE around attributes that are encoded already; the way to send many with the same attributes.
 *
 * @throws {RangeError} caller's fault: `into` too small, a message longer than the session allows, or a Path Identifier where
 *   the session has none or the other way round
 */
export function encodeUpdateParts(
  withdrawnRoutes: readonly Nlri[],
  attributes: Uint8Array,
  nlri: readonly Nlri[],
  context: MessageContext = DEFAULT_CONTEXT,
  into?: Uint8Array,
): Uint8Array {
  const format = nlriFormat('ipv4-unicast', context)
  checkPathIds(withdrawnRoutes, format)
  checkPathIds(nlri, format)
  const withdrawnLength = nlriLength(withdrawnRoutes)
  const length = HEADER_LENGTH + LENGTH_FIELDS + withdrawnLength + attributes.length + nlriLength(nlri)
  const octets = startMessage(into, length, MessageType.Update, messageLimit(context))
  let at = writeUint16(octets, HEADER_LENGTH, withdrawnLength)
  at = encodeNlri(withdrawnRoutes, octets, at)
  at = writeUint16(octets, at, attributes.length)
  octets.set(attributes, at)
  encodeNlri(nlri, octets, at + attributes.length)
  return octets
}

/** Octets that prefixes and attributes have together in one UPDATE. */
export const updateRoom = (context: MessageContext): Octets => messageLimit(context) - HEADER_LENGTH - LENGTH_FIELDS

/**
 * Writes an UPDATE; {@link UpdateMessage.faults} are not looked at.
 *
 * @throws {RangeError} caller's fault: `into` too small, a message longer than the session allows, a value that its attribute
 *   cannot hold, or a Path Identifier or next hop that was not negotiated
 */
export function encodeUpdate(update: UpdateMessage, context: MessageContext, into?: Uint8Array): Uint8Array {
  const attributes = encodePathAttributes(update.pathAttributes, context)
  return encodeUpdateParts(update.withdrawnRoutes, attributes, update.nlri, context, into)
}

/** Prefixes of one family that an UPDATE announces and withdraws. */
export interface FamilyChanges {
  readonly family: Family
  readonly withdrawn: readonly Nlri[]
  readonly reachable: readonly Nlri[]
  /** Next hop of the reachable ones, as sent. */
  readonly nextHop: Uint8Array | undefined
}

/** What an UPDATE changes, family by family, wherever in the message it stood; unknown families are left out. */
export function updateChanges({ withdrawnRoutes, pathAttributes, nlri }: UpdateMessage): FamilyChanges[] {
  const { nextHop, mpReachNlri: reach, mpUnreachNlri: unreach } = pathAttributes
  const changes: FamilyChanges[] = []
  // In front: what is withdrawn and announced in one message stays (RFC 4271 section 4.3).
  if (unreach && familyName(unreach)) {
    const family = { afi: unreach.afi, safi: unreach.safi }
    changes.push({ family, withdrawn: unreach.withdrawnRoutes, reachable: [], nextHop: undefined })
  }
  if (withdrawnRoutes.length || nlri.length) {
    const family = { afi: Afi.IPv4, safi: Safi.Unicast }
    changes.push({ family, withdrawn: withdrawnRoutes, reachable: nlri, nextHop })
  }
  if (reach && familyName(reach)) {
    const family = { afi: reach.afi, safi: reach.safi }
    changes.push({ family, withdrawn: [], reachable: reach.nlri, nextHop: reach.nextHop })
  }
  return changes
}
