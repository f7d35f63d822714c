import type { LeaseSpec } from './lease.js'

/** Milliseconds. As a moment: of a clock that never goes back. */
export type Milliseconds = number

/** How patient those are who want one Lease. All of them must say the same. */
export interface ElectionTimes {
  /** How long a Lease that nobody renews is respected. @default 15_000 */
  readonly leaseDuration: Milliseconds
  /** How long the leader goes on without a renewal that was taken; what it has begun then ends before the Lease does. @default 10_000 */
  readonly renewDeadline: Milliseconds
  /** How often the leader renews, and the others look. @default 2_000 */
  readonly retryPeriod: Milliseconds
}

/** As the components of Kubernetes have them. */
export const ELECTION_TIMES: ElectionTimes = { leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 2000 }

/** What to do about the Lease now, and why. */
export type Bid =
  | { readonly type: 'write'; readonly spec: LeaseSpec; readonly reason: 'absent' | 'released' | 'expired' | 'renewal' }
  | { readonly type: 'wait'; readonly holder: string }

/** Options of a {@link LeaderElection}. */
export interface ElectionOptions {
  /** Who we are: another one for each process, also for one that is started again. */
  readonly identity: string
  /** @default ELECTION_TIMES */
  readonly times?: Partial<ElectionTimes>
}

/**
 * One candidate's side of an election by Lease, as client-go's `leaderelection` does it. No clock of another machine is
 * believed: a Lease has expired when we have not seen it change for as long as it is good for. Reads no clock, does no I/O.
 */
export class LeaderElection {
  readonly identity: string
  readonly times: ElectionTimes
  /** The Lease as last seen, and since when it has been like that. */
  #seen = ''
  #seenAt: Milliseconds = -Infinity
  #holder = ''
  #until: Milliseconds = -Infinity

  /** @throws {RangeError} no identity, or times that would let two lead at once */
  constructor({ identity, times = {} }: ElectionOptions) {
    if (identity === '') throw new RangeError('identity must not be empty')
    this.identity = identity
    this.times = { ...ELECTION_TIMES, ...times }
    checkElectionTimes(this.times)
  }

  /** Who holds the Lease as far as we know; empty: nobody. */
  get holder(): string {
    return this.#holder
  }

  /** Until when we lead unless a renewal is taken before; `-Infinity` when we do not. */
  get leadsUntil(): Milliseconds {
    return this.#until
  }

  /** Whether we lead. */
  leads(now: Milliseconds): boolean {
    return now < this.#until
  }

  /**
   * Decides about the Lease as it was read.
   *
   * @param lease `undefined`: there is none
   * @param wall now, as the Lease is to say it: RFC 3339 with microseconds
   */
  consider(lease: LeaseSpec | undefined, wall: string, now: Milliseconds): Bid {
    this.#observe(lease, now)
    const { identity } = this
    if (lease === undefined) return this.#bid('absent', wall, {})
    const { holderIdentity: holder = '', leaseTransitions = 0, acquireTime = wall } = lease
    if (holder === identity) return this.#bid('renewal', wall, { acquireTime, leaseTransitions })
    const expired = now >= this.#seenAt + this.#duration(lease)
    if (holder !== '' && !expired) return { type: 'wait', holder }
    const reason = holder === '' ? 'released' : 'expired'
    return this.#bid(reason, wall, { leaseTransitions: leaseTransitions + 1 })
  }

  /** A write was taken. @param sentAt when it was begun: the others may have seen it as early as that */
  granted(spec: LeaseSpec, sentAt: Milliseconds): void {
    this.#observe(spec, sentAt)
    this.#until = sentAt + this.times.renewDeadline
  }

  /** We stop leading. @returns what the Lease is to say so that another may lead at once; `undefined` when we did not hold it */
  resign(lease: LeaseSpec | undefined, wall: string): LeaseSpec | undefined {
    this.#until = -Infinity
    if (lease?.holderIdentity !== this.identity) return undefined
    const { leaseTransitions = 0 } = lease
    return { holderIdentity: '', leaseDurationSeconds: 1, acquireTime: wall, renewTime: wall, leaseTransitions }
  }

  #observe(lease: LeaseSpec | undefined, now: Milliseconds): void {
    const seen = JSON.stringify(lease ?? null)
    this.#holder = lease?.holderIdentity ?? ''
    // Somebody else has it: whatever we believed, it is over.
    if (this.#holder !== this.identity) this.#until = -Infinity
    if (seen === this.#seen) return
    this.#seen = seen
    this.#seenAt = now
  }

  #duration({ leaseDurationSeconds }: LeaseSpec): Milliseconds {
    const said = Number(leaseDurationSeconds) * 1000
    return said > 0 ? said : this.times.leaseDuration
  }

  #bid(reason: (Bid & { type: 'write' })['reason'], wall: string, kept: Partial<LeaseSpec>): Bid {
    const leaseDurationSeconds = Math.ceil(this.times.leaseDuration / 1000)
    const spec = {
      holderIdentity: this.identity,
      leaseDurationSeconds,
      acquireTime: wall,
      leaseTransitions: 0,
      ...kept,
      renewTime: wall,
    }
    return { type: 'write', spec, reason }
  }
}

/** @throws {RangeError} with these times two could lead at once, or nobody for long */
export function checkElectionTimes({ leaseDuration, renewDeadline, retryPeriod }: ElectionTimes): void {
  if (!(retryPeriod > 0)) throw new RangeError('retryPeriod must be above 0')
  if (!(renewDeadline > retryPeriod * 1.2)) throw new RangeError('renewDeadline must be above 1.2 times retryPeriod')
  if (!(leaseDuration > renewDeadline)) throw new RangeError('leaseDuration must be above renewDeadline')
}
