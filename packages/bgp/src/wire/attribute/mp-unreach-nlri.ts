import { WireError } from '../error.js'
import { familyBits, familyName, type Family } from '../family.js'
import { decodeNlri, encodeNlri, nlriLength, type Nlri } from '../nlri.js'
import { readUint16, writeUint16 } from '../octets.js'
import { OPTIONAL_NON_TRANSITIVE, type AttributeCodec } from './codec.js'

/** Value of MP_UNREACH_NLRI, RFC 4760 section 4. Without prefixes and alone in an UPDATE it is End-of-RIB (RFC 4724). */
export interface MpUnreachNlri extends Family {
  /** Prefixes; empty for a family that this package does not know. */
  readonly withdrawnRoutes: readonly Nlri[]
  /** NLRI octets of a family that this package does not know. A view after decoding. */
  readonly opaque?: Uint8Array
}

const NLRI = 3 // octets from the start of the value

/** MP_UNREACH_NLRI, RFC 4760 section 4. */
export const mpUnreachNlri: AttributeCodec<MpUnreachNlri> = {
  code: 15,
  name: 'MP_UNREACH_NLRI',
  flags: OPTIONAL_NON_TRANSITIVE,
  disposition: 'session-reset',
  decode(value, _, offset) {
    if (value.length < NLRI) throw new WireError('MP_UNREACH_NLRI cut off', offset + value.length, [3, 9])
    const family = { afi: readUint16(value, 0), safi: value[2]! }
    const name = familyName(family)
    const octets = value.subarray(NLRI)
    if (!name) return { ...family, withdrawnRoutes: [], opaque: octets }
    return { ...family, withdrawnRoutes: decodeNlri(octets, familyBits(name), offset + NLRI, [3, 9]) }
  },
  length: value => NLRI + (value.opaque?.length ?? nlriLength(value.withdrawnRoutes)),
  encode(value, into) {
    writeUint16(into, 0, value.afi)
    into[2] = value.safi
    if (value.opaque) into.set(value.opaque, NLRI)
    else encodeNlri(value.withdrawnRoutes, into, NLRI)
  },
}
