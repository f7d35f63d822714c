import { checkRoom, type Octets } from '../../octets.js'
import { dnsSearchListLength, encodeDnsSearchList } from './dns-search-list.js'
import { encodeFlagsExpansion, flagsExpansionLength } from './flags-expansion.js'
import { encodeLinkLayerAddress, linkLayerAddressLength } from './link-layer-address.js'
import { encodeMtu, mtuLength } from './mtu.js'
import { encodeNonce, nonceLength } from './nonce.js'
import type { NdpOption } from './option.js'
import { encodePref64, pref64Length } from './pref64.js'
import { encodePrefixInformation, prefixInformationLength } from './prefix-information.js'
import { encodeRecursiveDnsServer, recursiveDnsServerLength } from './recursive-dns-server.js'
import { encodeRedirectedHeader, redirectedHeaderLength } from './redirected-header.js'
import { encodeRouteInformation, routeInformationLength } from './route-information.js'
import { encodeUnknown, unknownLength } from './unknown.js'

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
    case 'nonce':
      return nonceLength(option)
    case 'route-information':
      return routeInformationLength(option)
    case 'recursive-dns-server':
      return recursiveDnsServerLength(option)
    case 'flags-expansion':
      return flagsExpansionLength(option)
    case 'dns-search-list':
      return dnsSearchListLength(option)
    case 'pref64':
      return pref64Length(option)
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
    case 'nonce':
      return encodeNonce(option, into)
    case 'route-information':
      return encodeRouteInformation(option, into)
    case 'recursive-dns-server':
      return encodeRecursiveDnsServer(option, into)
    case 'flags-expansion':
      return encodeFlagsExpansion(option, into)
    case 'dns-search-list':
      return encodeDnsSearchList(option, into)
    case 'pref64':
      return encodePref64(option, into)
    default:
      return encodeUnknown(option, into)
  }
}

/**
 * Octets that {@link encodeOptions} writes.
 * @throws {RangeError} a DNS search list with text that is no domain name
 */
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
