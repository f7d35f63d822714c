import type { Microseconds } from '../wire/index.js'

/** Bad packets in one second on one socket that bring the filter onto it. */
export const FLOOD_LIMIT = 1000
/** How long it must be quiet until the filter goes off again. */
export const QUIET_TIME: Microseconds = 5_000_000
/** Packets that a socket's queue may hold. */
const QUEUED = 3000
const SECOND: Microseconds = 1_000_000

/** What is to happen to a socket's filter: put it on, make it a sparing one, take it off. */
export type GuardDecision = 'attach' | 'tighten' | 'detach' | undefined

/**
 * Decides when a socket gets the kernel's filter: as soon as bad packets come faster than {@link FLOOD_LIMIT} a second, a sparing one
 * when they still do then, and no longer than until the flood has been over for {@link QUIET_TIME}.
 */
export class FloodGuard {
  #windowEnd: Microseconds = 0
  /** Bad packets that came through in this window. */
  #bad = 0
  #filtered = false
  #sparing = false
  /** Dropped by the kernel when last looked. */
  #drops = 0
  #quietSince: Microseconds = 0

  /** Whether the filter is on. */
  get filtered(): boolean {
    return this.#filtered
  }

  /** Whether the filter is to be a sparing one. */
  get sparing(): boolean {
    return this.#sparing
  }

  /** Notes bad packets that came through. @returns what to do when they are too many */
  note(bad: number, now: Microseconds): GuardDecision {
    if (now >= this.#windowEnd) {
      this.#windowEnd = now + SECOND
      this.#bad = 0
    }
    this.#bad += bad
    if (this.#bad <= FLOOD_LIMIT) return undefined
    this.#quietSince = now
    if (!this.#filtered) {
      this.#filtered = true
      this.#bad = -QUEUED // what waits at the socket has not met the filter
      return 'attach'
    }
    if (this.#sparing) return undefined
    this.#sparing = true
    return 'tighten'
  }

  /** Begins to count what the kernel drops, right before the filter goes on. */
  attached(drops: number): void {
    this.#drops = drops
  }

  /**
   * Looks whether the flood goes on, once a second while the filter is on.
   *
   * @param drops the kernel's count of datagrams it did not give us, 32 bits that wrap
   */
  look(drops: number, now: Microseconds): GuardDecision {
    const dropped = (drops - this.#drops) >>> 0
    this.#drops = drops
    if (dropped > FLOOD_LIMIT / 10) this.#quietSince = now
    if (now - this.#quietSince < QUIET_TIME) return undefined
    this.#filtered = false
    this.#sparing = false
    this.#bad = 0
    return 'detach'
  }
}
