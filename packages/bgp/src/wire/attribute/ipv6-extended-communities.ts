import { readUint16, writeUint16 } from '../octets.js'
import { checkMultiple, OPTIONAL_TRANSITIVE, type AttributeCodec } from './codec.js'

/** An IPv6 Address Specific Extended Community, RFC 5701 section 2. */
export interface Ipv6ExtendedCommunity {
  readonly type: number
  readonly subtype: number
  /** An IPv6 address. After decoding: a view into the input, so copy to keep. */
  readonly globalAdministrator: Uint8Array
  readonly localAdministrator: number
}

const UNIT = 20
const GLOBAL = 2 // octets from the start of a community
const LOCAL = 18

/** IPv6 Address Specific Extended Communities, RFC 5701. */
export const ipv6ExtendedCommunities: AttributeCodec<readonly Ipv6ExtendedCommunity[]> = {
  code: 25,
  name: 'IPV6_EXTENDED_COMMUNITIES',
  flags: OPTIONAL_TRANSITIVE,
  disposition: 'treat-as-withdraw', // RFC 7606 section 7.15
  decode(value) {
    checkMultiple(value, UNIT)
    const list: Ipv6ExtendedCommunity[] = []
    for (let at = 0; at < value.length; at += UNIT) {
      const globalAdministrator = value.subarray(at + GLOBAL, at + LOCAL)
      const localAdministrator = readUint16(value, at + LOCAL)
      list.push({ type: value[at]!, subtype: value[at + 1]!, globalAdministrator, localAdministrator })
    }
    return list
  },
  length: list => UNIT * list.length,
  encode(list, into) {
    let at = 0
    for (const { type, subtype, globalAdministrator, localAdministrator } of list) {
      if (globalAdministrator.length !== LOCAL - GLOBAL) throw new RangeError('an IPv6 address has 16 octets')
      into[at] = type
      into[at + 1] = subtype
      into.set(globalAdministrator, at + GLOBAL)
      at = writeUint16(into, at + LOCAL, localAdministrator)
    }
  },
}
