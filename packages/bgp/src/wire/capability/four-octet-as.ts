import { readUint32, writeUint32 } from '../octets.js'
import type { CapabilityCodec } from './capability.js'

/** What stands in a 2-octet field for an AS number that does not fit, RFC 6793 section 9. */
export const AS_TRANS = 23456

/** Support for 4-octet AS numbers, RFC 6793 section 3. */
export interface FourOctetAsCapability {
  readonly type: 'four-octet-as'
  readonly asn: number
}

/** Codec of {@link FourOctetAsCapability}. */
export const fourOctetAs: CapabilityCodec<FourOctetAsCapability> = {
  code: 65,
  type: 'four-octet-as',
  allows: length => length === 4,
  decode: value => ({ type: 'four-octet-as', asn: readUint32(value, 0) }),
  length: () => 4,
  encode(capability, into) {
    writeUint32(into, 0, capability.asn)
  },
}
