import { checkInteger, putUint32, uint32At, type Octets } from '../../octets.js'
import { preferenceBits, preferenceIn, type RouterPreference } from '../preference.js'
import { OPTION_UNIT, OptionType, writeOptionHeader } from './header.js'
import { malformed, type MalformedOption } from './malformed.js'

/** Route Information option, RFC 4191 §2.3: a way to a prefix that leads through the router. */
export interface RouteInformationOption {
  readonly kind: 'route-information'
  /** Valid leading bits of the prefix, 0 to 128; 0 is the default route. */
  readonly prefixLength: number
  readonly preference: RouterPreference
  /** Seconds; 0xffffffff is for ever, 0 takes the route back. */
  readonly lifetime: number
  /** First 0, 8 or 16 octets of the prefix, not fewer than its length needs; after decoding a view into the input. */
  readonly prefix: Uint8Array
}

const PREFIX_LENGTH = 2
const FLAGS = 3
const LIFETIME = 4
const PREFIX = 8
const MOST_LENGTH: Octets = 24

/** @param option the whole option; malformed when its length does not fit the prefix, or its preference is the reserved one */
export function decodeRouteInformation(option: Uint8Array): RouteInformationOption | MalformedOption {
  if (option.length > MOST_LENGTH) return malformed(option, 'Route Information above 24 octets')
  const prefixLength = option[PREFIX_LENGTH]!
  if (prefixLength > 128) return malformed(option, 'prefix length above 128')
  const prefix = option.subarray(PREFIX)
  if (prefixLength > prefix.length * 8) return malformed(option, 'Route Information shorter than its prefix')
  const preference = preferenceIn(option[FLAGS]!)
  if (preference === undefined) return malformed(option, 'reserved route preference')
  return { kind: 'route-information', prefixLength, preference, lifetime: uint32At(option, LIFETIME), prefix }
}

/** Octets of the option: 8, 16 or 24. */
export const routeInformationLength = (option: RouteInformationOption): Octets => PREFIX + option.prefix.length

/** @throws {RangeError} a prefix of other than 0, 8 or 16 octets or too short for its length, or a number out of its range */
export function encodeRouteInformation(option: RouteInformationOption, into: Uint8Array): void {
  const { prefix, prefixLength, lifetime } = option
  if (prefix.length % OPTION_UNIT !== 0 || prefix.length > MOST_LENGTH - PREFIX) {
    throw new RangeError(`prefix has ${prefix.length} octets, wants 0, 8 or 16`)
  }
  checkInteger(prefixLength, prefix.length * 8, 'prefixLength')
  checkInteger(lifetime, 0xffff_ffff, 'lifetime')
  writeOptionHeader(into, OptionType.RouteInformation, routeInformationLength(option))
  into[PREFIX_LENGTH] = prefixLength
  into[FLAGS] = preferenceBits(option.preference)
  putUint32(into, LIFETIME, lifetime)
  into.set(prefix, PREFIX)
}
