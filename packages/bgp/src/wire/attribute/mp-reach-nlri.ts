import type { MessageContext } from '../context.js'
import { WireError } from '../error.js'
import { Afi, familyName, type Family, type FamilyName } from '../family.js'
import { checkPathIds, decodeNlri, encodeNlri, nlriFormat, nlriLength, type Nlri } from '../nlri.js'
import { readUint16, writeUint16 } from '../octets.js'
import { familyFault, OPTIONAL_NON_TRANSITIVE, type AttributeCodec } from './codec.js'

/** Value of MP_REACH_NLRI, RFC 4760 section 3. */
export interface MpReachNlri extends Family {
  /**
   * Next hop as sent: 4 or 16 octets, or 32 for a global and a link-local IPv6 address (RFC 2545). Of the other family than
   * the prefixes only where that was negotiated (RFC 8950). A view after decoding.
   */
  readonly nextHop: Uint8Array
  /** Prefixes; empty for a family that this package does not know. */
  readonly nlri: readonly Nlri[]
  /** NLRI octets of a family that this package does not know. A view after decoding. */
  readonly opaque?: Uint8Array
}

const NEXT_HOP_LENGTH = 3 // octets from the start of the value
const NEXT_HOP = 4

/** RFC 2545 section 3 and RFC 8950 section 3: the length says which family the next hop is of. */
function isNextHopLength(name: FamilyName, afi: number, length: number, context: MessageContext): boolean {
  if (length !== 4 && length !== 16 && length !== 32) return false
  return (length === 4) === (afi === Afi.IPv4) || (context.extendedNextHop?.includes(name) ?? false)
}

/**
 * MP_REACH_NLRI, RFC 4760 section 3. Its faults leave nothing to withdraw by: the family is lost (RFC 7606 section 7.11), and
 * the session where not even the family can be read.
 */
export const mpReachNlri: AttributeCodec<MpReachNlri> = {
  code: 14,
  name: 'MP_REACH_NLRI',
  flags: OPTIONAL_NON_TRANSITIVE,
  disposition: 'session-reset',
  decode(value, context, site) {
    const { offset } = site
    if (value.length < NEXT_HOP_LENGTH) {
      throw new WireError('MP_REACH_NLRI cut off', offset + value.length, [3, 9], 'session-reset', site.octets)
    }
    const family = { afi: readUint16(value, 0), safi: value[2]! }
    const fault = familyFault(family, site)
    const nlriAt = NEXT_HOP + (value[NEXT_HOP_LENGTH] ?? 0) + 1 // behind a reserved octet
    if (value.length < nlriAt) throw fault('MP_REACH_NLRI cut off', offset + value.length)
    const nextHop = value.subarray(NEXT_HOP, nlriAt - 1)
    const name = familyName(family)
    if (!name) return { ...family, nextHop, nlri: [], opaque: value.subarray(nlriAt) }
    if (!isNextHopLength(name, family.afi, nextHop.length, context)) {
      throw fault(`${name} with a next hop of ${nextHop.length} octets`, offset + NEXT_HOP_LENGTH)
    }
    const nlri = decodeNlri(value.subarray(nlriAt), nlriFormat(name, context), offset + nlriAt, fault)
    return { ...family, nextHop, nlri }
  },
  length: value => NEXT_HOP + value.nextHop.length + 1 + (value.opaque?.length ?? nlriLength(value.nlri)),
  encode(value, into, context) {
    const { afi, safi, nextHop, nlri, opaque } = value
    const name = familyName(value)
    if (name) {
      if (!isNextHopLength(name, afi, nextHop.length, context)) {
        throw new RangeError(`${name} with a next hop of ${nextHop.length} octets`)
      }
      checkPathIds(nlri, nlriFormat(name, context))
    }
    writeUint16(into, 0, afi)
    into[2] = safi
    into[NEXT_HOP_LENGTH] = nextHop.length
    into.set(nextHop, NEXT_HOP)
    const nlriAt = NEXT_HOP + nextHop.length + 1
    into[nlriAt - 1] = 0
    if (opaque) into.set(opaque, nlriAt)
    else encodeNlri(nlri, into, nlriAt)
  },
}
