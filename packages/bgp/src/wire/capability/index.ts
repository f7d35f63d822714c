import { WireError } from '../error.js'
import type { Octets } from '../octets.js'
import type { Capability, CapabilityCodec } from './capability.js'
import { fourOctetAs } from './four-octet-as.js'
import { multiprotocol } from './multiprotocol.js'
import { routeRefresh } from './route-refresh.js'

export type { Capability, UnknownCapability } from './capability.js'
export { AS_TRANS, type FourOctetAsCapability } from './four-octet-as.js'
export type { MultiprotocolCapability } from './multiprotocol.js'
export type { RouteRefreshCapability } from './route-refresh.js'

const CODECS = [multiprotocol, routeRefresh, fourOctetAs] as readonly CapabilityCodec<Capability>[]
const BY_CODE = new Map(CODECS.map(codec => [codec.code, codec]))
const BY_TYPE = new Map(CODECS.map(codec => [codec.type, codec]))

/** Capability Code and Capability Length. */
const PREAMBLE = 2

function decodeCapability(code: number, value: Uint8Array, offset: number): Capability {
  const codec = BY_CODE.get(code)
  if (!codec) return { type: 'unknown', code, value }
  if (value.length !== codec.length) {
    throw new WireError(`capability ${code} of ${value.length} octets`, offset, [2, 0])
  }
  return codec.decode(value)
}

/**
 * Capabilities that fill one Capabilities Optional Parameter, RFC 5492 section 4.
 *
 * @param offset where `octets` starts in the message, for errors
 * @throws {WireError} 2/0 when one is cut off or a known one has a wrong length
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
  capability.type === 'unknown' ? capability.value.length : BY_TYPE.get(capability.type)!.length

/** Octets that {@link encodeCapabilities} writes. */
export const capabilitiesLength = (list: readonly Capability[]): Octets =>
  list.reduce((sum, capability) => sum + PREAMBLE + valueLength(capability), 0)

/**
 * Writes the capabilities one after the other, from `at` on.
 *
 * @returns the octet after the written ones
 * @throws {RangeError} caller's fault: a Capability Value above 255 octets
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
      const codec = BY_TYPE.get(capability.type)!
      into[at] = codec.code
      codec.encode(capability, value)
    }
    at += PREAMBLE + length
  }
  return at
}
