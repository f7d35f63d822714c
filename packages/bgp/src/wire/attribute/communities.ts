import { readUint32List, writeUint32List } from '../octets.js'
import { checkMultiple, OPTIONAL_TRANSITIVE, type AttributeCodec } from './codec.js'

/** COMMUNITIES, RFC 1997: each a 32-bit number, its upper half an AS number. */
export const communities: AttributeCodec<readonly number[]> = {
  code: 8,
  name: 'COMMUNITIES',
  flags: OPTIONAL_TRANSITIVE,
  disposition: 'treat-as-withdraw',
  decode(value) {
    checkMultiple(value, 4)
    return readUint32List(value)
  },
  length: list => 4 * list.length,
  encode(list, into) {
    writeUint32List(into, list)
  },
}
