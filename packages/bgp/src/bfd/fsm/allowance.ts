import type { Microseconds } from '../wire/index.js'

/** Packets that may come at once: what waits after a stall of ours of eight seconds, at intervals of 10 ms. */
const BURST = 1024
/** A session is always allowed one packet in so much time, whatever its intervals. */
const LONGEST_SPACING: Microseconds = 5000
/** The remote system's packets, with jitter, and its answers to ours stay below half of this many in the shorter interval. */
const IN_AN_INTERVAL = 4

/**
 * How many packets a session takes: at most some times what two systems that keep to their intervals send. Each packet may have
 * to be answered at once, or change the state; what comes faster is made up.
 */
export class Allowance {
  /** The time that the packets taken so far have used up. */
  #usedUntil: Microseconds = -Infinity

  /** @param interval the shorter one of what we ask for and what we send at @returns false when it is one too many */
  take(interval: Microseconds, now: Microseconds): boolean {
    const spacing = Math.min(LONGEST_SPACING, interval / IN_AN_INTERVAL)
    const used = Math.max(this.#usedUntil, now)
    if (used - now > (BURST - 1) * spacing) return false
    this.#usedUntil = used + spacing
    return true
  }
}
