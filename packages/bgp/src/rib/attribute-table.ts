import { decodePathAttributes, encodePathAttributes, type MessageContext, type PathAttributes } from '../wire/index.js'
import { createFacts, NO_RULES, scanAttributes, type AttributeFacts } from '../wire/scan-attributes.js'
import type { Octets } from '../wire/octets.js'
import { OctetArena } from './octet-arena.js'
import { Columns, PAGE_BITS, PAGE_MASK, PAGE_ROWS, Rows, type Page, type Row } from './rows.js'

/** How the octets in the table are written, whoever they came from. */
export const TABLE_CONTEXT: MessageContext = { fourOctetAs: true, internal: true, confederation: true }

/** Columns of attribute sets: where their octets are, and the facts that decisions are made by. */
class AttributePage implements Page {
  used = 0
  fresh = 0
  free = 0
  readonly #columns = new Columns(47)
  /** The next set with the same hash. */
  readonly link = this.#columns.uint32()
  readonly references = this.#columns.uint32()
  readonly hash = this.#columns.int32()
  /** Place of the octets in the arena. */
  readonly place = this.#columns.uint32()
  readonly localPref = this.#columns.uint32()
  readonly multiExitDisc = this.#columns.uint32()
  readonly neighborAs = this.#columns.uint32()
  readonly originatorId = this.#columns.uint32()
  /** How many octets. */
  readonly length = this.#columns.uint16()
  /** Where the value of NEXT_HOP starts among the attributes, + 1; 0 without. */
  readonly nextHopAt = this.#columns.uint16()
  readonly flags = this.#columns.uint16()
  readonly asPathLength = this.#columns.uint16()
  /** Octets of the next hop that stands before the attributes: 0, 4, 16 or 32. */
  readonly nextHopLength = this.#columns.uint8()
  readonly origin = this.#columns.uint8()
  readonly clusterLength = this.#columns.uint8()
}

const FIRST_BUCKETS = 256
/** In the place of a next hop's length: the row is free. */
const FREE = 255
const NO_OCTETS = new Uint8Array(0)
/** Sets whose values were read last. */
const REMEMBERED = 256

/** Attributes as a table keeps them: next hops apart. */
export function withoutNextHops(attributes: PathAttributes): PathAttributes {
  const { nextHop: _, mpReachNlri: _reach, mpUnreachNlri: _unreach, ...rest } = attributes
  return rest
}

/**
 * Sets of path attributes, each kept once for all the prefixes that have it, as octets; dropped with the last reference. A set is a row
 * number. Its values are read when somebody asks for them.
 */
export class AttributeTable {
  readonly #rows = new Rows(() => new AttributePage())
  readonly #arena = new OctetArena()
  readonly #seed: number
  readonly #facts = createFacts()
  readonly #read = new Map<Row, PathAttributes>()
  #buckets = new Uint32Array(FIRST_BUCKETS)
  #joined = new Uint8Array(4096)

  /** @param seed makes the hashes hard to foresee for those who choose the attributes */
  constructor(seed = 0) {
    this.#seed = seed
  }

  /** Sets held now. */
  get size(): number {
    return this.#rows.size
  }

  /** @internal The columns of a set's page. */
  page(set: Row): AttributePage {
    return this.#rows.pages[set >>> PAGE_BITS]!
  }

  /**
   * The set with these octets, made if there is none, without a reference. The octets are copied.
   *
   * @param octets from `start` to `end`: a next hop of `nextHopLength` octets, then the attributes as {@link TABLE_CONTEXT} has them,
   *   without MP_REACH_NLRI and MP_UNREACH_NLRI
   * @internal
   * @param facts of these attributes
   */
  intern(octets: Uint8Array, start: number, end: number, nextHopLength: number, facts: AttributeFacts): Row {
    const hash = this.#hash(octets, start, end, nextHopLength)
    let set = this.#buckets[hash & (this.#buckets.length - 1)]!
    while (set !== 0) {
      const page = this.page(set)
      const at = set & PAGE_MASK
      if (
        page.hash[at] === hash &&
        page.nextHopLength[at] === nextHopLength &&
        page.length[at] === end - start &&
        this.#arena.equals(page.place[at]!, octets, start, end)
      ) {
        return set
      }
      set = page.link[at]!
    }
    return this.#add(hash, octets, start, end, nextHopLength, facts)
  }

