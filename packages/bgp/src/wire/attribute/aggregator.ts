import { AS_TRANS } from '../capability/four-octet-as.js'
import { readUint16, readUint32, writeUint16, writeUint32 } from '../octets.js'
import { checkLength, OPTIONAL_TRANSITIVE, type AttributeCodec } from './codec.js'

/** The speaker that formed an aggregate. */
export interface Aggregator {
  readonly asn: number
  /** Its BGP Identifier. */
  readonly bgpIdentifier: number
}

/** AGGREGATOR, RFC 4271 section 5.1.7; its AS number is 4 octets wide between speakers of RFC 6793. */
export const aggregator: AttributeCodec<Aggregator> = {
  code: 7,
  name: 'AGGREGATOR',
  flags: OPTIONAL_TRANSITIVE,
  disposition: 'attribute-discard',
  decode(value, { fourOctetAs }) {
    checkLength(value, fourOctetAs ? 8 : 6)
    return fourOctetAs
      ? { asn: readUint32(value, 0), bgpIdentifier: readUint32(value, 4) }
      : { asn: readUint16(value, 0), bgpIdentifier: readUint32(value, 2) }
  },
  length: (_, { fourOctetAs }) => (fourOctetAs ? 8 : 6),
  encode({ asn, bgpIdentifier }, into, { fourOctetAs }) {
    const at = fourOctetAs ? writeUint32(into, 0, asn) : writeUint16(into, 0, asn > 0xffff ? AS_TRANS : asn)
    writeUint32(into, at, bgpIdentifier)
  },
}
