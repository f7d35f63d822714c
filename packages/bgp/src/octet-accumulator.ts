import { EMPTY } from './wire/octets.js'

/**
 * Octets of a stream that wait to be read: grows with what has come, never with what a length field promises, and moves each
 * octet a bounded number of times however small the pieces are.
 */
export class OctetAccumulator {
  #octets = EMPTY
  #start = 0
  #end = 0
  /** Whether the array is ours to write into; a piece that came whole is only looked at. */
  #owned = false

  /** Octets that wait. */
  get length(): number {
    return this.#end - this.#start
  }

  /** @param chunk kept as a view until it has been taken, not changed */
  push(chunk: Uint8Array): void {
    const waiting = this.length
    if (waiting === 0) {
      this.#octets = chunk
      this.#start = 0
      this.#end = chunk.length
      this.#owned = false
      return
    }
    if (!this.#owned || this.#end + chunk.length > this.#octets.length) {
      const grown = new Uint8Array(2 * (waiting + chunk.length))
      grown.set(this.peek())
      this.#octets = grown
      this.#start = 0
      this.#end = waiting
      this.#owned = true
    }
    this.#octets.set(chunk, this.#end)
    this.#end += chunk.length
  }

  /** What waits, as a view, left in place. */
  peek(): Uint8Array {
    return this.#octets.subarray(this.#start, this.#end)
  }

  /** Takes the first `length` octets, as a view that later calls leave alone. */
  take(length: number): Uint8Array {
    const start = this.#start
    this.#start += length
    return this.#octets.subarray(start, this.#start)
  }
}
