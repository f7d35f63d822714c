import { checkOptions, optional, text, whole, type Kinds, type Synonyms } from '@typemetal/options'
import { prefix } from '../bgp-kinds.js'
import type { ImportPolicy } from '../policy.js'
import { BFD_KINDS, checkBfdOptions, type BfdOption, type CheckedBfdOptions } from './bfd-options.js'
import {
  checkLinkOptions,
  ENDPOINT_KINDS,
  LINK_KINDS,
  type CheckedLinkOptions,
  type EndpointOptions,
  type LinkOptions,
} from './link-options.js'
import {
  checkProtocolOptions,
  PROTOCOL_KINDS,
  type CheckedProtocolOptions,
  type ProtocolOptions,
  type SpeakerDefaults,
} from './protocol-options.js'
import { ROUTING_KINDS, routingOf, type CheckedRoutingOptions, type RoutingOptions } from './routing-options.js'

export type { SpeakerDefaults } from './protocol-options.js'

/** What peers have in common, those configured one by one and those that come from a prefix. */
export interface CommonPeerOptions extends ProtocolOptions, LinkOptions, RoutingOptions, BfdOption {}

/**
 * A configured peer.
 *
 * @example
 * ```ts
 * import { BgpSpeaker } from '@typemetal/bgp'
 *
 * await using speaker = new BgpSpeaker({ asn: 64512, bgpIdentifier: '10.0.0.1' })
 * const peer = speaker.addPeer({ address: '10.0.0.254', asn: 64513, holdTime: 90 })
 * peer.on('state', (to, from, cause) => console.log(`${from} -> ${to}: ${cause}`))
 * peer.setRoutes([{ prefix: '192.0.2.0/24' }, { prefix: '2001:db8::/32', nextHop: '2001:db8::1' }])
 * for (const { field, effect } of peer.change({ address: '10.0.0.254', asn: 64513, holdTime: 30 })) {
 *   console.log(`${field}: ${effect}`) // whether the session that stands can take it
 * }
 * for (const { prefix, nextHop } of peer.adjRibIn()) console.log(prefix, nextHop)
 * await peer.close()
 * ```
 */
export interface PeerOptions extends CommonPeerOptions, EndpointOptions {
  /** For logs and metrics. @default the address, or the interface */
  readonly name?: string
}

/** Peers that may connect from a prefix. */
export interface DynamicPeerOptions extends CommonPeerOptions {
  /** `10.0.0.0/24` */
  readonly prefix: string
  /** Most peers from there at a time; further ones are rejected. @default 100 */
  readonly limit?: number
}

/** Options of a peer, checked and with their defaults. */
export interface CheckedPeerOptions extends CheckedLinkOptions, CheckedProtocolOptions {
  readonly name: string
  readonly routing: CheckedRoutingOptions
  readonly bfd: CheckedBfdOptions | undefined
  /** As in {@link routing}. */
  readonly importPolicy: ImportPolicy
}

const COMMON_KINDS: Kinds<CommonPeerOptions> = {
  ...PROTOCOL_KINDS,
  ...LINK_KINDS,
  ...ROUTING_KINDS,
  ...BFD_KINDS,
}

const PEER_KINDS: Kinds<PeerOptions> = { ...COMMON_KINDS, ...ENDPOINT_KINDS, name: optional(text) }

const DYNAMIC_KINDS: Kinds<DynamicPeerOptions> = { ...COMMON_KINDS, prefix, limit: optional(whole(1)) }

/** As other speakers have it in their configuration. */
const SYNONYMS: Synonyms<CommonPeerOptions> = {
  remoteAs: 'asn',
  remoteAsn: 'asn',
  peerAs: 'asn',
  peerAsn: 'asn',
  localAs: 'localAsn',
  myAsn: 'localAsn',
  routerId: 'bgpIdentifier',
  password: 'md5Key',
  ebgpMultihop: 'multihop',
  nextHopSelf: 'nextHop',
  import: 'importPolicy',
  export: 'exportPolicy',
}
const PEER_SYNONYMS: Synonyms<PeerOptions> = {
  ...SYNONYMS,
  host: 'address',
  neighbor: 'address',
  peerAddress: 'address',
  peerPort: 'port',
  localAddress: 'sourceAddress',
  updateSource: 'sourceAddress',
}
const DYNAMIC_SYNONYMS: Synonyms<DynamicPeerOptions> = { ...SYNONYMS, address: 'prefix', network: 'prefix' }

/**
 * Looks at each option of a peer by itself.
 *
 * @throws {TypeError | RangeError} an unknown option, or a value that is not what the option wants; the message begins with its name
 */
export function checkPeerKinds(options: unknown): asserts options is PeerOptions {
  checkOptions(options, PEER_KINDS, PEER_SYNONYMS)
}

/** As {@link checkPeerKinds}. @throws {TypeError | RangeError} likewise */
export function checkDynamicPeerKinds(options: unknown): asserts options is DynamicPeerOptions {
  checkOptions(options, DYNAMIC_KINDS, DYNAMIC_SYNONYMS)
}

/** The part of the options that {@link checkProtocolOptions} looks at. */
const protocolOf = (options: PeerOptions): ProtocolOptions =>
  Object.fromEntries(Object.entries(options).filter(([name]) => name in PROTOCOL_KINDS)) as unknown as ProtocolOptions

/**
 * Checks all options of a peer and fills in the defaults.
 *
 * @throws {TypeError | RangeError} an option that cannot work, or that there is none of; the message begins with its name
 * @throws {BgpSocketError} an option needs `@typemetal/sockets`, which is not installed
 */
export function checkPeerOptions(options: PeerOptions, speaker: SpeakerDefaults): CheckedPeerOptions {
  checkPeerKinds(options)
  const { passive = false, interface: on } = options
  const bfd = checkBfdOptions(options.bfd, speaker.bfd !== undefined)
  const { session, receivingSpeaker } = checkProtocolOptions(protocolOf(options), speaker, {
    passive,
    unnumbered: on !== undefined,
    bfd,
  })
  const link = checkLinkOptions(options, options.asn, session.asn)
  const routing = routingOf(options)
  return {
    ...link,
    name: options.name ?? on ?? link.address,
    session,
    receivingSpeaker,
    routing,
    bfd,
    importPolicy: routing.importPolicy,
  }
}
