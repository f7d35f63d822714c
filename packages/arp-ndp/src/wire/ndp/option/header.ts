import { checkInteger, type Octets } from '../../octets.js'

/** Types of Neighbor Discovery options that this package reads; any other number is carried. */
export const OptionType = {
  /** RFC 4861 §4.6.1 */
  SourceLinkLayerAddress: 1,
  /** RFC 4861 §4.6.1 */
  TargetLinkLayerAddress: 2,
  /** RFC 4861 §4.6.2 */
  PrefixInformation: 3,
  /** RFC 4861 §4.6.3 */
  RedirectedHeader: 4,
  /** RFC 4861 §4.6.4 */
  Mtu: 5,
  /** RFC 3971 §5.3.2 */
  Nonce: 14,
  /** RFC 4191 §2.3 */
  RouteInformation: 24,
  /** RFC 8106 §5.1 */
  RecursiveDnsServer: 25,
  /** RFC 5175 §4 */
  FlagsExpansion: 26,
  /** RFC 8106 §5.2 */
  DnsSearchList: 31,
  /** RFC 8781 §4 */
  Pref64: 38,
} as const
export type OptionType = number

/** Octets of Type and Length. */
export const OPTION_HEADER_LENGTH: Octets = 2

/** What an option's Length field counts in. */
export const OPTION_UNIT: Octets = 8

/** Length field for an option of so many octets: units of 8, rounded up. */
export const optionUnits = (octets: Octets): number => Math.ceil(octets / OPTION_UNIT)

/**
 * Writes Type and Length and clears the body.
 * @throws {RangeError} a type above 255, or an option above 2,040 octets, which the Length field cannot say
 */
export function writeOptionHeader(into: Uint8Array, type: OptionType, length: Octets): void {
  checkInteger(type, 0xff, 'type')
  const units = optionUnits(length)
  if (units > 0xff) throw new RangeError(`options has one of ${length} octets, above 2040`)
  into.fill(0, 0, length)
  into[0] = type
  into[1] = units
}

/** @throws {RangeError} the caller's octets do not end an option: with the header, they are no whole number of 8 */
export function checkWholeUnits(octets: Uint8Array, name: string): void {
  if ((OPTION_HEADER_LENGTH + octets.length) % OPTION_UNIT !== 0 || octets.length === 0) {
    throw new RangeError(`${name} has ${octets.length} octets, wants 6, 14, 22 …`)
  }
}
