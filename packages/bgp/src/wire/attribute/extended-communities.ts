import { checkMultiple, OPTIONAL_TRANSITIVE, type AttributeCodec } from './codec.js'

/** An extended community, RFC 4360 section 2. */
export interface ExtendedCommunity {
  /** High octet of the type, with the IANA bit (0x80) and the bit that makes it non-transitive (0x40). */
  readonly type: number
  /** Low octet of the type; of a type without one, the first octet of its value. */
  readonly subtype: number
  /** The other 6 octets. After decoding: a view into the input, so copy to keep. */
  readonly value: Uint8Array
}

const UNIT = 8
const VALUE = 2 // octets from the start of a community

/** EXTENDED COMMUNITIES, RFC 4360; the types are not looked into (RFC 7606 section 7.14). */
export const extendedCommunities: AttributeCodec<readonly ExtendedCommunity[]> = {
  code: 16,
  name: 'EXTENDED_COMMUNITIES',
  flags: OPTIONAL_TRANSITIVE,
  disposition: 'treat-as-withdraw',
  decode(value) {
    checkMultiple(value, UNIT)
    const list: ExtendedCommunity[] = []
    for (let at = 0; at < value.length; at += UNIT) {
      list.push({ type: value[at]!, subtype: value[at + 1]!, value: value.subarray(at + VALUE, at + UNIT) })
    }
    return list
  },
  length: list => UNIT * list.length,
  encode(list, into) {
    let at = 0
    for (const { type, subtype, value } of list) {
      if (value.length !== UNIT - VALUE) throw new RangeError(`extended community with ${value.length} octets of value`)
      into[at] = type
      into[at + 1] = subtype
      into.set(value, at + VALUE)
      at += UNIT
    }
  },
}
