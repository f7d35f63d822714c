import { checkLength, WELL_KNOWN, type AttributeCodec } from './codec.js'

/** ATOMIC_AGGREGATE, RFC 4271 section 5.1.6: there or not, without a value. */
export const atomicAggregate: AttributeCodec<true> = {
  code: 6,
  name: 'ATOMIC_AGGREGATE',
  flags: WELL_KNOWN,
  disposition: 'attribute-discard',
  decode(value) {
    checkLength(value, 0)
    return true
  },
  length: () => 0,
  encode() {},
}
