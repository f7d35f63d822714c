import { WireError } from '../error.js'
import type { Octets } from '../octets.js'
import { addPath } from './add-path.js'
import { bfdStrictMode } from './bfd-strict-mode.js'
import type { Capability, CapabilityCodec, KnownCapability } from './capability.js'
import { enhancedRouteRefresh } from './enhanced-route-refresh.js'
import { extendedMessage } from './extended-message.js'
import { extendedNextHop } from './extended-next-hop.js'
import { fourOctetAs } from './four-octet-as.js'
import { fqdn } from './fqdn.js'
import { gracefulRestart } from './graceful-restart.js'
import { longLivedGracefulRestart } from './long-lived-graceful-restart.js'
import { multiprotocol } from './multiprotocol.js'
import { role } from './role.js'
import { routeRefresh } from './route-refresh.js'

export type { AddPathCapability, AddPathFamily } from './add-path.js'
export type { BfdStrictModeCapability } from './bfd-strict-mode.js'
export type { Capability, KnownCapability, UnknownCapability } from './capability.js'
export type { EnhancedRouteRefreshCapability } from './enhanced-route-refresh.js'
export type { ExtendedMessageCapability } from './extended-message.js'
export type { ExtendedNextHopCapability, ExtendedNextHopFamily } from './extended-next-hop.js'
export { AS_TRANS, type FourOctetAsCapability } from './four-octet-as.js'
export type { FqdnCapability } from './fqdn.js'
export type { GracefulRestartCapability, GracefulRestartFamily } from './graceful-restart.js'
export type { LongLivedFamily, LongLivedGracefulRestartCapability } from './long-lived-graceful-restart.js'
export type { MultiprotocolCapability } from './multiprotocol.js'
export { Role, type RoleCapability } from './role.js'
export type { RouteRefreshCapability } from './route-refresh.js'

const CODECS: { readonly [T in KnownCapability['type']]: CapabilityCodec<Extract<KnownCapability, { type: T }>> } = {
  multiprotocol,
  'route-refresh': routeRefresh,
  'extended-next-hop': extendedNextHop,
  'extended-message': extendedMessage,
  role,
  'graceful-restart': gracefulRestart,
  'four-octet-as': fourOctetAs,
  'add-path': addPath,
  'enhanced-route-refresh': enhancedRouteRefresh,
  'long-lived-graceful-restart': longLivedGracefulRestart,
  fqdn,
  'bfd-strict-mode': bfdStrictMode,
}

const codecOf = ({ type }: KnownCapability): CapabilityCodec<KnownCapability> => CODECS[type]
const BY_CODE: ReadonlyMap<number, CapabilityCodec<KnownCapability>> = new Map(
  (Object.values(CODECS) as CapabilityCodec<KnownCapability>[]).map(codec => [codec.code, codec]),
)

/** Capability Code and Capability Length. */
const PREAMBLE = 2

function decodeCapability(code: number, value: Uint8Array, offset: number): Capability {
  const codec = BY_CODE.get(code)
  if (!codec) return { type: 'unknown', code, value }
  if (!codec.allows(value.length)) {
    throw new WireError(`capability ${code} of ${value.length} octets`, offset, [2, 0])
  }
  return codec.decode(value) ?? { type: 'unknown', code, value }
}

/**
 * Capabilities that fill one Capabilities Optional Parameter, RFC 5492 section 4.
 *
 * @param offset where `octets` starts in the message, for errors
 * @throws {WireError} 2/0 when one is cut off or a known one has a length that its RFC does not allow
 */
export function decodeCapabilities(octets: Uint8Array, offset: number): Capability[] {
  const list: Capability[] = []
  for (let at = 0; at < octets.length;) {
    const start = at + PREAMBLE
    const end = start + (octets[at + 1] ?? 0)
    if (start > octets.length || end > octets.length) {
      throw new WireError('capability cut off', offset + octets.length, [2, 0])
    }
    list.push(decodeCapability(octets[at]!, octets.subarray(start, end), offset + at))
    at = end
  }
  return list
}

const valueLength = (capability: Capability): Octets =>
  capability.type === 'unknown' ? capability.value.length : codecOf(capability).length(capability)

/** Octets that {@link encodeCapabilities} writes. */
export const capabilitiesLength = (list: readonly Capability[]): Octets =>
  list.reduce((sum, capability) => sum + PREAMBLE + valueLength(capability), 0)

/**
 * Writes the capabilities one after the other, from `at` on.
 *
 * @returns the octet after the written ones
 * @throws {RangeError} caller's fault: a Capability Value above 255 octets, or one that its field cannot hold
 */
export function encodeCapabilities(list: readonly Capability[], into: Uint8Array, at: number): number {
  for (const capability of list) {
    const length = valueLength(capability)
    if (length > 255) throw new RangeError(`capability of ${length} octets`)
    const value = into.subarray(at + PREAMBLE, at + PREAMBLE + length)
    into[at + 1] = length
    if (capability.type === 'unknown') {
      into[at] = capability.code
      value.set(capability.value)
    } else {
      const codec = codecOf(capability)
      into[at] = codec.code
      codec.encode(capability, value)
    }
    at += PREAMBLE + length
  }
  return at
}

/**
 * The last capability of a type in an OPEN: the one that counts where there should be one, as RFC 4724 section 3 says for
 * graceful restart and RFC 5492 section 4 lets a receiver choose for the others.
 */
export function lastCapability<T extends KnownCapability['type']>(
  list: readonly Capability[],
  type: T,
): Extract<KnownCapability, { type: T }> | undefined {
  return list.findLast(capability => capability.type === type) as Extract<KnownCapability, { type: T }> | undefined
}
