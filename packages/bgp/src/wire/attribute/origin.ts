import { checkLength, MalformedValue, ValueFault, WELL_KNOWN, type AttributeCodec } from './codec.js'

/** Values of ORIGIN, RFC 4271 section 4.3. */
export const Origin = { Igp: 0, Egp: 1, Incomplete: 2 } as const
export type Origin = (typeof Origin)[keyof typeof Origin]

/** ORIGIN, RFC 4271 section 5.1.1. */
export const origin: AttributeCodec<Origin> = {
  code: 1,
  name: 'ORIGIN',
  flags: WELL_KNOWN,
  disposition: 'treat-as-withdraw',
  decode(value) {
    checkLength(value, 1)
    const found = value[0]!
    if (found > Origin.Incomplete) throw new MalformedValue(`undefined value ${found}`, ValueFault.Origin)
    return found as Origin
  },
  length: () => 1,
  encode(value, into) {
    into[0] = value
  },
}
