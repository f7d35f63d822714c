import { readUint32, writeUint32 } from '../octets.js'
import { checkLength, OPTIONAL_TRANSITIVE, type AttributeCodec } from './codec.js'

/** Only to Customer (OTC), RFC 9234 section 5: the AS from where on the route may only go down, to customers. */
export const onlyToCustomer: AttributeCodec<number> = {
  code: 35,
  name: 'OTC',
  flags: OPTIONAL_TRANSITIVE,
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
