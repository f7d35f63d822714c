import { WireError } from '../../errors.js'
import { checkIcmpv6, Icmpv6Type, writeIcmpv6Header } from '../icmpv6.js'
import { IPV6_LENGTH, isMulticast } from '../ipv6.js'
import { checkAddress, checkRoom, type Octets } from '../octets.js'
import { decodeOptions, encodeOptions, optionsLength, type NdpOption } from './option/index.js'

/** Redirect message, RFC 4861 §4.5. */
export interface Redirect {
  /** Better first hop, 16 octets; the destination itself when it is on the link. A view into the input after decoding. */
  readonly targetAddress: Uint8Array
  /** 16 octets; after decoding a view into the input. */
  readonly destinationAddress: Uint8Array
  readonly options: readonly NdpOption[]
}

const TARGET = 8
const DESTINATION = 24
const OPTIONS = 40

/**
 * @param message the ICMPv6 message from its Type; the checksum is not looked at
 * @throws {WireError} `truncated`, `bad-field` (a multicast destination too, RFC 4861 §8.1), or `bad-length` of an option
 */
export function decodeRedirect(message: Uint8Array): Redirect {
  checkIcmpv6(message, Icmpv6Type.Redirect, OPTIONS, 'Redirect')
  const destinationAddress = message.subarray(DESTINATION, OPTIONS)
  if (isMulticast(destinationAddress)) {
    throw new WireError('Destination Address is multicast', DESTINATION, 'bad-field')
  }
  return {
    targetAddress: message.subarray(TARGET, DESTINATION),
    destinationAddress,
    options: decodeOptions(message, OPTIONS),
  }
}

/** Octets that {@link encodeRedirect} writes. */
export const redirectLength = (message: Redirect): Octets => OPTIONS + optionsLength(message.options)

/**
 * Encodes the message with a checksum of zero.
 * @throws {RangeError} `into` too small, or a field out of its range
 */
export function encodeRedirect(
  message: Redirect,
  into: Uint8Array = new Uint8Array(redirectLength(message)),
): Uint8Array {
  const length = redirectLength(message)
  checkRoom(into, length)
  checkAddress(message.targetAddress, IPV6_LENGTH, 'targetAddress')
  checkAddress(message.destinationAddress, IPV6_LENGTH, 'destinationAddress')
  writeIcmpv6Header(into, Icmpv6Type.Redirect)
  into.fill(0, 4, TARGET)
  into.set(message.targetAddress, TARGET)
  into.set(message.destinationAddress, DESTINATION)
  encodeOptions(message.options, into.subarray(OPTIONS))
  return into.subarray(0, length)
}
