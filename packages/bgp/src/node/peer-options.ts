import { canonicalAddress, parseIdentifier } from '../address.js'
import { checkSessionOptions, type RemoteAs, type Seconds, type SessionOptions } from '../fsm/index.js'
import type { FamilyName } from '../wire/index.js'
import { checkSockets } from './sockets.js'

/** What peers have in common, those configured one by one and those that come from a prefix. */
export interface CommonPeerOptions {
  /** AS number that the peer must have: this one, ours (`internal`), or any but ours (`external`). */
  readonly asn: RemoteAs
  /** Our AS number towards the peer, in OPEN and AS_PATH. @default the speaker's */
  readonly localAsn?: number
  /** Our BGP Identifier towards the peer. @default the speaker's */
  readonly bgpIdentifier?: string
  /** Families to carry, as far as the peer does too. @default both */
  readonly families?: readonly FamilyName[]
  /** Hold Time to propose: 0, or 3 and more. @default 90 */
  readonly holdTime?: Seconds
  /** KEEPALIVE interval; never more than a third of the negotiated Hold Time. @default a third of it */
  readonly keepaliveTime?: Seconds
  /** ConnectRetryTime, and the longest wait between attempts (they start at one second). @default 120 */
  readonly connectRetryTime?: Seconds
  /** Wait before our OPEN once TCP stands. @default 0 */
  readonly delayOpenTime?: Seconds
  /** Whether what the peer announces goes into the Loc-RIB; `reject` keeps none of it. @default 'accept' */
  readonly importPolicy?: 'accept' | 'reject'
  /** Key of TCP-MD5 (RFC 2385), 1 to 80 octets of UTF-8; needs `@typemetal/sockets`. */
  readonly md5Key?: string
}

/** A configured peer. */
export interface PeerOptions extends CommonPeerOptions {
  /** For logs and metrics. @default the address */
  readonly name?: string
  /** IPv4 or IPv6; a link-local one with its zone (`fe80::1%eth0`). */
  readonly address: string
  /** @default 179 */
  readonly port?: number
  /** Local address to connect from, which the peer's connections must come to as well. @default the kernel's choice */
  readonly sourceAddress?: string
  /** Wait for the peer to connect; the speaker must listen. @default false */
  readonly passive?: boolean
  /**
   * `false`: an external peer must be a direct neighbour, so what we send has TTL 1 where we open the connection; needs
   * `@typemetal/sockets`. `true`: TTL 255, likewise. @default the kernel's TTL, no check
   */
  readonly multihop?: boolean
}

/** Peers that may connect from a prefix. */
export interface DynamicPeerOptions extends CommonPeerOptions {
  /** `10.0.0.0/24` */
  readonly prefix: string
}

/** Options of a peer, checked and with their defaults. */
export interface CheckedPeerOptions {
  readonly name: string
  /** Canonical text, without zone. */
  readonly address: string
  /** As it was given, zone and all. */
  readonly dialAddress: string
  readonly port: number
  readonly sourceAddress: string | undefined
  readonly passive: boolean
  readonly ttl: number | undefined
  readonly md5Key: string | undefined
  readonly importPolicy: 'accept' | 'reject'
  readonly session: SessionOptions
}

/** The speaker's own identity, where a peer has no other. */
export interface SpeakerDefaults {
  readonly asn: number
  readonly bgpIdentifier: string
  readonly random: () => number
}

const BGP_PORT = 179
const MAX_MD5_OCTETS = 80

/** @throws {RangeError} not a port that can be connected to */
function checkPort(port: number): number {
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port
  throw new RangeError(`port must be 1 to 65535, not ${port}`)
}

function checkMd5Key(key: string): string {
  const { length } = new TextEncoder().encode(key)
  if (length === 0 || length > MAX_MD5_OCTETS) throw new RangeError('md5Key must have 1 to 80 octets')
  checkSockets('md5Key')
  return key
}

function ttlOf({ multihop, asn, localAsn }: PeerOptions, ours: number): number | undefined {
  const internal = asn === 'internal' || asn === (localAsn ?? ours)
  if (multihop === undefined || internal) return undefined
  checkSockets('multihop')
  return multihop ? 255 : 1
}

/**
 * @throws {RangeError} an option that cannot work
 * @throws {BgpSocketError} an option needs `@typemetal/sockets`, which is not installed
 */
export function checkPeerOptions(options: PeerOptions, speaker: SpeakerDefaults): CheckedPeerOptions {
  const { localAsn, bgpIdentifier = speaker.bgpIdentifier, sourceAddress, passive = false, md5Key } = options
  const { holdTime, keepaliveTime, connectRetryTime, delayOpenTime, families } = options
  const address = canonicalAddress(options.address)
  const session = checkSessionOptions({
    asn: localAsn ?? speaker.asn,
    bgpIdentifier: parseIdentifier(bgpIdentifier),
    remoteAs: options.asn,
    passive,
    random: speaker.random,
    ...(holdTime !== undefined && { holdTime }),
    ...(keepaliveTime !== undefined && { keepaliveTime }),
    ...(connectRetryTime !== undefined && { connectRetryTime }),
    ...(delayOpenTime !== undefined && { delayOpenTime }),
    ...(families !== undefined && { families }),
  })
  return {
    name: options.name ?? address,
    address,
    dialAddress: options.address,
    port: checkPort(options.port ?? BGP_PORT),
    sourceAddress: sourceAddress === undefined ? undefined : canonicalAddress(sourceAddress),
    passive,
    ttl: ttlOf(options, speaker.asn),
    md5Key: md5Key === undefined ? undefined : checkMd5Key(md5Key),
    importPolicy: options.importPolicy ?? 'accept',
    session,
  }
}
