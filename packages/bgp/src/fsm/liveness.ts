import { jitter, type Instant, type Seconds, type Timers } from './timers.js'

/** What of a session's options the timers of a session go by. */
export interface LivenessOptions {
  /** As {@link SessionOptions.keepaliveTime}. */
  readonly keepaliveTime?: Seconds
  /** As {@link SessionOptions.sendHoldTime}. */
  readonly sendHoldTime?: Seconds
  /** 0 up to 1, for jitter. */
  readonly random: () => number
}

/** RFC 4271 section 4.4: no more than one KEEPALIVE a second. */
const LEAST_KEEPALIVE_INTERVAL: Seconds = 1

/** RFC 4271 section 10: what is suggested as Hold Time. */
const SUGGESTED_HOLD_TIME: Seconds = 90
/** By which TCP is more patient than a SendHoldTimer, which hears of TCP's progress from a thread that may be late. */
const MARGIN: Seconds = 60

/**
 * How long TCP may try on with octets that the peer's host does not acknowledge, or has no room for, before the connection counts as
 * lost (the user timeout of RFC 9293 section 3.8.3): twice the Hold Time, since nobody is to be given up for taking nothing within the
 * Hold Time itself (RFC 9687 section 4.4). The SendHoldTimer hears nothing of octets that are in TCP's hands, and with a Hold Time of 0 no
 * timer of ours runs at all; then it is the suggested one that counts. Where a SendHoldTime was asked for, it has the first word, and
 * TCP a minute more.
 *
 * @param holdTime what was agreed on
 * @returns 0 for as long as the kernel likes, where stalled peers are not to be given up
 */
export function userTimeout(holdTime: Seconds, { sendHoldTime }: Pick<LivenessOptions, 'sendHoldTime'>): Seconds {
  if (sendHoldTime === 0) return 0
  return sendHoldTime === undefined ? 2 * (holdTime || SUGGESTED_HOLD_TIME) : sendHoldTime + MARGIN
}

/**
 * The timers by which either side knows that the other one lives: HoldTimer and KeepaliveTimer of RFC 4271 section 4.4, SendHoldTimer of
 * RFC 9687. Each call has the Hold Time that was agreed on; with 0 none of them runs.
 */
export class Liveness {
  readonly #timers: Timers
  #pending = false

  constructor(timers: Timers) {
    this.#timers = timers
  }

  /** Forgets the connection; its timers are stopped by their owner. */
  reset(): void {
    this.#pending = false
  }

  /** The peer has said something. */
  heard(holdTime: Seconds, now: Instant): void {
    if (holdTime > 0) this.#timers.start('HoldTimer', holdTime, now)
    else this.#timers.stop('HoldTimer')
  }

  /** A KEEPALIVE was sent: when the next one is due. */
  keepaliveSent(holdTime: Seconds, { keepaliveTime, random }: LivenessOptions, now: Instant): void {
    const third = holdTime / 3
    // A keepaliveTime of 0 asks for none only together with a Hold Time of 0.
    const interval = Math.min(keepaliveTime || third, third)
    if (interval === 0) return
    this.#timers.start('KeepaliveTimer', Math.max(LEAST_KEEPALIVE_INTERVAL, jitter(interval, random)), now)
  }

  /**
   * RFC 9687 section 4.3: in Established the SendHoldTimer runs while octets wait for TCP, from the last time TCP took some.
   *
   * @param holdTime 0 unless the session is Established
   * @param pending octets still wait; left out: as before
   */
  sendProgress(holdTime: Seconds, { sendHoldTime }: LivenessOptions, now: Instant, pending = this.#pending): void {
    this.#pending = pending
    const patience = sendHoldTime ?? Math.max(480, 2 * holdTime)
    if (pending && holdTime > 0 && patience > 0) this.#timers.start('SendHoldTimer', patience, now)
    else this.#timers.stop('SendHoldTimer')
  }
}
