/** What a BGPPeer asks for that this machine does not give, and what is done about it. */
import { isInternal } from '../plan/sessions.js'
import type { SessionPlan } from '../plan/types.js'
import type { Environment } from './environment.js'

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

/** A machine that gives everything. */
export const FULL_ENVIRONMENT: Environment = { withoutSockets: undefined, netRaw: true }

/**
 * Limits of one session. Going without BFD is slower, and without a TTL of 1 more is reached than was meant; going out through the wrong
 * VRF, or without the password, is another session than the one that was asked for.
 */
export function peerLimits(session: SessionPlan, environment: Environment = FULL_ENVIRONMENT): readonly PeerLimit[] {
  return [...socketLimits(session, environment), ...privilegeLimits(session, environment)]
}

/** Whether the session can be opened at all. */
export const canOpen = (session: SessionPlan, environment?: Environment): boolean =>
  peerLimits(session, environment).every(limit => !limit.notOpened)

function socketLimits(session: SessionPlan, { withoutSockets: why }: Environment): readonly PeerLimit[] {
  if (why === undefined) return []
  const { name: peer, vrf, interface: on, password, bfdProfile, ebgpMultiHop } = session
  const refused = (field: string, what: string): PeerLimit => ({
    peer,
    field,
    reason: `${what} cannot be had, for ${why}: session not opened`,
    notOpened: true,
  })
  const without = (field: string, what: string): PeerLimit => ({
    peer,
    field,
    reason: `${what}, for ${why}`,
    notOpened: false,
  })
  return [
    ...(vrf === undefined ? [] : [refused('spec.vrf', 'a VRF')]),
    ...(on === undefined ? [] : [refused('spec.interface', 'an unnumbered peer')]),
    ...(password === undefined ? [] : [refused('spec.password', 'TCP-MD5')]),
    ...(bfdProfile === undefined
      ? []
      : [without('spec.bfdProfile', 'no BFD: a dead peer is noticed by the hold timer')]),
    ...(isInternal(session) || on !== undefined
      ? []
      : [without('spec.ebgpMultiHop', `TTL ${ebgpMultiHop ? 255 : 1} cannot be set: the kernel's default is used`)]),
  ]
}

function privilegeLimits(session: SessionPlan, { withoutSockets, netRaw }: Environment): readonly PeerLimit[] {
  if (netRaw || withoutSockets !== undefined) return []
  const { name: peer, interface: on, bfd } = session
  const limits: PeerLimit[] = []
  if (on !== undefined) {
    const reason = 'router advertisements, by which the peer is found, need CAP_NET_RAW: session not opened'
    limits.push({ peer, field: 'spec.interface', reason, notOpened: true })
  }
  if (bfd?.echoMode) {
    const reason = 'echo packets of BFD need CAP_NET_RAW: control packets alone watch the path'
    limits.push({ peer, field: 'spec.bfdProfile', reason, notOpened: false })
  }
  return limits
}
