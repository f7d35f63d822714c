import { WireError } from '../error.js'
import { decodeText } from './text.js'

/**
 * Reads MessagePack, old and new dialect alike, as leniently as the reference does: any integer width that fits the
 * target, raw and bin for each other, nil as the zero value. Octet strings come out as views into the input.
 */
export class Reader {
  readonly #octets: Uint8Array
  #offset: number

  constructor(octets: Uint8Array, offset = 0) {
    this.#octets = octets
    this.#offset = offset
  }

  /** Position of the next octet. */
  get offset(): number {
    return this.#offset
  }

  /** A name. */
  string(): string {
    const at = this.#offset
    const head = this.#octet()
    if (head === 0xc0) return ''
    if (isArray(head)) return decodeText(this.#integers(this.#arrayLength(head)))
    const length = this.#rawLength(head, at)
    const start = this.#offset
    this.#pass(length)
    return decodeText(this.#octets, start, this.#offset)
  }

  /** A view into the input; `undefined` for nil. A MessagePack array of integers is accepted too, and copied. */
  bytes(): Uint8Array | undefined {
    const at = this.#offset
    const head = this.#octet()
    if (head === 0xc0) return undefined
    if (isArray(head)) return this.#integers(this.#arrayLength(head))
    return this.#take(this.#rawLength(head, at))
  }

  /** An unsigned integer of at most `max`; nil is 0. */
  uint(max: number): number {
    const at = this.#offset
    const value = this.#integer()
    if (value < 0 || value > max) throw new WireError('malformed', `integer out of range: ${value}`, at)
    return value
  }

  /** An integer that a double holds exactly; nil is 0. */
  int(): number {
    const at = this.#offset
    const value = this.#integer()
    if (!Number.isSafeInteger(value)) throw new WireError('malformed', `integer out of range: ${value}`, at)
    return value
  }

  /** A boolean; 0, 1 and nil count as one. */
  boolean(): boolean {
    const at = this.#offset
    const head = this.#octet()
    if (head === 0xc3 || head === 0x01) return true
    if (head === 0xc2 || head === 0x00 || head === 0xc0) return false
    throw new WireError('malformed', `boolean expected, got ${hex(head)}`, at)
  }

  /** Passes over these octets if they are what comes next. */
  takeIf(octets: Uint8Array): boolean {
    const [here, at] = [this.#octets, this.#offset]
    for (let i = 0; i < octets.length; i++) if (here[at + i] !== octets[i]) return false
    this.#offset = at + octets.length
    return true
  }

  /** Head of a struct: how many values follow, and whether keys stand before them. nil is the struct of zero values. */
  structHead(): { readonly count: number; readonly keyed: boolean } {
    const at = this.#offset
    const head = this.#octet()
    if (head === 0xc0) return { count: 0, keyed: true }
    if (head >= 0x80 && head <= 0x8f) return { count: head & 0x0f, keyed: true }
    if (head === 0xde) return { count: this.#be(2), keyed: true }
    if (head === 0xdf) return { count: this.#be(4), keyed: true }
    if (isArray(head)) return { count: this.#arrayLength(head), keyed: false }
    throw new WireError('malformed', `map expected, got ${hex(head)}`, at)
  }

  /** Passes over one value of any kind and any depth, without recursion. */
  skip(): void {
    for (let pending = 1; pending > 0; pending--) pending += this.#skipHead()
  }

  /** Passes over a head and a scalar's octets; returns how many values a container holds. */
  #skipHead(): number {
    const at = this.#offset
    const head = this.#octet()
    if (head < 0x80 || head >= 0xe0 || head === 0xc0 || head === 0xc2 || head === 0xc3) return 0
    if (head <= 0x8f) return 2 * (head & 0x0f)
    if (head <= 0x9f) return head & 0x0f
    if (head <= 0xbf) return this.#pass(head & 0x1f)
    switch (head) {
      case 0xc4:
      case 0xd9:
        return this.#pass(this.#octet())
      case 0xc5:
      case 0xda:
        return this.#pass(this.#be(2))
      case 0xc6:
      case 0xdb:
        return this.#pass(this.#be(4))
      case 0xc7:
        return this.#pass(this.#octet() + 1)
      case 0xc8:
        return this.#pass(this.#be(2) + 1)
      case 0xc9:
        return this.#pass(this.#be(4) + 1)
      case 0xca:
        return this.#pass(4)
      case 0xcb:
        return this.#pass(8)
      case 0xdc:
        return this.#be(2)
      case 0xdd:
        return this.#be(4)
      case 0xde:
        return 2 * this.#be(2)
      case 0xdf:
        return 2 * this.#be(4)
      default:
        if (head >= 0xcc && head <= 0xd3) return this.#pass(1 << (head & 3)) // u8..u64, i8..i64
        if (head >= 0xd4 && head <= 0xd8) return this.#pass(1 + (1 << (head - 0xd4))) // fixext
        throw new WireError('malformed', `no MessagePack type: ${hex(head)}`, at)
    }
  }

  #integer(): number {
    const at = this.#offset
    const head = this.#octet()
    if (head < 0x80) return head
    if (head >= 0xe0) return head - 0x100
    switch (head) {
      case 0xc0:
        return 0
      case 0xcc:
        return this.#octet()
      case 0xcd:
        return this.#be(2)
      case 0xce:
        return this.#be(4)
      case 0xcf:
        return this.#be(4) * 0x1_0000_0000 + this.#be(4)
      case 0xd0:
        return (this.#octet() << 24) >> 24
      case 0xd1:
        return (this.#be(2) << 16) >> 16
      case 0xd2:
        return this.#be(4) | 0
      case 0xd3:
        return (this.#be(4) | 0) * 0x1_0000_0000 + this.#be(4)
      default:
        throw new WireError('malformed', `integer expected, got ${hex(head)}`, at)
    }
  }

  /** Octets of a string or an octet string with this head, which stood at `at`. */
  #rawLength(head: number, at: number): number {
    if (head >= 0xa0 && head <= 0xbf) return head & 0x1f
    if (head === 0xd9 || head === 0xc4) return this.#octet()
    if (head === 0xda || head === 0xc5) return this.#be(2)
    if (head === 0xdb || head === 0xc6) return this.#be(4)
    throw new WireError('malformed', `octet string expected, got ${hex(head)}`, at)
  }

  #integers(count: number): Uint8Array {
    if (count > this.#octets.length - this.#offset) throw new WireError('truncated', 'array ends early', this.#offset)
    const octets = new Uint8Array(count)
    for (let i = 0; i < count; i++) octets[i] = this.uint(0xff)
    return octets
  }

  #arrayLength(head: number): number {
    if (head <= 0x9f) return head & 0x0f
    return head === 0xdc ? this.#be(2) : this.#be(4)
  }

  #octet(): number {
    const value = this.#octets[this.#offset]
    if (value === undefined) throw new WireError('truncated', 'value ends early', this.#offset)
    this.#offset++
    return value
  }

  #be(length: 2 | 4): number {
    let value = 0
    for (let i = 0; i < length; i++) value = value * 256 + this.#octet()
    return value
  }

  #pass(length: number): 0 {
    if (length > this.#octets.length - this.#offset)
      throw new WireError('truncated', `${length} octets claimed`, this.#offset)
    this.#offset += length
    return 0
  }

  #take(length: number): Uint8Array {
    const start = this.#offset
    this.#pass(length)
    return this.#octets.subarray(start, this.#offset)
  }
}

const isArray = (head: number): boolean => (head >= 0x90 && head <= 0x9f) || head === 0xdc || head === 0xdd

const hex = (octet: number): string => `0x${octet.toString(16).padStart(2, '0')}`
