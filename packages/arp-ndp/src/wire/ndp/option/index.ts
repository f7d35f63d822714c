import { WireError } from '../../../errors.js'
import { checkRoom, type Octets } from '../../octets.js'
import { OPTION_HEADER_LENGTH, OptionType } from './header.js'
import {
  decodeLinkLayerAddress,
  encodeLinkLayerAddress,
  linkLayerAddressLength,
  type LinkLayerAddressOption,
} from './link-layer-address.js'
import { decodeMtu, encodeMtu, mtuLength, type MtuOption } from './mtu.js'
import {
  decodePrefixInformation,
  encodePrefixInformation,
  prefixInformationLength,
  type PrefixInformationOption,
} from './prefix-information.js'
import {
  decodeRedirectedHeader,
  encodeRedirectedHeader,
  redirectedHeaderLength,
  type RedirectedHeaderOption,
} from './redirected-header.js'
import { decodeUnknown, encodeUnknown, unknownLength, type UnknownOption } from './unknown.js'

export { OptionType } from './header.js'
export type { LinkLayerAddressOption, MtuOption, PrefixInformationOption, RedirectedHeaderOption, UnknownOption }

/** One option of a Neighbor Discovery message, RFC 4861 §4.6. */
export type NdpOption =
  LinkLayerAddressOption | PrefixInformationOption | RedirectedHeaderOption | MtuOption | UnknownOption

function decodeOption(option: Uint8Array): NdpOption {
  switch (option[0]) {
    case OptionType.SourceLinkLayerAddress:
    case OptionType.TargetLinkLayerAddress:
      return decodeLinkLayerAddress(option)
    case OptionType.PrefixInformation:
      return decodePrefixInformation(option)
    case OptionType.RedirectedHeader:
      return decodeRedirectedHeader(option)
    case OptionType.Mtu:
      return decodeMtu(option)
    default:
      return decodeUnknown(option)
  }
}

/** Octets of the option at `offset`, by its Length field. */
function lengthAt(message: Uint8Array, offset: Octets): Octets {
  if (message.length < offset + OPTION_HEADER_LENGTH) {
    throw new WireError('option header cut off', message.length, 'truncated')
  }
  const length = message[offset + 1]! * 8
  // RFC 4861 §4.6: nodes MUST silently discard a packet with an option of length zero.
  if (length === 0) throw new WireError('option of length 0', offset + 1, 'bad-length')
  if (message.length < offset + length) throw new WireError('option cut off', message.length, 'truncated')
  return length
}

/**
 * Decodes the options that fill `message` from `offset` to its end. Offsets of errors count from the start of `message`.
 * @throws {WireError} `truncated` inside an option; `bad-length` for length 0 or a length wrong for the type
 */
export function decodeOptions(message: Uint8Array, offset: Octets): NdpOption[] {
  const options: NdpOption[] = []
  let at = offset
  while (at < message.length) {
    const end = at + lengthAt(message, at)
    options.push(decodeAt(message, at, end))
    at = end
  }
  return options
}

function decodeAt(message: Uint8Array, start: Octets, end: Octets): NdpOption {
  try {
    return decodeOption(message.subarray(start, end))
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    throw error.shifted(start)
  }
}

function optionLength(option: NdpOption): Octets {
  switch (option.kind) {
    case 'source-link-layer-address':
    case 'target-link-layer-address':
      return linkLayerAddressLength(option)
    case 'prefix-information':
      return prefixInformationLength(option)
    case 'redirected-header':
      return redirectedHeaderLength(option)
    case 'mtu':
      return mtuLength(option)
    default:
      return unknownLength(option)
  }
}

function encodeOption(option: NdpOption, into: Uint8Array): void {
  switch (option.kind) {
    case 'source-link-layer-address':
    case 'target-link-layer-address':
      return encodeLinkLayerAddress(option, into)
    case 'prefix-information':
      return encodePrefixInformation(option, into)
    case 'redirected-header':
      return encodeRedirectedHeader(option, into)
    case 'mtu':
      return encodeMtu(option, into)
    default:
      return encodeUnknown(option, into)
  }
}

/** Octets that {@link encodeOptions} writes. */
export const optionsLength = (options: readonly NdpOption[]): Octets =>
  options.reduce((sum, option) => sum + optionLength(option), 0)

/** @throws {RangeError} `into` too small, or a field out of its range */
export function encodeOptions(options: readonly NdpOption[], into: Uint8Array): void {
  checkRoom(into, optionsLength(options))
  let offset = 0
  for (const option of options) {
    const length = optionLength(option)
    encodeOption(option, into.subarray(offset, offset + length))
    offset += length
  }
}

/** The address of the first Source or Target Link-Layer Address option of that kind, `undefined` without one. */
export function linkLayerAddress(
  options: readonly NdpOption[],
  kind: LinkLayerAddressOption['kind'],
): Uint8Array | undefined {
  for (const option of options) if (option.kind === kind) return option.address
  return undefined
}
