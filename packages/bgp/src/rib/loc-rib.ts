import type { AttributeSet } from './attribute-table.js'
import { selectPaths, type MultipathOptions, type Path, type PathSource } from './decision.js'
import type { PrefixKey } from './prefix-key.js'

interface Destination<S extends PathSource> {
  candidates: readonly Path<S>[]
  selected: readonly Path<S>[]
}

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
   * @returns whether the selected paths have changed
   */
  update(key: PrefixKey, source: S, attributes: AttributeSet | undefined): boolean {
    const destination = this.#destinations.get(key)
    const known = destination?.candidates.find(path => path.source === source)
    if (known?.attributes === attributes) return false
    const others = destination?.candidates.filter(path => path !== known) ?? []
    const candidates = attributes ? [...others, { source, attributes }] : others
    const selected = selectPaths(candidates, this.#options)
    if (candidates.length === 0) this.#destinations.delete(key)
    else this.#destinations.set(key, { candidates, selected })
    return !sameList(selected, destination?.selected ?? [])
  }

  /** The selected paths to a prefix, best first; empty when there is none. */
  select(key: PrefixKey): readonly Path<S>[] {
    return this.#destinations.get(key)?.selected ?? []
  }

  /** All prefixes with their selected paths. */
  *[Symbol.iterator](): IterableIterator<[PrefixKey, readonly Path<S>[]]> {
    for (const [key, { selected }] of this.#destinations) yield [key, selected]
  }
}
