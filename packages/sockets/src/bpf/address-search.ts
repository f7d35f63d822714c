import { viewOf } from '../wire/endian.js'
import { bpf, type BpfStatement } from './assembler.js'
import { closeGaps, runsOf, type Run } from './runs.js'

const HIGHEST = 0xffffffff
/** Comparisons between a jump and the returns it ends at, which so stay within the 255 instructions that it can skip. */
const BLOCK = 200
/** Words of an IPv6 address. */
const WORDS = 4

/**
 * Writes the part of a program that looks an address of the frame up in a table and accepts the frame when it is there. It goes by
 * halves: a table of a thousand addresses takes some eleven comparisons, where one by one it takes a thousand. Jumps only lead
 * forward, so a second address to look up is a second search.
 */
export class AddressSearch {
  /** What has been written. */
  readonly lines: BpfStatement[] = []
  readonly #prefix: string
  #labels = 0

  /** @param prefix of its labels: another one for each search of a program */
  constructor(prefix: string) {
    this.#prefix = prefix
  }

  /**
   * A 32-bit word of the frame.
   * @param runs sorted
   * @param miss where to go on when it is not there, a label further down; the frame is dropped when left out
   */
  word(offset: number, runs: readonly Run[], miss?: string): this {
    this.lines.push(bpf.load('word', offset))
    // A value is in a run exactly when the number of bounds at or below it is odd.
    const bounds = runs.flatMap(([first, last]) => (last === HIGHEST ? [first] : [first, last + 1]))
    this.#halves(bounds, 0, bounds.length, miss)
    return this
  }

  /** An IPv6 address of the frame, word by word from the first; the last one by runs. */
  ipv6(offset: number, addresses: readonly Uint8Array[]): this {
    this.#ipv6(offset, addresses, 0)
    return this
  }

  /**
   * What all the IPv6 addresses have in common, and then their last words: a short program for any number of addresses, which
   * also finds addresses that are made of the words of several.
   * @param most runs of last words, beyond which the narrowest gaps are closed
   */
  ipv6Roughly(offset: number, addresses: readonly Uint8Array[], most: number): this {
    for (let word = 0; word < WORDS - 1; word++) {
      const [value, ...others] = new Set(addresses.map(wordAt(word)))
      if (value === undefined || others.length > 0) continue
      const same = this.#label()
      this.lines.push(bpf.load('word', offset + 4 * word), bpf.jump('equal', value, { ifTrue: same }), bpf.drop())
      this.lines.push(bpf.label(same))
    }
    return this.word(offset + 4 * (WORDS - 1), closeGaps(runsOf(addresses.map(wordAt(WORDS - 1))), most))
  }

  /** Splits what is too long for one block; a jump to the upper half may be far. */
  #halves(bounds: readonly number[], from: number, to: number, miss: string | undefined): void {
    if (to - from <= BLOCK) return this.#block(bounds, from, to, miss)
    const middle = (from + to) >> 1
    const below = this.#label()
    const above = this.#label()
    this.lines.push(bpf.jump('greaterOrEqual', bounds[middle]!, { ifFalse: below }), bpf.goto(above), bpf.label(below))
    this.#halves(bounds, from, middle, miss)
    this.lines.push(bpf.label(above))
    this.#halves(bounds, middle + 1, to, miss)
  }

  /** A search with its own returns. */
  #block(bounds: readonly number[], from: number, to: number, miss: string | undefined): void {
    const ends = { found: this.#label(), missed: this.#label() }
    if (from < to) this.#compare(bounds, from, to, ends)
    else this.lines.push(bpf.goto(endAt(from, ends)))
    this.lines.push(bpf.label(ends.found), bpf.accept(), bpf.label(ends.missed))
    this.lines.push(miss === undefined ? bpf.drop() : bpf.goto(miss))
  }

  #compare(bounds: readonly number[], from: number, to: number, ends: Ends): void {
    const middle = (from + to) >> 1
    const below = from < middle ? this.#label() : endAt(from, ends)
    const above = middle + 1 < to ? this.#label() : endAt(to, ends)
    this.lines.push(bpf.jump('greaterOrEqual', bounds[middle]!, { ifTrue: above, ifFalse: below }))
    if (from < middle) {
      this.lines.push(bpf.label(below))
      this.#compare(bounds, from, middle, ends)
    }
    if (middle + 1 < to) {
      this.lines.push(bpf.label(above))
      this.#compare(bounds, middle + 1, to, ends)
    }
  }

  #ipv6(offset: number, addresses: readonly Uint8Array[], word: number): void {
    const values = addresses.map(wordAt(word))
    if (word === WORDS - 1) {
      this.word(offset + 4 * word, runsOf(values))
      return
    }
    this.lines.push(bpf.load('word', offset + 4 * word))
    const groups = new Map<number, Uint8Array[]>()
    for (const value of Uint32Array.from(values).toSorted()) groups.set(value, [])
    addresses.forEach((address, i) => groups.get(values[i]!)?.push(address))
    this.#select([...groups], rest => this.#ipv6(offset, rest, word + 1))
  }

  /** @param groups in the order of their words */
  #select(groups: readonly Group[], search: (addresses: readonly Uint8Array[]) => void): void {
    const [only] = groups
    const here = this.#label()
    if (only === undefined) this.lines.push(bpf.drop())
    else if (groups.length === 1) {
      this.lines.push(bpf.jump('equal', only[0], { ifTrue: here }), bpf.drop(), bpf.label(here))
      search(only[1])
    } else {
      const above = this.#label()
      const middle = groups.length >> 1
      const pivot = groups[middle]![0]
      this.lines.push(bpf.jump('greaterOrEqual', pivot, { ifFalse: here }), bpf.goto(above), bpf.label(here))
      this.#select(groups.slice(0, middle), search)
      this.lines.push(bpf.label(above))
      this.#select(groups.slice(middle), search)
    }
  }

  #label(): string {
    return `${this.#prefix} ${this.#labels++}`
  }
}

interface Ends {
  readonly found: string
  readonly missed: string
}

type Group = readonly [word: number, addresses: readonly Uint8Array[]]

/** Where a search ends that knows that just so many bounds are at or below the value. */
const endAt = (bounds: number, { found, missed }: Ends): string => (bounds % 2 === 1 ? found : missed)

const wordAt =
  (word: number) =>
  (address: Uint8Array): number =>
    viewOf(address).getUint32(4 * word)
