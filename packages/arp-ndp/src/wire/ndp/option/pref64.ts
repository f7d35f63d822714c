import { checkAddress, checkInteger, putUint16, uint16At, type Octets } from '../../octets.js'
import { OptionType, writeOptionHeader } from './header.js'
import { malformed, type MalformedOption } from './malformed.js'

/** Prefix lengths that NAT64 knows, by their Prefix Length Code (RFC 8781 §4). */
const PREFIX_LENGTHS = [96, 64, 56, 48, 40, 32] as const

/** PREF64 option, RFC 8781 §4: the prefix behind which a NAT64 makes IPv4 reachable. */
export interface Pref64Option {
  readonly kind: 'pref64'
  /** Seconds, 0 to 65,528; 0 takes the prefix back. Encoding rounds up to a multiple of 8 (RFC 8781 §4.1). */
  readonly lifetime: number
  /** Valid leading bits of the prefix. */
  readonly prefixLength: (typeof PREFIX_LENGTHS)[number]
  /** The highest 12 octets; after decoding a view into the input. */
  readonly prefix: Uint8Array
}

const LENGTH: Octets = 16
const SCALED_LIFETIME = 2
const PREFIX = 4
const PREFIX_OCTETS: Octets = 12
/** Seconds that one step of the Scaled Lifetime stands for. */
const SCALE = 8
const CODE_BITS = 3
const MOST_LIFETIME = 0x1fff * SCALE

/** @param option the whole option; malformed when it is not 16 octets or its Prefix Length Code is not one of six */
export function decodePref64(option: Uint8Array): Pref64Option | MalformedOption {
  if (option.length !== LENGTH) return malformed(option, 'PREF64 option is not 16 octets')
  const scaled = uint16At(option, SCALED_LIFETIME)
  const prefixLength = PREFIX_LENGTHS[scaled & ((1 << CODE_BITS) - 1)]
  if (prefixLength === undefined) return malformed(option, 'unknown Prefix Length Code')
  return {
    kind: 'pref64',
    lifetime: (scaled >>> CODE_BITS) * SCALE,
    prefixLength,
    prefix: option.subarray(PREFIX),
  }
}

/** Octets of the option: always 16. */
export const pref64Length = (_option: Pref64Option): Octets => LENGTH

/** @throws {RangeError} a prefix that has not 12 octets, a prefix length that NAT64 does not know, or a lifetime above 65,528 */
export function encodePref64(option: Pref64Option, into: Uint8Array): void {
  const code = PREFIX_LENGTHS.indexOf(option.prefixLength)
  if (code === -1) throw new RangeError(`prefixLength ${option.prefixLength} is not ${PREFIX_LENGTHS.join(', ')}`)
  checkAddress(option.prefix, PREFIX_OCTETS, 'prefix')
  checkInteger(option.lifetime, MOST_LIFETIME, 'lifetime')
  writeOptionHeader(into, OptionType.Pref64, LENGTH)
  putUint16(into, SCALED_LIFETIME, (Math.ceil(option.lifetime / SCALE) << CODE_BITS) | code)
  into.set(option.prefix, PREFIX)
}
