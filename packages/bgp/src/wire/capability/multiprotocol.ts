import type { Family } from '../family.js'
import { readUint16, writeUint16 } from '../octets.js'
import type { CapabilityCodec } from './capability.js'

/** Multiprotocol Extensions capability, RFC 4760 section 8. */
export interface MultiprotocolCapability extends Family {
  readonly type: 'multiprotocol'
}

const SAFI = 3 // behind AFI and a reserved octet

/** Codec of {@link MultiprotocolCapability}. */
export const multiprotocol: CapabilityCodec<MultiprotocolCapability> = {
  code: 1,
  type: 'multiprotocol',
  allows: length => length === 4,
  decode: value => ({ type: 'multiprotocol', afi: readUint16(value, 0), safi: value[SAFI]! }),
  length: () => 4,
  encode(capability, into) {
    writeUint16(into, 0, capability.afi)
    into[2] = 0
    into[SAFI] = capability.safi
  },
}
