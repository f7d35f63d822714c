import { decodeNdpOptions, encodeNdpOptions, type NdpOption } from './ndp-option.js'

/** Router Solicitation message, RFC 4861 section 4.1. */
export interface RouterSolicitation {
  readonly options: readonly NdpOption[]
}

/** ICMPv6 type. */
export const ROUTER_SOLICITATION = 133

const CODE = 1
const OPTIONS = 8

/**
 * Checks the message as RFC 4861 section 6.1.1 says; the kernel has checked its checksum.
 *
 * @param message the ICMPv6 message from its type on
 * @returns `undefined` where it must be discarded
 */
export function decodeRouterSolicitation(message: Uint8Array): RouterSolicitation | undefined {
  if (message.length < OPTIONS || message[0] !== ROUTER_SOLICITATION || message[CODE] !== 0) return undefined
  const options = decodeNdpOptions(message.subarray(OPTIONS))
  return options && { options }
}

/** The message with a checksum of zero, which the kernel fills in. */
export function encodeRouterSolicitation(message: RouterSolicitation): Uint8Array {
  const options = encodeNdpOptions(message.options)
  const octets = new Uint8Array(OPTIONS + options.length)
  octets[0] = ROUTER_SOLICITATION
  octets.set(options, OPTIONS)
  return octets
}
