import type { Octets } from '../../octets.js'
import { checkWholeUnits, OPTION_HEADER_LENGTH, OptionType, writeOptionHeader } from './header.js'

/**
 * Nonce option, RFC 3971 §5.3.2: a random number that tells one's own message, come back by a loop, from another's (RFC 7527
 * §4.1).
 */
export interface NonceOption {
  readonly kind: 'nonce'
  /** 6 octets, or 8, 16 … more; after decoding a view into the input. */
  readonly nonce: Uint8Array
}

/** @param option the whole option, whose length the caller has checked */
export const decodeNonce = (option: Uint8Array): NonceOption => ({
  kind: 'nonce',
  nonce: option.subarray(OPTION_HEADER_LENGTH),
})

/** Octets of the option, a multiple of 8. */
export const nonceLength = (option: NonceOption): Octets => OPTION_HEADER_LENGTH + option.nonce.length

/** @throws {RangeError} a nonce below 6 octets, or one that leaves an option of 8 octets unfilled (RFC 3971 §5.3.2) */
export function encodeNonce(option: NonceOption, into: Uint8Array): void {
  checkWholeUnits(option.nonce, 'nonce')
  writeOptionHeader(into, OptionType.Nonce, nonceLength(option))
  into.set(option.nonce, OPTION_HEADER_LENGTH)
}
