import { decodeHeader, HEADER_LENGTH, MAX_LENGTH, type MessageType } from './header.js'
import { readUint16, type Octets } from './octets.js'

const LENGTH = 16 // octets from the start of a header
const TYPE = 18
/** No message type has a greater least length but OPEN, RFC 4271 section 6.1. */
const LEAST_UPDATE = 23

/**
 * Cuts the octets of a TCP connection into messages. Feed it with {@link push}, then take {@link next} until it gives
 * `undefined`. Between two chunks it holds one unfinished message and nothing else; each octet is copied once at most.
 *
 * @example
 * ```ts
 * import { decodeMessage, encodeMessage, Framer } from '@typemetal/bgp/wire'
 *
 * const framer = new Framer()
 * const keepalive = encodeMessage({ type: 'keepalive' })
 * framer.push(keepalive.subarray(0, 10)) // what TCP gives ends anywhere
 * console.log(framer.next()) // undefined
 * framer.push(keepalive.subarray(10))
 * console.log(decodeMessage(framer.next()!)) // { type: 'keepalive' }
 * ```
 */
export class Framer {
  readonly #chunks: Uint8Array[] = []
  /** Octets of the first chunk that are taken. */
  #at = 0
  /** A message that the chunks so far did not hold whole, or its header while that is unfinished. */
  #unfinished: Uint8Array | undefined
  #filled = 0

  /** Takes octets. @param chunk as it came from the connection; kept as a view until its last message is taken, not changed */
  push(chunk: Uint8Array): void {
    if (chunk.length > 0) this.#chunks.push(chunk)
  }

  /**
   * The next whole message, header included, as a view into its chunk or, where it came in several, as octets of its own;
   * `undefined` when more octets are needed.
   *
   * @param limit most octets that the session allows now, see `messageLimit`
   * @throws {WireError} the header breaks RFC 4271 section 6.1; the connection cannot be read any further
   */
  next(limit: Octets = MAX_LENGTH): Uint8Array | undefined {
    for (let chunk = this.#chunks[0]; chunk; chunk = this.#chunks[0]) {
      const message = this.#unfinished ? this.#complete(this.#unfinished, chunk, limit) : this.#cut(chunk, limit)
      if (message) return message
    }
    return undefined
  }

  /**
   * The next whole messages of one type, back to back, as a view into their chunk; `undefined` when the next one is of another type or not
   * whole in its chunk, so that {@link next} has to take it. A header error behind them is found by the next call.
   *
   * @throws {WireError} as {@link next}
   */
  nextRun(type: MessageType, limit: Octets = MAX_LENGTH): Uint8Array | undefined {
    const chunk = this.#chunks[0]
    if (!chunk || this.#unfinished) return undefined
    let end = this.#at
    while (end + HEADER_LENGTH <= chunk.length && chunk[end + TYPE] === type) {
      const length = this.#lengthAt(chunk, end, limit)
      if (length === undefined || end + length > chunk.length) break
      end += length
    }
    if (end === this.#at) return undefined
    const run = chunk.subarray(this.#at, end)
    this.#take(chunk, run.length)
    return run
  }

  /** Length of the message at `at`; `undefined` for a broken header behind others, which can wait. */
  #lengthAt(chunk: Uint8Array, at: number, limit: Octets): Octets | undefined {
    if (at === this.#at) return decodeHeader(chunk, at, limit).length
    const length = readUint16(chunk, at + LENGTH)
    if (length < LEAST_UPDATE || length > limit) return undefined
    for (let i = 0; i < LENGTH; i++) if (chunk[at + i] !== 0xff) return undefined
    return length
  }

  /** The message at the front of the chunk, or `undefined` when the chunk ends within it. */
  #cut(chunk: Uint8Array, limit: Octets): Uint8Array | undefined {
    const start = this.#at
    const rest = chunk.length - start
    const length = rest < HEADER_LENGTH ? HEADER_LENGTH : decodeHeader(chunk, start, limit).length
    if (rest >= length) {
      this.#take(chunk, length)
      return chunk.subarray(start, start + length)
    }
    this.#begin(length)
    return undefined
  }

  #begin(length: Octets): void {
    this.#unfinished = new Uint8Array(length)
    this.#filled = 0
  }

  /** Moves octets of the chunk into the unfinished message; gives that when it is whole. */
  #complete(unfinished: Uint8Array, chunk: Uint8Array, limit: Octets): Uint8Array | undefined {
    const count = Math.min(unfinished.length - this.#filled, chunk.length - this.#at)
    unfinished.set(chunk.subarray(this.#at, this.#at + count), this.#filled)
    this.#filled += count
    this.#take(chunk, count)
    if (this.#filled < unfinished.length) return undefined
    const { length } = decodeHeader(unfinished, 0, limit)
    if (length === unfinished.length) {
      this.#unfinished = undefined
      return unfinished
    }
    // That was the header; now it is known how much is to come.
    this.#begin(length)
    this.#unfinished!.set(unfinished)
    this.#filled = unfinished.length
    return undefined
  }

  #take(chunk: Uint8Array, count: Octets): void {
    this.#at += count
    if (this.#at < chunk.length) return
    this.#chunks.shift()
    this.#at = 0
  }
}
