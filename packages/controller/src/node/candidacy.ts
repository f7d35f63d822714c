import { randomUUID } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { hostname } from 'node:os'
import { failureOf, type Store } from '@typemetal/cluster'
import { checkElectionTimes, type ElectionTimes, lead } from '@typemetal/cluster/leader'
import { type Logger, StartupError } from '@typemetal/cluster/process'
import { Gauge, type Registry } from 'prom-client'
import type { MayWrite } from './controller.js'

/** Attempts in a row after which a right is missing: an API server that has just started knows its roles some seconds later. */
const SURELY_FORBIDDEN = 5

/** Options of a {@link Candidacy}. */
export interface CandidacyOptions {
  /** `false`: work without asking anybody. */
  readonly enabled: boolean
  /** Of the Lease. */
  readonly name: string
  readonly namespace: string
  readonly times: ElectionTimes
  readonly log: Logger
  readonly registry: Registry
}

/**
 * One of several controllers, of which one works at a time. A folder of manifests has no Leases: there the controller works at once,
 * and has to be the only one. Emits `change` when it leads, or no longer does, or another one does.
 */
export class Candidacy extends EventEmitter<{ change: [] }> {
  readonly #options: CandidacyOptions
  readonly #identity = `${hostname()}_${randomUUID()}`
  readonly #status: Gauge<'name'>
  #standby = false
  #leads = false
  #holder = ''
  #outage: string | undefined
  /** Why it will never lead. */
  #refusal: string | undefined
  /** Attempts in a row that were forbidden. */
  #forbidden = 0

  /**
   * Registers the metric by which client-go tells the same.
   *
   * @throws {StartupError} the times would let two lead at once
   */
  constructor(options: CandidacyOptions) {
    super()
    this.#options = options
    try {
      checkElectionTimes(options.times)
    } catch (error) {
      throw new StartupError(`--leader-elect: ${(error as Error).message}`, { cause: error })
    }
    this.#status = new Gauge({
      name: 'leader_election_master_status',
      help: '1 if this process leads, by name of the Lease',
      labelNames: ['name'],
      registers: [options.registry],
    })
  }

  /** True while somebody else, or nobody yet, leads and we could take over; what keeps us from it; `false` when we work. */
  get standby(): boolean | string {
    return this.#standby && (this.#outage ?? this.#refusal ?? true)
  }

  /** Whether it leads others, or would, if there were any; false as well where nobody is asked. */
  get leads(): boolean {
    return this.#leads
  }

  /** Identity of the one that leads, as it was last seen; empty while nobody is known to, and where nobody is asked. */
  get holder(): string {
    return this.#holder
  }

  /** Does the work whenever it is ours, until `signal` aborts. */
  async run(
    store: Store,
    signal: AbortSignal,
    work: (signal: AbortSignal, mayWrite?: MayWrite) => Promise<void>,
  ): Promise<void> {
    const { enabled, times, name, namespace, log } = this.#options
    const { leases } = store
    if (!enabled || !leases) return work(signal)
    const aborted = new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
    await Promise.race([store.start(), aborted])
    if (signal.aborted) return undefined
    const onOutage = (reason: string | undefined): void => void (this.#outage = reason)
    store.on('outage', onOutage)
    const onHolder = (holder: string): void => {
      this.#holder = holder
      log.info({ event: 'leader', holder }, 'the lease has another holder')
      this.emit('change')
    }
    const onTrouble = (error: Error | undefined): void => this.#troubled(error)
    const options = { leases, name, namespace, identity: this.#identity, times, onHolder, onTrouble, log }
    this.#lead(false)
    try {
      await lead(options, signal, async term => {
        this.#lead(true)
        await work(term.signal, term.leads).finally(() => this.#lead(false))
      })
    } finally {
      store.off('outage', onOutage)
      this.#standby = false
    }
    return undefined
  }

  /** What passes by itself is an outage; a right that is missing, as with MetalLB's own roles, is for somebody to give. */
  #troubled(error: Error | undefined): void {
    const isForbidden = error !== undefined && failureOf(error) === 'forbidden'
    this.#forbidden = isForbidden ? this.#forbidden + 1 : 0
    this.#refusal = isForbidden
      ? `not allowed to elect a leader, so no Service gets an address: ${error.message}; give the right, or --leader-elect=false to the one controller there is`
      : undefined
    if (this.#forbidden === SURELY_FORBIDDEN)
      this.#options.log.error({ event: 'leader', error: this.#refusal }, 'cannot lead')
  }

  #lead(leads: boolean): void {
    this.#standby = !leads
    this.#leads = leads
    this.#status.set({ name: this.#options.name }, Number(leads))
    this.emit('change')
  }
}
