import { readUint32, writeUint32 } from '../octets.js'
import { checkAggregatorAs, checkSentAggregatorAs, type Aggregator } from './aggregator.js'
import { checkLength, OPTIONAL_TRANSITIVE, type AttributeCodec } from './codec.js'

/** AS4_AGGREGATOR, RFC 6793 section 3: the AGGREGATOR with its 4-octet AS number. */
export const as4Aggregator: AttributeCodec<Aggregator> = {
  code: 18,
  name: 'AS4_AGGREGATOR',
  flags: OPTIONAL_TRANSITIVE,
  disposition: 'attribute-discard', // RFC 6793 section 6
  decode(value) {
    checkLength(value, 8)
    return { asn: checkAggregatorAs(readUint32(value, 0)), bgpIdentifier: readUint32(value, 4) }
  },
  length: () => 8,
  encode({ asn, bgpIdentifier }, into) {
    checkSentAggregatorAs(asn)
    writeUint32(into, writeUint32(into, 0, asn), bgpIdentifier)
  },
}
