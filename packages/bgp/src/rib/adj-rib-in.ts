import { FactFlag } from '../wire/scan-attributes.js'
import type { FamilyName } from '../wire/index.js'
import type { LocRib } from './loc-rib.js'
import { PathFlag, type FamilyPaths } from './paths.js'
import { PAGE_MASK, type Row } from './rows.js'
import type { PathSource } from './source.js'

const FAMILIES: readonly FamilyName[] = ['ipv4-unicast', 'ipv6-unicast']

/** Adj-RIB-In, RFC 4271 section 3.2: what one peer has announced, before and behind policy. It may outlive a session. */
export class AdjRibIn<S extends PathSource> {
  /** Number of the peer among the sources of the {@link LocRib}. */
  readonly source: number
  readonly #rib: LocRib<S>
  readonly #sizes: { [F in FamilyName]: number } = { 'ipv4-unicast': 0, 'ipv6-unicast': 0 }

  /** @throws {RangeError} the Loc-RIB has 65,535 sources */
  constructor(rib: LocRib<S>, source: S) {
    this.#rib = rib
    this.source = rib.sources.add(source)
  }

  /** Paths held, of one family or of all. */
  size(family?: FamilyName): number {
    return family ? this.#sizes[family] : this.#sizes['ipv4-unicast'] + this.#sizes['ipv6-unicast']
  }

  /** What is known of the peer has changed: it has come back with another BGP Identifier, for one. */
  identify(source: S): void {
    this.#rib.sources.set(this.source, source)
  }

  /**
   * Puts a path in, in the place of what the peer said before.
   *
   * @param prefix row of the family's prefixes
   * @param pathId 0 without ADD-PATH
   * @param received attributes as they came
   * @param attributes those behind policy; 0 for a path that must not be used
   */
  announce(paths: FamilyPaths<S>, prefix: Row, pathId: number, received: Row, attributes: Row): void {
    if (paths.announce(this.source, prefix, pathId, received, attributes)) this.#sizes[paths.prefixes.family]++
  }

  /** Takes a path out, if it is there. */
  withdraw(paths: FamilyPaths<S>, prefix: Row, pathId: number): void {
    if (paths.withdraw(this.source, prefix, pathId)) this.#sizes[paths.prefixes.family]--
  }

  /** All paths of a family. */
  paths(family: FamilyName): IterableIterator<Row> {
    return this.#rib.family(family).of(this.source)
  }

  /** Everything of a family is stale until it is said anew, RFC 4724 section 4.2 and RFC 7313 section 4. */
  markStale(family: FamilyName): void {
    const paths = this.#rib.family(family)
    for (const path of paths.of(this.source)) paths.mark(path, PathFlag.Stale)
  }

  /** Stale paths stay for longer, behind all others, RFC 9494 section 4.3; those that ask for the opposite go. */
  markLongLivedStale(family: FamilyName): void {
    const paths = this.#rib.family(family)
    for (const path of paths.of(this.source)) {
      if (!(paths.flags(path) & PathFlag.Stale)) continue
      const received = paths.received(path)
      const { flags } = this.#rib.attributes.page(received)
      if (flags[received & PAGE_MASK]! & FactFlag.NoLongLived) this.#remove(paths, path)
      else paths.mark(path, PathFlag.LongLivedStale)
    }
  }

  /** Takes out what is still stale. */
  deleteStale(family: FamilyName): void {
    const paths = this.#rib.family(family)
    for (const path of paths.of(this.source)) {
      if (paths.flags(path) & PathFlag.Stale) this.#remove(paths, path)
    }
  }

  /** Takes everything out, of one family or of all. */
  clear(family?: FamilyName): void {
    for (const name of family ? [family] : FAMILIES) {
      if (this.#sizes[name] === 0) continue
      const paths = this.#rib.family(name)
      for (const path of paths.of(this.source)) this.#remove(paths, path)
    }
  }

  /** Takes everything out and forgets the peer. */
  close(): void {
    this.clear()
    this.#rib.sources.delete(this.source)
  }

  #remove(paths: FamilyPaths<S>, path: Row): void {
    paths.remove(path)
    this.#sizes[paths.prefixes.family]--
  }
}
