/** BFD for the BGP peers: a worker that runs only while a peer asks for it. */
import type { BfdSessionRequest, BfdSource } from '@typemetal/bgp'
import type { BfdSnapshot } from '@typemetal/bgp/bfd'
import type { Clock } from '../clock.js'
import type { Logger } from '../logger.js'
import { StandingBfdSession } from './bfd-session.js'
import type { RunningBfdSession } from './bfd-session.js'

/** The worker: the part of `Bfd` of `@typemetal/bgp/bfd` that is used here. */
export interface BfdWorker {
  /** @throws {RangeError} the options do not agree with those of another holder of the session */
  session(request: BfdSessionRequest): RunningBfdSession
  /** Tells the neighbours AdminDown, and closes every socket. */
  close(): Promise<void>
  /** It has died; all its sessions are AdminDown. */
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** Starts the worker. @throws when it cannot run here; the message says why */
export type StartBfd = (options: { readonly log: Logger }) => Promise<BfdWorker>

/** One BFD session for the metrics. */
export interface BfdReading {
  readonly peer: string
  /** `default` for the main table. */
  readonly vrf: string
  /** What the worker knows of it; `undefined` while there is none. */
  readonly snapshot: BfdSnapshot | undefined
  /** Changes that BGP was told of. */
  readonly notifications: number
}

/** Hears that bfd.SessionState of a session has changed. @param reason what did it, in words */
export type BfdStateListener = (peer: string, vrf: string, to: string, from: string, reason: string) => void

/** Milliseconds before a worker that died, or could not be started, is tried again: doubled each time, up to the last. */
const FIRST_RETRY = 1_000
const LONGEST_RETRY = 60_000

/** Starts the worker with the first session and ends it with the last; sessions go on with the next worker when one dies. */
export class BfdSessions implements BfdSource, AsyncDisposable {
  readonly #start: StartBfd
  readonly #log: Logger
  readonly #clock: Clock
  readonly #changed: () => void
  readonly #onState: BfdStateListener
  readonly #sessions = new Set<StandingBfdSession>()
  #worker: BfdWorker | undefined
  #busy: Promise<void> | undefined
  #cancelRetry: (() => void) | undefined
  #retry = FIRST_RETRY
  #fault: string | undefined
  #closed = false

  /** @param options `changed` is called when {@link fault} is another one */
  constructor(options: {
    start: StartBfd
    log: Logger
    clock: Clock
    changed: () => void
    onState?: BfdStateListener
  }) {
    this.#start = options.start
    this.#log = options.log
    this.#clock = options.clock
    this.#changed = options.changed
    this.#onState = options.onState ?? (() => {})
  }

  /** Why BFD does not run though it should, in one clause; `undefined` when all is well. */
  get fault(): string | undefined {
    return this.#fault
  }

  session(request: BfdSessionRequest): StandingBfdSession {
    const session = new StandingBfdSession(request, closed => this.#forget(closed))
    // May refuse: then it is not ours.
    if (this.#worker) session.attach(this.#worker.session(request))
    this.#sessions.add(session)
    session.on('state', (to, from, { cause: reason }) => this.#tellState(request, to, from, reason))
    this.#settle()
    return session
  }

  /** All sessions as they are now; those that share one on the wire once. */
  readings(): readonly BfdReading[] {
    const byPeer = new Map<string, BfdReading>()
    for (const { request, reading, notifications } of this.#sessions) {
      const { address: peer, device: vrf = 'default' } = request
      const key = `${vrf} ${peer} ${request.multihop} ${request.interface} ${request.localAddress}`
      const known = byPeer.get(key)
      byPeer.set(key, {
        peer,
        vrf,
        snapshot: reading ?? known?.snapshot,
        notifications: notifications + (known?.notifications ?? 0),
      })
    }
    return [...byPeer.values()]
  }

  /** Ends everything; neighbours are told AdminDown. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#settle()
    while (this.#busy) await this.#busy
  }

  #forget(session: StandingBfdSession): void {
    this.#sessions.delete(session)
    this.#settle()
  }

  get #isWanted(): boolean {
    return this.#sessions.size > 0 && !this.#closed
  }

  /** Brings the worker in line with what is wanted, one step at a time: sockets of one are gone before the next has its own. */
  #settle(): void {
    if (!this.#isWanted) this.#forgive()
    if (this.#busy || this.#cancelRetry || this.#isWanted === (this.#worker !== undefined)) return
    this.#busy = (this.#isWanted ? this.#open() : this.#end()).finally(() => {
      this.#busy = undefined
      this.#settle()
    })
  }

  async #open(): Promise<void> {
    try {
      const worker = await this.#start({ log: this.#log })
      worker.on('error', error => this.#died(worker, error))
      this.#worker = worker
      this.#forgive()
      for (const session of this.#sessions) this.#attach(session, worker)
    } catch (error) {
      this.#failed(error)
    }
  }

  async #end(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    try {
      await worker?.close()
    } catch (error) {
      this.#log.error({ op: 'bfd', error: String(error) }, 'BFD did not end in order')
    }
  }

  #attach(session: StandingBfdSession, worker: BfdWorker): void {
    try {
      session.attach(worker.session(session.request))
    } catch (error) {
      const { address } = session.request
      this.#log.error({ op: 'bfd', peer: address, error: messageOf(error) }, 'no BFD session')
    }
  }

  #tellState(
    { address: peer, device: vrf = 'default' }: BfdSessionRequest,
    to: string,
    from: string,
    reason: string,
  ): void {
    this.#onState(peer, vrf, to, from, reason)
    if (to === 'Up') this.#log.info({ event: 'bfdSessionUp', peer }, 'BFD session up')
    else if (from === 'Up') this.#log.warn({ event: 'bfdSessionDown', peer, state: to, reason }, 'BFD session down')
  }

  #died(worker: BfdWorker, error: Error): void {
    if (worker !== this.#worker) return
    this.#worker = undefined
    for (const session of this.#sessions) session.attach(undefined)
    this.#failed(error)
  }

  /** Said once for as long as it stays the reason. */
  #failed(error: unknown): void {
    const fault = messageOf(error)
    if (fault !== this.#fault) {
      this.#log.error({ op: 'bfd', error: fault }, 'BFD does not run: a dead peer is noticed by the hold timer')
    }
    this.#tellFault(fault)
    this.#cancelRetry = this.#clock.after(this.#retry, () => {
      this.#cancelRetry = undefined
      this.#settle()
    })
    this.#retry = Math.min(this.#retry * 2, LONGEST_RETRY)
  }

  #forgive(): void {
    this.#cancelRetry?.()
    this.#cancelRetry = undefined
    this.#retry = FIRST_RETRY
    this.#tellFault(undefined)
  }

  #tellFault(fault: string | undefined): void {
    if (fault === this.#fault) return
    this.#fault = fault
    this.#changed()
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
