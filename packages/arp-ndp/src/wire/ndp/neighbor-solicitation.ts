import { WireError } from '../../errors.js'
import { checkIcmpv6, Icmpv6Type, writeIcmpv6Header } from '../icmpv6.js'
import { IPV6_LENGTH, isMulticast } from '../ipv6.js'
import { checkAddress, checkRoom, type Octets } from '../octets.js'
import { decodeOptions, encodeOptions, optionsLength, type NdpOption } from './option/index.js'

/** Neighbor Solicitation message, RFC 4861 §4.3. */
export interface NeighborSolicitation {
  /** 16 octets; after decoding a view into the input. */
  readonly targetAddress: Uint8Array
  readonly options: readonly NdpOption[]
}

const TARGET = 8
const OPTIONS = 24

/**
 * @param message the ICMPv6 message from its Type; the checksum is not looked at
 * @throws {WireError} `truncated`, `bad-field`, `bad-length` of an option, or `multicast-target` (RFC 4861 §7.1.1)
 */
export function decodeNeighborSolicitation(message: Uint8Array): NeighborSolicitation {
  checkIcmpv6(message, Icmpv6Type.NeighborSolicitation, OPTIONS, 'Neighbor Solicitation')
  const targetAddress = message.subarray(TARGET, OPTIONS)
  if (isMulticast(targetAddress)) throw new WireError('Target Address is multicast', TARGET, 'multicast-target')
  return { targetAddress, options: decodeOptions(message, OPTIONS) }
}

/** Octets that {@link encodeNeighborSolicitation} writes. */
export const neighborSolicitationLength = (message: NeighborSolicitation): Octets =>
  OPTIONS + optionsLength(message.options)

/**
 * Encodes the message with a checksum of zero.
 * @throws {RangeError} `into` too small, or a field out of its range
 */
export function encodeNeighborSolicitation(
  message: NeighborSolicitation,
  into: Uint8Array = new Uint8Array(neighborSolicitationLength(message)),
): Uint8Array {
  const length = neighborSolicitationLength(message)
  checkRoom(into, length)
  checkAddress(message.targetAddress, IPV6_LENGTH, 'targetAddress')
  writeIcmpv6Header(into, Icmpv6Type.NeighborSolicitation)
  into.fill(0, 4, TARGET)
  into.set(message.targetAddress, TARGET)
  encodeOptions(message.options, into.subarray(OPTIONS))
  return into.subarray(0, length)
}
