import { checkOptions, number, optional, type Kinds } from '@typemetal/options'
import type { FamilyName } from '../wire/index.js'
import type { SessionEnd } from './events.js'
import type { Negotiated } from './negotiate.js'
import type { Instant, Seconds } from './timers.js'

/** Limits to what a restarting peer may ask of us. */
export interface ReceivingSpeakerOptions {
  /** Longest wait for End-of-RIB once the peer is back, RFC 4724 section 4.2. @default 360 */
  readonly staleTime?: Seconds
  /** The peer's Restart Time counts up to this. @default 4095, the most that can be said */
  readonly maximumRestartTime?: Seconds
  /** The peer's Long-Lived Stale Time counts up to this, RFC 9494 section 4.2. @default 16777215, the most that can be said */
  readonly maximumLongLivedStaleTime?: Seconds
}

/** What to do with the routes of the peer in one family. */
export interface StaleAction {
  /**
   * `mark-stale`: all that there are now, and what the peer announces anew is stale no more. `mark-long-lived`: those that are stale get
   * LLGR_STALE, but those with NO_LLGR go (RFC 9494 section 4.2). `delete-stale`, and `delete-all` as at the end of any session.
   */
  readonly type: 'mark-stale' | 'mark-long-lived' | 'delete-stale' | 'delete-all'
  readonly family: FamilyName
}

/** A family whose routes are kept. */
interface Kept {
  /** `restart`: the peer is away; `long-lived`: too long for a restart; `synchronizing`: it is back, its End-of-RIB is not. */
  phase: 'restart' | 'long-lived' | 'synchronizing'
  /** When the phase ends. */
  deadline: Instant
  /** When Restart Time and Long-Lived Stale Time are both over; stays where it is until a session has synchronized. */
  readonly end: Instant
  /** The Long-Lived Stale Time has begun; it goes on whatever happens meanwhile. */
  longLivedRuns: boolean
}

const DEFAULTS = { staleTime: 360, maximumRestartTime: 0xfff, maximumLongLivedStaleTime: 0xff_ffff }

const time = optional(number('a number of seconds from 0 on', value => value >= 0 && value < Infinity))
const KINDS: Kinds<ReceivingSpeakerOptions> = {
  staleTime: time,
  maximumRestartTime: time,
  maximumLongLivedStaleTime: time,
}

function withDefaults(options: ReceivingSpeakerOptions): Required<ReceivingSpeakerOptions> {
  checkOptions(options, KINDS)
  return { ...DEFAULTS, ...options }
}

/**
 * The Receiving Speaker of RFC 4724 section 4.2, with RFC 8538 and RFC 9494: what becomes of a peer's routes while it restarts. One
 * for each peer; it reads no clock, and every call returns what to do with the routes, in this order.
 */
export class ReceivingSpeaker {
  #options: Required<ReceivingSpeakerOptions>
  readonly #kept = new Map<FamilyName, Kept>()
  /** Families whose Long-Lived Stale Time has ended on a session that is not synchronized yet. */
  readonly #overdue = new Set<FamilyName>()

  /** @throws {TypeError | RangeError} a time that is not a number of seconds, or an unknown option; the message begins with its name */
  constructor(options: ReceivingSpeakerOptions = {}) {
    this.#options = withDefaults(options)
  }

  /** Other limits from now on; waits that have begun go on. @throws {TypeError | RangeError} see the constructor */
  change(options: ReceivingSpeakerOptions): void {
    this.#options = withDefaults(options)
  }

