import type { Octets } from '../../octets.js'
import { OPTION_HEADER_LENGTH, OPTION_UNIT, optionUnits, writeOptionHeader, type OptionType } from './header.js'
import type { MalformedOption } from './malformed.js'

/**
 * An option that this package does not read: those of SEND beside the nonce (RFC 3971 §5) and of Mobile IPv6 (RFC 6275 §7), and
 * any newer one. RFC 4861 §4.6: receivers MUST silently ignore it; here it is carried.
 */
export interface UnknownOption {
  readonly kind: 'unknown'
  readonly type: OptionType
  /** What follows Type and Length; after decoding a view into the input. */
  readonly body: Uint8Array
}

/** @param option the whole option, whose length the caller has checked */
export const decodeUnknown = (option: Uint8Array): UnknownOption => ({
  kind: 'unknown',
  type: option[0]!,
  body: option.subarray(OPTION_HEADER_LENGTH),
})

/** Octets of the option, a multiple of 8. */
export const unknownLength = (option: UnknownOption | MalformedOption): Octets =>
  optionUnits(OPTION_HEADER_LENGTH + option.body.length) * OPTION_UNIT

/**
 * Writes the option at the start of `into`, padded with zeros to a multiple of 8 octets.
 * @throws {RangeError} more body than an option holds (2,038 octets), or a type above 255
 */
export function encodeUnknown(option: UnknownOption | MalformedOption, into: Uint8Array): void {
  writeOptionHeader(into, option.type, unknownLength(option))
  into.set(option.body, OPTION_HEADER_LENGTH)
}
