import type { AttributeTable } from './attribute-table.js'
import { Decision, type MultipathOptions } from './decision.js'
import { PrefixTable } from './prefix-table.js'
import { Columns, PAGE_BITS, PAGE_MASK, PAGE_ROWS, Rows, type Page, type Row } from './rows.js'
import type { PathSource } from './source.js'
import type { FamilyName } from '../wire/index.js'

/** Marks of a path. */
export const PathFlag = {
  /** Used, alone or beside others. */
  Selected: 0x01,
  /** Its peer restarts (RFC 4724) or sends everything again (RFC 7313), and has not said it anew. */
  Stale: 0x02,
  /** Stale for so long that anything else is better, RFC 9494. */
  LongLivedStale: 0x04,
} as const

class PathPage implements Page {
  used = 0
  fresh = 0
  free = 0
  readonly #columns = new Columns(19)
  /** The next path to the same prefix. */
  readonly link = this.#columns.uint32()
  /** 0 in free rows. */
  readonly prefix = this.#columns.uint32()
  /** Attributes as they came. */
  readonly received = this.#columns.uint32()
  /** Attributes behind the import policy; 0 for a path that must not be used. */
  readonly attributes = this.#columns.uint32()
  readonly source = this.#columns.uint16()
  readonly flags = this.#columns.uint8()
  /** Path Identifiers (RFC 7911), once there is one on the page. */
  pathIds: Uint32Array | undefined
}

/** Most sources of paths. */
const MAX_SOURCES = 0xffff

/** Sources of paths by number. */
export class Sources<S extends PathSource> {
  readonly #list: (S | undefined)[] = []
  readonly #free: number[] = []

  /** @throws {RangeError} more than 65,535 */
  add(source: S): number {
    const number = this.#free.pop() ?? this.#list.length
    if (number > MAX_SOURCES) throw new RangeError(`more than ${MAX_SOURCES} peers`)
    this.#list[number] = source
    return number
  }

  /** In the place of what the number stood for; the peer has come back with another identifier, for one. */
  set(number: number, source: S): void {
    this.#list[number] = source
  }

  /** What the number stands for; one that was given back stands for nothing. */
  get(number: number): S {
    return this.#list[number]!
  }

  /** Gives the number back. */
  delete(number: number): void {
    this.#list[number] = undefined
    this.#free.push(number)
  }
}

/**
 * Called when the paths of a prefix have changed.
 *
 * @param selected the selected ones have; else only others that might be used
 * @param only number of the source that has the only path to a new prefix; -2 where it is not that simple
 */
export type PathsListener = (family: FamilyName, prefix: Row, selected: boolean, only: number) => void

const SEVERAL = -2

/** All paths to the prefixes of one family: every peer's Adj-RIB-In, and which of them are in the Loc-RIB. */
export class FamilyPaths<S extends PathSource> {
  /** Their prefixes. */
  readonly prefixes: PrefixTable
  readonly #rows = new Rows(() => new PathPage())
  readonly #sources: Sources<S>
  readonly #attributes: AttributeTable
  readonly #decision: Decision<S>
  readonly #changed: PathsListener

  /** @internal Made by {@link LocRib}. */
  constructor(
    family: FamilyName,
    attributes: AttributeTable,
    sources: Sources<S>,
    options: MultipathOptions & { readonly seed: number },
    changed: PathsListener,
  ) {
    this.prefixes = new PrefixTable(family, options.seed)
    this.#attributes = attributes
    this.#sources = sources
    this.#decision = new Decision(attributes, options)
    this.#changed = changed
  }

  /** Paths held. */
  get size(): number {
    return this.#rows.size
  }

  /**
   * Puts a path in, in the place of the one that the source had with this Path Identifier.
   *
   * @param received attributes as they came
   * @param attributes those to use; 0 keeps the path without using it
   * @returns whether it is a new path
   */
  announce(source: number, prefix: Row, pathId: number, received: Row, attributes: Row): boolean {
    const known = this.find(source, prefix, pathId)
    this.#attributes.retain(received)
    if (attributes !== 0) this.#attributes.retain(attributes)
    if (known === 0) {
      this.#insert(source, prefix, pathId, received, attributes)
      return true
    }
    const page = this.#page(known)
    const at = known & PAGE_MASK
    const before = { received: page.received[at]!, attributes: page.attributes[at]!, flags: page.flags[at]! }
    page.received[at] = received
    page.attributes[at] = attributes
    page.flags[at] = before.flags & PathFlag.Selected
    const wasStale = (before.flags & PathFlag.LongLivedStale) !== 0
    if (before.attributes !== attributes || wasStale) this.#select(prefix, known)
    this.#attributes.release(before.received)
    if (before.attributes !== 0) this.#attributes.release(before.attributes)
    return false
  }

