import type { Microseconds } from '../wire/index.js'

/** RFC 5880 section 6.8.7: jitter takes up to a quarter off the interval. */
const LEAST = 0.75
/** Most of the interval that may be used at a Detect Mult of 1, where one late packet is one too many. */
const MOST_ALONE = 0.9

/** An interval with jitter, RFC 5880 section 6.8.7: 75 to 100 % of it, 75 to 90 % at a Detect Mult of 1. @param random from 0 up to 1 */
export const jittered = (interval: Microseconds, detectMult: number, random: number): Microseconds =>
  interval * (LEAST + random * ((detectMult === 1 ? MOST_ALONE : 1) - LEAST))

/**
 * When the next packet is due. The schedule goes on from when the last one was due, so that late timers do not stretch it;
 * but never is a packet sent sooner than 75 % of the interval after the one before, which also ends the hurry after a stall.
 *
 * @param due when the packet that has just been sent was due
 * @param now when it was sent
 * @param wait the jittered interval
 */
export const nextDue = (
  due: Microseconds,
  now: Microseconds,
  interval: Microseconds,
  wait: Microseconds,
): Microseconds => Math.max(due + wait, now + LEAST * interval)
