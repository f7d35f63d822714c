/** What has become of one peer's sessions. Pure: time is an argument. */
import type { NotificationDetails } from '@typemetal/bgp'

/** The last NOTIFICATION of either direction. */
export interface LastNotification {
  readonly direction: 'sent' | 'received'
  readonly errorCode: number
  readonly errorSubcode: number
}

/** Events after which nobody is to blame: we did it, or it is but the next attempt. */
const OUR_OWN: ReadonlySet<string> = new Set([
  'ManualStop',
  'AutomaticStop',
  'ManualStart',
  'AutomaticStart',
  'AutomaticStart_with_DampPeerOscillations',
  'ConnectRetryTimer_Expires',
  'IdleHoldTimer_Expires',
  'OpenCollisionDump',
])

/** Remembers what a counter or a person may want to know of the past. */
export class SessionHistory {
  readonly #ends = new Map<string, number>()
  #failures = 0
  #establishedAt: number | undefined
  #lastNotification: LastNotification | undefined

  /** Established sessions that ended, by the event of RFC 4271 section 8.1 that did it. */
  get ends(): ReadonlyMap<string, number> {
    return this.#ends
  }

  /** Attempts that came to nothing. */
  get failures(): number {
    return this.#failures
  }

  /** The last NOTIFICATION of either direction; `undefined` before the first. */
  get lastNotification(): LastNotification | undefined {
    return this.#lastNotification
  }

  /** Milliseconds that the session has stood; 0 when there is none. */
  uptime(now: number): number {
    return this.#establishedAt === undefined ? 0 : now - this.#establishedAt
  }

  /** The state has changed. @param cause the event, with what is known of it */
  changed(to: string, from: string, cause: string, now: number): void {
    if (to === 'Established') this.#establishedAt = now
    if (isFailure(to, from, cause)) this.#failures++
    if (from !== 'Established') return
    this.#establishedAt = undefined
    const event = eventOf(cause)
    this.#ends.set(event, (this.#ends.get(event) ?? 0) + 1)
  }

  /** A NOTIFICATION was sent or has come. */
  notified(direction: LastNotification['direction'], { errorCode, errorSubcode }: NotificationDetails): void {
    this.#lastNotification = { direction, errorCode, errorSubcode }
  }
}

/** Whether a change of state is an attempt that came to nothing, and not by our own doing. */
export const isFailure = (to: string, from: string, cause: string): boolean =>
  from !== 'Established' && (to === 'Idle' || to === 'Active') && !OUR_OWN.has(eventOf(cause))

/** Name of the event that a cause begins with: `NotifMsg` of `NotifMsg 6/2`. */
export const eventOf = (cause: string): string => /^\w+/.exec(cause)?.[0] ?? 'unknown'
