import { WireError } from '../../../errors.js'
import type { Octets } from '../../octets.js'
import { decodeDnsSearchList } from './dns-search-list.js'
import { decodeFlagsExpansion } from './flags-expansion.js'
import { OPTION_UNIT, OptionType } from './header.js'
import { decodeLinkLayerAddress } from './link-layer-address.js'
import { decodeMtu } from './mtu.js'
import { decodeNonce } from './nonce.js'
import type { NdpOption } from './option.js'
import { decodePref64 } from './pref64.js'
import { decodePrefixInformation } from './prefix-information.js'
import { decodeRecursiveDnsServer } from './recursive-dns-server.js'
import { decodeRedirectedHeader } from './redirected-header.js'
import { decodeRouteInformation } from './route-information.js'
import { decodeUnknown } from './unknown.js'
import { optionsFault } from './walk.js'

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
    case OptionType.Nonce:
      return decodeNonce(option)
    case OptionType.RouteInformation:
      return decodeRouteInformation(option)
    case OptionType.RecursiveDnsServer:
      return decodeRecursiveDnsServer(option)
    case OptionType.FlagsExpansion:
      return decodeFlagsExpansion(option)
    case OptionType.DnsSearchList:
      return decodeDnsSearchList(option)
    case OptionType.Pref64:
      return decodePref64(option)
    default:
      return decodeUnknown(option)
  }
}

/**
 * Decodes the options that fill `message` from `offset` to its end. One whose contents are wrong for its type comes out as
 * `malformed`, because it does not spoil the others. Offsets of errors count from the start of `message`.
 * @throws {WireError} `truncated` inside an option; `bad-length` for an option of length 0
 */
export function decodeOptions(message: Uint8Array, offset: Octets): NdpOption[] {
  // All are looked at before the first value is made, so that a bad message costs no more than a look.
  const bad = optionsFault(message, offset)
  if (bad !== undefined) throw new WireError(bad.rule, bad.offset, bad.fault)
  const options: NdpOption[] = []
  for (let at = offset; at < message.length;) {
    const end = at + message[at + 1]! * OPTION_UNIT
    options.push(decodeOption(message.subarray(at, end)))
    at = end
  }
  return options
}
