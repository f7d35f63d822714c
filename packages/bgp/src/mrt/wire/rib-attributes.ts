import { AttributeFlag } from '../../wire/attribute/codec.js'
import type { MessageContext } from '../../wire/context.js'
import { WireError } from '../../wire/error.js'
import type { Family } from '../../wire/family.js'
import { readUint16, writeUint16 } from '../../wire/octets.js'
import { decodePathAttributes, encodePathAttributes, type DecodedAttributes } from '../../wire/path-attributes.js'
import type { PathAttributes } from '../../wire/attribute/path-attributes.js'
import { MrtError } from './error.js'

const MP_REACH_NLRI = 14
const MAX_NEXT_HOP = 254

/** How the attributes of a RIB entry are written: nothing is taken out of them, whoever the peer was. */
const context = (fourOctetAs: boolean): MessageContext => ({
  fourOctetAs,
  internal: true,
  extendedNextHop: ['ipv4-unicast', 'ipv6-unicast'],
})

/** An attribute among others: where it, its value and the next one start. */
interface Place {
  readonly at: number
  readonly start: number
  readonly end: number
}

/** The MP_REACH_NLRI in RFC 6396's short form: next hop length and next hop, and nothing else. */
function findShortened(octets: Uint8Array): Place | undefined {
  for (let at = 0; at + 3 <= octets.length;) {
    const extended = (octets[at]! & AttributeFlag.ExtendedLength) !== 0
    if (extended && at + 4 > octets.length) return undefined
    const start = at + (extended ? 4 : 3)
    const end = start + (extended ? readUint16(octets, at + 2) : octets[at + 2]!)
    if (end > octets.length) return undefined
    if (octets[at + 1] === MP_REACH_NLRI) {
      // In the full form an AFI stands first, whose first octet is 0 for every address family in use.
      return octets[start] === end - start - 1 ? { at, start, end } : undefined
    }
    at = end
  }
  return undefined
}

/** The attributes with the MP_REACH_NLRI at `place` in the form of RFC 4760, without prefixes. */
function lengthen(octets: Uint8Array, { at, start, end }: Place, { afi, safi }: Family): Uint8Array {
  const nextHop = octets.subarray(start, end)
  const length = 3 + nextHop.length + 1
  const header = new Uint8Array(4 + 3)
  header[0] = AttributeFlag.Optional | AttributeFlag.ExtendedLength
  header[1] = MP_REACH_NLRI
  writeUint16(header, 2, length)
  writeUint16(header, 4, afi)
  header[6] = safi
  const whole = new Uint8Array(at + 4 + length + octets.length - end)
  whole.set(octets.subarray(0, at))
  whole.set(header, at)
  whole.set(nextHop, at + header.length)
  whole.set(octets.subarray(end), at + 4 + length)
  return whole
}

/**
 * Reads the path attributes of a RIB entry. MP_REACH_NLRI has only its next hop there (RFC 6396 section 4.3.4), which comes out
 * as `mpReachNlri` without prefixes; the whole attribute, as many dumps have it against the RFC, is read as well.
 *
 * @param family of the record
 * @param fourOctetAs false for TABLE_DUMP, the version 1 @default true
 * @returns values that may be views into `attributes`
 * @throws {MrtError} attributes that no UPDATE could have either; its `cause` is the `WireError`
 */
export function decodeRibAttributes(attributes: Uint8Array, family: Family, fourOctetAs = true): DecodedAttributes {
  const place = findShortened(attributes)
  const octets = place ? lengthen(attributes, place, family) : attributes
  try {
    return decodePathAttributes(octets, context(fourOctetAs), 0)
  } catch (cause) {
    if (cause instanceof WireError) throw new MrtError('path attributes', cause.offset, { cause })
    throw cause
  }
}

/**
 * Writes the path attributes of a RIB entry, `mpReachNlri` in the short form; `mpUnreachNlri` is left out.
 *
 * @param fourOctetAs false for TABLE_DUMP, the version 1 @default true
 * @throws {RangeError} a value that its attribute cannot hold
 */
export function encodeRibAttributes(attributes: PathAttributes, fourOctetAs = true): Uint8Array {
  const { mpReachNlri, mpUnreachNlri: _, ...rest } = attributes
  const octets = encodePathAttributes(rest, context(fourOctetAs))
  if (!mpReachNlri) return octets
  const { nextHop } = mpReachNlri
  if (nextHop.length > MAX_NEXT_HOP) throw new RangeError(`next hop of ${nextHop.length} octets`)
  const short = Uint8Array.of(AttributeFlag.Optional, MP_REACH_NLRI, nextHop.length + 1, nextHop.length, ...nextHop)
  const whole = new Uint8Array(short.length + octets.length)
  whole.set(short)
  whole.set(octets, short.length)
  return whole
}
