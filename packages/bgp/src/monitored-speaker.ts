import { methods } from '@typemetal/options'
import type { State } from './fsm/index.js'
import type { Capability, FamilyName, PathAttributes } from './wire/index.js'

/** What of a session's negotiation an observer looks at. */
export interface MonitoredSession {
  readonly peerAsn: number
  readonly peerBgpIdentifier: number
  /** Seconds. */
  readonly holdTime: number
  readonly fourOctetAs: boolean
  readonly families: readonly FamilyName[]
  readonly peerCapabilities: readonly Capability[]
  /** Families with Path Identifiers, RFC 7911. */
  readonly addPath?: { readonly receive: readonly FamilyName[]; readonly send: readonly FamilyName[] }
  /** RFC 8654. */
  readonly extendedMessage?: boolean
}

/** A route of an Adj-RIB. */
export interface MonitoredRoute {
  readonly prefix: string
  readonly pathId?: number
  readonly nextHop: string
  /** Without NEXT_HOP and the MP_ attributes; AS numbers whole. Routes that share them should share the object. */
  readonly attributes: PathAttributes
}

/** A route that a peer was told. */
export interface ToldRoute extends Omit<MonitoredRoute, 'nextHop'> {
  /** Absent where the speaker does not keep it; such a route is seen when it is sent, and not in a table, which has no End-of-RIB then. */
  readonly nextHop?: string
}

/** What an observer needs of a peer; the `Peer` of `@typemetal/bgp` has it. */
export interface MonitoredPeer {
  /** Canonical text. */
  readonly address: string
  /** Our address on the session. */
  readonly localAddress: string | undefined
  /** Our TCP port, and the peer's; absent where they are not known. */
  readonly localPort?: number | undefined
  readonly remotePort?: number | undefined
  readonly state: State
  readonly negotiated: MonitoredSession | undefined
  readonly counters: { readonly prefixesReceived: number; readonly prefixesAnnounced: number }
  /** What the peer has announced, as it is now; may be walked while it changes. */
  adjRibIn(): Iterable<MonitoredRoute>
  /** What the peer has been told, as it was sent; likewise. */
  adjRibOut(): Iterable<ToldRoute>
  /** Messages as they are on the wire, header included; the RIBs know of an UPDATE before the turn of the event loop ends. */
  on(event: 'message', listener: (direction: 'sent' | 'received', octets: Uint8Array) => void): unknown
  /** Ends that. */
  off(event: 'message', listener: (direction: 'sent' | 'received', octets: Uint8Array) => void): unknown
}

/** The selected paths to a prefix, best first. */
export interface MonitoredChange {
  readonly prefix: string
  readonly paths: readonly { readonly nextHop: string; readonly attributes: PathAttributes }[]
}

/** Told of each change of a peer's state. */
export type StateListener = (peer: MonitoredPeer, to: State, from: State, cause: string) => void

/** What an observer needs of a speaker; the `BgpSpeaker` of `@typemetal/bgp` has it, and a test can play one. */
export interface MonitoredSpeaker {
  readonly asn: number
  readonly bgpIdentifier: string
  readonly peers: Iterable<MonitoredPeer>
  /** The Loc-RIB as it is now; may be walked while it changes. */
  locRib(): Iterable<MonitoredChange>
  /** A peer has changed its state. */
  on(event: 'state', listener: StateListener): unknown
  /** The selected paths of a prefix have changed. */
  on(event: 'route', listener: (change: MonitoredChange) => void): unknown
  /** Ends that. */
  off(event: 'state', listener: StateListener): unknown
  /** Ends that. */
  off(event: 'route', listener: (change: MonitoredChange) => void): unknown
}

/** What a {@link MonitoredSpeaker} has to be. */
export const speakerKind = methods<MonitoredSpeaker>('on', 'off', 'locRib')
