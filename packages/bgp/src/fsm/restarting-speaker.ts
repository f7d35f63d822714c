import { checkOptions, number, optional, type Kinds } from '@typemetal/options'
import { families as familiesKind } from '../bgp-kinds.js'
import type { FamilyName } from '../wire/index.js'
import type { Negotiated } from './negotiate.js'
import type { Instant, Seconds } from './timers.js'

/** Options of a {@link RestartingSpeaker}. */
export interface RestartingSpeakerOptions {
  /** Families that routes are selected of. */
  readonly families: readonly FamilyName[]
  /**
   * Selection_Deferral_Timer: longest wait for the peers, RFC 4724 section 4.1. 0: nothing is deferred, for a speaker that learns nothing
   * and so selects nothing; its OPENs say that it has restarted as ever, for 360 s at most. @default 360
   */
  readonly selectionDeferralTime?: Seconds
}

const DEFERRAL_TIME: Seconds = 360

const KINDS: Kinds<RestartingSpeakerOptions> = {
  families: familiesKind,
  selectionDeferralTime: optional(number('a number of seconds from 0 on', value => value >= 0 && value < Infinity)),
}

/** What the owner of a restarting speaker must do, in the order given. */
export type RestartAction =
  /** Select the routes of the family, send them, and End-of-RIB behind them. */
  | { readonly type: 'select'; readonly family: FamilyName }
  /** The restart is over: OPENs say so from now on. Comes once, behind the last family. */
  | { readonly type: 'restarted' }

/** What is known of a peer: its session, and the families whose End-of-RIB is still to come on it. */
interface Heard {
  waitsFor: Set<FamilyName>
  /** It has had a session since we restarted. */
  met: boolean
}

/**
 * The Restarting Speaker of RFC 4724 section 4.1: holds back the selection of routes, and with it everything that we would announce,
 * until the peers have said what they have. One for a whole speaker; `P` stands for a peer. It reads no clock.
 *
 * A peer is waited for until its first session, and on a session until its End-of-RIB; not without the capability, and not when it has
 * restarted itself, for then it waits for us.
 */
export class RestartingSpeaker<P> {
  readonly #deferred: Set<FamilyName>
  readonly #peers = new Map<P, Heard>()
  readonly #selectsAtOnce: boolean
  #deadline: Instant | undefined

  /**
   * @param now when we have restarted
   * @throws {TypeError | RangeError} a time that is not a number of seconds, or an unknown option; the message begins with its name
   */
  constructor(options: RestartingSpeakerOptions, now: Instant) {
    checkOptions(options, KINDS)
    const { families, selectionDeferralTime = DEFERRAL_TIME } = options
    this.#deferred = new Set(families)
    this.#selectsAtOnce = selectionDeferralTime === 0
    this.#deadline = now + (selectionDeferralTime || DEFERRAL_TIME) * 1000
  }

  /** Whether our OPENs say that we have restarted (R bit). */
  get restarting(): boolean {
    return this.#deferred.size > 0
  }

  /** Whether routes of the family are neither selected nor announced yet. */
  defers(family: FamilyName): boolean {
    return !this.#selectsAtOnce && this.#deferred.has(family)
  }

  /** When {@link handleTimeout} is next due; `undefined` once the restart is over. */
  get nextTimeout(): Instant | undefined {
    return this.#deadline
  }

  /** A peer that is to be waited for. Peers that nobody knows in advance are not. */
  addPeer(peer: P): void {
    this.#peers.set(peer, { waitsFor: new Set(), met: false })
  }

  /** The peer is gone for good. */
  removePeer(peer: P): readonly RestartAction[] {
    this.#peers.delete(peer)
    return this.#settle()
  }

  /** A session is Established. */
  sessionUp(peer: P, { families, gracefulRestart }: Negotiated): readonly RestartAction[] {
    const isHeard = gracefulRestart === undefined || gracefulRestart.restarting
    this.#peers.set(peer, { waitsFor: new Set(isHeard ? [] : families), met: true })
    return this.#settle()
  }

  /** A session has ended; what it has not said yet is not waited for. */
  sessionDown(peer: P): readonly RestartAction[] {
    this.#peers.get(peer)?.waitsFor.clear()
    return this.#settle()
  }

  /** The peer's End-of-RIB has come in. */
  endOfRib(peer: P, family: FamilyName): readonly RestartAction[] {
    this.#peers.get(peer)?.waitsFor.delete(family)
    return this.#settle()
  }

  /** Ends the wait if it has been too long. */
  handleTimeout(now: Instant): readonly RestartAction[] {
    if (this.#deadline === undefined || this.#deadline > now) return []
    return this.#select([...this.#deferred])
  }

  #settle(): readonly RestartAction[] {
    const peers = [...this.#peers.values()]
    if (peers.some(({ met }) => !met)) return []
    return this.#select([...this.#deferred].filter(family => !peers.some(({ waitsFor }) => waitsFor.has(family))))
  }

  #select(families: readonly FamilyName[]): readonly RestartAction[] {
    if (families.length === 0) return []
    for (const family of families) this.#deferred.delete(family)
    const actions: RestartAction[] = families.map(family => ({ type: 'select', family }))
    if (this.#deferred.size > 0) return actions
    this.#deadline = undefined
    return [...actions, { type: 'restarted' }]
  }
}
