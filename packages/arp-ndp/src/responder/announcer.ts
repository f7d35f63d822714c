/** Milliseconds on the caller's monotonic clock. */
export type Instant = number

/** A burst lasts so long, in milliseconds, from the last time it was asked for. */
export const BURST_LENGTH = 5000

/**
 * Milliseconds between two rounds. More than a second, because common Linux hosts ignore a gratuitous ARP that comes
 * within 1 s of the last change of the entry (`locktime`).
 */
export const ROUND_INTERVAL = 1100

/**
 * `announce`: a burst for the address, or as much longer as it already runs. `extend`: the same without a round at once,
 * for the caller that has just sent one itself. `withdraw`: no more rounds.
 */
export interface AnnouncerEvent {
  readonly type: 'announce' | 'extend' | 'withdraw'
  /** Canonical text, or whatever else is announced as one; a key, not looked into. */
  readonly address: string
}

/** Send one gratuitous round for the address on every interface that is selected for it. */
export interface AnnouncerAction {
  readonly type: 'round'
  readonly address: string
}

/**
 * When gratuitous frames go out: one round at once, then on a ticker that all addresses share, for 5 s. An undisturbed
 * announcement gives rounds at 0, 1.1, 2.2, 3.3 and 4.4 s. Reads no clock.
 *
 * @example
 * ```ts
 * import { Announcer } from '@typemetal/arp-ndp/responder'
 *
 * const announcer = new Announcer()
 * console.log(announcer.handle({ type: 'announce', address: '192.0.2.200' }, 0)) // [ { type: 'round', address: '192.0.2.200' } ]
 * console.log(announcer.nextTimeout) // 1100
 * console.log(announcer.handleTimeout(1100)) // [ { type: 'round', address: '192.0.2.200' } ]
 * ```
 */
export class Announcer {
  /** Address → when its burst ends. */
  readonly #ends = new Map<string, Instant>()
  #nextTick: Instant | undefined

  /** When {@link handleTimeout} is next due; `undefined` while no burst runs. */
  get nextTimeout(): Instant | undefined {
    return this.#nextTick
  }

  /** @returns what the caller must now do, in this order */
  handle(event: AnnouncerEvent, now: Instant): readonly AnnouncerAction[] {
    if (event.type === 'withdraw') {
      this.#ends.delete(event.address)
      if (this.#ends.size === 0) this.#nextTick = undefined
      return []
    }
    const first = event.type === 'announce' && !this.#ends.has(event.address)
    if (this.#ends.size === 0) this.#nextTick = now + ROUND_INTERVAL
    this.#ends.set(event.address, now + BURST_LENGTH)
    return first ? [{ type: 'round', address: event.address }] : []
  }

  /** Sends the rounds due at `now`. Late by more than a tick, it sends one round and keeps to the ticker's grid. */
  handleTimeout(now: Instant): readonly AnnouncerAction[] {
    if (this.#nextTick === undefined || now < this.#nextTick) return []
    const missed = Math.floor((now - this.#nextTick) / ROUND_INTERVAL)
    this.#nextTick += (missed + 1) * ROUND_INTERVAL
    for (const [address, end] of this.#ends) if (now > end) this.#ends.delete(address)
    if (this.#ends.size === 0) this.#nextTick = undefined
    return Array.from(this.#ends.keys(), address => ({ type: 'round', address }))
  }
}
