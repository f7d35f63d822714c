import type { Instant } from './announcer.js'

const SECOND = 1000
/** Milliseconds of silence that may be made up for at once: what a timer is late on a thread that has requests to answer. */
const SLACK = 5
/** What belongs together, the two frames of a gratuitous ARP, is never held apart for long. */
const SMALLEST_BURST = 2

/**
 * How many frames may go out now: a token bucket. A failover of thousands of addresses must not come faster than a
 * neighbour's receive ring is emptied, nor than a switch's storm control lets pass. Reads no clock.
 */
export class Pacer {
  readonly #perMillisecond: number
  readonly #burst: number
  #tokens: number
  #at: Instant

  /** @param rate frames per second; it starts with a full bucket */
  constructor(rate: number, now: Instant) {
    this.#perMillisecond = rate / SECOND
    this.#burst = Math.max(SMALLEST_BURST, SLACK * this.#perMillisecond)
    this.#tokens = this.#burst
    this.#at = now
  }

  /** Whole frames that may go out at `now`. */
  allowance(now: Instant): number {
    const earned = Math.max(0, now - this.#at) * this.#perMillisecond
    this.#tokens = Math.min(this.#burst, this.#tokens + earned)
    this.#at = now
    return Math.floor(this.#tokens)
  }

  /** Takes frames off; more than {@link allowance} said are made up for later. */
  spend(frames: number): void {
    this.#tokens -= frames
  }

  /** When so many frames may go out, seen from the last {@link allowance}; no more than the bucket holds are waited for. */
  readyAt(frames: number): Instant {
    const missing = Math.min(frames, this.#burst) - this.#tokens
    return this.#at + Math.max(0, missing) / this.#perMillisecond
  }
}
