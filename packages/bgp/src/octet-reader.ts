import { readUint16, readUint32, type Octets } from './wire/octets.js'

/** Reads octets from front to back and never beyond the end. */
export class OctetReader {
  readonly #octets: Uint8Array
  readonly #fail: (message: string, offset: number) => Error
  #at: number

  /**
   * @param at where to start
   * @param fail makes the error that is thrown when octets are missing; `offset` is where they should have been
   */
  constructor(octets: Uint8Array, at: number, fail: (message: string, offset: number) => Error) {
    this.#octets = octets
    this.#at = at
    this.#fail = fail
  }

  /** Where the next octet is read. */
  get at(): number {
    return this.#at
  }

  /** Octets that are left. */
  get left(): Octets {
    return this.#octets.length - this.#at
  }

  /** The next octets, as a view. */
  take(length: Octets, name: string): Uint8Array {
    const start = this.#at
    if (this.left < length) throw this.#fail(`${name} cut off`, this.#octets.length)
    this.#at = start + length
    return this.#octets.subarray(start, this.#at)
  }

  /** All that is left, as a view. */
  rest(): Uint8Array {
    return this.take(this.left, '')
  }

  uint8(name: string): number {
    return this.take(1, name)[0]!
  }

  uint16(name: string): number {
    return readUint16(this.take(2, name), 0)
  }

  uint32(name: string): number {
    return readUint32(this.take(4, name), 0)
  }

  uint64(name: string): bigint {
    return readUint64(this.take(8, name), 0)
  }

  /** @throws the error of `fail` when octets are left */
  end(name: string): void {
    if (this.left > 0) throw this.#fail(`${this.left} octets behind ${name}`, this.#at)
  }
}

/** Big-endian unsigned 64-bit number at `at`; the caller has checked the length. */
export const readUint64 = (from: Uint8Array, at: number): bigint =>
  (BigInt(readUint32(from, at)) << 32n) | BigInt(readUint32(from, at + 4))
