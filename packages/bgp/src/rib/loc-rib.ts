import { selectPaths, type MultipathOptions, type Path, type PathSource } from './decision.js'
import type { PrefixKey } from './prefix-key.js'

/** Several candidates for one prefix, and those of them that are used. */
interface Contest<S extends PathSource> {
  readonly candidates: readonly Path<S>[]
  readonly selected: readonly Path<S>[]
}

/** Most prefixes have one path, which needs no list and no decision. */
type Destination<S extends PathSource> = Path<S> | Contest<S>

const isContest = <S extends PathSource>(destination: Destination<S>): destination is Contest<S> =>
  'candidates' in destination

const selectedOf = <S extends PathSource>(destination: Destination<S>): readonly Path<S>[] =>
  isContest(destination) ? destination.selected : [destination]

const sameList = <T>(a: readonly T[], b: readonly T[]): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i])

/** Loc-RIB, RFC 4271 section 3.2: for each prefix the paths that the decision process has selected, and the candidates. */
export class LocRib<S extends PathSource> {
  readonly #destinations = new Map<PrefixKey, Destination<S>>()
  readonly #options: MultipathOptions

  constructor(options: MultipathOptions) {
    this.#options = options
  }

  /** Prefixes that have a path. */
  get size(): number {
    return this.#destinations.size
  }

  /**
   * Replaces what `source` offers for a prefix; `undefined` takes it away.
   *
   * @param path of that source; many prefixes may share one
   * @returns whether the selected paths have changed
   */
  update(key: PrefixKey, source: S, path: Path<S> | undefined): boolean {
    const before = this.#destinations.get(key)
    if (before && (isContest(before) || before.source !== source)) return this.#contest(key, source, path, before)
    if (before?.attributes === path?.attributes) return false
    if (path) this.#destinations.set(key, path)
    else this.#destinations.delete(key)
    return true
  }

  #contest(key: PrefixKey, source: S, path: Path<S> | undefined, before: Destination<S>): boolean {
    const earlier = isContest(before) ? before.candidates : [before]
    const known = earlier.find(candidate => candidate.source === source)
    if (known?.attributes === path?.attributes) return false
    const others = earlier.filter(candidate => candidate !== known)
    const candidates = path ? [...others, path] : others
    const selected = selectPaths(candidates, this.#options)
    this.#destinations.set(key, candidates.length === 1 ? candidates[0]! : { candidates, selected })
    return !sameList(selected, selectedOf(before))
  }

  /** The selected paths to a prefix, best first; empty when there is none. */
  select(key: PrefixKey): readonly Path<S>[] {
    const destination = this.#destinations.get(key)
    return destination ? selectedOf(destination) : []
  }

  /** All prefixes with their selected paths. */
  *[Symbol.iterator](): IterableIterator<[PrefixKey, readonly Path<S>[]]> {
    for (const [key, destination] of this.#destinations) yield [key, selectedOf(destination)]
  }
}
