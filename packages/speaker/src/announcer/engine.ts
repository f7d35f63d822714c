/** What the announcer needs of a BGP engine: the part of `@typemetal/bgp` that is used here. */
import type { BfdPeerOptions, BfdSource, NotificationDetails } from '@typemetal/bgp'
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
  readonly notificationsReceived: number
  readonly routeRefreshSent: number
  readonly routeRefreshReceived: number
  readonly totalSent: number
  readonly totalReceived: number
  /** Prefixes the peer has been told. */
  readonly prefixesAnnounced: number
  /** Prefixes the peer should know. */
  readonly prefixesPending: number
}

/** One field that a change of a peer's options is about, and what it does to a session that stands. */
export interface EngineChange {
  readonly field: string
  readonly effect: 'live' | 'reset'
  /** One sentence: why it is so. */
  readonly why: string
}

/** What the OPEN messages agreed on. */
export interface NegotiatedSession {
  /** Seconds; 0: none. */
  readonly holdTime: number
  /** Absent: those that were asked for. */
  readonly families?: readonly string[]
  /** Present when the peer knows graceful restart, RFC 4724. */
  readonly gracefulRestart?: unknown
}

/** How to part with a peer. */
export interface Farewell {
  /** Subcode of the Cease NOTIFICATION, RFC 4486. */
  readonly subcode?: number
  /** Shutdown Communication, RFC 9003. */
  readonly communication?: string
  /** Without a NOTIFICATION towards peers that keep our routes meanwhile, RFC 4724. */
  readonly gracefulRestart?: boolean
}

/** One configured peer. */
export interface EnginePeer {
  /** State of RFC 4271 section 8.2.2. */
  readonly state: string
  readonly counters: PeerCounters
  /** The peer's address in canonical text; empty while an unnumbered one has not been found. */
  readonly address: string
  /** Our address on the Established session. */
  readonly localAddress: string | undefined
  /** What the OPEN messages agreed on. */
  readonly negotiated: NegotiatedSession | undefined
  /** State of the BFD session with the peer, RFC 5880 section 6.2. */
  readonly bfdState: string | undefined
  /** Whole wanted set; the peer is told the difference. @throws {RangeError} a route that cannot be sent; nothing is changed then */
  setRoutes(routes: readonly RoutePlan[]): void
  /** One route more, or another in its place. @throws {RangeError} a route that cannot be sent */
  announce(route: RoutePlan): void
  /** Takes back what was announced. */
  withdraw(prefix: string): void
  /** Other options in the place of all before; the session ends only where one of them forces it. @throws {RangeError} nothing is changed then */
  change(options: EnginePeerOptions): readonly EngineChange[]
  /** Ends the session with Cease, Peer De-configured unless said otherwise, and forgets the peer. */
  close(farewell?: Farewell): Promise<void>
  /** The session has changed its state; `cause` is the event of RFC 4271 section 8.1 that made it. */
  on(event: 'state', listener: (to: string, from: string, cause: string) => void): unknown
  /** A NOTIFICATION was sent or has come. */
  on(event: 'notification', listener: (direction: 'sent' | 'received', details: NotificationDetails) => void): unknown
}

/** How to reach a peer; times in seconds. */
export interface EnginePeerOptions {
  /** For logs and metrics: that of the BGPPeer. */
  readonly name: string
  /** Either this or {@link interface}. */
  readonly address?: string
  /** The one peer on this interface, found by its router advertisements. */
  readonly interface?: string
  /** TCP port of the peer. */
  readonly port: number
  /** AS number of the peer, or which it may be of. */
  readonly asn: number | 'internal' | 'external'
  /** Our AS number towards this peer. */
  readonly localAsn: number
  /** Our BGP Identifier towards this peer, a dotted quad. */
  readonly bgpIdentifier: string
  /** Proposed Hold Time; 0 turns liveness off. */
  readonly holdTime: number
  /** Between our KEEPALIVEs. */
  readonly keepaliveTime: number
  /** Longest wait between attempts. @default 120 */
  readonly connectRetryTime?: number
  /** Address to connect from. @default the kernel chooses */
  readonly sourceAddress?: string
  /** Absent towards peers of our own AS. */
  readonly multihop?: boolean
  /** The VRF that the connection lives in. */
  readonly device?: string
  /** We tell, and do not listen. */
  readonly importPolicy: 'reject'
  /** Families that are proposed, and announced when the peer has them. */
  readonly families: readonly ('ipv4-unicast' | 'ipv6-unicast')[]
  /** Families whose prefixes may have a next hop of the other one, RFC 8950. */
  readonly extendedNextHop?: readonly 'ipv4-unicast'[]
  /** Password of TCP-MD5, RFC 2385. */
  readonly md5Key?: string
  /** BFD watches the peer, and its end is the end of the session. */
  readonly bfd?: BfdPeerOptions
  /** The peer is asked to keep our routes while we restart, RFC 4724. */
  readonly gracefulRestart?: true
  /** The session is about to end: GRACEFUL_SHUTDOWN, and LOCAL_PREF 0 to internal peers (RFC 8326). */
  readonly gracefulShutdown?: true
}

/** A BGP speaker that only dials. Disposing of it ends all sessions with Cease, Administrative Shutdown. */
export interface Engine extends AsyncDisposable {
  /** @throws {RangeError} an option that cannot work */
  addPeer(options: EnginePeerOptions): EnginePeer
  /** Ends all sessions; by default with Cease, Administrative Shutdown. */
  close(farewell?: Farewell): Promise<void>
}

/** How the engine is made. */
export interface EngineOptions {
  /** Our AS number. */
  readonly asn: number
  /** Our BGP Identifier, a dotted quad. */
  readonly bgpIdentifier: string
  /** Where the engine logs to. */
  readonly log: Logger
  /** Where the BFD sessions of its peers come from. */
  readonly bfd: BfdSource
  /** This process comes back while packets were forwarded on: Restart State bit of RFC 4724 section 3. */
  readonly restarting: boolean
  /** 0: what is announced hangs on nothing that peers would tell first. Seconds. */
  readonly selectionDeferralTime: 0
}

/** Makes the engine when the first peer is added. */
export type CreateEngine = (options: EngineOptions) => Engine
