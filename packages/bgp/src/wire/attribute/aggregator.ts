import { AS_TRANS } from '../capability/four-octet-as.js'
import { readUint16, readUint32, writeUint16, writeUint32 } from '../octets.js'
import { checkLength, MalformedValue, OPTIONAL_TRANSITIVE, ValueFault, type AttributeCodec } from './codec.js'

/** The speaker that formed an aggregate. */
export interface Aggregator {
  readonly asn: number
  /** Its BGP Identifier. */
  readonly bgpIdentifier: number
}

/** @throws {MalformedValue} AS 0, RFC 7607 section 2 */
export function checkAggregatorAs(asn: number): number {
  if (asn === 0) throw new MalformedValue('AS 0', ValueFault.OptionalAttribute)
  return asn
}

/** @throws {RangeError} caller's fault: AS 0, RFC 7607 section 2 */
export function checkSentAggregatorAs(asn: number): void {
  if (asn === 0) throw new RangeError('AS 0 must not be sent')
}

/** AGGREGATOR, RFC 4271 section 5.1.7; its AS number is 4 octets wide between speakers of RFC 6793. */
export const aggregator: AttributeCodec<Aggregator> = {
  code: 7,
  name: 'AGGREGATOR',
  flags: OPTIONAL_TRANSITIVE,
  disposition: 'attribute-discard',
  decode(value, { fourOctetAs }) {
    checkLength(value, fourOctetAs ? 8 : 6)
    const asn = fourOctetAs ? readUint32(value, 0) : readUint16(value, 0)
    return { asn: checkAggregatorAs(asn), bgpIdentifier: readUint32(value, fourOctetAs ? 4 : 2) }
  },
  length: (_, { fourOctetAs }) => (fourOctetAs ? 8 : 6),
  encode({ asn, bgpIdentifier }, into, { fourOctetAs }) {
    checkSentAggregatorAs(asn)
    const at = fourOctetAs ? writeUint32(into, 0, asn) : writeUint16(into, 0, asn > 0xffff ? AS_TRANS : asn)
    writeUint32(into, at, bgpIdentifier)
  },
}
