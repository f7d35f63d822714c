/** What the log says of one peer's sessions, in MetalLB's words. */
import type { NotificationDetails } from '@typemetal/bgp'
import type { Logger } from '../logger.js'
import type { SessionPlan } from '../plan/types.js'
import { multihopHint } from './connected.js'
import { eventOf, isFailure } from './session-history.js'

/** RFC 4271 section 4.5: what we say when we end a session on purpose. */
const CEASE = 6
/** Most different complaints about a peer that are remembered as said. */
const MEMORY = 32

/** A change of state. */
export interface StateChange {
  readonly to: string
  readonly from: string
  /** The event of RFC 4271 section 8.1, with what is known of it. */
  readonly cause: string
  /** Those that the OPEN messages agreed on. */
  readonly families?: readonly string[] | undefined
}

/** Attempts go on for ever; what keeps them from succeeding is said once, until a session has stood. */
export class SessionLog {
  readonly #said = new Set<string>()

  /**
   * The state of RFC 4271 section 8.2.2 has changed.
   * @param families those that the two ends have agreed on, when it is Established
   */
  changed(log: Logger, plan: SessionPlan, { to, from, cause, families }: StateChange): void {
    const { localASN, myASN, peerASN, dynamicASN } = plan
    const asns = { localASN: localASN ?? myASN, peerASN: peerASN ?? dynamicASN }
    if (to === 'Established') {
      this.#said.clear()
      log.info({ event: 'sessionUp', ...asns }, 'BGP session established')
      this.#tellMissing(log, plan, families)
    } else if (from === 'Established') {
      log.warn({ event: 'sessionDown', ...asns, reason: cause }, 'BGP session down')
    } else if (isFailure(to, from, cause)) this.#failed(log, plan, cause)
  }

  /** A NOTIFICATION has gone one way or the other. */
  notified(log: Logger, direction: 'sent' | 'received', details: NotificationDetails): void {
    const { reason: error, ...more } = details
    if (!this.#isNews(`${direction} ${error} ${details.communication}`)) return
    if (direction === 'received') {
      log.error({ event: 'peerNotification', error, ...more }, 'peer sent a NOTIFICATION')
    } else if (details.errorCode !== CEASE) {
      log.warn({ event: 'notificationSent', error, ...more }, 'peer was sent a NOTIFICATION')
    }
  }

  #failed(log: Logger, plan: SessionPlan, cause: string): void {
    const event = eventOf(cause)
    // The NOTIFICATION itself has been said.
    if (event.startsWith('NotifMsg') || !this.#isNews(cause)) return
    if (event === 'TcpConnectionFails') {
      const hint = multihopHint(plan)
      log.error({ op: 'connect', error: cause, ...(hint !== undefined && { hint }) }, UNREACHABLE)
    } else log.error({ op: 'connect', error: cause }, 'BGP peer cannot be talked to, trying on')
  }

  /** Routes of such a family are wanted, and nobody would know where they are. */
  #tellMissing(log: Logger, plan: SessionPlan, agreed: readonly string[] | undefined): void {
    const families = plan.families.filter(family => agreed?.includes(`${family}-unicast`) === false)
    if (families.length > 0) {
      log.warn(
        { event: 'familyNotCarried', families },
        'the peer does not carry a family: its prefixes are not announced',
      )
    }
  }

  #isNews(text: string): boolean {
    if (this.#said.has(text) || this.#said.size >= MEMORY) return false
    this.#said.add(text)
    return true
  }
}

/** Lines of the engine that are said here in other words, and its running commentary, are for who debugs it. */
export function engineLog(log: Logger): Logger {
  return {
    debug: (fields, msg) => log.debug(fields, msg),
    info: (fields, msg) => log.debug(fields, msg),
    warn: (fields, msg) => {
      if (SAID_HERE.has(msg)) log.debug(fields, msg)
      else if (msg.startsWith(UNANSWERED)) log.error({ ...fields, op: 'connect', error: msg }, UNREACHABLE)
      else log.warn(fields, msg)
    },
    error: (fields, msg) => log.error(fields, msg),
    child: fields => engineLog(log.child(fields)),
  }
}

const SAID_HERE: ReadonlySet<string> = new Set(['peer cannot be reached'])
/** How the engine begins to say that an attempt was given up for the next one, which is no change of state. */
const UNANSWERED = 'no answer'
const UNREACHABLE = 'BGP peer cannot be reached, trying on'
