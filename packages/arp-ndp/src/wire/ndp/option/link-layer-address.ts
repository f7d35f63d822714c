import type { Octets } from '../../octets.js'
import { OPTION_HEADER_LENGTH, OPTION_UNIT, OptionType, optionUnits, writeOptionHeader } from './header.js'

/** Source Link-Layer Address or Target Link-Layer Address option, RFC 4861 §4.6.1. */
export interface LinkLayerAddressOption {
  readonly kind: 'source-link-layer-address' | 'target-link-layer-address'
  /** 6 octets on Ethernet (RFC 2464 §6), longer on other links; after decoding a view into the input. */
  readonly address: Uint8Array
}

/** @param option the whole option, whose length the caller has checked */
export const decodeLinkLayerAddress = (option: Uint8Array): LinkLayerAddressOption => ({
  kind: option[0] === OptionType.SourceLinkLayerAddress ? 'source-link-layer-address' : 'target-link-layer-address',
  address: option.subarray(OPTION_HEADER_LENGTH),
})

/** Octets of the option, a multiple of 8. */
export const linkLayerAddressLength = (option: LinkLayerAddressOption): Octets =>
  optionUnits(OPTION_HEADER_LENGTH + option.address.length) * OPTION_UNIT

/** Writes the option at the start of `into`, padded with zeros to a multiple of 8 octets. */
export function encodeLinkLayerAddress(option: LinkLayerAddressOption, into: Uint8Array): void {
  const source = option.kind === 'source-link-layer-address'
  const type = source ? OptionType.SourceLinkLayerAddress : OptionType.TargetLinkLayerAddress
  writeOptionHeader(into, type, linkLayerAddressLength(option))
  into.set(option.address, OPTION_HEADER_LENGTH)
}
