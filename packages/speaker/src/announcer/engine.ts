/** What the announcer needs of a BGP engine: the part of `@typemetal/bgp` that is used here. */
import type { Logger } from '../logger.js'
import type { RoutePlan } from '../plan/types.js'

/** Messages and prefixes of one peer since it was added. */
export interface PeerCounters {
  readonly opensSent: number
  readonly opensReceived: number
  readonly updatesSent: number
  readonly updatesReceived: number
  readonly keepalivesSent: number
  readonly keepalivesReceived: number
  readonly notificationsSent: number
  readonly routeRefreshSent: number
  readonly totalSent: number
  readonly totalReceived: number
  /** Prefixes the peer has been told. */
  readonly prefixesAnnounced: number
  /** Prefixes the peer should know. */
  readonly prefixesPending: number
}

/** One configured peer. */
export interface EnginePeer {
  /** State of RFC 4271 section 8.2.2. */
  readonly state: string
  readonly counters: PeerCounters
  /** Whole wanted set; the peer is told the difference. */
  setRoutes(routes: readonly RoutePlan[]): void
  /** Ends the session with Cease, Peer De-configured, and forgets the peer. */
  close(): Promise<void>
  on(event: 'state', listener: (to: string, from: string, cause: string) => void): unknown
}

/** How to reach a peer; times in seconds. */
export interface EnginePeerOptions {
  readonly name: string
  readonly address: string
  readonly port: number
  readonly asn: number | 'internal' | 'external'
  readonly localAsn: number
  readonly bgpIdentifier: string
  readonly holdTime: number
  readonly keepaliveTime: number
  readonly connectRetryTime?: number
  readonly sourceAddress?: string
  /** Absent towards peers of our own AS. */
  readonly multihop?: boolean
  /** We tell, and do not listen. */
  readonly importPolicy: 'reject'
  readonly families: readonly ('ipv4-unicast' | 'ipv6-unicast')[]
  readonly md5Key?: string
}

/** A BGP speaker that only dials. Disposing of it ends all sessions with Cease, Administrative Shutdown. */
export interface Engine extends AsyncDisposable {
  addPeer(options: EnginePeerOptions): EnginePeer
}

/** Makes the engine when the first peer is added. */
export type CreateEngine = (options: {
  readonly asn: number
  readonly bgpIdentifier: string
  readonly log: Logger
}) => Engine
