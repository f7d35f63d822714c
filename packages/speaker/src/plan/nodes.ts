/** What Node objects say about announcing. */
import type { Node } from '@typemetal/cluster'

/** Its presence, whatever its value, keeps a node from announcing. */
export const EXCLUDE_LABEL = 'node.kubernetes.io/exclude-from-external-load-balancers'

/** Whether the condition NetworkUnavailable is True; absent and Unknown count as available. */
export function isNetworkUnavailable(node: Node | undefined): boolean {
  return (node?.status?.conditions ?? []).some(c => c.type === 'NetworkUnavailable' && c.status === 'True')
}

/** Whether the node carries the label `node.kubernetes.io/exclude-from-external-load-balancers`. */
export function isExcluded(node: Node | undefined): boolean {
  return node?.metadata.labels?.[EXCLUDE_LABEL] !== undefined
}

/**
 * Nodes that may own layer-2 addresses: live members (all nodes when gossip is off) that neither lack a network nor
 * are excluded. A member without a Node object counts as fine.
 */
export function candidateNodes(
  nodes: ReadonlyMap<string, Node>,
  members: readonly string[] | undefined,
  ignoreExcludeLb: boolean,
): readonly string[] {
  const names = new Set(members ?? nodes.keys())
  return [...names].toSorted().filter(name => {
    const node = nodes.get(name)
    return !isNetworkUnavailable(node) && (ignoreExcludeLb || !isExcluded(node))
  })
}
