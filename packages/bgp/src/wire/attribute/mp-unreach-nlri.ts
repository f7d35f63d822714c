import { WireError } from '../error.js'
import { familyName, type Family } from '../family.js'
import { checkPathIds, decodeNlri, encodeNlri, nlriFormat, nlriLength, type Nlri } from '../nlri.js'
import { readUint16, writeUint16 } from '../octets.js'
import { familyFault, OPTIONAL_NON_TRANSITIVE, type AttributeCodec } from './codec.js'

/** Value of MP_UNREACH_NLRI, RFC 4760 section 4. Without prefixes and alone in an UPDATE it is End-of-RIB (RFC 4724). */
export interface MpUnreachNlri extends Family {
  /** Prefixes; empty for a family that this package does not know. */
  readonly withdrawnRoutes: readonly Nlri[]
  /** NLRI octets of a family that this package does not know. A view after decoding. */
  readonly opaque?: Uint8Array
}

const NLRI = 3 // octets from the start of the value

/** MP_UNREACH_NLRI, RFC 4760 section 4; its faults are those of MP_REACH_NLRI (RFC 7606 section 7.12). */
export const mpUnreachNlri: AttributeCodec<MpUnreachNlri> = {
  code: 15,
  name: 'MP_UNREACH_NLRI',
  flags: OPTIONAL_NON_TRANSITIVE,
  disposition: 'session-reset',
  decode(value, context, site) {
    const { offset } = site
    if (value.length < NLRI) {
      throw new WireError('MP_UNREACH_NLRI cut off', offset + value.length, [3, 9], 'session-reset', site.octets)
    }
    const family = { afi: readUint16(value, 0), safi: value[2]! }
    const name = familyName(family)
    const prefixes = value.subarray(NLRI)
    if (!name) return { ...family, withdrawnRoutes: [], opaque: prefixes }
    const fault = familyFault(family, site)
    return { ...family, withdrawnRoutes: decodeNlri(prefixes, nlriFormat(name, context), offset + NLRI, fault) }
  },
  length: value => NLRI + (value.opaque?.length ?? nlriLength(value.withdrawnRoutes)),
  encode(value, into, context) {
    const name = familyName(value)
    if (name) checkPathIds(value.withdrawnRoutes, nlriFormat(name, context))
    writeUint16(into, 0, value.afi)
    into[2] = value.safi
    if (value.opaque) into.set(value.opaque, NLRI)
    else encodeNlri(value.withdrawnRoutes, into, NLRI)
  },
}
