import type { Octets } from '../../octets.js'
import { OPTION_HEADER_LENGTH, optionUnits, writeOptionHeader, type OptionType } from './header.js'

/** An option this package does not read. RFC 4861 §4.6: receivers MUST silently ignore it; here it is carried. */
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
export const unknownLength = (option: UnknownOption): Octets =>
  optionUnits(OPTION_HEADER_LENGTH + option.body.length) * 8

/** @throws {RangeError} more body than an option holds (2,038 octets) */
export function encodeUnknown(option: UnknownOption, into: Uint8Array): void {
  writeOptionHeader(into, option.type, unknownLength(option))
  into.set(option.body, OPTION_HEADER_LENGTH)
}
