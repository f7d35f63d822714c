import type { DnsSearchListOption } from './dns-search-list.js'
import type { FlagsExpansionOption } from './flags-expansion.js'
import type { LinkLayerAddressOption } from './link-layer-address.js'
import type { MalformedOption } from './malformed.js'
import type { MtuOption } from './mtu.js'
import type { NonceOption } from './nonce.js'
import type { Pref64Option } from './pref64.js'
import type { PrefixInformationOption } from './prefix-information.js'
import type { RecursiveDnsServerOption } from './recursive-dns-server.js'
import type { RedirectedHeaderOption } from './redirected-header.js'
import type { RouteInformationOption } from './route-information.js'
import type { UnknownOption } from './unknown.js'

/** One option of a Neighbor Discovery message, RFC 4861 §4.6. */
export type NdpOption =
  | LinkLayerAddressOption
  | PrefixInformationOption
  | RedirectedHeaderOption
  | MtuOption
  | NonceOption
  | RouteInformationOption
  | RecursiveDnsServerOption
  | FlagsExpansionOption
  | DnsSearchListOption
  | Pref64Option
  | MalformedOption
  | UnknownOption

/** The address of the first Source or Target Link-Layer Address option of that kind, `undefined` without one. */
export function linkLayerAddress(
  options: readonly NdpOption[],
  kind: LinkLayerAddressOption['kind'],
): Uint8Array | undefined {
  for (const option of options) if (option.kind === kind) return option.address
  return undefined
}
