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

/** Sends frames: how many the kernel has taken, or `undefined` when all of them are lost. */
export type SendFrames = (frames: readonly Uint8Array[]) => number | undefined

/**
 * Frames of one kind, in order. They are written into octets that serve again; only those that find the transmit queue full are kept in
 * octets of their own.
 */
export class Lane {
  readonly #send: SendFrames
  /** Where frames are written, one after the other, and whose they are. */
  readonly #places: readonly Uint8Array[]
  readonly #owners: AddressCounters[] = []
  readonly #counters: Outgoing['counter'][] = []
  #written = 0
  #waiting: Outgoing[] = []
  #lost = 0

  /** @param length octets of every frame that is written into {@link place} */
  constructor(length: number, send: SendFrames) {
    const octets = new Uint8Array(BATCH * length)
    this.#places = Array.from({ length: BATCH }, (_, i) => octets.subarray(i * length, (i + 1) * length))
    this.#send = send
  }

  /** Frames that were thrown away for want of room. */
  get lost(): number {
    return this.#lost
  }

  /** Frames that wait. */
  get length(): number {
    return this.#written + this.#waiting.length
  }

  /** Where the next frame is to be written; {@link take} takes it from there. */
  get place(): Uint8Array {
    return this.#places[this.#written]!
  }

  /** Takes the frame that stands in {@link place}. @returns whether that was the last place: {@link flush} makes room */
  take(counters: AddressCounters, counter: Outgoing['counter']): boolean {
    this.#owners[this.#written] = counters
    this.#counters[this.#written++] = counter
    return this.#written === BATCH
  }

  /** Puts a frame in octets of its own behind those that wait already. */
  put(outgoing: Outgoing): void {
    if (this.#waiting.length < CAPACITY) this.#waiting.push(outgoing)
    else this.#lost++
  }

  /**
   * Sends what the transmit queue takes; afterwards all places are free.
   * @param held true: sends nothing, because what goes first still waits
   * @returns whether nothing waits any more
   */
  flush(held = false): boolean {
    if (!held) this.#sendWaiting()
    if (this.#written > 0) this.#sendWritten(held)
    return this.#waiting.length === 0
  }

  /** Throws away what waits. @returns how many */
  clear(): number {
    const { length } = this
    this.#written = 0
    this.#waiting = []
    return length
  }

  #sendWritten(held: boolean): void {
    const count = this.#written
    this.#written = 0
    let sent: number | undefined = 0
    if (!held && this.#waiting.length === 0) {
      sent = this.#send(count === BATCH ? this.#places : this.#places.slice(0, count))
      if (sent === undefined) return
    }
    for (let i = 0; i < sent; i++) countUp(this.#owners[i]!, this.#counters[i])
    for (let i = sent; i < count; i++) {
      this.put({ frame: this.#places[i]!.slice(), counters: this.#owners[i]!, counter: this.#counters[i] })
    }
  }

  #sendWaiting(): void {
    const waiting = this.#waiting
    let at = 0
    while (at < waiting.length) {
      const batch = waiting.length <= BATCH ? waiting : waiting.slice(at, at + BATCH)
      const sent = this.#send(batch.map(({ frame }) => frame))
      for (let i = 0; i < (sent ?? 0); i++) countUp(batch[i]!.counters, batch[i]!.counter)
      at += sent ?? batch.length
      if (sent !== undefined && sent < batch.length) break
    }
    if (at > 0) this.#waiting = waiting.slice(at)
  }
}

function countUp(counters: AddressCounters, counter: Outgoing['counter']): void {
  if (counter !== undefined) counters[counter]++
}
