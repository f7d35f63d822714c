import { WireError } from '../error.js'
import { Afi, familyBits, familyName, type Family } from '../family.js'
import { decodeNlri, encodeNlri, nlriLength, type Nlri } from '../nlri.js'
import { readUint16, writeUint16 } from '../octets.js'
import { OPTIONAL_NON_TRANSITIVE, type AttributeCodec } from './codec.js'

/** Value of MP_REACH_NLRI, RFC 4760 section 3. */
export interface MpReachNlri extends Family {
  /** Next hop as sent: 4 or 16 octets, or 32 for a global and a link-local IPv6 address (RFC 2545). A view after decoding. */
  readonly nextHop: Uint8Array
  /** Prefixes; empty for a family that this package does not know. */
  readonly nlri: readonly Nlri[]
  /** NLRI octets of a family that this package does not know. A view after decoding. */
  readonly opaque?: Uint8Array
}

const NEXT_HOP_LENGTH = 3 // octets from the start of the value
const NEXT_HOP = 4

const isNextHopLength = (afi: number, length: number): boolean =>
  length === 16 || length === 32 || (length === 4 && afi === Afi.IPv4)

/** MP_REACH_NLRI, RFC 4760 section 3. Its faults leave nothing to withdraw by, so they reset (RFC 7606 section 7.11). */
export const mpReachNlri: AttributeCodec<MpReachNlri> = {
  code: 14,
  name: 'MP_REACH_NLRI',
  flags: OPTIONAL_NON_TRANSITIVE,
  disposition: 'session-reset',
  decode(value, _, offset) {
    const nlriAt = NEXT_HOP + (value[NEXT_HOP_LENGTH] ?? 0) + 1 // behind a reserved octet
    if (value.length < nlriAt) throw new WireError('MP_REACH_NLRI cut off', offset + value.length, [3, 9])
    const family = { afi: readUint16(value, 0), safi: value[2]! }
    const nextHop = value.subarray(NEXT_HOP, nlriAt - 1)
    const name = familyName(family)
    const octets = value.subarray(nlriAt)
    if (!name) return { ...family, nextHop, nlri: [], opaque: octets }
    if (!isNextHopLength(family.afi, nextHop.length)) {
      throw new WireError(`next hop of ${nextHop.length} octets`, offset + NEXT_HOP_LENGTH, [3, 9])
    }
    return { ...family, nextHop, nlri: decodeNlri(octets, familyBits(name), offset + nlriAt, [3, 9]) }
  },
  length: value => NEXT_HOP + value.nextHop.length + 1 + (value.opaque?.length ?? nlriLength(value.nlri)),
  encode(value, into) {
    writeUint16(into, 0, value.afi)
    into[2] = value.safi
    into[NEXT_HOP_LENGTH] = value.nextHop.length
    into.set(value.nextHop, NEXT_HOP)
    const nlriAt = NEXT_HOP + value.nextHop.length + 1
    into[nlriAt - 1] = 0
    if (value.opaque) into.set(value.opaque, nlriAt)
    else encodeNlri(value.nlri, into, nlriAt)
  },
}
