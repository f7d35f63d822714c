import { checkIcmpv6, Icmpv6Type, writeIcmpv6Header } from '../icmpv6.js'
import { checkRoom, type Octets } from '../octets.js'
import { decodeOptions, encodeOptions, optionsLength, type NdpOption } from './option/index.js'

/** Router Solicitation message, RFC 4861 §4.1. */
export interface RouterSolicitation {
  readonly options: readonly NdpOption[]
}

const OPTIONS = 8

/**
 * @param message the ICMPv6 message from its Type; the checksum is not looked at
 * @throws {WireError} `truncated`, `bad-field`, or `bad-length` of an option (RFC 4861 §6.1.1)
 */
export function decodeRouterSolicitation(message: Uint8Array): RouterSolicitation {
  checkIcmpv6(message, Icmpv6Type.RouterSolicitation, OPTIONS, 'Router Solicitation')
  return { options: decodeOptions(message, OPTIONS) }
}

/** Octets that {@link encodeRouterSolicitation} writes. */
export const routerSolicitationLength = (message: RouterSolicitation): Octets =>
  OPTIONS + optionsLength(message.options)

/**
 * Encodes the message with a checksum of zero.
 * @throws {RangeError} `into` too small, or a field out of its range
 */
export function encodeRouterSolicitation(
  message: RouterSolicitation,
  into: Uint8Array = new Uint8Array(routerSolicitationLength(message)),
): Uint8Array {
  const length = routerSolicitationLength(message)
  checkRoom(into, length)
  writeIcmpv6Header(into, Icmpv6Type.RouterSolicitation)
  into.fill(0, 4, OPTIONS)
  encodeOptions(message.options, into.subarray(OPTIONS))
  return into.subarray(0, length)
}
