import type { FamilyPaths, LocRib, PathSource, Row } from './rib/index.js'
import type { ParsedRoute } from './route.js'
import type { FamilyName, PathAttributes } from './wire/index.js'

/** Sets of attributes by Path Identifier; of the one path without an identifier its set alone: a Map for each route is most of a table. */
type Paths = Map<number, Row> | Row

/** Called when what is there for a prefix has changed. */
export type PrefixListener = (family: FamilyName, prefix: Row) => void

/** Routes for one peer alone, beside what the Loc-RIB has for all. */
export class OwnRoutes<S extends PathSource> {
  readonly #rib: LocRib<S>
  readonly #changed: PrefixListener
  readonly #families: { readonly [F in FamilyName]: Map<Row, Paths> } = {
    'ipv4-unicast': new Map(),
    'ipv6-unicast': new Map(),
  }
  #size = 0

  constructor(rib: LocRib<S>, changed: PrefixListener) {
    this.#rib = rib
    this.#changed = changed
  }

  /** Routes held. */
  get size(): number {
    return this.#size
  }

  /** Attributes of the routes to a prefix, by Path Identifier. */
  get(family: FamilyName, prefix: Row): ReadonlyMap<number, Row> | undefined {
    const paths = this.#families[family].get(prefix)
    return typeof paths === 'number' ? new Map([[0, paths]]) : paths
  }

  /** Prefixes of a family that have a route. */
  prefixes(family: FamilyName): IterableIterator<Row> {
    return this.#families[family].keys()
  }

  /** Puts a route in, in the place of one with the same prefix and Path Identifier. @throws {RangeError} more attributes than one can hold */
  set(route: ParsedRoute): void {
    this.#set(route, this.#rib.attributes.internValues(route.attributes, route.nextHop))
  }

  #set(route: ParsedRoute, set: Row): void {
    const { attributes } = this.#rib
    const { prefixes } = this.#rib.family(route.family)
    const prefix = prefixes.intern(route.nlri.prefix, 0, route.nlri.length)
    const before = setOf(this.#families[route.family].get(prefix), route.pathId)
    if (before === set) return
    attributes.retain(set)
    if (before === undefined) {
      prefixes.retain(prefix)
      this.#size++
    } else attributes.release(before)
    this.#put(route.family, prefix, route.pathId, set)
    this.#changed(route.family, prefix)
  }

  #put(family: FamilyName, prefix: Row, pathId: number, set: Row): void {
    const paths = this.#families[family].get(prefix)
    if (pathId === 0 && typeof paths !== 'object') this.#families[family].set(prefix, set)
    else if (typeof paths === 'object') paths.set(pathId, set)
    else this.#families[family].set(prefix, new Map([...entriesOf(paths), [pathId, set]]))
  }

  /** Takes a route out, if it is there. */
  delete(family: FamilyName, prefix: Row, pathId: number): void {
    const paths = this.#families[family].get(prefix)
    const set = setOf(paths, pathId)
    if (set === undefined) return
    this.#size--
    if (typeof paths === 'object') paths.delete(pathId)
    if (typeof paths !== 'object' || paths.size === 0) this.#families[family].delete(prefix)
    this.#changed(family, prefix)
    this.#rib.attributes.release(set)
    this.#family(family).prefixes.release(prefix)
  }

  /** Replaces everything. */
  replace(routes: readonly ParsedRoute[]): void {
    const stale: { readonly [F in FamilyName]: Map<Row, Set<number>> } = {
      'ipv4-unicast': new Map(),
      'ipv6-unicast': new Map(),
    }
    for (const family of ['ipv4-unicast', 'ipv6-unicast'] as const) {
      for (const [prefix, paths] of this.#families[family]) {
        stale[family].set(prefix, new Set(entriesOf(paths).map(([pathId]) => pathId)))
      }
    }
    using sets = new SharedSets(this.#rib)
    for (const route of routes) {
      this.#set(route, sets.of(route))
      const { prefixes } = this.#family(route.family)
      stale[route.family].get(prefixes.find(route.nlri))?.delete(route.pathId)
    }
    for (const family of ['ipv4-unicast', 'ipv6-unicast'] as const) {
      for (const [prefix, pathIds] of stale[family]) for (const pathId of pathIds) this.delete(family, prefix, pathId)
    }
  }

  #family(name: FamilyName): FamilyPaths<S> {
    return this.#rib.family(name)
  }
}

function setOf(paths: Paths | undefined, pathId: number): Row | undefined {
  if (typeof paths === 'object') return paths.get(pathId)
  return pathId === 0 ? paths : undefined
}

function entriesOf(paths: Paths | undefined): readonly (readonly [pathId: number, set: Row])[] {
  if (typeof paths === 'object') return [...paths]
  return paths === undefined ? [] : [[0, paths]]
}

/** Sets of attributes of a whole list of routes, made once for those that share their attributes. */
class SharedSets<S extends PathSource> implements Disposable {
  readonly #rib: LocRib<S>
  readonly #sets = new Map<PathAttributes, { readonly nextHop: Uint8Array; readonly set: Row }>()

  constructor(rib: LocRib<S>) {
    this.#rib = rib
  }

  /** @throws {RangeError} more attributes than one can hold */
  of({ attributes, nextHop }: ParsedRoute): Row {
    const known = this.#sets.get(attributes)
    if (known?.nextHop === nextHop) return known.set
    const set = this.#rib.attributes.internValues(attributes, nextHop)
    if (known) return set
    // Kept for as long as the list is gone through: a later route with the prefix of the first may take its set away.
    this.#rib.attributes.retain(set)
    this.#sets.set(attributes, { nextHop, set })
    return set
  }

  [Symbol.dispose](): void {
    for (const { set } of this.#sets.values()) this.#rib.attributes.release(set)
  }
}
