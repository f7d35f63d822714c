import type { SessionOptions as BfdSessionOptions } from '../bfd/fsm/options.js'
import type { State as BfdState } from '../bfd/wire/state.js'

/** Which BFD session is wanted. Equal ones are one session on the wire. */
export interface BfdSessionRequest extends BfdSessionOptions {
  /** The neighbour's, in canonical text without zone. */
  readonly address: string
  /** Ours; without it the kernel chooses. */
  readonly localAddress?: string
  /** The link that the neighbour is on, of a link-local address. */
  readonly interface?: string
  /** The only interface to use, or a VRF. */
  readonly device?: string
  /** RFC 5883 instead of RFC 5881. */
  readonly multihop?: boolean
}

/** What is told of a change of state. */
export interface BfdStateDetails {
  /** bfd.LocalDiag, RFC 5880 section 4.1. */
  readonly diagnostic: number
  readonly remoteState: BfdState
  /** What the neighbour has last said. */
  readonly remoteDiagnostic: number
  /** What has led to it, in words. */
  readonly cause: string
}

/** The part of a BFD session that BGP uses. The `BfdSession` of `@typemetal/bgp/bfd` has it, and a test can play one. */
export interface BfdSourceSession {
  readonly state: BfdState
  readonly remoteState: BfdState
  /** Other options, in the place of all those before. @throws {RangeError} one that cannot work */
  change(options: BfdSessionOptions): void
  /** As it is now. */
  snapshot(): {
    /** The C bit of the neighbour's packets: its BFD lives on when its control plane dies (RFC 5880 section 4.1). */
    readonly remoteControlPlaneIndependent: boolean
    /** The address that is sent from, where it is known. */
    readonly localAddress?: string | undefined
  }
  /** The state of the session has changed. */
  on(event: 'state', listener: (to: BfdState, from: BfdState, details: BfdStateDetails) => void): unknown
  /** The neighbour's state has changed, and ours has not. */
  on(event: 'remoteState', listener: (to: BfdState, from: BfdState) => void): unknown
  /** Gives the session back; no event comes afterwards. */
  close(): void
}

/** Where a speaker's BFD sessions come from. The `Bfd` of `@typemetal/bgp/bfd` is one, and a test can play one. */
export interface BfdSource {
  /** @throws {RangeError} the options cannot work, or do not agree with those of another holder of the session */
  session(request: BfdSessionRequest): BfdSourceSession
}
