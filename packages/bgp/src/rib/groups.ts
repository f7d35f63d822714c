import type { Row } from './rows.js'
import type { Packed } from './sent.js'

/** Prefixes, and their Path Identifiers, that go into the same UPDATEs. */
export class Group {
  /** What they are all told. */
  told: Packed = 0
  /** How many of the following count: to empty an array would give its memory away. */
  size = 0
  readonly rows: Row[] = []
  readonly pathIds: number[] = []
}

const FIRST_SLOTS = 8192
/** Prefixes of a group that is kept to be filled again: a long one is not worth its memory. */
const LONGEST_KEPT = 64

/**
 * What is being told, by what is told: groups by {@link Packed}, in the order in which they came. A hash table of numbers, for there is
 * hardly anything to do for a group but to find it. One will do for many peers, in turn.
 */
export class Groups {
  readonly #list: Group[] = []
  /** A group's place + 1; 0 where there is none. Half of them at least stay empty. */
  #slots = new Uint32Array(FIRST_SLOTS)
  #size = 0

  /** Groups now. */
  get size(): number {
    return this.#size
  }

  /** The group at a place below {@link size}. */
  at(place: number): Group {
    return this.#list[place]!
  }

  /** The group of what is told; `undefined` when there is none. */
  find(told: Packed): Group | undefined {
    const place = this.#slots[this.#slotOf(told)]!
    return place === 0 ? undefined : this.#list[place - 1]
  }

  /** A new group, empty, of what has none. */
  add(told: Packed): Group {
    if (2 * this.#size >= this.#slots.length) this.#grow()
    const group = (this.#list[this.#size++] ??= new Group())
    this.#slots[this.#slotOf(told)] = this.#size
    group.told = told
    group.size = 0
    return group
  }

  /** Forgets all groups. */
  clear(): void {
    if (this.#size === 0) return
    for (let at = 0; at < this.#size; at++) {
      if (this.#list[at]!.rows.length > LONGEST_KEPT) this.#list[at] = new Group()
    }
    this.#slots.fill(0)
    this.#size = 0
  }

  /** Where it stands, or would. */
  #slotOf(told: Packed): number {
    const mask = this.#slots.length - 1
    let slot = (Math.imul(told, 0x9e3779b1) >>> 12) & mask
    for (;;) {
      const place = this.#slots[slot]!
      if (place === 0 || this.#list[place - 1]!.told === told) return slot
      slot = (slot + 1) & mask
    }
  }

  #grow(): void {
    this.#slots = new Uint32Array(2 * this.#slots.length)
    for (let at = 0; at < this.#size; at++) this.#slots[this.#slotOf(this.#list[at]!.told)] = at + 1
  }
}
