import { methods } from '@typemetal/options'
import type { Instant } from '../fsm/index.js'

/** Where time comes from. */
export interface Clock {
  /** Milliseconds on a monotonic clock. */
  now(): Instant
  /** Calls `fn` after `ms` milliseconds, once. @returns stops it */
  after(ms: number, fn: () => void): () => void
}

/** What a {@link Clock} has to be. */
export const clockKind = methods<Clock>('now', 'after')

const MAX_DELAY = 0x7fff_ffff

/**
 * The machine's own clock. An alarm rings after the I/O that is due with it: when this process has stalled, what the peers
 * sent meanwhile is read before a hold timer may say that they were silent.
 */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, fn) {
    let immediate: NodeJS.Immediate | undefined
    const ring = (): void => {
      immediate = setImmediate(fn)
    }
    const timer = setTimeout(ring, Math.min(MAX_DELAY, Math.max(0, ms)))
    return () => {
      clearTimeout(timer)
      clearImmediate(immediate)
    }
  },
}
