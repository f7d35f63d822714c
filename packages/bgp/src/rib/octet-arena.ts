import type { Octets } from '../wire/index.js'

/** Where octets stand in an {@link OctetArena}. */
export type Place = number

/** Octets of a segment, and how a place splits into segment and position. */
const SEGMENT_BITS = 18
const SEGMENT_OCTETS = 1 << SEGMENT_BITS
const SEGMENT_MASK = SEGMENT_OCTETS - 1
const FIRST_OCTETS = 1 << 16
/** Runs above this are worth a call to copy them. */
const LONG: Octets = 128

/** Many short runs of octets, one behind the other in a few big arrays. What is taken out leaves a hole until {@link compact}. */
export class OctetArena {
  #segments: Uint8Array[] = []
  /** Where the last segment goes on. */
  #next = 0
  #live = 0
  #held = 0

  /** More holes than octets: {@link compact} is worth its while. */
  get isWasteful(): boolean {
    return this.#held > 2 * this.#live + FIRST_OCTETS
  }

  /** Copies octets in. @throws {RangeError} more than 4 GiB are held */
  add(octets: Uint8Array, start: number, end: number): Place {
    const length = end - start
    const segment = this.#segmentFor(length)
    const at = this.#next
    if (length > LONG) segment.set(octets.subarray(start, end), at)
    else for (let i = 0; i < length; i++) segment[at + i] = octets[start + i]!
    this.#next += length
    this.#live += length
    this.#held += length
    return (this.#segments.length - 1) * SEGMENT_OCTETS + at
  }

  /** Counts octets as a hole. */
  remove(length: Octets): void {
    this.#live -= length
  }

  /** What holds the octets of a place; they start at {@link offset}. Good until the arena changes. */
  segment(place: Place): Uint8Array {
    return this.#segments[place >>> SEGMENT_BITS]!
  }

  /** Where the octets of a place start in {@link segment}. */
  offset(place: Place): number {
    return place & SEGMENT_MASK
  }

  /** Octets that were added, as a view. */
  view(place: Place, length: Octets): Uint8Array {
    const at = place & SEGMENT_MASK
    return this.#segments[place >>> SEGMENT_BITS]!.subarray(at, at + length)
  }

  /** Whether what stands there is the same as what is given. */
  equals(place: Place, octets: Uint8Array, start: number, end: number): boolean {
    const segment = this.#segments[place >>> SEGMENT_BITS]!
    const at = (place & SEGMENT_MASK) - start
    for (let i = start; i < end; i++) if (segment[at + i] !== octets[i]) return false
    return true
  }

  /** Lets the owner move everything that lives, and drops the rest. @param each calls `move` for each run and keeps what it returns */
  compact(each: (move: (place: Place, length: Octets) => Place) => void): void {
    const before = this.#segments
    this.#segments = []
    this.#next = 0
    this.#live = 0
    this.#held = 0
    each((place, length) => {
      const at = place & SEGMENT_MASK
      return this.add(before[place >>> SEGMENT_BITS]!, at, at + length)
    })
  }

  /** The last segment, or a new one; small at first, for most tables stay small. */
  #segmentFor(length: Octets): Uint8Array {
    const last = this.#segments.at(-1)
    if (last && this.#next + length <= last.length) return last
    if (last) this.#held += last.length - this.#next
    const { length: count } = this.#segments
    if (count >= 1 << (32 - SEGMENT_BITS)) throw new RangeError('no room for more path attributes')
    const segment = new Uint8Array(count === 0 ? FIRST_OCTETS : SEGMENT_OCTETS)
    this.#segments.push(segment)
    this.#next = 0
    return segment
  }
}
