import type { Microseconds } from '../wire/index.js'

/**
 * Our two intervals and the Poll Sequences that make them known, RFC 5880 sections 6.5 and 6.8.3.
 *
 * Three layers: what is wanted; what the remote system is told; and what we act on, which lags behind where acting at once
 * would make one side miss packets. Only one Poll Sequence is on at a time: a change during it waits, and a change before
 * its first packet joins it, since one packet then tells both.
 */
export class Intervals {
  #desiredMinTx: Microseconds
  #requiredMinRx: Microseconds
  #wantedTx: Microseconds
  #wantedRx: Microseconds
  #tx: Microseconds
  #rx: Microseconds
  #polling = false
  #firstPollAt: Microseconds | undefined
  #lastPollAt: Microseconds = -Infinity
  #quietUntil: Microseconds = -Infinity

  constructor(desiredMinTx: Microseconds, requiredMinRx: Microseconds) {
    this.#desiredMinTx = this.#wantedTx = this.#tx = desiredMinTx
    this.#requiredMinRx = this.#wantedRx = this.#rx = requiredMinRx
  }

  /** bfd.DesiredMinTxInterval as it is told. */
  get desiredMinTx(): Microseconds {
    return this.#desiredMinTx
  }

  /** bfd.RequiredMinRxInterval as it is told. */
  get requiredMinRx(): Microseconds {
    return this.#requiredMinRx
  }

  /** What counts for our sending: not above what the remote system is known to know. */
  get tx(): Microseconds {
    return this.#tx
  }

  /** What counts for the Detection Time: not below what the remote system is known to know. */
  get rx(): Microseconds {
    return this.#rx
  }

  /** A Poll Sequence is on: every periodic packet carries the Poll bit. */
  get polling(): boolean {
    return this.#polling
  }

  /** A change waits for its Poll Sequence. */
  get pending(): boolean {
    return this.#wantedTx !== this.#desiredMinTx || this.#wantedRx !== this.#requiredMinRx
  }

  /** From when on a pending change may begin: the Final packets to an earlier sequence have arrived by then. */
  get quietUntil(): Microseconds {
    return this.#quietUntil
  }

  /** Sets both at once and ends any Poll Sequence: for a session that is Down or AdminDown, which misses no packets. */
  reset(desiredMinTx: Microseconds, requiredMinRx: Microseconds): void {
    this.#desiredMinTx = this.#wantedTx = this.#tx = desiredMinTx
    this.#requiredMinRx = this.#wantedRx = this.#rx = requiredMinRx
    this.#polling = false
    this.#firstPollAt = undefined
    this.#quietUntil = -Infinity
  }

  /** Notes what is wanted; {@link begin} makes it so. */
  want(desiredMinTx: Microseconds, requiredMinRx: Microseconds): void {
    this.#wantedTx = desiredMinTx
    this.#wantedRx = requiredMinRx
  }

  /** Begins the Poll Sequence of a pending change, or joins one that has not been sent, when that is possible at `now`. */
  begin(now: Microseconds): void {
    if (!this.pending || this.#firstPollAt !== undefined) return
    if (this.#polling || now >= this.#quietUntil) this.poll()
  }

  /** Tells what is wanted from now on, with a Poll Sequence even if nothing has changed. */
  poll(): void {
    this.#desiredMinTx = this.#wantedTx
    this.#requiredMinRx = this.#wantedRx
    // Section 6.8.3: a longer transmit interval, and a shorter Detection Time, wait for the end of the sequence.
    this.#tx = Math.min(this.#tx, this.#desiredMinTx)
    this.#rx = Math.max(this.#rx, this.#requiredMinRx)
    this.#polling = true
    this.#firstPollAt = undefined
  }

  /** A packet with the Poll bit goes out. */
  pollSent(now: Microseconds): void {
    this.#firstPollAt ??= now
    this.#lastPollAt = now
  }

  /**
   * A packet with the Final bit has come in.
   * @returns whether it ended a Poll Sequence
   */
  final(now: Microseconds): boolean {
    if (this.#firstPollAt === undefined) return false
    this.#tx = this.#desiredMinTx
    this.#rx = this.#requiredMinRx
    // Section 6.8.3: a round trip after the last Poll, no Final of this sequence can be taken for one of the next.
    this.#quietUntil = this.#lastPollAt + (now - this.#firstPollAt)
    this.#polling = false
    this.#firstPollAt = undefined
    return true
  }
}
