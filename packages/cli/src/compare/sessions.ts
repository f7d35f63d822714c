/** Which BGP sessions a change opens, closes, resets or leaves alone. */
import { sessionChange, sessionTarget } from '@typemetal/speaker'
import type { SessionPlan } from '@typemetal/speaker'
import type { View } from '../view.js'

/** One session that is not as it was. */
export interface SessionDifference {
  readonly node: string
  readonly peer: string
  /** Address or interface. */
  readonly target: string
  /** `reset`: closed and opened again, and what was announced is gone meanwhile. `carried`: changed while it stands. */
  readonly change: 'opened' | 'closed' | 'reset' | 'carried'
  /** Fields that differ; empty for sessions that are opened or closed. */
  readonly fields: readonly string[]
}

/** Compares the sessions of every node. */
export function compareSessions(before: View, after: View): readonly SessionDifference[] {
  const nodes = [...new Set([...before.plans.keys(), ...after.plans.keys()])].toSorted()
  return nodes.flatMap(node => {
    const was = before.plans.get(node)?.sessions ?? new Map<string, SessionPlan>()
    const is = after.plans.get(node)?.sessions ?? new Map<string, SessionPlan>()
    const peers = [...new Set([...was.keys(), ...is.keys()])].toSorted()
    return peers.flatMap(peer => differenceOf(node, peer, was.get(peer), is.get(peer)))
  })
}

function differenceOf(
  node: string,
  peer: string,
  before: SessionPlan | undefined,
  after: SessionPlan | undefined,
): readonly SessionDifference[] {
  const known = after ?? before
  if (!known) return []
  const target = sessionTarget(known)
  if (!before || !after) return [{ node, peer, target, change: before ? 'closed' : 'opened', fields: [] }]
  const { resets, carried } = sessionChange(before, after)
  if (resets.length > 0) return [{ node, peer, target, change: 'reset', fields: resets }]
  return carried.length > 0 ? [{ node, peer, target, change: 'carried', fields: carried }] : []
}
