import { readUint32, writeUint32 } from '../octets.js'
import { checkLength, OPTIONAL_NON_TRANSITIVE, type AttributeCodec } from './codec.js'

/** MULTI_EXIT_DISC, RFC 4271 section 5.1.4: lower is better. */
export const multiExitDisc: AttributeCodec<number> = {
  code: 4,
  name: 'MULTI_EXIT_DISC',
  flags: OPTIONAL_NON_TRANSITIVE,
  disposition: 'treat-as-withdraw',
  decode(value) {
    checkLength(value, 4)
    return readUint32(value, 0)
  },
  length: () => 4,
  encode(value, into) {
    writeUint32(into, 0, value)
  },
}
