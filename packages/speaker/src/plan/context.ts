/** The part of a plan's input that is the same for all Services. */
import type { Config, Node, Snapshot } from '@typemetal/cluster'
import type { ElectionLevel } from '../election.js'
import { candidateNodes, isExcluded, isNetworkUnavailable } from './nodes.js'
import type { PlanOptions } from './types.js'

/** Input of every per-Service decision; two equal contexts decide alike. */
export interface Context {
  readonly config: Config | undefined
  readonly node: string
  /** Values of `spec.loadBalancerClass` that are ours; `''` stands for none. */
  readonly lbClasses: readonly string[]
  readonly electionLevel: ElectionLevel
  readonly interfaces: readonly string[] | undefined
  /** Sorted names of the nodes that may own layer-2 addresses. */
  readonly candidates: readonly string[]
  readonly networkUnavailable: boolean
  readonly excluded: boolean
  /** @internal What {@link candidates} were made of. */
  readonly population: Population
}

/** Who there is at all. */
interface Population {
  readonly nodes: ReadonlyMap<string, Node>
  readonly members: readonly string[] | undefined
  readonly ignoreExcludeLb: boolean
}

/**
 * Reads the nodes and options once.
 * @param previous spares the work where nothing has changed
 */
export function createContext(
  snapshot: Snapshot,
  config: Config | undefined,
  node: string,
  members: readonly string[] | undefined,
  options: PlanOptions,
  previous?: Context,
): Context {
  const { ignoreExcludeLb = false } = options
  const population = { nodes: snapshot.objects('Node'), members, ignoreExcludeLb }
  const own = population.nodes.get(node)
  return {
    config,
    node,
    lbClasses: classesOf(options.lbClass ?? ''),
    electionLevel: options.electionLevel ?? 'main',
    interfaces: options.interfaces,
    candidates:
      previous && samePopulation(previous.population, population)
        ? previous.candidates
        : candidateNodes(population.nodes, members, ignoreExcludeLb),
    networkUnavailable: isNetworkUnavailable(own),
    excluded: !ignoreExcludeLb && isExcluded(own),
    population,
  }
}

/** The classes that a list names; of an empty list the one that Services without a class have. */
function classesOf(list: string): readonly string[] {
  const names = list.split(',').map(name => name.trim())
  const given = names.filter(name => name !== '')
  return given.length > 0 ? given : ['']
}

const samePopulation = (a: Population, b: Population): boolean =>
  a.nodes === b.nodes && a.ignoreExcludeLb === b.ignoreExcludeLb && sameList(a.members, b.members)

/** Who stands for election now and did not before, and the other way round. */
export interface CandidateChange {
  readonly before: ReadonlySet<string>
  readonly came: readonly string[]
  readonly gone: ReadonlySet<string>
}

const NOBODY: CandidateChange = { before: new Set(), came: [], gone: new Set() }

/** What members that came or went have changed, mostly nothing; `undefined` when anything else differs, so that all is to be decided anew. */
export function candidateChange(older: Context, newer: Context): CandidateChange | undefined {
  if (!sameButCandidates(older, newer)) return undefined
  if (sameList(older.candidates, newer.candidates)) return NOBODY
  const before = new Set(older.candidates)
  const now = new Set(newer.candidates)
  return {
    before,
    came: newer.candidates.filter(name => !before.has(name)),
    gone: new Set(older.candidates.filter(name => !now.has(name))),
  }
}

/** Configurations are compared by identity. */
function sameButCandidates(a: Context, b: Context): boolean {
  return (
    a.config === b.config &&
    a.node === b.node &&
    a.electionLevel === b.electionLevel &&
    a.networkUnavailable === b.networkUnavailable &&
    a.excluded === b.excluded &&
    sameList(a.lbClasses, b.lbClasses) &&
    sameList(a.interfaces, b.interfaces)
  )
}

/** Equal lengths and identical elements; both absent counts as equal. */
export function sameList(a: readonly unknown[] | undefined, b: readonly unknown[] | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a.length === b.length && a.every((item, i) => item === b[i])
}
