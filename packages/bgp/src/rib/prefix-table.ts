import type { FamilyName, Nlri } from '../wire/index.js'
import { Columns, PAGE_BITS, PAGE_MASK, PAGE_ROWS, Rows, type Page, type Row } from './rows.js'

/** Columns of prefixes. */
export class PrefixPage implements Page {
  used = 0
  fresh = 0
  free = 0
  /** The first path to the prefix: a row of the family's paths. */
  readonly link: Uint32Array
  readonly references: Uint32Array
  /** The next prefix with the same hash. */
  readonly chain: Uint32Array
  /** The prefixes' addresses, {@link PrefixTable.words} numbers each. */
  readonly addresses: Int32Array
  readonly lengths: Uint8Array

  constructor(words: number) {
    const columns = new Columns(13 + 4 * words)
    this.link = columns.uint32()
    this.references = columns.uint32()
    this.chain = columns.uint32()
    this.addresses = columns.int32(words)
    this.lengths = columns.uint8()
  }
}

const FIRST_BUCKETS = 1024
/** Prefixes a bucket at which the table grows. */
const MOST_LOAD = 0.75
/** Buckets a prefix at which it shrinks: late, for what is withdrawn at once mostly comes back at once. */
const LEAST_LOAD = 128
/** By so much: to enter all prefixes again costs more than the empty buckets. */
const GROWTH = 8
/** Prefixes that differ in nothing but as many last bits have buckets side by side. */
const NEIGHBOUR_BITS = 3
const NEIGHBOURS = (1 << NEIGHBOUR_BITS) - 1
/** In the place of a prefix length: the row is free. */
const FREE = 255
/** Address words of a prefix that is looked up; shared, for nothing is kept in it between calls. */
const scratch = new Int32Array(4)

