/** What comes after a list or watch has ended; no I/O. */
import { ApiError, type Failure, failureOf } from './api-error.js'
import type { Milliseconds } from './limits.js'

/** How following a kind ended. */
export type Outcome =
  /** The server ended the watch in order. */
  | { readonly type: 'closed'; readonly lasted: Milliseconds; readonly events: number }
  /** Nothing was heard on the watch for so long that the server may be gone; opening it anew will tell. */
  | { readonly type: 'quiet' }
  /** Somebody wants a fresh list now. */
  | { readonly type: 'interrupted' }
  /** `lasted`: since the watch was opened; 0 when it was not. */
  | { readonly type: 'failed'; readonly error: unknown; readonly lasted: Milliseconds }

/** Why a watch is opened anew, for metrics. */
export type RestartReason = Failure | 'closed' | 'quiet' | 'refresh'

/** How to go on. */
export interface Resumption {
  readonly reason: RestartReason
  /** Everything must be listed; otherwise the watch goes on where it was. */
  readonly relist: boolean
  /** The pauses begin from the shortest again. */
  readonly reset: boolean
  readonly pause: boolean
  /** The pause is not shorter than this. */
  readonly least: Milliseconds
  /** People should hear that the kind cannot be read. */
  readonly trouble: boolean
}

const GO_ON: Omit<Resumption, 'reason'> = { relist: false, reset: true, pause: false, least: 0, trouble: false }

/** @param shortWatch an orderly end before this is suspicious: a server that ends every watch at once must not be stormed */
export function resumptionOf(outcome: Outcome, { shortWatch }: { readonly shortWatch: Milliseconds }): Resumption {
  switch (outcome.type) {
    case 'closed': {
      const short = outcome.lasted < shortWatch && outcome.events === 0
      return { ...GO_ON, reason: 'closed', reset: !short, pause: short }
    }
    case 'quiet':
      return { ...GO_ON, reason: 'quiet' }
    case 'interrupted':
      return { ...GO_ON, reason: 'refresh', reset: false, relist: true }
    case 'failed':
      return afterFailure(outcome.error, outcome.lasted >= shortWatch)
    default:
      return outcome satisfies never
  }
}

function afterFailure(error: unknown, worked: boolean): Resumption {
  const reason = failureOf(error)
  const least = error instanceof ApiError ? (error.retryAfter ?? 0) : 0
  const relist = reason === 'expired'
  // A watch that has worked may break for many reasons; whether there is trouble, the next attempt tells.
  return { reason, relist, reset: worked, pause: true, least, trouble: !relist && !worked }
}
