import type { AddressCounters } from '../responder/owned-addresses.js'

/** A frame to send, and the counter that goes up when the kernel has taken it. */
export interface Outgoing {
  readonly frame: Uint8Array
  readonly counters: AddressCounters
  readonly counter: 'responsesSent' | 'gratuitousSent' | undefined
}

/** Frames of a kind that may wait for room in the transmit queue; more are lost, so that a flood never grows memory. */
const CAPACITY = 32_768
/** Frames of one system call: an error concerns the first of them, and none of them has gone. */
const BATCH = 64

/** Frames waiting for an interface's transmit queue: answers go first, because somebody waits for them. */
export class Outbox {
  readonly #sendBatch: (frames: readonly Uint8Array[]) => number
  readonly #onError: (error: unknown) => void
  #answers: Outgoing[] = []
  #announcements: Outgoing[] = []
  #lost = 0

  /**
   * @param sendBatch sends as many as it can and says how many; throws when the first cannot be sent at all
   * @param onError sending has failed otherwise than for want of room; what was tried is lost
   */
  constructor(sendBatch: (frames: readonly Uint8Array[]) => number, onError: (error: unknown) => void) {
    this.#sendBatch = sendBatch
    this.#onError = onError
  }

  /** Frames that were thrown away because the queue was full for too long, or sending failed. */
  get lost(): number {
    return this.#lost
  }

  /** Frames that wait. */
  get waiting(): number {
    return this.#answers.length + this.#announcements.length
  }

  /** Puts an answer behind the other answers; {@link flush} sends it. */
  answer(outgoing: Outgoing): void {
    this.#put(this.#answers, outgoing)
  }

  /** Puts a frame behind all others. */
  announce(outgoing: Outgoing): void {
    this.#put(this.#announcements, outgoing)
  }

  #put(lane: Outgoing[], outgoing: Outgoing): void {
    if (lane.length < CAPACITY) lane.push(outgoing)
    else this.#lost++
  }

  /**
   * Sends what the transmit queue takes.
   * @returns whether nothing waits any more; if not, call again when there is room
   */
  flush(): boolean {
    this.#answers = this.#send(this.#answers)
    if (this.#answers.length > 0) return false
    this.#announcements = this.#send(this.#announcements)
    return this.#announcements.length === 0
  }

  /** Throws away what waits: there was no room for so long that nobody waits for it any more. */
  giveUp(): void {
    this.#lost += this.waiting
    this.#answers = []
    this.#announcements = []
  }

  /** @returns what still waits */
  #send(waiting: Outgoing[]): Outgoing[] {
    let at = 0
    while (at < waiting.length) {
      const batch = waiting.length <= BATCH ? waiting : waiting.slice(at, at + BATCH)
      const taken = this.#sendOnce(batch)
      at += taken
      if (taken < batch.length) return waiting.slice(at)
    }
    return at === 0 ? waiting : []
  }

  /** @returns how many are dealt with: sent or lost */
  #sendOnce(batch: readonly Outgoing[]): number {
    let sent: number
    try {
      sent = this.#sendBatch(batch.map(({ frame }) => frame))
    } catch (error) {
      this.#lost += batch.length
      this.#onError(error)
      return batch.length
    }
    for (let i = 0; i < sent; i++) count(batch[i])
    return sent
  }
}

function count(outgoing: Outgoing | undefined): void {
  if (outgoing?.counter !== undefined) outgoing.counters[outgoing.counter]++
}
