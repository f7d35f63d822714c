import { checkIcmpv6, Icmpv6Type, writeIcmpv6Header } from '../icmpv6.js'
import { checkInteger, checkRoom, putUint16, putUint32, uint16At, uint32At, type Octets } from '../octets.js'
import { decodeOptions, encodeOptions, optionsLength, type NdpOption } from './option/index.js'
import { preferenceBits, preferenceIn, type RouterPreference } from './preference.js'

/** Router Advertisement message, RFC 4861 §4.2. */
export interface RouterAdvertisement {
  /** Cur Hop Limit; 0 says nothing. */
  readonly currentHopLimit: number
  /** M: addresses come by DHCPv6. */
  readonly managed: boolean
  /** O: other configuration comes by DHCPv6. */
  readonly other: boolean
  /** H: the router is a home agent (RFC 6275 §7.1). */
  readonly homeAgent: boolean
  /** Prf: how it compares with other default routers; says nothing when routerLifetime is 0 (RFC 4191 §2.2). */
  readonly preference: RouterPreference
  /** P: the sender is a proxy that carries what others advertise (RFC 4389 §4.1.3.3). */
  readonly proxy: boolean
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
const HOME_AGENT = 0x20
const PROXY = 0x04

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
    homeAgent: (flags & HOME_AGENT) !== 0,
    // RFC 4191 §2.2: the reserved value MUST be treated as medium.
    preference: preferenceIn(flags) ?? 'medium',
    proxy: (flags & PROXY) !== 0,
    routerLifetime: uint16At(message, LIFETIME),
    reachableTime: uint32At(message, REACHABLE),
    retransTimer: uint32At(message, RETRANS),
    options: decodeOptions(message, OPTIONS),
  }
}

const flagsOf = (message: RouterAdvertisement): number =>
  (message.managed ? MANAGED : 0) |
  (message.other ? OTHER : 0) |
  (message.homeAgent ? HOME_AGENT : 0) |
  preferenceBits(message.preference) |
  (message.proxy ? PROXY : 0)

/** Octets that {@link encodeRouterAdvertisement} writes. */
export const routerAdvertisementLength = (message: RouterAdvertisement): Octets =>
  OPTIONS + optionsLength(message.options)

/**
 * Encodes the message with a checksum of zero.
 * @throws {RangeError} `into` too small, or a field out of its range
 */
export function encodeRouterAdvertisement(
  message: RouterAdvertisement,
  into: Uint8Array = new Uint8Array(routerAdvertisementLength(message)),
): Uint8Array {
  const length = routerAdvertisementLength(message)
  checkRoom(into, length)
  checkInteger(message.currentHopLimit, 0xff, 'currentHopLimit')
  checkInteger(message.routerLifetime, 0xffff, 'routerLifetime')
  checkInteger(message.reachableTime, 0xffff_ffff, 'reachableTime')
  checkInteger(message.retransTimer, 0xffff_ffff, 'retransTimer')
  writeIcmpv6Header(into, Icmpv6Type.RouterAdvertisement)
  into[HOP_LIMIT] = message.currentHopLimit
  into[FLAGS] = flagsOf(message)
  putUint16(into, LIFETIME, message.routerLifetime)
  putUint32(into, REACHABLE, message.reachableTime)
  putUint32(into, RETRANS, message.retransTimer)
  encodeOptions(message.options, into.subarray(OPTIONS))
  return into.subarray(0, length)
}
