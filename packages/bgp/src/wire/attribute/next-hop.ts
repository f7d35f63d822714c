import { checkLength, MalformedValue, ValueFault, WELL_KNOWN, type AttributeCodec } from './codec.js'

/** NEXT_HOP, RFC 4271 section 5.1.3: an IPv4 address. After decoding: a view into the input, so copy to keep. */
export const nextHop: AttributeCodec<Uint8Array> = {
  code: 3,
  name: 'NEXT_HOP',
  flags: WELL_KNOWN,
  disposition: 'treat-as-withdraw',
  decode(value) {
    checkLength(value, 4)
    // RFC 4271 section 6.3: a valid host address; not "this network" (RFC 1122), multicast or reserved.
    if (value[0] === 0 || value[0]! >= 224)
      throw new MalformedValue(`not a host: ${value.join('.')}`, ValueFault.NextHop)
    return value
  },
  length: value => value.length,
  encode(value, into) {
    if (value.length !== 4) throw new RangeError('NEXT_HOP has 4 octets')
    into.set(value)
  },
}
