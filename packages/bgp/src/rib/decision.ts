import { FactFlag } from '../wire/scan-attributes.js'
import type { AttributeTable } from './attribute-table.js'
import { PAGE_MASK, type Row } from './rows.js'
import type { PathSource } from './source.js'

/** What counts as equal enough to be used beside the best path. */
export interface MultipathOptions {
  /** Most paths used at once; 1 turns multipath off. */
  readonly maximumPaths: number
  /** Paths of equal AS_PATH length through different neighbour ASes count as equal. */
  readonly relax: boolean
}

/** A path that takes part in a decision. Made once and filled again. */
interface Candidate<S> {
  path: Row
  attributes: Row
  source: S
  /** Long-lived stale, RFC 9494: whatever else is there comes first. */
  stale: boolean
  flags: number
  localPref: number
  asPathLength: number
  origin: number
  multiExitDisc: number
  neighborAs: number
  identifier: number
  clusterLength: number
}

/** LOCAL_PREF of a path that has none, as those from external peers. */
const DEFAULT_LOCAL_PREF = 100

/** Byte order; the shorter first. */
function compareOctets(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return a.length - b.length
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return 0
}

/** RFC 4271 section 9.1.2.2 (d): external before internal; a confederation's other members count as internal (RFC 5065 section 5.3). */
const rankOf = ({ local, internal, confederation }: PathSource): number =>
  local ? 0 : internal || confederation ? 2 : 1

/**
 * The decision process of RFC 4271 section 9.1.2 on the feasible paths to one prefix: first {@link add} them, then {@link run}. Next hops are
 * not resolved; the interior cost of step (e) counts as equal.
 */
export class Decision<S extends PathSource> {
  readonly #attributes: AttributeTable
  readonly #options: MultipathOptions
  readonly #pool: Candidate<S>[] = []
  #candidates: Candidate<S>[] = []

  constructor(attributes: AttributeTable, options: MultipathOptions) {
    this.#attributes = attributes
    this.#options = options
  }

  /** Forgets the last decision. */
  clear(): void {
    this.#candidates = []
  }

  /** One more path. @param stale it is long-lived stale (RFC 9494) */
  add(path: Row, attributes: Row, source: S, stale: boolean): void {
    const page = this.#attributes.page(attributes)
    const at = attributes & PAGE_MASK
    const flags = page.flags[at]!
    const candidate = (this.#pool[this.#candidates.length] ??= {} as Candidate<S>)
    candidate.path = path
    candidate.attributes = attributes
    candidate.source = source
    candidate.flags = flags
    candidate.stale = stale || (flags & FactFlag.LongLivedStale) !== 0
    candidate.localPref = flags & FactFlag.LocalPref ? page.localPref[at]! : DEFAULT_LOCAL_PREF
    candidate.asPathLength = page.asPathLength[at]!
    candidate.origin = page.origin[at]!
    // RFC 4271 section 9.1.2.2 (c): a missing MULTI_EXIT_DISC is the lowest value.
    candidate.multiExitDisc = page.multiExitDisc[at]!
    candidate.neighborAs = page.neighborAs[at]!
    // RFC 4456 section 9: ORIGINATOR_ID stands for the BGP Identifier.
    candidate.identifier = flags & FactFlag.OriginatorId ? page.originatorId[at]! : source.bgpIdentifier
    candidate.clusterLength = page.clusterLength[at]!
    this.#candidates.push(candidate)
  }

  /** @returns the best path first, then those that may be used beside it; empty when there is none */
  run(): readonly Row[] {
    if (this.#candidates.length > 1) this.#eliminate()
    const [best] = this.#candidates
    if (!best) return []
    if (this.#candidates.length === 1) return [best.path]
    const sorted = this.#candidates.toSorted(byTieBreak)
    const first = sorted[0]!
    const beside = this.#options.relax ? sorted : sorted.filter(path => path.neighborAs === first.neighborAs)
    return beside.slice(0, this.#options.maximumPaths).map(({ path }) => path)
  }

  /** Steps of RFC 4271 sections 9.1.1 and 9.1.2.2 (a) to (d). */
  #eliminate(): void {
    this.#least(({ source }) => (source.local ? 0 : 1))
    this.#least(({ stale }) => (stale ? 1 : 0))
    this.#least(({ localPref }) => -localPref)
    this.#leastAigp()
    this.#least(({ asPathLength }) => asPathLength)
    this.#least(({ origin }) => origin)
    this.#lowestMed()
    this.#least(({ source }) => rankOf(source))
  }

  #least(measure: (candidate: Candidate<S>) => number): void {
    const candidates = this.#candidates
    if (candidates.length < 2) return
    let best = Infinity
    for (const candidate of candidates) best = Math.min(best, measure(candidate))
    this.#candidates = candidates.filter(candidate => measure(candidate) === best)
  }

  /** RFC 7311 section 4.1: with AIGP before without, then the lowest metric; the cost to the next hop counts as equal. */
  #leastAigp(): void {
    if (!this.#candidates.some(({ flags }) => flags & FactFlag.Aigp)) return
    this.#least(({ flags }) => (flags & FactFlag.Aigp ? 0 : 1))
    const metric = ({ attributes }: Candidate<S>): bigint => this.#attributes.attributes(attributes).aigp ?? 0n
    let best = metric(this.#candidates[0]!)
    for (const candidate of this.#candidates) if (metric(candidate) < best) best = metric(candidate)
    this.#candidates = this.#candidates.filter(candidate => metric(candidate) === best)
  }

  /** Step (c): of the paths through one neighbour AS only those with the lowest MED stay, whatever the order of arrival. */
  #lowestMed(): void {
    const candidates = this.#candidates
    if (candidates.length < 2) return
    this.#candidates = candidates.filter(path =>
      candidates.every(other => other.neighborAs !== path.neighborAs || other.multiExitDisc >= path.multiExitDisc),
    )
  }
}

/** Steps (f) and (g), which always find one: lowest BGP Identifier, shortest CLUSTER_LIST (RFC 4456 section 9), lowest peer address. */
const byTieBreak = (a: Candidate<PathSource>, b: Candidate<PathSource>): number =>
  a.identifier - b.identifier ||
  a.clusterLength - b.clusterLength ||
  compareOctets(a.source.address, b.source.address) ||
  // Several paths of one peer (RFC 7911): any order will do that does not change by itself.
  a.path - b.path
