import { AttributeFlag } from '../../wire/attribute/codec.js'
import { knownAttribute } from '../../wire/attribute/index.js'
import type { PathAttributes } from '../../wire/attribute/path-attributes.js'
import type { MessageContext } from '../../wire/context.js'
import { WireError } from '../../wire/error.js'
import type { Family } from '../../wire/family.js'
import { readUint16, writeUint16 } from '../../wire/octets.js'
import { decodePathAttributes, encodePathAttributes, type DecodedAttributes } from '../../wire/path-attributes.js'
import { MrtError } from './error.js'

const MP_REACH_NLRI = 14
const MAX_NEXT_HOP = 254

/** How the attributes of a RIB entry are written. */
export interface RibAttributesForm {
  /** AS numbers have 4 octets; 2 in TABLE_DUMP, the version 1. @default true */
  readonly fourOctetAs?: boolean
}

/** How {@link encodeRibAttributes} writes. */
export interface EncodeRibAttributesForm extends RibAttributesForm {
  /**
   * MP_REACH_NLRI whole as in RFC 4760, against RFC 6396 section 4.3.4, for readers that know no other: GoBGP is one.
   *
   * @default false
   */
  readonly wholeMpReachNlri?: boolean
}

/** How the attributes of a RIB entry are written: nothing is taken out of them, whoever the peer was. */
const context = (fourOctetAs: boolean): MessageContext => ({
  fourOctetAs,
  internal: true,
  extendedNextHop: ['ipv4-unicast', 'ipv6-unicast'],
})

/** One attribute in the form of RFC 4271 section 4.3: flags, code, two octets of length, value. */
function attribute(flags: number, code: number, value: Uint8Array): Uint8Array {
  const octets = new Uint8Array(4 + value.length)
  octets[0] = flags | AttributeFlag.ExtendedLength
  octets[1] = code
  writeUint16(octets, 2, value.length)
  octets.set(value, 4)
  return octets
}

/** The MP_REACH_NLRI of RFC 4760, without prefixes, for one that has only the length of its next hop and the next hop. */
function lengthened(value: Uint8Array, { afi, safi }: Family): Uint8Array {
  // In the full form an AFI stands first, whose first octet is 0 for every address family in use.
  if (value[0] !== value.length - 1) return value
  const full = new Uint8Array(3 + value.length + 1)
  writeUint16(full, 0, afi)
  full[2] = safi
  full.set(value, 3)
  return full
}

/** Flags as the attribute must have them: BIRD's dumps have none, and no peer is to blame for a dump's. */
function flagsOf(flags: number, code: number): number {
  const known = knownAttribute(code)
  return known ? known.codec.flags | (flags & AttributeFlag.Partial) : flags
}

/** The attributes as an UPDATE would have them; what cannot be cut into attributes is left as it is. */
function asInUpdate(octets: Uint8Array, family: Family): Uint8Array {
  const parts: Uint8Array[] = []
  let at = 0
  while (at + 3 <= octets.length) {
    const flags = octets[at]!
    const code = octets[at + 1]!
    const extended = (flags & AttributeFlag.ExtendedLength) !== 0
    const start = at + (extended ? 4 : 3)
    if (start > octets.length) break
    const end = start + (extended ? readUint16(octets, at + 2) : octets[at + 2]!)
    if (end > octets.length) break
    const value = octets.subarray(start, end)
    parts.push(attribute(flagsOf(flags, code), code, code === MP_REACH_NLRI ? lengthened(value, family) : value))
    at = end
  }
  parts.push(octets.subarray(at))
  return concat(parts)
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/**
 * Reads the path attributes of a RIB entry. MP_REACH_NLRI has only its next hop there (RFC 6396 section 4.3.4), which comes out
 * as `mpReachNlri` without prefixes; the whole attribute, as many dumps have it against the RFC, is read as well. Attribute Flags
 * do not count. `faults` say what an UPDATE could not have, such as the next hop 0.0.0.0 of a collector's own routes; such a
 * value is left out.
 *
 * @param family of the record
 * @returns values of their own octets
 * @throws {MrtError} attributes that no UPDATE could have either; its `cause` is the `WireError`
 */
export function decodeRibAttributes(
  attributes: Uint8Array,
  family: Family,
  { fourOctetAs = true }: RibAttributesForm = {},
): DecodedAttributes {
  try {
    return decodePathAttributes(asInUpdate(attributes, family), context(fourOctetAs), 0)
  } catch (cause) {
    if (cause instanceof WireError) throw new MrtError('path attributes', 0, { cause })
    throw cause
  }
}

/**
 * Writes the path attributes of a RIB entry, `mpReachNlri` in the short form; `mpUnreachNlri` is left out.
 *
 * @throws {RangeError} a value that its attribute cannot hold
 */
export function encodeRibAttributes(
  attributes: PathAttributes,
  { fourOctetAs = true, wholeMpReachNlri = false }: EncodeRibAttributesForm = {},
): Uint8Array {
  const { mpReachNlri, mpUnreachNlri: _, ...rest } = attributes
  if (mpReachNlri && wholeMpReachNlri) return encodePathAttributes({ ...rest, mpReachNlri }, context(fourOctetAs))
  const octets = encodePathAttributes(rest, context(fourOctetAs))
  if (!mpReachNlri) return octets
  const { nextHop } = mpReachNlri
  if (nextHop.length > MAX_NEXT_HOP) throw new RangeError(`next hop of ${nextHop.length} octets`)
  const short = Uint8Array.of(AttributeFlag.Optional, MP_REACH_NLRI, nextHop.length + 1, nextHop.length, ...nextHop)
  return concat([short, octets])
}
