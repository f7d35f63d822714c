import type { AddressCounters } from '../responder/owned-addresses.js'

/** A frame to send, and the counter that goes up when the kernel has taken it. */
export interface Outgoing {
  readonly frame: Uint8Array
  readonly counters: AddressCounters
  readonly counter: 'responsesSent' | 'gratuitousSent' | undefined
}

/** Frames that may wait for room in the transmit queue; more are lost, so that a flood never grows memory. */
const CAPACITY = 32_768

/** Frames waiting for an interface's transmit queue, in order. */
export class Outbox {
  readonly #sendBatch: (frames: readonly Uint8Array[]) => number
  #waiting: Outgoing[] = []
  #lost = 0

  /** @param sendBatch sends as many as it can and says how many */
  constructor(sendBatch: (frames: readonly Uint8Array[]) => number) {
    this.#sendBatch = sendBatch
  }

  /** Frames that were thrown away because the queue was full for too long, or sending failed. */
  get lost(): number {
    return this.#lost
  }

  /** Puts a frame at the end; {@link flush} sends it. */
  push(outgoing: Outgoing): void {
    if (this.#waiting.length < CAPACITY) this.#waiting.push(outgoing)
    else this.#lost++
  }

  /**
   * Sends what the transmit queue takes.
   * @returns whether nothing waits any more; if not, call again soon
   * @throws {SocketError} sending failed otherwise; what waited is lost
   */
  flush(): boolean {
    if (this.#waiting.length === 0) return true
    const waiting = this.#waiting
    let sent = waiting.length
    try {
      sent = this.#sendBatch(waiting.map(({ frame }) => frame))
    } catch (error) {
      this.#lost += waiting.length
      this.#waiting = []
      throw error
    }
    for (let i = 0; i < sent; i++) count(waiting[i])
    this.#waiting = sent === waiting.length ? [] : waiting.slice(sent)
    return this.#waiting.length === 0
  }
}

function count(outgoing: Outgoing | undefined): void {
  if (outgoing?.counter !== undefined) outgoing.counters[outgoing.counter]++
}