/** Mixes a number into a hash so that every bit of both counts (the last steps of MurmurHash3). */
function mix(hash: number, word: number): number {
  let h = hash ^ word
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

/**
 * The prefixes of one family that anybody has something to say about, each in a row of its own. A row lives while there are references
 * to it: paths, and peers that have been told of it.
 */
export class PrefixTable {
  /** Of all prefixes here. */
  readonly family: FamilyName
  /** Address words of a prefix: 1 or 4. */
  readonly words: 1 | 4
  readonly #rows: Rows<PrefixPage>
  readonly #seed: number
  #buckets = new Uint32Array(FIRST_BUCKETS)
  #written = 0

  /** @param seed makes the hashes hard to foresee for those who choose the prefixes */
  constructor(family: FamilyName, seed: number) {
    this.family = family
    this.words = family === 'ipv4-unicast' ? 1 : 4
    this.#seed = seed
    this.#rows = new Rows(() => new PrefixPage(this.words))
  }

  /** Prefixes held. */
  get size(): number {
    return this.#rows.size
  }

  /** Rows are below this number. */
  get limit(): number {
    return this.#rows.pages.length * PAGE_ROWS
  }

  /** @internal The columns of a row's page; `undefined` where no row is taken. */
  page(row: Row): PrefixPage | undefined {
    return this.#rows.pages[row >>> PAGE_BITS]
  }

  /** The row of the prefix whose octets are at `at`, made if there is none, without a reference. Bits behind `length` do not matter. */
  intern(octets: Uint8Array, at: number, length: number): Row {
    this.#read(octets, at, length)
    const hash = this.#hash(length)
    return this.#find(hash, length) || this.#add(hash, length)
  }

  /** The row of the prefix whose octets are at `at`; 0 when there is none. */
  lookUp(octets: Uint8Array, at: number, length: number): Row {
    this.#read(octets, at, length)
    return this.#find(this.#hash(length), length)
  }

  /** The row of a prefix; 0 when there is none. */
  find({ length, prefix }: Nlri): Row {
    return this.lookUp(prefix, 0, length)
  }

  /** The prefix of a row, in octets of its own. */
  nlri(row: Row): Nlri {
    const prefix = new Uint8Array((this.length(row) + 7) >>> 3)
    this.#write(row, prefix, 0, prefix.length)
    return { length: this.length(row), prefix }
  }

  /** Bits of the prefix. */
  length(row: Row): number {
    return this.#page(row).lengths[row & PAGE_MASK]!
  }

  /** Octets that {@link encode} writes. */
  encodedLength(row: Row): number {
    return 1 + ((this.length(row) + 7) >>> 3)
  }

  /** Writes the prefix as NLRI. @returns the octet after the written ones */
  encode(row: Row, into: Uint8Array, at: number): number {
    const length = this.length(row)
    const count = (length + 7) >>> 3
    into[at] = length
    this.#write(row, into, at + 1, count)
    return at + 1 + count
  }

  /**
   * Writes prefixes as NLRI, those of `rows` from `from` up to `to`, until there is no room for one before `end`.
   *
   * @returns the octet after the written ones; {@link written} says how far it has got
   */
  encodeAll(rows: readonly Row[], from: number, to: number, into: Uint8Array, at: number, end: number): number {
    const { pages } = this.#rows
    const { words } = this
    let next = from
    for (; next < to; next++) {
      const row = rows[next]!
      const { lengths, addresses } = pages[row >>> PAGE_BITS]!
      const place = row & PAGE_MASK
      const length = lengths[place]!
      const count = (length + 7) >>> 3
      if (at + 1 + count > end) break
      into[at++] = length
      const word = addresses[place * words]!
      if (count > 0) into[at] = word >>> 24
      if (count > 1) into[at + 1] = word >>> 16
      if (count > 2) into[at + 2] = word >>> 8
      if (count > 3) into[at + 3] = word
      for (let i = 4; i < count; i++) into[at + i] = addresses[place * words + (i >>> 2)]! >>> (24 - 8 * (i & 3))
      at += count
    }
    this.#written = next
    return at
  }

  /** Where the last {@link encodeAll} stopped: the first of the rows that it had no room for. */
  get written(): number {
    return this.#written
  }

  /** The first path to the prefix; 0 for none. */
  first(row: Row): Row {
    return this.#page(row).link[row & PAGE_MASK]!
  }

  /** Puts another path in the first place; 0 for none. */
  setFirst(row: Row, path: Row): void {
    this.#page(row).link[row & PAGE_MASK] = path
  }

  /** Whether the row is taken, and has a path or somebody who was told of it. */
  isLive(row: Row): boolean {
    const page = this.#rows.pages[row >>> PAGE_BITS]
    return page !== undefined && page.references[row & PAGE_MASK]! > 0
  }

  /** The first live row at or behind `row`; {@link limit} when there is none. */
  nextLive(row: Row): Row {
    const { pages } = this.#rows
    for (let at = row >>> PAGE_BITS; at < pages.length; at++) {
      const page = pages[at]
      if (page) {
        const { references, fresh } = page
        for (let place = at === row >>> PAGE_BITS ? row & PAGE_MASK : 0; place < fresh; place++) {
          if (references[place]! > 0) return at * PAGE_ROWS + place
        }
      }
    }
    return this.limit
  }

  /** One more reference, which keeps the row. */
  retain(row: Row): void {
    this.#page(row).references[row & PAGE_MASK]!++
  }

  /** One more reference to each of `rows` from `from` up to `to`. */
  retainAll(rows: readonly Row[], from: number, to: number): void {
    const { pages } = this.#rows
    for (let i = from; i < to; i++) {
      const row = rows[i]!
      pages[row >>> PAGE_BITS]!.references[row & PAGE_MASK]!++
    }
  }

  /** The last reference takes the row with it. */
  release(row: Row): void {
    if (--this.#page(row).references[row & PAGE_MASK]! === 0) this.#remove(row)
  }

  /** Gives back a row that {@link intern} made and nobody has retained. */
  sweep(row: Row): void {
    if (this.#page(row).references[row & PAGE_MASK] === 0) this.#remove(row)
  }

  #page(row: Row): PrefixPage {
    return this.#rows.pages[row >>> PAGE_BITS]!
  }

  /** Reads an address into {@link scratch}. */
  #read(octets: Uint8Array, at: number, length: number): void {
    if (length === 24) {
      // Most prefixes are.
      scratch[0] = (octets[at]! << 24) | (octets[at + 1]! << 16) | (octets[at + 2]! << 8)
      for (let word = 1; word < this.words; word++) scratch[word] = 0
      return
    }
    const count = (length + 7) >>> 3
    for (let word = 0; word < this.words; word++) {
      const bits = length - 32 * word
      if (bits <= 0) {
        scratch[word] = 0
        continue
      }
      const from = at + 4 * word
      const have = count - 4 * word
      let value = octets[from]! << 24
      if (have > 1) value |= octets[from + 1]! << 16
      if (have > 2) value |= octets[from + 2]! << 8
      if (have > 3) value |= octets[from + 3]!
      // RFC 4271 section 4.3: bits behind the length are irrelevant.
      scratch[word] = bits < 32 ? value & (-1 << (32 - bits)) : value
    }
  }

  #write(row: Row, into: Uint8Array, at: number, count: number): void {
    const { addresses } = this.#page(row)
    const from = (row & PAGE_MASK) * this.words
    for (let i = 0; i < count; i++) into[at + i] = addresses[from + (i >>> 2)]! >>> (24 - 8 * (i & 3))
  }

  /**
   * Neighbours share all of their hash but its last bits, and so a line of the processor's cache: an UPDATE mostly has neighbours. Whoever
   * chooses prefixes that differ in no such bit fills an eighth of the buckets at worst.
   */
  #hash(length: number): number {
    const last = this.words === 1 || length === 0 ? 0 : (length - 1) >>> 5
    const free = 32 * (last + 1) - length
    const word = scratch[last]!
    let hash = this.#seed ^ Math.imul(length, 0x9e3779b1)
    for (let before = 0; before < last; before++) hash = mix(hash, scratch[before]!)
    hash = mix(hash, word & (-1 << (free + NEIGHBOUR_BITS)))
    return (hash & ~NEIGHBOURS) | ((word >>> free) & NEIGHBOURS)
  }

  #find(hash: number, length: number): Row {
    let row = this.#buckets[hash & (this.#buckets.length - 1)]!
    const first = scratch[0]!
    while (row !== 0) {
      const page = this.#page(row)
      const place = row & PAGE_MASK
      if (
        page.addresses[place * this.words] === first &&
        page.lengths[place] === length &&
        this.#isScratch(page, place)
      ) {
        return row
      }
      row = page.chain[place]!
    }
    return 0
  }

  /** Whether the words behind the first are the scratch's. */
  #isScratch({ addresses }: PrefixPage, place: number): boolean {
    if (this.words === 1) return true
    const from = 4 * place
    return (
      addresses[from + 1] === scratch[1] && addresses[from + 2] === scratch[2] && addresses[from + 3] === scratch[3]
    )
  }

  #add(hash: number, length: number): Row {
    const row = this.#rows.take()
    const page = this.#page(row)
    const place = row & PAGE_MASK
    for (let word = 0; word < this.words; word++) page.addresses[place * this.words + word] = scratch[word]!
    page.lengths[place] = length
    page.references[place] = 0
    page.link[place] = 0
    this.#enter(page, place, row, hash)
    // Not before: it reads all addresses into the scratch.
    if (this.size > this.#buckets.length * MOST_LOAD) this.#rehash(this.#buckets.length * GROWTH)
    return row
  }

  #enter(page: PrefixPage, place: number, row: Row, hash: number): void {
    const bucket = hash & (this.#buckets.length - 1)
    page.chain[place] = this.#buckets[bucket]!
    this.#buckets[bucket] = row
  }

  #hashOf(page: PrefixPage, place: number): number {
    for (let word = 0; word < this.words; word++) scratch[word] = page.addresses[place * this.words + word]!
    return this.#hash(page.lengths[place]!)
  }

  #remove(row: Row): void {
    const page = this.#page(row)
    const place = row & PAGE_MASK
    const bucket = this.#hashOf(page, place) & (this.#buckets.length - 1)
    let before: Row = 0
    for (let at = this.#buckets[bucket]!; at !== row; at = this.#page(at).chain[at & PAGE_MASK]!) before = at
    if (before === 0) this.#buckets[bucket] = page.chain[place]!
    else this.#page(before).chain[before & PAGE_MASK] = page.chain[place]!
    page.lengths[place] = FREE
    this.#rows.give(row)
    const buckets = this.#buckets.length
    if (buckets > FIRST_BUCKETS && this.size * LEAST_LOAD < buckets) this.#rehash(buckets / GROWTH)
  }

  #rehash(buckets: number): void {
    this.#buckets = new Uint32Array(buckets)
    this.#rows.pages.forEach((page, at) => {
      if (!page) return
      // Row 0 is nobody's.
      for (let place = at === 0 ? 1 : 0; place < page.fresh; place++) {
        if (page.lengths[place] !== FREE) this.#enter(page, place, at * PAGE_ROWS + place, this.#hashOf(page, place))
      }
    })
  }
}