  /** Takes a path out. @returns whether it was there */
  withdraw(source: number, prefix: Row, pathId: number): boolean {
    const path = this.find(source, prefix, pathId)
    if (path === 0) return false
    this.remove(path)
    return true
  }

  /** The path that a source has to a prefix with this Path Identifier; 0 for none. */
  find(source: number, prefix: Row, pathId: number): Row {
    let path = this.prefixes.first(prefix)
    while (path !== 0) {
      const page = this.#page(path)
      const at = path & PAGE_MASK
      if (page.source[at] === source && (page.pathIds?.[at] ?? 0) === pathId) return path
      path = page.link[at]!
    }
    return 0
  }

  /** The next path to the same prefix; 0 for none. */
  next(path: Row): Row {
    return this.#page(path).link[path & PAGE_MASK]!
  }

  /** Row of the prefix. */
  prefixOf(path: Row): Row {
    return this.#page(path).prefix[path & PAGE_MASK]!
  }

  /** Where the path comes from. */
  sourceOf(path: Row): S {
    return this.#sources.get(this.#page(path).source[path & PAGE_MASK]!)
  }

  /** Number of its source among the {@link Sources}. */
  sourceNumber(path: Row): number {
    return this.#page(path).source[path & PAGE_MASK]!
  }

  /** Path Identifier (RFC 7911); 0 for none. */
  pathId(path: Row): number {
    return this.#page(path).pathIds?.[path & PAGE_MASK] ?? 0
  }

  /** Attributes as they came. */
  received(path: Row): Row {
    return this.#page(path).received[path & PAGE_MASK]!
  }

  /** Attributes to use; 0 for a path that must not be used. */
  attributes(path: Row): Row {
    return this.#page(path).attributes[path & PAGE_MASK]!
  }

  /** Bits of {@link PathFlag}. */
  flags(path: Row): number {
    return this.#page(path).flags[path & PAGE_MASK]!
  }

  /** The best path to a prefix: the first one, when it is used at all. 0 for none. */
  best(prefix: Row): Row {
    const first = this.prefixes.first(prefix)
    return first !== 0 && this.flags(first) & PathFlag.Selected ? first : 0
  }

  /**
   * Collects prefixes from `prefix` on, as long as the best path to each has no mark but that of being used, and comes from this source with
   * these attributes.
   *
   * @param into where they go, from `at` on
   * @param most of them at most
   * @returns how many; at the end of a page it may stop early
   */
  alike(prefix: Row, source: number, attributes: Row, into: Row[], at: number, most: number): number {
    const page = this.prefixes.page(prefix)
    if (!page) return 0
    const { link, references, fresh } = page
    const { pages } = this.#rows
    const first = prefix - (prefix & PAGE_MASK)
    let count = 0
    for (let place = prefix & PAGE_MASK; place < fresh && count < most; place++) {
      if (references[place] === 0) continue
      const path = link[place]!
      if (path === 0) break
      const paths = pages[path >>> PAGE_BITS]!
      const i = path & PAGE_MASK
      if (paths.attributes[i] !== attributes || paths.source[i] !== source || paths.flags[i] !== PathFlag.Selected)
        break
      into[at + count++] = first + place
    }
    return count
  }

  /** The paths to a prefix that are used, the best one first. */
  selected(prefix: Row): Row[] {
    const list: Row[] = []
    for (let path = this.prefixes.first(prefix); path !== 0; path = this.next(path)) {
      if (this.flags(path) & PathFlag.Selected) list.push(path)
    }
    return list
  }

  /** The paths of a source. They may be taken out one by one while this goes on. */
  *of(source: number): IterableIterator<Row> {
    const { pages } = this.#rows
    for (let number = 0; number < pages.length; number++) {
      const page = pages[number]
      if (!page) continue
      for (let at = 0; at < page.fresh; at++) {
        if (page.prefix[at] !== 0 && page.source[at] === source) yield number * PAGE_ROWS + at
      }
    }
  }

  /** Puts marks on a path. Long-lived stale ones are compared anew. */
  mark(path: Row, flag: number): void {
    this.#page(path).flags[path & PAGE_MASK]! |= flag
    if (flag & PathFlag.LongLivedStale) this.#select(this.prefixOf(path), path)
  }

