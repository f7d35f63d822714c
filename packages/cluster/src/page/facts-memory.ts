import type { PageFacts, Section } from './facts.js'
import { sameFacts } from './same-facts.js'

/** What sections were made of, and what came of it. */
interface Kept {
  readonly from: readonly unknown[]
  readonly section: unknown
}

/**
 * Keeps each section as it was made last: it is made again only when something that it is made of is another value, and stays the same
 * object even then, if it says the same.
 */
export class FactsMemory {
  readonly #kept = new Map<Section, Kept>()

  /**
   * One section.
   *
   * @param from all that the section is made of, compared by identity; empty: nobody can tell, so it is made each time
   * @param make makes it
   */
  section<S extends Section>(
    name: S,
    from: readonly unknown[],
    make: () => NonNullable<PageFacts[S]>,
  ): NonNullable<PageFacts[S]> {
    const before = this.#kept.get(name) as { from: readonly unknown[]; section: NonNullable<PageFacts[S]> } | undefined
    if (before && from.length > 0 && sameValues(before.from, from)) return before.section
    const made = make()
    const section = before && sameFacts(before.section, made) ? before.section : made
    this.#kept.set(name, { from, section })
    return section
  }
}

const sameValues = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i])
