import { checkIcmpv6, Icmpv6Type, writeIcmpv6Header } from '../icmpv6.js'
import { checkRoom, putUint16, putUint32, uint16At, uint32At, type Octets } from '../octets.js'
import { decodeOptions, encodeOptions, optionsLength, type NdpOption } from './option/index.js'

/** Router Advertisement message, RFC 4861 §4.2. */
export interface RouterAdvertisement {
  /** Cur Hop Limit; 0 says nothing. */
  readonly currentHopLimit: number
  /** M: addresses come by DHCPv6. */
  readonly managed: boolean
  /** O: other configuration comes by DHCPv6. */
  readonly other: boolean
  /** Seconds as a default router; 0 is none. */
  readonly routerLifetime: number
  /** Milliseconds; 0 says nothing. */
  readonly reachableTime: number
  /** Milliseconds; 0 says nothing. */
  readonly retransTimer: number
  readonly options: readonly NdpOption[]
}

const HOP_LIMIT = 4
const FLAGS = 5
const LIFETIME = 6
const REACHABLE = 8
const RETRANS = 12
const OPTIONS = 16
const MANAGED = 0x80
const OTHER = 0x40

/**
 * @param message the ICMPv6 message from its Type; the checksum is not looked at
 * @throws {WireError} `truncated`, `bad-field`, or `bad-length` of an option (RFC 4861 §6.1.2)
 */
export function decodeRouterAdvertisement(message: Uint8Array): RouterAdvertisement {
  checkIcmpv6(message, Icmpv6Type.RouterAdvertisement, OPTIONS, 'Router Advertisement')
  const flags = message[FLAGS]!
  return {
    currentHopLimit: message[HOP_LIMIT]!,
    managed: (flags & MANAGED) !== 0,
    other: (flags & OTHER) !== 0,
    routerLifetime: uint16At(message, LIFETIME),
    reachableTime: uint32At(message, REACHABLE),
    retransTimer: uint32At(message, RETRANS),
    options: decodeOptions(message, OPTIONS),
  }
}

/** Octets that {@link encodeRouterAdvertisement} writes. */
export const routerAdvertisementLength = (message: RouterAdvertisement): Octets =>
  OPTIONS + optionsLength(message.options)

/**
 * Encodes the message with a checksum of zero.
 * @throws {RangeError} `into` too small, or a field out of its range
 */
export function encodeRouterAdvertisement(
  message: RouterAdvertisement,
  into = new Uint8Array(routerAdvertisementLength(message)),
): Uint8Array {
  const length = routerAdvertisementLength(message)
  checkRoom(into, length)
  writeIcmpv6Header(into, Icmpv6Type.RouterAdvertisement)
  into[HOP_LIMIT] = message.currentHopLimit
  into[FLAGS] = (message.managed ? MANAGED : 0) | (message.other ? OTHER : 0)
  putUint16(into, LIFETIME, message.routerLifetime)
  putUint32(into, REACHABLE, message.reachableTime)
  putUint32(into, RETRANS, message.retransTimer)
  encodeOptions(message.options, into.subarray(OPTIONS))
  return into.subarray(0, length)
}
