/** Which BGP sessions a node wants, and what a change of one costs. */
import { matchesAny, parseAddress } from '@typemetal/cluster'
import type { Config, Node, PeerConfig } from '@typemetal/cluster'
import type { SessionFamily, SessionPlan } from './types.js'

/** RFC 4271 section 10's suggestion, and MetalLB's native default. Seconds. */
export const DEFAULT_HOLD_TIME = 90

/**
 * The sessions whose node selectors match this node's labels, by name.
 * @param node own Node object; without it no session is wanted
 */
export function wantedSessions(config: Config, node: Node | undefined): ReadonlyMap<string, SessionPlan> {
  const sessions = new Map<string, SessionPlan>()
  if (!node) return sessions
  for (const peer of config.peers.values()) {
    if (matchesAny(peer.nodeSelectors, node.metadata.labels ?? {})) sessions.set(peer.name, sessionOf(peer))
  }
  return sessions
}

/** Whether both ends share one AS, so that LOCAL_PREF is sent. */
export function isInternal(session: SessionPlan): boolean {
  if (session.dynamicASN) return session.dynamicASN === 'internal'
  return session.peerASN === (session.localASN ?? session.myASN)
}

/** Where the session goes, as metrics and logs name it: `<address>` or the interface's name. */
export const sessionTarget = (session: SessionPlan): string => session.peerAddress ?? session.interface ?? ''

/**
 * Fields that a running session can take over without being closed: they are not part of what the two ends agreed on
 * when it was opened.
 */
const CARRIED: ReadonlySet<keyof SessionPlan> = new Set(['name', 'bfdProfile', 'connectTimeSeconds'])

/** Differences between two versions of one session. */
export interface SessionChange {
  /** Fields that force the session to be closed and opened again, sorted. Empty: it stays up. */
  readonly resets: readonly string[]
  /** Fields that the running session takes over, sorted. */
  readonly carried: readonly string[]
}

/** Compares two versions of one session field by field. */
export function sessionChange(before: SessionPlan, after: SessionPlan): SessionChange {
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted() as (keyof SessionPlan)[]
  const changed = fields.filter(field => String(before[field]) !== String(after[field]))
  return {
    resets: changed.filter(field => !CARRIED.has(field)),
    carried: changed.filter(field => CARRIED.has(field)),
  }
}

function sessionOf(peer: PeerConfig): SessionPlan {
  const { nodeSelectors: _, dualStackAddressFamily: __, holdTimeSeconds, keepaliveTimeSeconds, ...rest } = peer
  const hold = holdTimeSeconds ?? (keepaliveTimeSeconds === undefined ? DEFAULT_HOLD_TIME : keepaliveTimeSeconds * 3)
  return {
    ...rest,
    holdTimeSeconds: hold,
    keepaliveTimeSeconds: keepaliveTimeSeconds ?? hold / 3,
    families: familiesOf(peer),
  }
}

function familiesOf(peer: PeerConfig): readonly SessionFamily[] {
  if (peer.dualStackAddressFamily || peer.peerAddress === undefined) return ['ipv4', 'ipv6']
  return parseAddress(peer.peerAddress)?.family === 'IPv6' ? ['ipv6'] : ['ipv4']
}
