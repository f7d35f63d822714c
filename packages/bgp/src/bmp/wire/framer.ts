import { OctetAccumulator } from '../../octet-accumulator.js'
import type { Octets } from '../../wire/octets.js'
import { BmpError } from './error.js'
import { BMP_HEADER_LENGTH, decodeBmpHeader } from './header.js'

/** Longest message that a {@link BmpFramer} takes unless told otherwise: 16 mirrored messages of full length. */
export const BMP_MAX_LENGTH = 1 << 20

/**
 * Cuts the octets of a TCP connection into BMP messages. Holds one unfinished message at most, and no more of it than has come.
 * Feed it with {@link push}, then take {@link next} until it gives `undefined`.
 */
export class BmpFramer {
  readonly #octets = new OctetAccumulator()
  readonly #maxLength: Octets

  /** @param maxLength longest message to take; RFC 7854 sets no limit */
  constructor(maxLength: Octets = BMP_MAX_LENGTH) {
    this.#maxLength = maxLength
  }

  /** Takes octets. @param chunk as it came from the connection; kept as a view until its last message is taken, not changed */
  push(chunk: Uint8Array): void {
    this.#octets.push(chunk)
  }

  /**
   * The next whole message as a view; `undefined` when more octets are needed.
   *
   * @throws {BmpError} not BMP version 3, or too long; the connection cannot be read any further
   */
  next(): Uint8Array | undefined {
    if (this.#octets.length < BMP_HEADER_LENGTH) return undefined
    const { length } = decodeBmpHeader(this.#octets.peek())
    if (length > this.#maxLength) throw new BmpError(`message length ${length}`, 1)
    return this.#octets.length < length ? undefined : this.#octets.take(length)
  }
}
