/** What a BGPPeer can ask for that the BGP engine here does not do. Empty this list, feature by feature. */
import type { SessionPlan } from '../plan/types.js'

/** Something a BGPPeer asks for that is not available, and what was done about it. */
export interface PeerLimit {
  readonly peer: string
  /** Path in the BGPPeer, e.g. `spec.vrf`. */
  readonly field: string
  /** One sentence. */
  readonly reason: string
  /** False: the session runs without the feature. True: it is not opened at all. */
  readonly notOpened: boolean
}

/** Limits of one session. Going without BFD is slower; going out through the wrong VRF is another network. */
export function peerLimits(session: SessionPlan): readonly PeerLimit[] {
  const { name: peer } = session
  const limits: PeerLimit[] = []
  if (session.vrf !== undefined) {
    limits.push({ peer, field: 'spec.vrf', reason: 'VRFs are not available: session not opened', notOpened: true })
  }
  if (session.interface !== undefined) {
    const reason = 'unnumbered peers are not available: session not opened'
    limits.push({ peer, field: 'spec.interface', reason, notOpened: true })
  }
  if (session.bfdProfile !== undefined) {
    const reason = 'BFD is not available: a dead peer is noticed by the hold timer'
    limits.push({ peer, field: 'spec.bfdProfile', reason, notOpened: false })
  }
  if (session.gracefulRestart) {
    const reason = 'graceful restart is not available: the peer drops our routes when the session ends'
    limits.push({ peer, field: 'spec.enableGracefulRestart', reason, notOpened: false })
  }
  return limits
}

/** Whether the session can be opened at all. */
export const canOpen = (session: SessionPlan): boolean => peerLimits(session).every(limit => !limit.notOpened)
