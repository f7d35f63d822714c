/** Since when sessions are as they are, and what went wrong last. Pure: time is an argument. */
import type { NotificationDetails } from '@typemetal/bgp'
import type { Timestamp } from '@typemetal/cluster/page'
import { isFailure } from '../announcer/session-history.js'
import { causeInWords } from './reasons.js'

/** What is remembered of one session. */
export interface RememberedSession {
  /** It went up, or down, then; while it is tried on, the time stays. */
  readonly since: Timestamp
  readonly failure?: string
}

/** What a change of state is worth telling. */
export type SessionNews =
  { readonly what: 'session up' } | { readonly what: 'session down' | 'no session'; readonly why: string }

/** Remembers a line for each session. */
export class SessionMemory {
  readonly #sessions = new Map<string, RememberedSession>()
  /** Failures of each session that were told since it last stood. */
  readonly #told = new Map<string, Set<string>>()

  /** What is known of a session. */
  get(name: string): RememberedSession | undefined {
    return this.#sessions.get(name)
  }

  /** Remembers this from now on. */
  set(name: string, session: RememberedSession): void {
    this.#sessions.set(name, session)
  }

  /**
   * The state of RFC 4271 section 8.2.2 has changed.
   * @returns what of it is news
   */
  changed(name: string, to: string, from: string, cause: string, now: Timestamp): SessionNews | undefined {
    const before = this.#sessions.get(name)
    if (to === 'Established') {
      this.#sessions.set(name, { ...before, since: now })
      this.#told.delete(name)
      return { what: 'session up' }
    }
    // A NOTIFICATION that came before says more than that there was one.
    const why = cause.startsWith('NotifMsg') && before?.failure !== undefined ? before.failure : causeInWords(cause)
    if (from === 'Established') {
      this.#sessions.set(name, { since: now, failure: why })
      return { what: 'session down', why }
    }
    const since = before?.since ?? now
    if (!isFailure(to, from, cause)) {
      this.#sessions.set(name, { ...before, since })
      return undefined
    }
    this.#sessions.set(name, { since, failure: why })
    return this.#isNews(name, why) ? { what: 'no session', why } : undefined
  }

  /** A NOTIFICATION has gone one way or the other. */
  notified(name: string, direction: 'sent' | 'received', details: NotificationDetails, now: Timestamp): void {
    const { reason, communication } = details
    const text = `${reason}${communication === undefined ? '' : `, ${JSON.stringify(communication)}`}`
    const failure = `${direction === 'sent' ? 'the peer was sent' : 'the peer sent'} a NOTIFICATION: ${text}`
    this.#sessions.set(name, { since: this.#sessions.get(name)?.since ?? now, failure })
  }

  /** The session is no longer wanted. */
  forget(name: string): void {
    this.#sessions.delete(name)
    this.#told.delete(name)
  }

  #isNews(name: string, why: string): boolean {
    const told = this.#told.get(name) ?? new Set()
    this.#told.set(name, told)
    if (told.has(why) || told.size >= MOST_TOLD) return false
    told.add(why)
    return true
  }
}

/** Different failures of one session that are told before it stands again. */
const MOST_TOLD = 8
