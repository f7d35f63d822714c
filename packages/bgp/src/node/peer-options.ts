import type { ImportPolicy } from '../policy.js'
import { checkBfdOptions, type BfdOption, type CheckedBfdOptions } from './bfd-options.js'
import { checkLinkOptions, type CheckedLinkOptions, type EndpointOptions, type LinkOptions } from './link-options.js'
import {
  checkProtocolOptions,
  type CheckedProtocolOptions,
  type ProtocolOptions,
  type SpeakerDefaults,
} from './protocol-options.js'
import { checkRoutingOptions, type CheckedRoutingOptions, type RoutingOptions } from './routing-options.js'

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

/** Names of {@link LinkOptions}, {@link EndpointOptions}, {@link RoutingOptions} and {@link BfdOption}, which {@link ProtocolOptions} has not. */
const NOT_PROTOCOL = {
  name: true,
  address: true,
  interface: true,
  port: true,
  sourceAddress: true,
  passive: true,
  connectTime: true,
  md5Key: true,
  multihop: true,
  ttlSecurity: true,
  device: true,
  bfd: true,
  importPolicy: true,
  exportPolicy: true,
  propagate: true,
  nextHop: true,
  routeReflectorClient: true,
  routeServerClient: true,
  removePrivateAs: true,
  allowOwnAs: true,
  gracefulShutdown: true,
  maximumPrefixes: true,
  maximumPrefixesAction: true,
  maximumPrefixesIdleTime: true,
  minRouteAdvertisementInterval: true,
} satisfies { readonly [K in Exclude<keyof PeerOptions, keyof ProtocolOptions>]: true }

/** The part of the options that {@link checkProtocolOptions} looks at. */
const protocolOf = (options: PeerOptions): ProtocolOptions =>
  Object.fromEntries(Object.entries(options).filter(([name]) => !(name in NOT_PROTOCOL))) as unknown as ProtocolOptions

/**
 * Checks all options of a peer and fills in the defaults.
 *
 * @throws {RangeError} an option that cannot work; the message names it
 * @throws {BgpSocketError} an option needs `@typemetal/sockets`, which is not installed
 */
export function checkPeerOptions(options: PeerOptions, speaker: SpeakerDefaults): CheckedPeerOptions {
  const { passive = false, interface: on } = options
  const bfd = checkBfdOptions(options.bfd, speaker.bfd !== undefined)
  const { session, receivingSpeaker } = checkProtocolOptions(protocolOf(options), speaker, {
    passive,
    unnumbered: on !== undefined,
    bfd,
  })
  const link = checkLinkOptions(options, options.asn, session.asn)
  const routing = checkRoutingOptions(options)
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
