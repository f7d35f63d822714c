import type { BfdCondition } from './bfd.js'
import { Damping, type DampingOptions } from './damping.js'
import type { OpenLevel } from './open.js'
import type { CheckedSessionOptions } from './options.js'

/** What the FSMs of one peer share, and what outlives their connections. */
export class PeerMemory {
  /** Waits between attempts. */
  readonly damping: Damping
  /** ConnectRetryCounter of RFC 4271 section 8: failures since the last manual start, on whichever connection. */
  connectRetryCounter = 0
  /** Less than `all` for the one attempt after the peer has refused our capabilities. */
  openLevel: OpenLevel = 'all'
  /** We have restarted and hold back our routes: Restart State (R) of RFC 4724 section 3. */
  restarting = false
  /**
   * What we forward is older than the next session: there has been one since we started, or we have restarted and kept it. Forwarding
   * State (F) of RFC 4724 section 3.
   */
  forwardingPreserved = false
  /** What BFD says, draft-ietf-idr-bgp-bfd-strict-mode section 7: its session is there before the BGP connections, and stays. */
  bfd: BfdCondition = 'Down'

  constructor(options: CheckedSessionOptions) {
    this.damping = new Damping(dampingOf(options))
  }

  /** Other options from now on. */
  change(options: CheckedSessionOptions): void {
    this.damping.options = dampingOf(options)
  }
}

const dampingOf = (options: CheckedSessionOptions): DampingOptions => ({
  first: options.idleHoldTime,
  limit: options.connectRetryTime,
  doubles: options.dampPeerOscillations,
  random: options.random,
})
