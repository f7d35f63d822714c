import { decodeNdpOptions, encodeNdpOptions, type NdpOption } from './ndp-option.js'

/** Router Advertisement message, RFC 4861 section 4.2. */
export interface RouterAdvertisement {
  /** Cur Hop Limit; 0 says nothing. */
  readonly currentHopLimit: number
  /** M, O and later bits, as they stand. */
  readonly flags: number
  /** Seconds as a default router; 0 is none. */
  readonly routerLifetime: number
  /** Milliseconds; 0 says nothing. */
  readonly reachableTime: number
  /** Milliseconds; 0 says nothing. */
  readonly retransTimer: number
  readonly options: readonly NdpOption[]
}

/** ICMPv6 type. */
export const ROUTER_ADVERTISEMENT = 134

const CODE = 1
const HOP_LIMIT = 4
const FLAGS = 5
const LIFETIME = 6
const REACHABLE = 8
const RETRANS = 12
const OPTIONS = 16

const viewOf = (octets: Uint8Array): DataView => new DataView(octets.buffer, octets.byteOffset, octets.byteLength)

/**
 * Checks the message as RFC 4861 section 6.1.2 says; the kernel has checked its checksum.
 *
 * @param message the ICMPv6 message from its type on
 * @returns `undefined` where it must be discarded
 */
export function decodeRouterAdvertisement(message: Uint8Array): RouterAdvertisement | undefined {
  if (message.length < OPTIONS || message[0] !== ROUTER_ADVERTISEMENT || message[CODE] !== 0) return undefined
  const options = decodeNdpOptions(message.subarray(OPTIONS))
  if (!options) return undefined
  const view = viewOf(message)
  return {
    currentHopLimit: view.getUint8(HOP_LIMIT),
    flags: view.getUint8(FLAGS),
    routerLifetime: view.getUint16(LIFETIME),
    reachableTime: view.getUint32(REACHABLE),
    retransTimer: view.getUint32(RETRANS),
    options,
  }
}

/** The message with a checksum of zero, which the kernel fills in. */
export function encodeRouterAdvertisement(message: RouterAdvertisement): Uint8Array {
  const options = encodeNdpOptions(message.options)
  const octets = new Uint8Array(OPTIONS + options.length)
  const view = viewOf(octets)
  octets[0] = ROUTER_ADVERTISEMENT
  view.setUint8(HOP_LIMIT, message.currentHopLimit)
  view.setUint8(FLAGS, message.flags)
  view.setUint16(LIFETIME, message.routerLifetime)
  view.setUint32(REACHABLE, message.reachableTime)
  view.setUint32(RETRANS, message.retransTimer)
  octets.set(options, OPTIONS)
  return octets
}
