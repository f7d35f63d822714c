import { setMaxListeners } from 'node:events'
import { type Logger, silentLogger } from '../process/log.js'
import { ConflictError } from '../store/store.js'
import { type ElectionTimes, LeaderElection, type Milliseconds } from './election.js'
import type { Lease, LeaseClient } from './lease.js'

/** Time as an election needs it; a test brings its own. */
export interface ElectionClock {
  /** Milliseconds that never go back. */
  now(): Milliseconds
  /** For time stamps. */
  date(): Date
  /** Calls once after a delay. @returns a function that prevents it */
  after(delay: Milliseconds, callback: () => void): () => void
}

const systemClock: ElectionClock = {
  now: () => performance.now(),
  date: () => new Date(),
  after: (delay, callback) => {
    const timer = setTimeout(callback, delay)
    return () => clearTimeout(timer)
  },
}

/** Options of {@link lead}. */
export interface LeadOptions {
  /** Reads and writes the Lease; a store on the API server has one. */
  readonly leases: LeaseClient
  /** Of the Lease. */
  readonly name: string
  /** Of the Lease too. */
  readonly namespace: string
  /** Who we are: another one for each process, also for one that is started again. */
  readonly identity: string
  /** @default {@link ELECTION_TIMES}, those of client-go */
  readonly times?: Partial<ElectionTimes>
  /** Somebody else leads now; an empty text: nobody. */
  readonly onHolder?: (holder: string) => void
  /** The Lease cannot be read or written, for this reason, and nobody may lead for it: told of each attempt; `undefined`: it can again. */
  readonly onTrouble?: (error: Error | undefined) => void
  /** @default silent */
  readonly log?: Logger
  /** @default the machine's */
  readonly clock?: ElectionClock
  /** Uniform in [0, 1): candidates do not all look at once. @default Math.random */
  readonly random?: () => number
}

/** What the leader's work is given. */
export interface Term {
  /** Aborts when we may no longer lead, and when the whole is stopped. */
  readonly signal: AbortSignal
  /** Whether we lead at this moment. Ask before each write: a process that was paused learns by this, not by a timer. */
  readonly leads: () => boolean
}

/**
 * Does some work whenever we are the leader, until `signal` aborts. The work is to end soon after its own signal has aborted; then
 * the Lease is given back, so that another may lead at once, or we are a candidate again. An API server that cannot be reached
 * ends the term in time: what was begun before must not last longer than `leaseDuration - renewDeadline`.
 *
 * @throws what the work throws, after the Lease was given back
 *
 * @example
 * ```ts
 * import { openStore } from '@typemetal/cluster'
 * import { lead } from '@typemetal/cluster/leader'
 *
 * const stop = new AbortController()
 * await using store = await openStore({ component: 'example', namespace: 'default' })
 * await store.start()
 * if (!store.leases) throw new Error('only an API server has Leases')
 * const options = { leases: store.leases, namespace: 'default', name: 'example', identity: `pod-1-${process.pid}` }
 * await lead(options, stop.signal, async term => {
 *   while (!term.signal.aborted) await new Promise(resolve => setTimeout(resolve, 1000)) // the work
 * })
 * ```
 */
export async function lead(
  options: LeadOptions,
  signal: AbortSignal,
  work: (term: Term) => Promise<void>,
): Promise<void> {
  const candidate = new Candidate(options)
  try {
    while (await candidate.waitForElection(signal)) {
      if (await candidate.serve(signal, work)) break
    }
  } finally {
    await candidate.resign()
  }
}

/** Attempts to give the Lease back while our own last renewal may still come in. */
const RESIGNATIONS = 3
/** Share of the period by which candidates look later, so that they do not all look at once. */
const JITTER = 0.2

class Candidate {
  readonly #options: LeadOptions
  readonly #log: Logger
  readonly #clock: ElectionClock
  readonly #random: () => number
  readonly #election: LeaderElection
  /** As last read or written; `undefined`: to be read. */
  #lease: Lease | undefined
  #holder: string | undefined
  #trouble: string | undefined

  constructor(options: LeadOptions) {
    const { identity, times, name, log = silentLogger, clock = systemClock, random = Math.random } = options
    this.#options = options
    this.#log = log.child({ lease: name })
    this.#clock = clock
    this.#random = random
    this.#election = new LeaderElection({ identity, ...(times && { times }) })
  }

  /** @returns true when we lead, false when the signal has aborted */
  async waitForElection(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      await this.#attempt(signal)
      if (this.#leads()) return true
      await this.#pause(this.#election.times.retryPeriod * (1 + JITTER * this.#random()), signal)
    }
    return false
  }

