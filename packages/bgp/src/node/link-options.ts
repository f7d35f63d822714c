import { flag, number, optional, text, whole, wrongType, type Kind, type Kinds } from '@typemetal/options'
import { canonicalAddress } from '../address.js'
import { address, port } from '../bgp-kinds.js'
import type { RemoteAs, Seconds } from '../fsm/index.js'
import { checkSockets } from './sockets.js'

/** What of a peer's options makes up its TCP connection, apart from where the peer is. */
export interface LinkOptions {
  /** Key of TCP-MD5 (RFC 2385), 1 to 80 octets of UTF-8; needs `@typemetal/sockets`. */
  readonly md5Key?: string
  /**
   * TTL or Hop Limit of what we send; needs `@typemetal/sockets`. `false`: 1, so that an external peer must be a direct neighbour; `true`:
   * 255; a number: that many. Nothing of it holds for internal peers. @default the kernel's TTL, no check
   */
  readonly multihop?: boolean | number
  /**
   * GTSM, RFC 5082: we send with 255, and what comes from further away than so many hops is thrown away; 1 is a direct neighbour. The
   * peer must do the same. Needs `@typemetal/sockets`. @default no check
   */
  readonly ttlSecurity?: number
  /** The only interface to use, or a VRF; needs `@typemetal/sockets`. @default the kernel's choice */
  readonly device?: string
}

/** Where a peer is, and how it is reached. */
export interface EndpointOptions {
  /** IPv4 or IPv6; a link-local one with its zone (`fe80::1%eth0`). Either this or `interface`. */
  readonly address?: string
  /** The one peer on this interface, found by its router advertisements (an unnumbered link); either this or `address`. */
  readonly interface?: string
  /** @default 179 */
  readonly port?: number
  /** Local address to connect from, which the peer's connections must come to as well. @default the kernel's choice */
  readonly sourceAddress?: string
  /** Wait for the peer to connect; the speaker must listen. @default false */
  readonly passive?: boolean
  /** Longest wait for TCP. @default 10 */
  readonly connectTime?: Seconds
}

/** {@link LinkOptions} and {@link EndpointOptions}, checked. */
export interface CheckedLinkOptions {
  /** Canonical text, without zone; empty for a peer on an interface, until it is found there. */
  readonly address: string
  /** As it was given, zone and all; empty like {@link address}. */
  readonly dialAddress: string
  readonly interface: string | undefined
  readonly port: number
  readonly sourceAddress: string | undefined
  readonly passive: boolean
  readonly connectTime: Seconds
  /** TTL or Hop Limit to send with. */
  readonly ttl: number | undefined
  /** Smallest TTL or Hop Limit to take. */
  readonly minTtl: number | undefined
  readonly device: string | undefined
  readonly md5Key: string | undefined
}

const hops = whole(1, 255)
const multihop: Kind<boolean | number> = (name, value) => {
  if (typeof value === 'boolean') return value
  if (typeof value !== 'number') throw wrongType(name, 'true, false or a whole number from 1 to 255', value)
  return hops(name, value)
}
/** Nobody is shown what was given. */
const secret: Kind<string> = (name, value) => {
  if (typeof value === 'string') return value
  throw new TypeError(`${name} must be a string, not of type ${typeof value}`)
}

/** What each of {@link LinkOptions} has to be. */
export const LINK_KINDS: Kinds<LinkOptions> = {
  md5Key: optional(secret),
  multihop: optional(multihop),
  ttlSecurity: optional(hops),
  device: optional(text),
}

/** What each of {@link EndpointOptions} has to be. */
export const ENDPOINT_KINDS: Kinds<EndpointOptions> = {
  address: optional(address),
  interface: optional(text),
  port: optional(port),
  sourceAddress: optional(address),
  passive: optional(flag),
  connectTime: optional(number('a number of seconds above 0, up to 65535', value => value > 0 && value <= 65_535)),
}

const BGP_PORT = 179
const CONNECT_TIME: Seconds = 10
const MAX_MD5_OCTETS = 80
const MAX_TTL = 255
/** IFNAMSIZ of Linux, without the zero at its end. */
const MAX_INTERFACE_OCTETS = 15

function checkMd5Key(key: string): string {
  const { length } = new TextEncoder().encode(key)
  if (length === 0 || length > MAX_MD5_OCTETS) throw new RangeError('md5Key must have 1 to 80 octets')
  checkSockets('md5Key')
  return key
}

function checkInterface(option: string, name: string): string {
  const { length } = new TextEncoder().encode(name)
  if (length > 0 && length <= MAX_INTERFACE_OCTETS && !/[\s/%]/.test(name)) return name
  throw new RangeError(`${option} must be the name of an interface, not '${name}'`)
}

type Ttl = Pick<CheckedLinkOptions, 'ttl' | 'minTtl'>

function checkTtl({ multihop, ttlSecurity }: LinkOptions, internal: boolean): Ttl {
  if (ttlSecurity !== undefined) {
    // With GTSM all that is sent has TTL 255.
    if (multihop === false || typeof multihop === 'number')
      throw new RangeError('ttlSecurity and multihop exclude each other')
    const minTtl = MAX_TTL + 1 - ttlSecurity
    checkSockets('ttlSecurity')
    return { ttl: MAX_TTL, minTtl }
  }
  const ttl = typeof multihop === 'number' ? multihop : multihop ? MAX_TTL : 1
  if (multihop === undefined || internal) return { ttl: undefined, minTtl: undefined }
  checkSockets('multihop')
  return { ttl, minTtl: undefined }
}

type Where = Pick<CheckedLinkOptions, 'address' | 'dialAddress' | 'interface'>

function checkEndpoint({ address, interface: on }: EndpointOptions): Where {
  if (on !== undefined && address !== undefined) throw new RangeError('address and interface exclude each other')
  if (on !== undefined) return { address: '', dialAddress: '', interface: checkInterface('interface', on) }
  if (address === undefined) throw new RangeError('address or interface is needed')
  return { address: canonicalAddress(address), dialAddress: address, interface: undefined }
}

/**
 * @param asn the peer's, `ours` our own towards it: internal peers may be anywhere
 * @throws {RangeError} an option that cannot work; the message begins with its name
 * @throws {BgpSocketError} an option needs `@typemetal/sockets`, which is not installed
 */
export function checkLinkOptions(
  options: LinkOptions & EndpointOptions,
  asn: RemoteAs,
  ours: number,
): CheckedLinkOptions {
  const { sourceAddress, passive = false, connectTime = CONNECT_TIME, device, md5Key } = options
  const where = checkEndpoint(options)
  if (device !== undefined) {
    checkInterface('device', device)
    checkSockets('device')
  }
  return {
    ...where,
    port: options.port ?? BGP_PORT,
    sourceAddress: sourceAddress === undefined ? undefined : canonicalAddress(sourceAddress),
    passive,
    connectTime,
    ...checkTtl(options, asn === 'internal' || asn === ours),
    device,
    md5Key: md5Key === undefined ? undefined : checkMd5Key(md5Key),
  }
}
