import { decodeHeader, HEADER_LENGTH } from './header.js'
import { EMPTY } from './octets.js'

/**
 * Cuts the octets of a TCP connection into messages. Holds at most one unfinished message (4096 octets) of its own.
 * Feed it with {@link push}, then take {@link next} until it gives `undefined`.
 */
export class Framer {
  #octets = EMPTY
  #at = 0

  /** @param chunk as it came from the connection; kept as a view until its last message is taken, not changed */
  push(chunk: Uint8Array): void {
    const rest = this.#octets.length - this.#at
    if (rest === 0) {
      this.#octets = chunk
    } else {
      const joined = new Uint8Array(rest + chunk.length)
      joined.set(this.#octets.subarray(this.#at))
      joined.set(chunk, rest)
      this.#octets = joined
    }
    this.#at = 0
  }

  /**
   * The next whole message, header included, as a view; `undefined` when more octets are needed.
   *
   * @throws {WireError} the header breaks RFC 4271 section 6.1; the connection cannot be read any further
   */
  next(): Uint8Array | undefined {
    const rest = this.#octets.length - this.#at
    if (rest < HEADER_LENGTH) return undefined
    const { length } = decodeHeader(this.#octets, this.#at)
    if (rest < length) return undefined
    const start = this.#at
    this.#at += length
    return this.#octets.subarray(start, this.#at)
  }
}