  /** Works while we lead. @returns whether the work came to its end, and not its time */
  async serve(signal: AbortSignal, work: (term: Term) => Promise<void>): Promise<boolean> {
    const end = new AbortController()
    const stop = AbortSignal.any([signal, end.signal])
    setMaxListeners(0, stop)
    this.#log.info({ event: 'leading', identity: this.#election.identity }, 'this process leads now')
    const renewing = this.#renew(stop).finally(() => end.abort())
    try {
      await work({ signal: stop, leads: () => this.#leads() })
      return !stop.aborted
    } finally {
      end.abort()
      await renewing
    }
  }

  /** Gives the Lease back, if it is ours. Never rejects. */
  async resign(): Promise<void> {
    const { holder, identity } = this.#election
    if (holder !== identity) return
    try {
      await this.#within(this.#election.times.renewDeadline / 2, signal => this.#giveBack(signal))
    } catch (error) {
      this.#log.warn({ event: 'resigned', error }, 'the lease could not be given back and has to expire')
    }
  }

  /** A renewal that was under way when the end came has left us without the Lease as it is, or comes between. */
  async #giveBack(signal: AbortSignal): Promise<void> {
    const { leases, name } = this.#options
    for (let attempt = 1; ; attempt++) {
      const lease = this.#lease ?? (await leases.read(name, signal))
      const spec = this.#election.resign(lease?.spec, this.#wall())
      if (!lease || !spec) return
      try {
        await leases.write({ ...lease, spec }, signal)
        return this.#log.info({ event: 'resigned' }, 'the lease was given back')
      } catch (error) {
        if (!(error instanceof ConflictError) || attempt === RESIGNATIONS) throw error
        this.#lease = undefined
      }
    }
  }

  /** Renews the Lease until that fails for too long, or somebody else has it, or the signal aborts. */
  async #renew(signal: AbortSignal): Promise<void> {
    while (this.#leads()) {
      await this.#pause(Math.min(this.#election.times.retryPeriod, this.#timeLeft()), signal)
      if (signal.aborted) return
      if (this.#leads()) await this.#attempt(signal)
    }
    this.#log.error({ event: 'lost', holder: this.#election.holder }, 'this process does not lead any more')
  }

  /** Looks at the Lease and takes or renews it where that is right; when somebody else was quicker, looks once more. */
  async #attempt(signal: AbortSignal): Promise<void> {
    const { renewDeadline } = this.#election.times
    const limit = this.#leads() ? Math.min(renewDeadline / 2, this.#timeLeft()) : renewDeadline / 2
    try {
      await this.#within(limit, async limited => {
        const stop = AbortSignal.any([signal, limited])
        if (!(await this.#bid(stop))) await this.#bid(stop)
      })
      this.#tellTrouble(undefined)
    } catch (error) {
      this.#lease = undefined
      if (!signal.aborted) this.#tellTrouble(error instanceof Error ? error : new Error(String(error)))
    }
    this.#tellHolder()
  }

  /** @returns false when somebody else has written meanwhile */
  async #bid(signal: AbortSignal): Promise<boolean> {
    const { leases, name, namespace } = this.#options
    const lease = this.#leads() && this.#lease ? this.#lease : await leases.read(name, signal)
    signal.throwIfAborted()
    const bid = this.#election.consider(lease?.spec, this.#wall(), this.#clock.now())
    this.#lease = lease
    if (bid.type === 'wait') return true
    const sentAt = this.#clock.now()
    try {
      const written = await leases.write({ ...(lease ?? newLease(name, namespace)), spec: bid.spec }, signal)
      signal.throwIfAborted()
      this.#lease = written
      this.#election.granted(written.spec ?? bid.spec, sentAt)
      if (bid.reason !== 'renewal') this.#log.info({ event: 'elected', reason: bid.reason }, 'the lease is ours')
      return true
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
      this.#lease = undefined
      return false
    }
  }

  #leads(): boolean {
    return this.#election.leads(this.#clock.now())
  }

  #timeLeft(): Milliseconds {
    return Math.max(0, this.#election.leadsUntil - this.#clock.now())
  }

  /** Said once for as long as it stays the reason. */
  #tellTrouble(error: Error | undefined): void {
    const isNews = error?.message !== this.#trouble
    this.#trouble = error?.message
    if (!error && !isNews) return
    if (error && isNews)
      this.#log.warn({ event: 'leaseUnreachable', error: error.message }, 'the lease cannot be read or written')
    this.#options.onTrouble?.(error)
  }

  #tellHolder(): void {
    const { holder } = this.#election
    if (holder === this.#holder) return
    this.#holder = holder
    this.#options.onHolder?.(holder)
  }

  /** Kubernetes' MicroTime. */
  #wall(): string {
    return this.#clock.date().toISOString().replace('Z', '000Z')
  }

  /** Waits, but not beyond the signal. */
  #pause(delay: Milliseconds, signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      if (signal.aborted) return resolve()
      const done = (): void => {
        cancel()
        signal.removeEventListener('abort', done)
        resolve()
      }
      const cancel = this.#clock.after(delay, done)
      signal.addEventListener('abort', done)
    })
  }

  /** Does something that is to be given up after so long: also when it does not listen. */
  async #within<T>(limit: Milliseconds, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const late = new AbortController()
    const timeout = new Error(`no answer within ${limit} ms`)
    const cancel = this.#clock.after(limit, () => late.abort(timeout))
    const lateness = new Promise<never>((_, reject) => {
      late.signal.addEventListener('abort', () => reject(timeout), { once: true })
    })
    try {
      return await Promise.race([work(late.signal), lateness])
    } finally {
      cancel()
    }
  }
}

const newLease = (name: string, namespace: string): Lease => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name, namespace },
})
