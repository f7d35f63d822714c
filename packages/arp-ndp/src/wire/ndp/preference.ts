/** How a router or a route compares with others, RFC 4191 §2.1. */
export type RouterPreference = 'high' | 'medium' | 'low'

/** Where the two bits stand in an octet of flags: the Router Advertisement's and the Route Information option's. */
const SHIFT = 3
/** By the value of the two bits, a signed number; 10 is reserved. */
const BY_BITS: readonly (RouterPreference | undefined)[] = ['medium', 'high', undefined, 'low']
const BITS = { medium: 0, high: 1, low: 3 } as const

/** The preference in an octet of flags; `undefined` for the reserved value. */
export const preferenceIn = (flags: number): RouterPreference | undefined => BY_BITS[(flags >>> SHIFT) & 3]

/** The preference as bits of an octet of flags. @throws {RangeError} a word that is no preference */
export function preferenceBits(preference: RouterPreference): number {
  const bits: number | undefined = BITS[preference]
  if (bits === undefined) throw new RangeError(`preference ${preference} is not high, medium or low`)
  return bits << SHIFT
}