  /** Families whose routes are kept, or some of them. */
  get families(): readonly FamilyName[] {
    return [...this.#kept.keys()]
  }

  /** Whether routes of the family are kept, so that some may be stale. */
  keeps(family: FamilyName): boolean {
    return this.#kept.has(family)
  }

  /** When {@link handleTimeout} is next due; `undefined` while nothing is kept. */
  get nextTimeout(): Instant | undefined {
    let next: Instant | undefined
    for (const { deadline } of this.#kept.values()) if (next === undefined || deadline < next) next = deadline
    return next
  }

  /**
   * An Established session has ended, or, with nothing negotiated, the peer is given up while it is away.
   *
   * @param negotiated what the session had agreed on
   */
  sessionDown(how: SessionEnd, negotiated: Negotiated | undefined, now: Instant): readonly StaleAction[] {
    const families = new Set([...this.#kept.keys(), ...(negotiated?.families ?? [])])
    const outlives = negotiated !== undefined && isRestart(how, negotiated)
    const actions = [...families].flatMap(family =>
      outlives && !this.#isOverdue(family, now) ? this.#keep(family, negotiated, now) : this.#drop(family),
    )
    this.#overdue.clear()
    return actions
  }

  /** A session is Established. Routes are not kept any longer where the peer has lost its forwarding state or does not say that it has it. */
  sessionUp(negotiated: Negotiated, now: Instant): readonly StaleAction[] {
    const actions: StaleAction[] = []
    for (const [family, kept] of this.#kept) {
      if (hasPreserved(negotiated, family, kept.phase)) {
        kept.phase = 'synchronizing'
        kept.deadline = Math.min(now + this.#options.staleTime * 1000, kept.longLivedRuns ? kept.end : Infinity)
      } else {
        this.#kept.delete(family)
        actions.push({ type: 'delete-stale', family })
      }
    }
    return actions
  }

  /** The peer's End-of-RIB has come in. */
  endOfRib(family: FamilyName): readonly StaleAction[] {
    this.#overdue.delete(family)
    if (this.#kept.get(family)?.phase !== 'synchronizing') return []
    this.#kept.delete(family)
    return [{ type: 'delete-stale', family }]
  }

  /** Ends the phases that are over at `now`. */
  handleTimeout(now: Instant): readonly StaleAction[] {
    return [...this.#kept].flatMap(([family, kept]) => this.#expire(family, kept, now))
  }

  #expire(family: FamilyName, kept: Kept, now: Instant): StaleAction[] {
    if (kept.deadline > now) return []
    if (kept.phase === 'restart' && kept.end > now) {
      kept.phase = 'long-lived'
      kept.longLivedRuns = true
      kept.deadline = kept.end
      return [{ type: 'mark-long-lived', family }]
    }
    if (kept.phase === 'synchronizing' && kept.longLivedRuns && kept.end <= now) this.#overdue.add(family)
    this.#kept.delete(family)
    return [{ type: 'delete-stale', family }]
  }

  /** RFC 9494 section 4.2: a session that ends after the Long-Lived Stale Time and before End-of-RIB leaves nothing behind. */
  #isOverdue(family: FamilyName, now: Instant): boolean {
    const kept = this.#kept.get(family)
    return this.#overdue.has(family) || (kept !== undefined && kept.longLivedRuns && kept.end <= now)
  }

  #drop(family: FamilyName): StaleAction[] {
    this.#kept.delete(family)
    return [{ type: 'delete-all', family }]
  }

  #keep(family: FamilyName, negotiated: Negotiated, now: Instant): StaleAction[] {
    const { restart, longLived } = this.#times(family, negotiated)
    if (restart === 0 && longLived === 0) return this.#drop(family)
    const earlier = this.#kept.get(family)
    const goesOn =
      earlier !== undefined && (earlier.longLivedRuns || (longLived > 0 && earlier.end > now + restart * 1000))
    const end = goesOn ? earlier.end : now + (restart + longLived) * 1000
    const deadline = Math.min(now + restart * 1000, end)
    const kept: Kept = { phase: 'restart', deadline, end, longLivedRuns: goesOn && earlier.longLivedRuns }
    this.#kept.set(family, kept)
    // RFC 4724 section 4.2: a second restart ends what the first one left; but not before the Long-Lived Stale Time is over, says
    // RFC 9494 section 4.2.
    const actions: StaleAction[] = earlier && !goesOn ? [{ type: 'delete-stale', family }] : []
    return [...actions, { type: 'mark-stale', family }, ...this.#expire(family, kept, now)]
  }

  /** A family that is not in the Graceful Restart capability has a Restart Time of 0, RFC 9494 section 4.2. */
  #times(family: FamilyName, { gracefulRestart, longLivedGracefulRestart }: Negotiated): Times {
    const isListed = gracefulRestart?.families.some(entry => entry.family === family) ?? false
    const asked = longLivedGracefulRestart?.find(entry => entry.family === family)?.staleTime ?? 0
    return {
      restart: isListed ? Math.min(gracefulRestart?.restartTime ?? 0, this.#options.maximumRestartTime) : 0,
      longLived: Math.min(asked, this.#options.maximumLongLivedStaleTime),
    }
  }
}

interface Times {
  readonly restart: Seconds
  readonly longLived: Seconds
}

/** Whether the end of a session can be the restart of its peer: RFC 4724 section 4, and RFC 8538 section 4 for NOTIFICATIONs. */
function isRestart(how: SessionEnd, { gracefulRestart }: Negotiated): boolean {
  if (!gracefulRestart || how === 'hard-reset' || how === 'local-stop') return false
  return how === 'tcp' || gracefulRestart.notification
}

/** RFC 4724 section 4.2; once the time is the long-lived one, that capability has to say so (RFC 9494 section 4.2). */
function hasPreserved(negotiated: Negotiated, family: FamilyName, phase: Kept['phase']): boolean {
  const { families, gracefulRestart, longLivedGracefulRestart } = negotiated
  const entries = phase === 'long-lived' ? longLivedGracefulRestart : gracefulRestart?.families
  if (!families.includes(family)) return false
  return entries?.some(entry => entry.family === family && entry.forwardingPreserved) ?? false
}
