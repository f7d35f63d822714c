import type { Row } from './rows.js'

/** What a peer was told of a path: a set of attributes, and how it was written. */
export interface Told {
  readonly set: Row
  readonly how: number
}

/** {@link Told} as one number; 0 for nothing. */
export type Packed = number

const HOW_BITS = 3
const HOW_MASK = (1 << HOW_BITS) - 1
const MAX_SET = 2 ** (32 - HOW_BITS)

/** @throws {RangeError} a set above 2^29 */
export function pack(set: Row, how: number): Packed {
  if (set >= MAX_SET) throw new RangeError('too many sets of path attributes')
  return set * (1 << HOW_BITS) + how
}

export const packedSet = (packed: Packed): Row => packed >>> HOW_BITS
export const packedHow = (packed: Packed): number => packed & HOW_MASK
export const unpack = (packed: Packed): Told => ({ set: packed >>> HOW_BITS, how: packed & HOW_MASK })

/** What a peer was told of the prefixes of one family. */
export interface Sent {
  /** Paths told. */
  readonly size: number
  /** What was told of the prefix with this Path Identifier; 0 for nothing. */
  get(prefix: Row, pathId: number): Packed
  /** Keeps what was told. */
  set(prefix: Row, pathId: number, told: Packed): void
  /** Forgets what was told: it was withdrawn. */
  delete(prefix: Row, pathId: number): void
  /** Path Identifiers told of a prefix. */
  pathIds(prefix: Row): readonly number[]
  /** Whether anything was told of the prefix. */
  has(prefix: Row): boolean
  /** Everything, in no order. */
  entries(): IterableIterator<readonly [prefix: Row, pathId: number, told: Packed]>
}

const PAGE_BITS = 8
const PAGE_ROWS = 1 << PAGE_BITS
const ONE: readonly number[] = [0]
const NONE: readonly number[] = []

/**
 * For sessions without Path Identifiers: one number a prefix, in small pages, for a peer that knows few of many prefixes shall not cost more
 * than these.
 */
export class SentPrefixes implements Sent {
  readonly #pages: (Uint32Array | undefined)[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  get(prefix: Row): Packed {
    return this.#pages[prefix >>> PAGE_BITS]?.[prefix & (PAGE_ROWS - 1)] ?? 0
  }

  set(prefix: Row, _pathId: number, told: Packed): void {
    const at = prefix >>> PAGE_BITS
    const page = (this.#pages[at] ??= new Uint32Array(PAGE_ROWS))
    if (page[prefix & (PAGE_ROWS - 1)] === 0) this.#size++
    page[prefix & (PAGE_ROWS - 1)] = told
  }

  /**
   * Notes the same for many prefixes, those of `rows` from `from` up to `to`, of which none may have been told.
   *
   * @returns whether none had been; nothing is noted otherwise
   */
  setAll(rows: readonly Row[], from: number, to: number, told: Packed): boolean {
    for (let i = from; i < to; i++) if (this.has(rows[i]!)) return false
    for (let i = from; i < to; i++) {
      const prefix = rows[i]!
      const page = (this.#pages[prefix >>> PAGE_BITS] ??= new Uint32Array(PAGE_ROWS))
      page[prefix & (PAGE_ROWS - 1)] = told
    }
    this.#size += to - from
    return true
  }

  delete(prefix: Row): void {
    const page = this.#pages[prefix >>> PAGE_BITS]
    if (!page || page[prefix & (PAGE_ROWS - 1)] === 0) return
    page[prefix & (PAGE_ROWS - 1)] = 0
    this.#size--
    if (this.#size === 0) this.#pages.length = 0
  }

  pathIds(prefix: Row): readonly number[] {
    return this.has(prefix) ? ONE : NONE
  }

  has(prefix: Row): boolean {
    return this.get(prefix) !== 0
  }

  *entries(): IterableIterator<readonly [Row, number, Packed]> {
    for (let at = 0; at < this.#pages.length; at++) {
      const page = this.#pages[at]
      if (!page) continue
      for (let place = 0; place < PAGE_ROWS; place++) {
        const value = page[place]!
        if (value !== 0) yield [at * PAGE_ROWS + place, 0, value]
      }
    }
  }
}

/** For sessions with Path Identifiers, RFC 7911: any number of paths a prefix. */
export class SentPaths implements Sent {
  readonly #prefixes = new Map<Row, Map<number, Packed>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  get(prefix: Row, pathId: number): Packed {
    return this.#prefixes.get(prefix)?.get(pathId) ?? 0
  }

  set(prefix: Row, pathId: number, told: Packed): void {
    const paths = this.#prefixes.get(prefix)
    if (!paths?.has(pathId)) this.#size++
    if (paths) paths.set(pathId, told)
    else this.#prefixes.set(prefix, new Map([[pathId, told]]))
  }

  delete(prefix: Row, pathId: number): void {
    const paths = this.#prefixes.get(prefix)
    if (!paths?.delete(pathId)) return
    this.#size--
    if (paths.size === 0) this.#prefixes.delete(prefix)
  }

  pathIds(prefix: Row): readonly number[] {
    return [...(this.#prefixes.get(prefix)?.keys() ?? [])]
  }

  has(prefix: Row): boolean {
    return this.#prefixes.has(prefix)
  }

  *entries(): IterableIterator<readonly [Row, number, Packed]> {
    for (const [prefix, paths] of this.#prefixes) {
      for (const [pathId, told] of paths) yield [prefix, pathId, told]
    }
  }
}
