/** The part of a plan's input that is the same for all Services. */
import type { Config, Snapshot } from '@typemetal/cluster'
import type { ElectionLevel } from '../election.js'
import { candidateNodes, isExcluded, isNetworkUnavailable } from './nodes.js'
import type { PlanOptions } from './types.js'

/** Input of every per-Service decision; two equal contexts decide alike. */
export interface Context {
  readonly config: Config | undefined
  readonly node: string
  readonly lbClasses: readonly string[]
  readonly electionLevel: ElectionLevel
  readonly interfaces: readonly string[] | undefined
  /** Sorted names of the nodes that may own layer-2 addresses. */
  readonly candidates: readonly string[]
  readonly networkUnavailable: boolean
  readonly excluded: boolean
}

/** Reads the nodes and options once. */
export function createContext(
  snapshot: Snapshot,
  config: Config | undefined,
  node: string,
  members: readonly string[] | undefined,
  options: PlanOptions,
): Context {
  const nodes = snapshot.objects('Node')
  const ignoreExcludeLb = options.ignoreExcludeLb ?? false
  return {
    config,
    node,
    lbClasses: (options.lbClass ?? '').split(',').map(name => name.trim()),
    electionLevel: options.electionLevel ?? 'main',
    interfaces: options.interfaces,
    candidates: candidateNodes(nodes, members, ignoreExcludeLb),
    networkUnavailable: isNetworkUnavailable(nodes.get(node)),
    excluded: !ignoreExcludeLb && isExcluded(nodes.get(node)),
  }
}

/** Whether two contexts decide alike; configurations are compared by identity. */
export function sameContext(a: Context, b: Context): boolean {
  return (
    a.config === b.config &&
    a.node === b.node &&
    a.electionLevel === b.electionLevel &&
    a.networkUnavailable === b.networkUnavailable &&
    a.excluded === b.excluded &&
    sameList(a.candidates, b.candidates) &&
    sameList(a.lbClasses, b.lbClasses) &&
    sameList(a.interfaces, b.interfaces)
  )
}

/** Equal lengths and identical elements; both absent counts as equal. */
export function sameList(a: readonly unknown[] | undefined, b: readonly unknown[] | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a.length === b.length && a.every((item, i) => item === b[i])
}