  /**
   * The set with these values; made if there is none, without a reference.
   *
   * @param nextHop 4, 16 or 32 octets; none stands for our own address
   * @throws {RangeError} a value that its attribute cannot hold, or more than 65,535 octets
   */
  internValues(attributes: PathAttributes, nextHop: Uint8Array = NO_OCTETS): Row {
    const rest = withoutNextHops(attributes)
    // A next hop of 4 octets stands among the attributes, as it comes from peers.
    const octets = encodePathAttributes(nextHop.length === 4 ? { ...rest, nextHop } : rest, TABLE_CONTEXT)
    const before = nextHop.length === 4 ? NO_OCTETS : nextHop
    const length = before.length + octets.length
    if (length > 0xffff) throw new RangeError(`path attributes of ${length} octets`)
    if (this.#joined.length < length) this.#joined = new Uint8Array(length)
    this.#joined.set(before)
    this.#joined.set(octets, before.length)
    if (!scanAttributes(this.#joined, before.length, length, NO_RULES, this.#facts, true)) {
      throw new RangeError('path attributes that no peer would take')
    }
    return this.intern(this.#joined, 0, length, before.length, this.#facts)
  }

  /** One more reference, or more, which keep the set. */
  retain(set: Row, count = 1): void {
    this.page(set).references[set & PAGE_MASK]! += count
  }

  /** The last reference takes the set with it. */
  release(set: Row): void {
    if (--this.page(set).references[set & PAGE_MASK]! === 0) this.#remove(set)
  }

  /** Drops a set that {@link internValues} made and nobody has retained. */
  sweep(set: Row): void {
    if (this.page(set).references[set & PAGE_MASK] === 0) this.#remove(set)
  }

  /** The attributes as values, without next hops; their octet fields are the table's no more. */
  attributes(set: Row): PathAttributes {
    const known = this.#read.get(set)
    if (known) return known
    const { attributes } = decodePathAttributes(this.octets(set).slice(), TABLE_CONTEXT, 0)
    const read = withoutNextHops(attributes)
    if (this.#read.size >= REMEMBERED) this.#read.clear()
    this.#read.set(set, read)
    return read
  }

  /** The next hop: 4, 16 or 32 octets of its own; none for our own address. */
  nextHop(set: Row): Uint8Array {
    const page = this.page(set)
    const at = set & PAGE_MASK
    const place = page.place[at]!
    const length = page.nextHopLength[at]!
    if (length > 0) return this.#arena.view(place, length).slice()
    const nextHopAt = page.nextHopAt[at]!
    return nextHopAt === 0 ? NO_OCTETS : this.#arena.view(place + nextHopAt - 1, 4).slice()
  }

  /** What holds the attributes' octets, and others; good until the table changes. */
  segment(set: Row): Uint8Array {
    return this.#arena.segment(this.page(set).place[set & PAGE_MASK]!)
  }

  /** Where the attributes' octets start in {@link segment}. */
  start(set: Row): number {
    const page = this.page(set)
    const at = set & PAGE_MASK
    return this.#arena.offset(page.place[at]!) + page.nextHopLength[at]!
  }

  /** How many octets the attributes have. */
  length(set: Row): Octets {
    const page = this.page(set)
    return page.length[set & PAGE_MASK]! - page.nextHopLength[set & PAGE_MASK]!
  }

  /** The attributes' octets: a view, good until the table changes. */
  octets(set: Row): Uint8Array {
    const page = this.page(set)
    const at = set & PAGE_MASK
    const nextHopLength = page.nextHopLength[at]!
    return this.#arena.view(page.place[at]! + nextHopLength, page.length[at]! - nextHopLength)
  }

  #hash(octets: Uint8Array, start: number, end: number, nextHopLength: number): number {
    let hash = this.#seed ^ nextHopLength
    let at = start
    for (; at + 4 <= end; at += 4) {
      const word = octets[at]! | (octets[at + 1]! << 8) | (octets[at + 2]! << 16) | (octets[at + 3]! << 24)
      hash = Math.imul(hash ^ word, 0x9e3779b1)
      hash ^= hash >>> 15
    }
    for (; at < end; at++) hash = Math.imul(hash ^ octets[at]!, 0x01000193) ^ (hash >>> 15)
    return hash
  }

  #add(
    hash: number,
    octets: Uint8Array,
    start: number,
    end: number,
    nextHopLength: number,
    facts: AttributeFacts,
  ): Row {
    if (this.size >= this.#buckets.length) this.#rehash(this.#buckets.length * 4)
    const set = this.#rows.take()
    const page = this.page(set)
    const at = set & PAGE_MASK
    page.references[at] = 0
    page.hash[at] = hash
    page.place[at] = this.#arena.add(octets, start, end)
    page.length[at] = end - start
    page.nextHopLength[at] = nextHopLength
    page.nextHopAt[at] = facts.nextHopAt + 1
    page.flags[at] = facts.flags
    page.origin[at] = facts.origin
    page.clusterLength[at] = Math.min(255, facts.clusterLength)
    page.asPathLength[at] = facts.asPathLength
    page.localPref[at] = facts.localPref
    page.multiExitDisc[at] = facts.multiExitDisc
    page.neighborAs[at] = facts.neighborAs
    page.originatorId[at] = facts.originatorId
    this.#enter(page, at, set)
    return set
  }

  #enter(page: AttributePage, at: number, set: Row): void {
    const bucket = page.hash[at]! & (this.#buckets.length - 1)
    page.link[at] = this.#buckets[bucket]!
    this.#buckets[bucket] = set
  }

  #remove(set: Row): void {
    const page = this.page(set)
    const at = set & PAGE_MASK
    const bucket = page.hash[at]! & (this.#buckets.length - 1)
    let before: Row = 0
    for (let row = this.#buckets[bucket]!; row !== set; row = this.page(row).link[row & PAGE_MASK]!) before = row
    if (before === 0) this.#buckets[bucket] = page.link[at]!
    else this.page(before).link[before & PAGE_MASK] = page.link[at]!
    this.#read.delete(set)
    this.#arena.remove(page.length[at]!)
    page.nextHopLength[at] = FREE
    this.#rows.give(set)
    if (this.#arena.isWasteful) this.#compact()
    const buckets = this.#buckets.length
    if (buckets > FIRST_BUCKETS && this.size * 64 < buckets) this.#rehash(buckets / 4)
  }

  #forEach(visit: (page: AttributePage, at: number, set: Row) => void): void {
    this.#rows.pages.forEach((page, number) => {
      if (!page) return
      for (let at = number === 0 ? 1 : 0; at < page.fresh; at++) {
        if (page.nextHopLength[at] !== FREE) visit(page, at, number * PAGE_ROWS + at)
      }
    })
  }

  #rehash(buckets: number): void {
    this.#buckets = new Uint32Array(buckets)
    this.#forEach((page, at, set) => this.#enter(page, at, set))
  }

  #compact(): void {
    this.#arena.compact(move => {
      this.#forEach((page, at) => {
        page.place[at] = move(page.place[at]!, page.length[at]!)
      })
    })
  }
}
