/** Which routes a change tells the peers, takes back or tells otherwise. */
import type { RoutePlan } from '@typemetal/speaker'
import type { View } from '../view.js'

/** One route that a peer is told otherwise than before. */
export interface RouteChange {
  readonly node: string
  readonly peer: string
  readonly prefix: string
  readonly before?: RoutePlan
  readonly after?: RoutePlan
}

/** Compares the routes of every session of every node. */
export function compareRoutes(before: View, after: View): readonly RouteChange[] {
  const nodes = [...new Set([...before.plans.keys(), ...after.plans.keys()])].toSorted()
  return nodes.flatMap(node => {
    const was = before.plans.get(node)?.routes ?? new Map<string, readonly RoutePlan[]>()
    const is = after.plans.get(node)?.routes ?? new Map<string, readonly RoutePlan[]>()
    const peers = [...new Set([...was.keys(), ...is.keys()])].toSorted()
    return peers.flatMap(peer =>
      changesOf(was.get(peer) ?? [], is.get(peer) ?? []).map(change => ({ node, peer, ...change })),
    )
  })
}

function changesOf(
  before: readonly RoutePlan[],
  after: readonly RoutePlan[],
): readonly Omit<RouteChange, 'node' | 'peer'>[] {
  const was = new Map(before.map(route => [route.prefix, route]))
  const is = new Map(after.map(route => [route.prefix, route]))
  return [...new Set([...was.keys(), ...is.keys()])].toSorted().flatMap(prefix => {
    const [old, now] = [was.get(prefix), is.get(prefix)]
    if (old && now && attributes(old) === attributes(now)) return []
    return [{ prefix, ...(old && { before: old }), ...(now && { after: now }) }]
  })
}

/** What a route says beside its prefix, in one line; empty when nothing. */
export function attributes({ localPref, communities }: RoutePlan): string {
  const parts = [
    ...(localPref === undefined ? [] : [`LOCAL_PREF ${localPref}`]),
    ...(communities.length > 0 ? [`communities ${communities.join(' ')}`] : []),
  ]
  return parts.join(', ')
}
