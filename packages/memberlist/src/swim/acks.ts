import type { Ack } from '../wire/index.js'
import type { Timer, Timers } from './timers.js'
import type { Instant } from './types.js'

/** Who waits for the answer to a ping. */
export interface AckWaiter {
  readonly onAck: (ack: Ack, now: Instant) => void
  readonly onNack?: () => void
  /** No ack came in time. */
  readonly onTimeout?: (now: Instant) => void
}

interface Open {
  readonly waiter: AckWaiter
  readonly timer: Timer
}

/**
 * Open pings by sequence number. The first ack takes its entry away; a nack does not. Neither sender nor node name of
 * an ack is checked, since helpers answer for others.
 */
export class Acks {
  readonly #timers: Timers
  readonly #open = new Map<number, Open>()

  constructor(timers: Timers) {
    this.#timers = timers
  }

  /** Waits until `deadline`. @param graceful see {@link Timers} */
  wait(seqNo: number, deadline: Instant, waiter: AckWaiter, graceful = false): void {
    const expire = (now: Instant): void => {
      this.#open.delete(seqNo)
      waiter.onTimeout?.(now)
    }
    this.#open.set(seqNo, { waiter, timer: this.#timers.set(deadline, expire, graceful) })
  }

  /** Stops waiting, without a call. */
  forget(seqNo: number): void {
    this.#open.get(seqNo)?.timer.cancel()
    this.#open.delete(seqNo)
  }

  ack(ack: Ack, now: Instant): void {
    const open = this.#open.get(ack.seqNo)
    if (!open) return
    open.timer.cancel()
    this.#open.delete(ack.seqNo)
    open.waiter.onAck(ack, now)
  }

  nack(seqNo: number): void {
    this.#open.get(seqNo)?.waiter.onNack?.()
  }
}
