import { WireError } from '../../errors.js'
import { checkIcmpv6, Icmpv6Type, writeIcmpv6Header } from '../icmpv6.js'
import { IPV6_LENGTH, isMulticast } from '../ipv6.js'
import { checkAddress, checkRoom, type Octets } from '../octets.js'
import { decodeOptions, encodeOptions, optionsLength, type NdpOption } from './option/index.js'

/** Neighbor Advertisement message, RFC 4861 §4.4. */
export interface NeighborAdvertisement {
  /** R: the sender is a router. */
  readonly router: boolean
  /** S: the answer to a solicitation. */
  readonly solicited: boolean
  /** O: replaces a link-layer address the receiver already knows. */
  readonly override: boolean
  /** 16 octets; after decoding a view into the input. */
  readonly targetAddress: Uint8Array
  readonly options: readonly NdpOption[]
}

const FLAGS = 4
const TARGET = 8
const OPTIONS = 24
const ROUTER = 0x80
const SOLICITED = 0x40
const OVERRIDE = 0x20

/**
 * @param message the ICMPv6 message from its Type; the checksum is not looked at
 * @throws {WireError} `truncated`, `bad-field`, `bad-length` of an option, or `multicast-target` (RFC 4861 §7.1.2)
 */
export function decodeNeighborAdvertisement(message: Uint8Array): NeighborAdvertisement {
  checkIcmpv6(message, Icmpv6Type.NeighborAdvertisement, OPTIONS, 'Neighbor Advertisement')
  const targetAddress = message.subarray(TARGET, OPTIONS)
  if (isMulticast(targetAddress)) throw new WireError('Target Address is multicast', TARGET, 'multicast-target')
  const flags = message[FLAGS]!
  return {
    router: (flags & ROUTER) !== 0,
    solicited: (flags & SOLICITED) !== 0,
    override: (flags & OVERRIDE) !== 0,
    targetAddress,
    options: decodeOptions(message, OPTIONS),
  }
}

/** Octets that {@link encodeNeighborAdvertisement} writes. */
export const neighborAdvertisementLength = (message: NeighborAdvertisement): Octets =>
  OPTIONS + optionsLength(message.options)

/**
 * Encodes the message with a checksum of zero.
 * @throws {RangeError} `into` too small, or a field out of its range
 */
export function encodeNeighborAdvertisement(
  message: NeighborAdvertisement,
  into: Uint8Array = new Uint8Array(neighborAdvertisementLength(message)),
): Uint8Array {
  const length = neighborAdvertisementLength(message)
  checkRoom(into, length)
  checkAddress(message.targetAddress, IPV6_LENGTH, 'targetAddress')
  writeIcmpv6Header(into, Icmpv6Type.NeighborAdvertisement)
  into.fill(0, FLAGS, TARGET)
  into[FLAGS] = (message.router ? ROUTER : 0) | (message.solicited ? SOLICITED : 0) | (message.override ? OVERRIDE : 0)
  into.set(message.targetAddress, TARGET)
  encodeOptions(message.options, into.subarray(OPTIONS))
  return into.subarray(0, length)
}
