import type { Octets } from '../../octets.js'
import { OPTION_UNIT, OptionType, optionUnits, writeOptionHeader } from './header.js'

/** Redirected Header option, RFC 4861 §4.6.3: the start of the packet that made the router send a Redirect. */
export interface RedirectedHeaderOption {
  readonly kind: 'redirected-header'
  /** IP header and data; zero padding to 8 octets comes back from decoding. A view into the input then. */
  readonly packet: Uint8Array
}

const PACKET = 8

/** @param option the whole option, at least 8 octets by its Length field */
export const decodeRedirectedHeader = (option: Uint8Array): RedirectedHeaderOption => ({
  kind: 'redirected-header',
  packet: option.subarray(PACKET),
})

/** Octets of the option, a multiple of 8. */
export const redirectedHeaderLength = (option: RedirectedHeaderOption): Octets =>
  optionUnits(PACKET + option.packet.length) * OPTION_UNIT

/** @throws {RangeError} more packet than an option holds (2,032 octets) */
export function encodeRedirectedHeader(option: RedirectedHeaderOption, into: Uint8Array): void {
  writeOptionHeader(into, OptionType.RedirectedHeader, redirectedHeaderLength(option))
  into.set(option.packet, PACKET)
}
