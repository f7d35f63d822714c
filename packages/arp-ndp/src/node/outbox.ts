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

/**
 * Frames waiting for an interface's transmit queue: answers go first, because somebody waits for them. They are written into
 * octets that serve again; only those that find the queue full are kept in octets of their own.
 */
export class Outbox {
  readonly #sendBatch: (frames: readonly Uint8Array[]) => number
  readonly #onError: (error: unknown) => void
  /** Where answers are written, one after the other, and whose they are. */
  readonly #places: readonly Uint8Array[]
  readonly #owners: AddressCounters[] = []
  #written = 0
  #answers: Outgoing[] = []
  #announcements: Outgoing[] = []
  #lost = 0

  /**
   * @param answerLength octets of every answer
   * @param sendBatch sends as many as it can and says how many; throws when the first cannot be sent at all
   * @param onError sending has failed otherwise than for want of room; what was tried is lost
   */
  constructor(
    answerLength: number,
    sendBatch: (frames: readonly Uint8Array[]) => number,
    onError: (error: unknown) => void,
  ) {
    const octets = new Uint8Array(BATCH * answerLength)
    this.#places = Array.from({ length: BATCH }, (_, i) => octets.subarray(i * answerLength, (i + 1) * answerLength))
    this.#sendBatch = sendBatch
    this.#onError = onError
  }

  /** Frames that were thrown away because the queue was full for too long, or sending failed. */
  get lost(): number {
    return this.#lost
  }

  /** Frames that wait. */
  get waiting(): number {
    return this.#written + this.#answers.length + this.#announcements.length
  }

  /** Where the next answer is to be written; {@link answer} takes it from there. */
  get place(): Uint8Array {
    return this.#places[this.#written]!
  }

  /** Puts the answer that stands in {@link place} behind the other answers; {@link flush} sends it, or a full batch does. */
  answer(counters: AddressCounters): void {
    this.#owners[this.#written++] = counters
    if (this.#written === BATCH) this.#sendWritten()
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
    if (this.#written > 0) this.#sendWritten()
    if (this.#answers.length > 0) return false
    this.#announcements = this.#send(this.#announcements)
    return this.#announcements.length === 0
  }

  /** Throws away what waits: there was no room for so long that nobody waits for it any more. */
  giveUp(): void {
    this.#lost += this.waiting
    this.#written = 0
    this.#answers = []
    this.#announcements = []
  }

  /** Empties the places: what cannot be sent now waits in octets of its own. */
  #sendWritten(): void {
    const count = this.#written
    this.#written = 0
    let sent: number | undefined = 0
    if (this.#answers.length === 0) {
      sent = this.#attempt(count === BATCH ? this.#places : this.#places.slice(0, count))
      if (sent === undefined) return
    }
    for (let i = 0; i < sent; i++) this.#owners[i]!.responsesSent++
    for (let i = sent; i < count; i++) {
      this.#put(this.#answers, {
        frame: this.#places[i]!.slice(),
        counters: this.#owners[i]!,
        counter: 'responsesSent',
      })
    }
  }

  /** @returns what still waits */
  #send(waiting: Outgoing[]): Outgoing[] {
    let at = 0
    while (at < waiting.length) {
      const batch = waiting.length <= BATCH ? waiting : waiting.slice(at, at + BATCH)
      const sent = this.#attempt(batch.map(({ frame }) => frame))
      for (let i = 0; i < (sent ?? 0); i++) count(batch[i])
      at += sent ?? batch.length
      if (sent !== undefined && sent < batch.length) return waiting.slice(at)
    }
    return at === 0 ? waiting : []
  }

  /** @returns how many were sent; `undefined` when all are lost */
  #attempt(frames: readonly Uint8Array[]): number | undefined {
    try {
      return this.#sendBatch(frames)
    } catch (error) {
      this.#lost += frames.length
      this.#onError(error)
      return undefined
    }
  }
}

function count(outgoing: Outgoing | undefined): void {
  if (outgoing?.counter !== undefined) outgoing.counters[outgoing.counter]++
}
