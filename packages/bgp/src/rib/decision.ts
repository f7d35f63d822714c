import { asPathLength, SegmentType, type AsPath } from '../wire/index.js'
import type { AttributeSet } from './attribute-table.js'

/** The peer that a path came from. */
export interface PathSource {
  readonly internal: boolean
  readonly bgpIdentifier: number
  /** The peer's address as octets. */
  readonly address: Uint8Array
}

/** One peer's path to a prefix: a candidate of the decision process. */
export interface Path<S extends PathSource = PathSource> {
  readonly source: S
  readonly attributes: AttributeSet
}

/** What counts as equal enough to be used beside the best path. */
export interface MultipathOptions {
  /** Most paths used at once; 1 turns multipath off. */
  readonly maximumPaths: number
  /** Paths of equal AS_PATH length through different neighbour ASes count as equal. */
  readonly relax: boolean
}

/** LOCAL_PREF of a path that has none, as those from external peers. */
const DEFAULT_LOCAL_PREF = 100

const localPref = ({ attributes: { attributes } }: Path): number => attributes.localPref ?? DEFAULT_LOCAL_PREF
const pathLength = ({ attributes: { attributes } }: Path): number => asPathLength(attributes.asPath ?? [])
const origin = ({ attributes: { attributes } }: Path): number => attributes.origin ?? 2
/** RFC 4271 section 9.1.2.2 (c): a missing MULTI_EXIT_DISC is the lowest value. */
const multiExitDisc = ({ attributes: { attributes } }: Path): number => attributes.multiExitDisc ?? 0
/** RFC 4456 section 9: ORIGINATOR_ID stands for the BGP Identifier. */
const identifier = ({ source, attributes: { attributes } }: Path): number =>
  attributes.originatorId ?? source.bgpIdentifier
/** RFC 4456 section 9: no CLUSTER_LIST counts as length 0. */
const clusterLength = ({ attributes: { attributes } }: Path): number => attributes.clusterList?.length ?? 0

/** The AS next to ours, RFC 4271 section 9.1.2.2 (c): first of the AS_PATH; 0 for a path of our own AS. */
export function neighborAs(path: AsPath): number {
  const first = path.find(({ type }) => type === SegmentType.AsSequence || type === SegmentType.AsSet)
  return first?.type === SegmentType.AsSequence ? (first.asns[0] ?? 0) : 0
}

const neighbor = ({ attributes: { attributes } }: Path): number => neighborAs(attributes.asPath ?? [])

/** Those with the least measure, in their order. */
function least<P extends Path>(paths: readonly P[], measure: (path: P) => number): readonly P[] {
  if (paths.length < 2) return paths
  const best = Math.min(...paths.map(measure))
  return paths.filter(path => measure(path) === best)
}

/** Step (c): of the paths through one neighbour AS only those with the lowest MED stay, whatever the order of arrival. */
const lowestMed = <P extends Path>(paths: readonly P[]): readonly P[] =>
  paths.filter(path =>
    paths.every(other => neighbor(other) !== neighbor(path) || multiExitDisc(other) >= multiExitDisc(path)),
  )

/** Byte order; the shorter first. */
function compareOctets(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return a.length - b.length
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return 0
}

/** Steps (f) and (g), which always find one: lowest BGP Identifier, shortest CLUSTER_LIST, lowest peer address. */
const byTieBreak = (a: Path, b: Path): number =>
  identifier(a) - identifier(b) ||
  clusterLength(a) - clusterLength(b) ||
  compareOctets(a.source.address, b.source.address)

/** Steps of RFC 4271 sections 9.1.1 and 9.1.2.2 (a) to (d); the interior cost of step (e) is unknown here and equal. */
function equalPaths<P extends Path>(candidates: readonly P[]): readonly P[] {
  let paths = least(candidates, path => -localPref(path))
  paths = least(paths, pathLength)
  paths = least(paths, origin)
  paths = lowestMed(paths)
  return least(paths, ({ source }) => (source.internal ? 1 : 0))
}

/**
 * The decision process of RFC 4271 section 9.1.2 on the feasible paths to one prefix.
 *
 * @returns the best path first, then those that may be used beside it; empty when there is no candidate
 */
export function selectPaths<P extends Path>(candidates: readonly P[], options: MultipathOptions): readonly P[] {
  const equal = equalPaths(candidates)
  if (equal.length < 2) return equal
  const sorted = equal.toSorted(byTieBreak)
  const best = sorted[0]!
  const beside = options.relax ? sorted : sorted.filter(path => neighbor(path) === neighbor(best))
  return beside.slice(0, options.maximumPaths)
}
