import type { AddressCounters } from '../responder/owned-addresses.js'
import { Lane, type Outgoing } from './lane.js'

/** Frames waiting for an interface's transmit queue: answers go first, because somebody waits for them. */
export class Outbox {
  readonly #answers: Lane
  readonly #announcements: Lane
  #lost = 0

  /**
   * @param length octets of every answer and of every frame of a gratuitous round
   * @param sendBatch sends as many as it can and says how many; throws when the first cannot be sent at all
   * @param onError sending has failed otherwise than for want of room; what was tried is lost
   */
  constructor(length: number, sendBatch: (frames: readonly Uint8Array[]) => number, onError: (error: unknown) => void) {
    const attempt = (frames: readonly Uint8Array[]): number | undefined => {
      try {
        return sendBatch(frames)
      } catch (error) {
        this.#lost += frames.length
        onError(error)
        return undefined
      }
    }
    this.#answers = new Lane(length, attempt)
    this.#announcements = new Lane(length, attempt)
  }

  /** Frames that were thrown away because the queue was full for too long, or sending failed. */
  get lost(): number {
    return this.#lost + this.#answers.lost + this.#announcements.lost
  }

  /** Frames that wait. */
  get waiting(): number {
    return this.#answers.length + this.#announcements.length
  }

  /** Where the next answer is to be written; {@link answer} takes it from there. */
  get place(): Uint8Array {
    return this.#answers.place
  }

  /** Where the next frame of a gratuitous round is to be written; {@link announceWritten} takes it from there. */
  get roundPlace(): Uint8Array {
    return this.#announcements.place
  }

  /** Puts the answer that stands in {@link place} behind the other answers; {@link flush} sends it, or a full batch does. */
  answer(counters: AddressCounters): void {
    if (this.#answers.take(counters, 'responsesSent')) this.#answers.flush()
  }

  /**
   * Puts the frame that stands in {@link roundPlace} behind all others; {@link flush} sends it, or a full batch does.
   * @param counter goes up when the kernel has taken it
   */
  announceWritten(counters: AddressCounters, counter: Outgoing['counter']): void {
    if (this.#announcements.take(counters, counter)) this.flush()
  }

  /** Puts a frame behind all others. */
  announce(outgoing: Outgoing): void {
    this.#announcements.put(outgoing)
  }

  /**
   * Sends what the transmit queue takes.
   * @returns whether nothing waits any more; if not, call again when there is room
   */
  flush(): boolean {
    const held = !this.#answers.flush()
    return this.#announcements.flush(held) && !held
  }

  /** Throws away what waits: there was no room for so long that nobody waits for it any more. */
  giveUp(): void {
    this.#lost += this.#answers.clear() + this.#announcements.clear()
  }
}