  /** Uses other attributes for a path from now on; 0 keeps it without using it. */
  setAttributes(path: Row, attributes: Row): void {
    const page = this.#page(path)
    const before = page.attributes[path & PAGE_MASK]!
    if (before === attributes) return
    if (attributes !== 0) this.#attributes.retain(attributes)
    page.attributes[path & PAGE_MASK] = attributes
    this.#select(this.prefixOf(path), path)
    if (before !== 0) this.#attributes.release(before)
  }

  #page(path: Row): PathPage {
    return this.#rows.pages[path >>> PAGE_BITS]!
  }

  #insert(source: number, prefix: Row, pathId: number, received: Row, attributes: Row): void {
    const path = this.#rows.take()
    const page = this.#page(path)
    const at = path & PAGE_MASK
    const first = this.prefixes.first(prefix)
    page.prefix[at] = prefix
    page.source[at] = source
    page.received[at] = received
    page.attributes[at] = attributes
    page.flags[at] = 0
    if (pathId !== 0 || page.pathIds) (page.pathIds ??= new Uint32Array(PAGE_ROWS))[at] = pathId
    this.prefixes.retain(prefix)
    if (first !== 0) {
      // Behind the first, which is the best one until it is decided anew.
      page.link[at] = this.next(first)
      this.#page(first).link[first & PAGE_MASK] = path
      this.#select(prefix, path)
      return
    }
    page.link[at] = 0
    this.prefixes.setFirst(prefix, path)
    if (attributes === 0) return
    // Most prefixes have one path, which needs no decision.
    page.flags[at] = PathFlag.Selected
    this.#changed(this.prefixes.family, prefix, true, source)
  }

  /** Takes a path out. */
  remove(path: Row): void {
    const page = this.#page(path)
    const at = path & PAGE_MASK
    const prefix = page.prefix[at]!
    const received = page.received[at]!
    const attributes = page.attributes[at]!
    const wasSelected = (page.flags[at]! & PathFlag.Selected) !== 0
    this.#unlink(prefix, path)
    page.prefix[at] = 0
    this.#rows.give(path)
    // One that was not used may have kept another from being used, by its MED.
    if (attributes !== 0) {
      const isLast = this.prefixes.first(prefix) === 0
      if (isLast || !this.#select(prefix, 0, wasSelected))
        this.#changed(this.prefixes.family, prefix, wasSelected, SEVERAL)
    }
    this.prefixes.release(prefix)
    this.#attributes.release(received)
    if (attributes !== 0) this.#attributes.release(attributes)
  }

  #unlink(prefix: Row, path: Row): void {
    const after = this.next(path)
    let before = this.prefixes.first(prefix)
    if (before === path) {
      this.prefixes.setFirst(prefix, after)
      return
    }
    while (this.next(before) !== path) before = this.next(before)
    this.#page(before).link[before & PAGE_MASK] = after
  }

  /** Puts these paths to a prefix before the others, in their order. */
  #moveToFront(prefix: Row, paths: readonly Row[]): void {
    for (let i = paths.length - 1; i >= 0; i--) {
      const path = paths[i]!
      if (this.prefixes.first(prefix) === path) continue
      this.#unlink(prefix, path)
      this.#page(path).link[path & PAGE_MASK] = this.prefixes.first(prefix)
      this.prefixes.setFirst(prefix, path)
    }
  }

  /**
   * Decides anew between the paths to a prefix, puts the best one first and says when something has changed.
   *
   * @param touched a path whose attributes have changed; 0 for none
   * @param lost a path that was used has been taken out
   * @returns whether the listeners were told
   */
  #select(prefix: Row, touched: Row, lost = false): boolean {
    const decision = this.#decision
    const bestBefore = this.best(prefix)
    let changed = lost || (touched !== 0 && (this.flags(touched) & PathFlag.Selected) !== 0)
    decision.clear()
    for (let path = this.prefixes.first(prefix); path !== 0; path = this.next(path)) {
      const attributes = this.attributes(path)
      const stale = (this.flags(path) & PathFlag.LongLivedStale) !== 0
      if (attributes !== 0) decision.add(path, attributes, this.sourceOf(path), stale)
    }
    const selected = decision.run()
    for (let path = this.prefixes.first(prefix); path !== 0; path = this.next(path)) {
      const page = this.#page(path)
      const at = path & PAGE_MASK
      const is = selected.includes(path)
      if (is === ((page.flags[at]! & PathFlag.Selected) !== 0)) continue
      page.flags[at]! ^= PathFlag.Selected
      changed = true
    }
    const [best = 0] = selected
    this.#moveToFront(prefix, selected)
    const isTold = changed || best !== bestBefore || touched !== 0
    if (isTold) this.#changed(this.prefixes.family, prefix, changed || best !== bestBefore, SEVERAL)
    return isTold
  }
}
