/** The nodes of the cluster as this one sees them. Pure. */
import type { Node, ObjectKey } from '@typemetal/cluster'
import type { NodeFacts } from '@typemetal/cluster/page'
import type { DrainState } from '../drain/types.js'
import { EXCLUDE_LABEL, isExcluded, isNetworkUnavailable } from '../plan/nodes.js'
import type { Plan, ServiceDecision } from '../plan/types.js'

/** What rows of nodes are made of. */
export interface NodeReadings {
  /** Node objects by name. */
  readonly nodes: ReadonlyMap<ObjectKey, Node>
  /** Absent: gossip is off. */
  readonly members: readonly string[] | undefined
  readonly plan: Plan | undefined
  /** This node. */
  readonly node: string
  readonly drain: DrainState
  readonly ignoreExcludeLb: boolean
}

/** A row for each node that has an object or is a member, by name. */
export function nodeRows(readings: NodeReadings): readonly NodeFacts[] {
  const { nodes, members, plan, node } = readings
  const owned = ownedBy(node, plan?.services)
  const announced = [...(plan?.services.values() ?? [])].filter(({ bgp }) => bgp.announce).length
  const names = new Set([...nodes.keys(), ...(members ?? [])])
  return [...names].toSorted().map(name => {
    const alive = members?.includes(name)
    const notes = notesOf(name, readings)
    return {
      node: name,
      verdict: alive === false ? 'bad' : notes.length > 0 ? 'note' : 'good',
      ...(alive !== undefined && { alive }),
      ...(name === node && { self: true }),
      layer2: owned.get(name) ?? 0,
      ...(name === node && { bgp: announced }),
      notes,
    }
  })
}

/** How many Services each node was elected for, as far as this one takes part in the election. */
function ownedBy(
  node: string,
  services: ReadonlyMap<ObjectKey, ServiceDecision> | undefined,
): ReadonlyMap<string, number> {
  const owned = new Map<string, number>()
  for (const { layer2 } of services?.values() ?? []) {
    const owner = layer2.announce ? node : layer2.owner
    if (owner !== undefined) owned.set(owner, (owned.get(owner) ?? 0) + 1)
  }
  return owned
}

function notesOf(name: string, { nodes, members, node, drain, ignoreExcludeLb }: NodeReadings): readonly string[] {
  const object = nodes.get(name)
  return [
    ...(members?.includes(name) === false ? ['no speaker is heard there'] : []),
    ...(object ? [] : ['no Node object']),
    ...(isExcluded(object) && !ignoreExcludeLb ? [`labelled ${EXCLUDE_LABEL}`] : []),
    ...(isNetworkUnavailable(object) ? ['its condition NetworkUnavailable is True'] : []),
    ...(object?.spec?.unschedulable ? ['cordoned'] : []),
    ...(name === node && drain !== 'announcing' ? [`drain: ${drain}`] : []),
  ]
}
