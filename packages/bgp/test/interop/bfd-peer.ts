import type { AuthenticationOptions, State } from '@typemetal/bgp/bfd'
import type { Daemon } from './daemon.js'
import type { Host } from './namespace.js'

/** A number of milliseconds. */
type Milliseconds = number

/** How a real BFD daemon is set up; the same for all its neighbours. */
export interface BfdPeerOptions {
  /** Our address, and its own on this session. */
  readonly neighbors: readonly { readonly address: string; readonly localAddress: string }[]
  readonly multihop?: boolean
  /** @default 300 */
  readonly transmitInterval?: Milliseconds
  /** @default 300 */
  readonly receiveInterval?: Milliseconds
  /** @default 3 */
  readonly detectMultiplier?: number
  readonly passive?: boolean
  /** Of a multihop session, where it has that. */
  readonly minimumTtl?: number
  /** Echo packets this far apart, both ways, where it has them. */
  readonly echoInterval?: Milliseconds
  /** Where it has that. */
  readonly authentication?: AuthenticationOptions
}

/** A session as the daemon's own command line shows it. */
export interface SeenBfdSession {
  readonly state: State
  /** As it is negotiated. */
  readonly transmitInterval: Milliseconds
  /** As it is negotiated. */
  readonly detectionTime: Milliseconds
  /** What only some daemons show. */
  readonly details?: {
    readonly myDiscriminator: number
    readonly yourDiscriminator: number
    readonly detectMult: number
    readonly remoteDetectMult: number
    /** In the daemon's words. */
    readonly diagnostic: string
    readonly remoteDiagnostic: string
    readonly passive: boolean
    readonly echoPacketsReceived: number
    readonly echoPacketsSent: number
    /** How often it has gone to Up, and from there. */
    readonly upTransitions: number
    readonly downTransitions: number
  }
}

/** A running BFD daemon of somebody else's. */
export interface BfdPeer {
  readonly daemon: Daemon
  /** Gives it other options while it runs. */
  change(options: BfdPeerOptions): Promise<void>
  /** @param address ours; the first neighbour's where it is left out */
  session(address?: string): Promise<SeenBfdSession | undefined>
  /** Takes its sessions down, as its operator would, or up again. */
  disable(): Promise<void>
  enable(): Promise<void>
}

/** A kind of BFD daemon. */
export interface BfdPeerKind {
  readonly name: 'FRR' | 'BIRD'
  /** Why it cannot be used here; `undefined` when it can. */
  missing(): string | undefined
  start(host: Host, options: BfdPeerOptions): Promise<BfdPeer>
}

/** What is left out of {@link BfdPeerOptions}. */
export const BFD_PEER_DEFAULTS = { transmitInterval: 300, receiveInterval: 300, detectMultiplier: 3 } as const
