import type { Ack } from '../wire/index.js'
import type { Timer, Timers } from './timers.js'
import type { Instant } from './types.js'

/** Who waits for the answer to a ping. */
export interface AckWaiter {
  readonly onAck: (ack: Ack, now: Instant) => void
  readonly onNack?: () => void
}

/**
 * Open pings by sequence number. The first ack takes its entry away; a nack does not. Neither sender nor node name of
 * an ack is checked, since helpers answer for others.
 */
export class Acks {
  readonly #timers: Timers
  readonly #waiting = new Map<number, AckWaiter & { readonly timer: Timer }>()

  constructor(timers: Timers) {
    this.#timers = timers
  }

  /** Waits until `deadline`, when `onTimeout` runs unless an ack came. @param graceful see {@link Timers} */
  wait(
    seqNo: number,
    deadline: Instant,
    waiter: AckWaiter,
    onTimeout?: (now: Instant) => void,
    graceful = false,
  ): void {
    const expire = (now: Instant): void => {
      this.#waiting.delete(seqNo)
      onTimeout?.(now)
    }
    this.#waiting.set(seqNo, { ...waiter, timer: this.#timers.set(deadline, expire, graceful) })
  }

  /** Stops waiting, without a call. */
  forget(seqNo: number): void {
    this.#waiting.get(seqNo)?.timer.cancel()
    this.#waiting.delete(seqNo)
  }

  ack(ack: Ack, now: Instant): void {
    const waiter = this.#waiting.get(ack.seqNo)
    if (!waiter) return
    this.forget(ack.seqNo)
    waiter.onAck(ack, now)
  }

  nack(seqNo: number): void {
    this.#waiting.get(seqNo)?.onNack?.()
  }
}
