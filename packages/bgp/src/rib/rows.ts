/** Number of a row: it stays the same for as long as the row is taken. 0 stands for none. */
export type Row = number

/** Rows of a page, and how their number splits into page and place. */
export const PAGE_BITS = 14
export const PAGE_ROWS: number = 1 << PAGE_BITS
/** What of a row's number is its place in the page. */
export const PAGE_MASK: number = PAGE_ROWS - 1

/** Columns of {@link PAGE_ROWS} rows. */
export interface Page {
  /** Rows taken. */
  used: number
  /** Rows from here on were never taken. */
  fresh: number
  /** First of the free rows before {@link fresh}, as its place + 1, linked by {@link link}; 0 for none. */
  free: number
  /** For the owner's use while a row is taken; links the free ones. */
  readonly link: Uint32Array
}

/** Makes the columns of a page, all in one piece of memory: so big a piece the C library mostly gives back to the system. */
export class Columns {
  readonly #buffer: ArrayBuffer
  #at = 0

  /** @param octets of a row in all columns; ask for the widest ones first */
  constructor(octets: number) {
    this.#buffer = new ArrayBuffer(octets * PAGE_ROWS)
  }

  /** A column of 32-bit numbers. */
  uint32(): Uint32Array {
    return new Uint32Array(this.#buffer, this.#take(4), PAGE_ROWS)
  }

  /** A column of signed 32-bit numbers, `width` of them a row: they stay small numbers where unsigned ones would not. */
  int32(width = 1): Int32Array {
    return new Int32Array(this.#buffer, this.#take(4 * width), PAGE_ROWS * width)
  }

  uint16(): Uint16Array {
    return new Uint16Array(this.#buffer, this.#take(2), PAGE_ROWS)
  }

  uint8(): Uint8Array {
    return new Uint8Array(this.#buffer, this.#take(1), PAGE_ROWS)
  }

  #take(octets: number): number {
    const at = this.#at
    this.#at += octets * PAGE_ROWS
    return at
  }
}

/**
 * Rows of columns, kept in pages: growing copies nothing, and a page whose rows are all given back is dropped. The numbers are
 * dense, the lowest pages filling first.
 */
export class Rows<P extends Page> {
  readonly pages: (P | undefined)[] = []
  readonly #create: () => P
  /** Pages with room, or dropped; the last one is filled next. */
  readonly #open: number[] = []
  #size = 0

  constructor(create: () => P) {
    this.#create = create
    // Row 0 is nobody's.
    this.take()
    this.#size = 0
  }

  /** Rows taken. */
  get size(): number {
    return this.#size
  }

  /** Takes a row; its columns hold what they held before, zeros at first. */
  take(): Row {
    const at = this.#open.at(-1) ?? this.#openPage()
    const page = (this.pages[at] ??= this.#create())
    let place: number
    if (page.free !== 0) {
      place = page.free - 1
      page.free = page.link[place]!
    } else place = page.fresh++
    if (++page.used === PAGE_ROWS) this.#open.pop()
    this.#size++
    return at * PAGE_ROWS + place
  }

  /** Gives a row back. */
  give(row: Row): void {
    const at = row >>> PAGE_BITS
    const page = this.pages[at]!
    const place = row & PAGE_MASK
    if (page.used === PAGE_ROWS) this.#open.push(at)
    page.link[place] = page.free
    page.free = place + 1
    page.used--
    this.#size--
    if (page.used === 0) this.pages[at] = undefined
  }

  #openPage(): number {
    this.#open.push(this.pages.length)
    this.pages.push(undefined)
    return this.pages.length - 1
  }
}
