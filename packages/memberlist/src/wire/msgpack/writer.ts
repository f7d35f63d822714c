import { encodeText, writeAscii } from './text.js'

/**
 * Messages are short and many, and an ArrayBuffer each would cost more than what is in it: they are cut from a common
 * slab, as Node.js does it for its Buffers.
 */
const SLAB = 8192
let slab = new Uint8Array(SLAB)
let used = 0
/** Up to here a loop is faster than a native copy. */
const SHORT = 24

/**
 * MessagePack in the dialect that memberlist speaks: the old specification, in which strings and octet strings share
 * the raw family (`a0`–`bf`, `da`, `db`). Of the libraries on npm, `@msgpack/msgpack` and `msgpackr` write str8 (`d9`)
 * and bin (`c4`–`c6`), which old agents do not read as map keys, and have no option against it. `msgpack-lite` has one,
 * but writes the counts of a push/pull unsigned where the reference writes them signed, puts replacement characters
 * into names that are not UTF-8, so that two could become one, and takes a key `__proto__` for a prototype. What
 * memberlist needs of MessagePack is these lines.
 *
 * Callers write the keys of a map in ascending order, as the reference does.
 */
export class Writer {
  #octets: Uint8Array
  /** Where our part of the buffer begins, where we write next, and where it ends. */
  #start = 0
  #at = 0
  #end: number

  /** @param capacity octets to start with; grows as needed */
  constructor(capacity = 256) {
    if (capacity > SLAB / 8) {
      this.#octets = new Uint8Array(capacity)
      this.#end = capacity
      return
    }
    if (used + capacity > SLAB) {
      slab = new Uint8Array(SLAB)
      used = 0
    }
    this.#octets = slab
    this.#start = used
    this.#at = used
    this.#end = used += capacity
  }

  /** Octets written so far. */
  get length(): number {
    return this.#at - this.#start
  }

  /** One octet as it is: the message type in front of a body. */
  octet(value: number): this {
    this.#reserve(1)
    this.#octets[this.#at++] = value
    return this
  }

  /** Octets as they are. */
  raw(octets: Uint8Array): this {
    this.#reserve(octets.length)
    if (octets.length > SHORT) this.#octets.set(octets, this.#at)
    else for (let i = 0; i < octets.length; i++) this.#octets[this.#at + i] = octets[i]!
    this.#at += octets.length
    return this
  }

  /** Header of a map of at most 15 keys, which all structs are. */
  map(count: number): this {
    return this.octet(0x80 | count)
  }

  /** A key and a string. */
  string(key: string, value: string): this {
    this.#key(key)
    // Nearly always it is short and ASCII, and written where it belongs.
    if (value.length >= 32) return this.#bytes(encodeText(value))
    this.#reserve(1 + value.length)
    if (!writeAscii(value, this.#octets, this.#at + 1)) return this.#bytes(encodeText(value))
    this.#octets[this.#at] = 0xa0 | value.length
    this.#at += 1 + value.length
    return this
  }

  /** A key and an octet string; `undefined` is nil, which is not the same as the empty string. */
  bytes(key: string, value: Uint8Array | undefined): this {
    this.#key(key)
    return value === undefined ? this.octet(0xc0) : this.#bytes(value)
  }

  /** A key and a boolean. */
  boolean(key: string, value: boolean): this {
    return this.#key(key).octet(value ? 0xc3 : 0xc2)
  }

  /**
   * A key and an unsigned integer.
   *
   * @throws {RangeError} when the value is not an integer of 0 to 2³²−1
   */
  uint(key: string, value: number): this {
    if (!Number.isInteger(value) || value < 0 || value > 0xffffffff)
      throw new RangeError(`${key} out of range: ${value}`)
    this.#key(key)
    if (value < 0x80) return this.octet(value)
    if (value < 0x100) return this.octet(0xcc).octet(value)
    return value < 0x10000 ? this.octet(0xcd).#be16(value) : this.octet(0xce).#be32(value)
  }

  /**
   * A key and a non-negative integer of the reference's signed `int` type, which its newer encoder writes in the
   * signed forms above 127.
   *
   * @throws {RangeError} when the value is not an integer of 0 to 2³¹−1
   */
  int(key: string, value: number): this {
    if (!Number.isInteger(value) || value < 0 || value > 0x7fffffff)
      throw new RangeError(`${key} out of range: ${value}`)
    this.#key(key)
    if (value < 0x80) return this.octet(value)
    return value < 0x8000 ? this.octet(0xd1).#be16(value) : this.octet(0xd2).#be32(value)
  }

  /** The octets written: a view, of octets that nobody else will write. The writer is done with. */
  finish(): Uint8Array {
    if (this.#octets === slab && this.#end === used) used = this.#at // gives back what was not needed
    return this.#octets.subarray(this.#start, this.#at)
  }

  #key(key: string): this {
    this.#reserve(key.length + 1)
    this.#octets[this.#at++] = 0xa0 | key.length // keys are ASCII and shorter than 32
    for (let i = 0; i < key.length; i++) this.#octets[this.#at++] = key.charCodeAt(i)
    return this
  }

  #bytes(value: Uint8Array): this {
    if (value.length < 32) this.octet(0xa0 | value.length)
    else if (value.length < 0x10000) this.octet(0xda).#be16(value.length)
    else this.octet(0xdb).#be32(value.length)
    return this.raw(value)
  }

  #be16(value: number): this {
    return this.octet(value >>> 8).octet(value & 0xff)
  }

  #be32(value: number): this {
    return this.#be16(value >>> 16).#be16(value & 0xffff)
  }

  #reserve(more: number): void {
    if (this.#at + more <= this.#end) return
    const { length } = this
    const grown = new Uint8Array(Math.max(length + more, length * 2, SLAB / 8))
    grown.set(this.#octets.subarray(this.#start, this.#at))
    this.#octets = grown
    this.#start = 0
    this.#at = length
    this.#end = grown.length
  }
}
