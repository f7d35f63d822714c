/** BGP sessions of this node, and BFD beside them. */
import type { BFDFacts, SessionFacts, Verdict } from '@typemetal/cluster/page'
import type { BfdReading } from '../announcer/bfd.js'
import type { PeerReading } from '../announcer/bgp.js'
import type { PeerLimit } from '../announcer/limits.js'
import { sessionTarget } from '../plan/sessions.js'
import type { Plan, SessionPlan } from '../plan/types.js'
import type { RememberedSession } from './session-memory.js'

/** All that rows of sessions are made of. */
export interface SessionReadings {
  readonly plan: Plan
  readonly peers: readonly PeerReading[]
  readonly bfd: readonly BfdReading[]
  /** What the peers ask for and do not get. */
  readonly limits: readonly PeerLimit[]
  readonly remembered: (name: string) => RememberedSession | undefined
  /** The same of BFD with an address. */
  readonly rememberedBFD: (peer: string, vrf: string) => RememberedSession | undefined
}

/** A row for each session that the plan wants, by name. */
export function sessionRows(readings: SessionReadings): readonly SessionFacts[] {
  const { plan, peers } = readings
  const byName = new Map(peers.map(peer => [peer.name, peer]))
  return [...plan.sessions.values()].map(session => sessionFacts(session, byName.get(session.name), readings))
}

function sessionFacts(session: SessionPlan, peer: PeerReading | undefined, readings: SessionReadings): SessionFacts {
  const { name, localASN, myASN, peerASN } = session
  const state = peer?.state?.state ?? 'Idle'
  const remembered = readings.remembered(name)
  const limits = readings.limits.filter(limit => limit.peer === name)
  const isUp = state === 'Established'
  const reason = reasonOf(isUp, limits, remembered?.failure)
  const bfd = session.bfd && bfdFacts(session, peer, readings)
  return {
    node: readings.plan.node,
    peer: name,
    target: sessionTarget(session),
    verdict: verdict(isUp, limits),
    state,
    ...(remembered && { since: remembered.since }),
    localAS: localASN ?? myASN,
    ...(peerASN !== undefined && { peerAS: peerASN }),
    families: familiesOf(session, peer, isUp),
    wanted: readings.plan.routes.get(name)?.length ?? 0,
    announced: isUp ? (peer?.state?.counters.prefixesAnnounced ?? 0) : 0,
    ...(bfd && { bfd }),
    ...(reason !== undefined && { reason }),
  }
}

function verdict(isUp: boolean, limits: readonly PeerLimit[]): Verdict {
  if (!isUp) return 'bad'
  return limits.length > 0 ? 'note' : 'good'
}

function reasonOf(isUp: boolean, limits: readonly PeerLimit[], failure: string | undefined): string | undefined {
  const wishes = limits.map(({ field, reason }) => `${field}: ${reason}`)
  const last = failure === undefined ? [] : [isUp ? `before this one stood: ${failure}` : failure]
  const all = [...wishes, ...last]
  return all.length > 0 ? all.join('; ') : undefined
}

/** Those that the OPEN messages agreed on, before that those that are wanted. */
function familiesOf(session: SessionPlan, peer: PeerReading | undefined, isUp: boolean): readonly string[] {
  const agreed = isUp ? peer?.state?.negotiated?.families : undefined
  return agreed?.map(family => family.replace(/-unicast$/, '')) ?? session.families
}

function bfdFacts(session: SessionPlan, peer: PeerReading | undefined, readings: SessionReadings): BFDFacts {
  const { peerAddress = peer?.state?.address ?? '', vrf = 'default', bfdProfile } = session
  const found = readings.bfd.find(reading => reading.peer === peerAddress && reading.vrf === vrf)?.snapshot
  const remembered = readings.rememberedBFD(peerAddress, vrf)
  const { state = 'Down', detectionTime = 0 } = found ?? {}
  const reason = found === undefined ? 'BFD does not run for this peer' : remembered?.failure
  return {
    verdict: state === 'Up' ? 'good' : state === 'AdminDown' ? 'note' : 'bad',
    state,
    ...(bfdProfile !== undefined && { profile: bfdProfile }),
    ...(remembered && { since: remembered.since }),
    ...(detectionTime > 0 && { detectionTime: detectionTime / MICROSECONDS_PER_MS }),
    ...(state !== 'Up' && reason !== undefined && { reason }),
  }
}

const MICROSECONDS_PER_MS = 1000
