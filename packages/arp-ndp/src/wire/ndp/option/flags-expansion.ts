import type { Octets } from '../../octets.js'
import { checkWholeUnits, OPTION_HEADER_LENGTH, OptionType, writeOptionHeader } from './header.js'

/** Flags Expansion option of a Router Advertisement, RFC 5175 §4. No flag in it has been given a meaning yet. */
export interface FlagsExpansionOption {
  readonly kind: 'flags-expansion'
  /** 6 octets, the flag that was given out first in the highest bit; more in a future form. A view into the input after decoding. */
  readonly flags: Uint8Array
}

/** @param option the whole option, whose length the caller has checked */
export const decodeFlagsExpansion = (option: Uint8Array): FlagsExpansionOption => ({
  kind: 'flags-expansion',
  flags: option.subarray(OPTION_HEADER_LENGTH),
})

/** Octets of the option, a multiple of 8. */
export const flagsExpansionLength = (option: FlagsExpansionOption): Octets => OPTION_HEADER_LENGTH + option.flags.length

/** @throws {RangeError} flags that leave an option of 8 octets unfilled */
export function encodeFlagsExpansion(option: FlagsExpansionOption, into: Uint8Array): void {
  checkWholeUnits(option.flags, 'flags')
  writeOptionHeader(into, OptionType.FlagsExpansion, flagsExpansionLength(option))
  into.set(option.flags, OPTION_HEADER_LENGTH)
}
