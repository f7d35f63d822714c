import { writeUint16, writeUint32, type Octets } from './wire/octets.js'

const FIRST_CAPACITY = 256

/** Numbers that do not fit their field are the caller's fault. */
function check(value: number, bits: number, name: string): void {
  if (Number.isInteger(value) && value >= 0 && value < 2 ** bits) return
  throw new RangeError(`${name} must be a whole number below 2^${bits}, not ${value}`)
}

/** Collects octets of a message whose length is known at its end. */
export class OctetWriter {
  #octets = new Uint8Array(FIRST_CAPACITY)
  #length = 0

  /** Octets written so far. */
  get length(): Octets {
    return this.#length
  }

  /** What was written; a view, so take it last. */
  get octets(): Uint8Array {
    return this.#octets.subarray(0, this.#length)
  }

  #reserve(length: Octets): number {
    const at = this.#length
    this.#length += length
    if (this.#length > this.#octets.length) {
      const grown = new Uint8Array(Math.max(this.#length, 2 * this.#octets.length))
      grown.set(this.#octets.subarray(0, at))
      this.#octets = grown
    }
    return at
  }

  bytes(octets: Uint8Array): this {
    const at = this.#reserve(octets.length)
    this.#octets.set(octets, at)
    return this
  }

  /** @throws {RangeError} the number does not fit */
  uint8(value: number, name: string): this {
    check(value, 8, name)
    const at = this.#reserve(1)
    this.#octets[at] = value
    return this
  }

  /** @throws {RangeError} the number does not fit */
  uint16(value: number, name: string): this {
    check(value, 16, name)
    const at = this.#reserve(2)
    writeUint16(this.#octets, at, value)
    return this
  }

  /** @throws {RangeError} the number does not fit */
  uint32(value: number, name: string): this {
    check(value, 32, name)
    const at = this.#reserve(4)
    writeUint32(this.#octets, at, value)
    return this
  }

  /** @throws {RangeError} the number does not fit */
  uint64(value: bigint, name: string): this {
    if (value < 0n || value >= 1n << 64n) throw new RangeError(`${name} must be below 2^64, not ${value}`)
    const at = this.#reserve(8)
    writeUint32(this.#octets, at, Number(value >> 32n))
    writeUint32(this.#octets, at + 4, Number(value & 0xffff_ffffn))
    return this
  }

  /** Puts a 32-bit number where 4 octets were written before, such as a length that is known now. */
  patchUint32(at: number, value: number): void {
    writeUint32(this.#octets, at, value)
  }
}
