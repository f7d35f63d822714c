import { readUint32, writeUint32 } from '../octets.js'
import { checkLength, isInternal, OPTIONAL_NON_TRANSITIVE, type AttributeCodec } from './codec.js'

/** ORIGINATOR_ID, RFC 4456 section 8: the BGP Identifier of the route's first speaker in this AS. */
export const originatorId: AttributeCodec<number> = {
  code: 9,
  name: 'ORIGINATOR_ID',
  flags: OPTIONAL_NON_TRANSITIVE,
  disposition: 'treat-as-withdraw',
  accepts: isInternal,
  decode(value) {
    checkLength(value, 4)
    return readUint32(value, 0)
  },
  length: () => 4,
  encode(value, into) {
    writeUint32(into, 0, value)
  },
}
