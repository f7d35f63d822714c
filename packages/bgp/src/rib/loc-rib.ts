import { checkOptions, flag, number, optional, whole, type Kinds } from '@typemetal/options'
import type { FamilyName } from '../wire/index.js'
import { AttributeTable } from './attribute-table.js'
import type { MultipathOptions } from './decision.js'
import { FamilyPaths, Sources, type PathsListener } from './paths.js'
import type { Row } from './rows.js'
import type { PathSource } from './source.js'

/** Options of a {@link LocRib}. */
export interface LocRibOptions extends Partial<MultipathOptions> {
  /** A number that peers cannot know, for the hash tables. @default 0 */
  readonly seed?: number
}

const KINDS: Kinds<LocRibOptions> = {
  maximumPaths: optional(whole(1)),
  relax: optional(flag),
  seed: optional(number('a number')),
}

/**
 * Called when the paths of a prefix have changed.
 *
 * @param selected the selected ones have; else only others that might be used
 */
export type RouteListener = (family: FamilyName, prefix: Row, selected: boolean) => void

interface Subscription {
  readonly listener: RouteListener
  readonly except: number
}

/** No number of a source, and not what {@link PathsListener} has for several either. */
const NOBODY = -1

/** Loc-RIB, RFC 4271 section 3.2: all prefixes with the paths that the decision process has selected, and the others beside them. */
export class LocRib<S extends PathSource> {
  /** The sets of attributes of all paths. */
  readonly attributes: AttributeTable
  /** Whom the paths come from. */
  readonly sources = new Sources<S>()
  readonly #families: { readonly [F in FamilyName]: FamilyPaths<S> }
  #listeners: readonly Subscription[] = []

  /** @throws {TypeError | RangeError} an option that cannot work, or an unknown one; the message begins with its name */
  constructor(given: LocRibOptions = {}) {
    checkOptions(given, KINDS)
    const { maximumPaths = 1, relax = false, seed = 0 } = given
    this.attributes = new AttributeTable(seed)
    const options = { maximumPaths, relax, seed }
    const changed: PathsListener = (family, prefix, selected, only) => {
      const listeners = this.#listeners
      for (let i = 0; i < listeners.length; i++) {
        const { listener, except } = listeners[i]!
        if (except !== only) listener(family, prefix, selected)
      }
    }
    const create = (family: FamilyName): FamilyPaths<S> =>
      new FamilyPaths(family, this.attributes, this.sources, options, changed)
    this.#families = { 'ipv4-unicast': create('ipv4-unicast'), 'ipv6-unicast': create('ipv6-unicast') }
  }

  /** Prefixes of a family and all paths to them. */
  family(name: FamilyName): FamilyPaths<S> {
    return this.#families[name]
  }

  /**
   * @param except number of a source: the listener is not told of a new prefix that nobody else has a path to
   * @returns ends it
   */
  subscribe(listener: RouteListener, except?: number): () => void {
    const subscription: Subscription = { listener, except: except ?? NOBODY }
    this.#listeners = [...this.#listeners, subscription]
    return () => {
      this.#listeners = this.#listeners.filter(other => other !== subscription)
    }
  }

  /** Tells the listeners of a prefix whose paths have stayed the same, but not what is known of their sources. */
  touch(family: FamilyName, prefix: Row): void {
    for (const { listener } of this.#listeners) listener(family, prefix, true)
  }

  /** Prefixes that have a path that is used. Counted by looking at all. */
  get size(): number {
    let count = 0
    for (const _ of this.prefixes()) count++
    return count
  }

  /** Prefixes that have a path that is used. */
  *prefixes(): IterableIterator<readonly [family: FamilyName, prefix: Row]> {
    for (const name of ['ipv4-unicast', 'ipv6-unicast'] as const) {
      const paths = this.#families[name]
      const { prefixes } = paths
      for (let row = prefixes.nextLive(1); row < prefixes.limit; row = prefixes.nextLive(row + 1)) {
        if (paths.best(row) !== 0) yield [name, row]
      }
    }
  }
}
