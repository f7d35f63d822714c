import type { Octets } from '../../octets.js'

/** Types of Neighbor Discovery options, RFC 4861 §4.6; any other number is carried. */
export const OptionType = {
  SourceLinkLayerAddress: 1,
  TargetLinkLayerAddress: 2,
  PrefixInformation: 3,
  RedirectedHeader: 4,
  Mtu: 5,
} as const
export type OptionType = number

/** Octets of Type and Length. */
export const OPTION_HEADER_LENGTH: Octets = 2

/** Length field for an option of so many octets: units of 8, rounded up. */
export const optionUnits = (octets: Octets): number => Math.ceil(octets / 8)

/**
 * Writes Type and Length and clears the body.
 * @throws {RangeError} an option above 2,040 octets, which the Length field cannot say
 */
export function writeOptionHeader(into: Uint8Array, type: OptionType, length: Octets): void {
  const units = optionUnits(length)
  if (units > 255) throw new RangeError(`option of ${length} octets is above 2040`)
  into.fill(0, 0, length)
  into[0] = type
  into[1] = units
}
