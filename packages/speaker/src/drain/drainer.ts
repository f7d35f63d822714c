/** Carries out what {@link DrainMachine} orders, keeps its one timer, and says each step. */
import { EventEmitter } from 'node:events'
import type { Clock } from '../clock.js'
import type { Logger } from '../logger.js'
import { DrainMachine } from './machine.js'
import type { DrainMetrics } from './metrics.js'
import type {
  DrainAction,
  DrainCause,
  DrainEvent,
  DrainOptions,
  DrainReason,
  DrainScope,
  DrainState,
  Heirs,
  Milliseconds,
} from './types.js'

/** What a drain takes hold of: sessions, ring, layer 2 and statuses. Nothing here may throw; promises may reject, which is logged. */
export interface DrainHands {
  /** Peers in the scope see our routes with the lower preference; `none`: nobody. */
  lowerPreference(scope: DrainScope): void
  /** Peers in the scope see no routes of ours; `none`: all see them. */
  withdraw(scope: DrainScope): void
  /** Whether every established session has taken what is to be sent. */
  told(): boolean
  /** Established sessions in the scope. */
  peers(scope: DrainScope): number
  /** Holds the layer-2 addresses that are answered now, and leaves the ring. */
  leaveRing(): Promise<void>
  /** Takes part in the ring again. */
  rejoinRing(): Promise<void>
  /** Stops answering these. */
  release(addresses: readonly string[]): void
  /** Answers again for whatever the plan says. */
  answerAgain(): void
  /** Ends all sessions, with a word for the operators of the peers (RFC 9003), or so that peers keep our routes (RFC 4724). */
  closeSessions(how: { readonly communication: string; readonly gracefulRestart: boolean }): Promise<void>
  /** Takes back what this node has written about what it announces. */
  clearStatuses(): Promise<void>
}

/** Options of {@link Drainer}. */
export interface DrainerOptions {
  /** Name of this node. */
  readonly node: string
  /** Do what is decided. */
  readonly hands: DrainHands
  /** How patient it is. */
  readonly drain: Partial<DrainOptions>
  /** What is counted. */
  readonly metrics: DrainMetrics
  /** Is told of every step, and why. */
  readonly log: Logger
  /** Where timers run; a test's own. */
  readonly clock: Clock
}

/** Events of a {@link Drainer}. */
export interface DrainerEvents {
  /** What is to be planned, shown or reported may be another now. */
  change: []
  /** It went on. */
  transition: [to: DrainState, reason: DrainReason]
}

/** Between two looks at whether the peers have taken everything. */
const POLL: Milliseconds = 20
/** Before the ring is joined again when it could not be: doubled each time, up to the second. */
const REJOIN_RETRY: Milliseconds = 1_000
const LONGEST_REJOIN_RETRY: Milliseconds = 60_000

/** Takes a node through a drain, and back. */
export class Drainer extends EventEmitter<DrainerEvents> {
  readonly #options: DrainerOptions
  readonly #machine: DrainMachine
  readonly #ended: Promise<void>
  #end = (): void => {}
  #disarm = (): void => {}
  #stopPolling = (): void => {}
  /** When the state began. */
  #since: Milliseconds
  #began: Milliseconds
  /** Goodbyes under way. */
  #leaving: Promise<void> = Promise.resolve()
  #rejoining = false
  #stopRejoining = (): void => {}
  #why: DrainCause | 'signal' = 'signal'

  /** @throws {RangeError} an option of the drain that cannot work */
  constructor(options: DrainerOptions) {
    super()
    this.#options = options
    this.#machine = new DrainMachine(options.drain)
    this.#since = this.#began = options.clock.now()
    this.#ended = new Promise(resolve => {
      this.#end = resolve
    })
    options.metrics.enter(this.#machine.state)
  }

  /** Where the drain is. */
  get state(): DrainState {
    return this.#machine.state
  }

  /** Layer-2 addresses that are answered for although the ring was left. */
  get held(): Heirs {
    return this.#machine.left ? this.#machine.held : new Map()
  }

  /** Whose routes were taken back. */
  get withdrawn(): DrainScope {
    return this.#machine.withdrawn
  }

  /** True from leaving the ring until it is entered again. */
  get outOfRing(): boolean {
    return this.#machine.left
  }

  /** True while the ring is being entered again: this node plans as a member already, so that somebody answers all the time. */
  get returning(): boolean {
    return this.#rejoining
  }

  /** The process is to end. Resolves when it may. @param restart another process takes its place on this node soon */
  signal(restart: boolean): Promise<void> {
    if (this.state === 'announcing') this.#why = 'signal'
    this.#handle({ type: 'signal', restart })
    return this.#ended
  }

  /** The Node asks for a drain for this reason, or for none. */
  nodeChanged(cause: DrainCause | undefined): void {
    if (cause !== undefined && this.state === 'announcing') this.#why = cause
    this.#handle({ type: 'node', cause })
  }

  /** Another node was heard announcing an address. */
  taken(address: string): void {
    this.#handle({ type: 'successor', address })
  }

  /**
   * What this node answers for, and who else there is. An address that is in it no more belongs to no Service any longer.
   * @param holding false: nothing is answered but what the plan wants, so that it gives up such addresses by itself
   */
  others(heirs: Heirs, alone: boolean, holding = !alone): void {
    const orphans = [...this.held.keys()].filter(address => !heirs.has(address))
    if (orphans.length > 0 && holding) this.#options.hands.release(orphans)
    this.#handle({ type: 'others', heirs, alone })
  }

  /** Stops its timers. */
  close(): void {
    this.#stopRejoining()
    this.#disarm()
    this.#stopPolling()
  }

  #handle(event: DrainEvent): void {
    this.#perform(this.#machine.handle(event, this.#options.clock.now()))
  }

  #perform(actions: readonly DrainAction[]): void {
    for (const action of actions) this.#carryOut(action)
    this.#options.metrics.held(this.held.size)
    this.#arm()
    if (actions.length === 0) return
    this.emit('change')
    this.#watchPeers(this.state)
  }

  #arm(): void {
    const { clock } = this.#options
    this.#disarm()
    const next = this.#machine.nextTimeout
    if (next === undefined) return
    const wait = Math.max(0, Math.ceil(next - clock.now()))
    this.#disarm = clock.after(wait, () => this.#perform(this.#machine.handleTimeout(clock.now())))
  }

  #carryOut(action: DrainAction): void {
    const { hands } = this.#options
    switch (action.type) {
      case 'transition':
        this.#transition(action)
        break
      case 'lowerPreference':
        hands.lowerPreference(action.scope)
        break
      case 'restorePreference':
        hands.lowerPreference('none')
        break
      case 'withdrawRoutes':
        hands.withdraw(action.scope)
        break
      case 'announceRoutes':
        hands.withdraw('none')
        break
      case 'leaveRing':
        this.#stopRejoining()
        this.#leaving = this.#guard('leaveRing', hands.leaveRing())
        break
      case 'rejoinRing':
        this.#rejoin()
        break
      case 'stopAnswering':
        this.#say(action.type, { addresses: action.addresses, reason: action.reason })
        hands.release(action.addresses)
        return
      case 'answerAgain':
        hands.answerAgain()
        break
      case 'closeSessions':
        void this.#part(action.scope)
        break
      case 'clearStatuses':
        break
      case 'exit':
        this.close()
        this.#end()
        break
      default:
        action satisfies never
    }
    if (action.type !== 'transition') this.#say(action.type, 'scope' in action ? { scope: action.scope } : {})
  }

  #transition({ from, to, reason }: DrainAction & { type: 'transition' }): void {
    const { clock, metrics, log } = this.#options
    const now = clock.now()
    if (from === 'announcing') this.#began = now
    const spent = Math.round(now - this.#since)
    const total = Math.round(now - this.#began)
    this.#since = now
    metrics.leave(from, spent)
    metrics.enter(to)
    if (from === 'announcing') metrics.began(this.#why)
    if (to === 'drained' || to === 'ended') metrics.done(total)
    const held = [...this.held].map(([address, heir]) => ({ address, heir }))
    log.info({ event: 'drain', from, to, reason, spentMs: spent, totalMs: total, held }, `drain: ${to}`)
    this.emit('transition', to, reason)
  }

  /** The peers' part of a state is over when their connections have taken everything; nobody tells, so it is looked at. */
  #watchPeers(state: DrainState): void {
    this.#stopPolling()
    if (state !== 'lowering' && state !== 'withdrawing') return
    const { hands, clock } = this.#options
    const look = (): void => {
      if (!hands.told()) this.#stopPolling = clock.after(POLL, look)
      else this.#handle({ type: 'peersTold', peers: hands.peers(this.#scope(state)) })
    }
    look()
  }

  #scope(state: DrainState): DrainScope {
    return state === 'lowering' ? this.#machine.lowered : this.#machine.withdrawn
  }

  /** Until it succeeds, or this node leaves again: a node that is no member owns nothing. */
  #rejoin(wait: Milliseconds = REJOIN_RETRY): void {
    const { clock, log } = this.#options
    this.#rejoining = true
    this.#leaveAndRejoin().then(
      () => this.#rejoined(),
      (error: unknown) => {
        log.warn({ event: 'drain', op: 'rejoinRing', error: String(error) }, 'the ring cannot be joined, trying on')
        if (this.outOfRing || this.state === 'ended') return this.#rejoined()
        const again = (): void => this.#rejoin(Math.min(wait * 2, LONGEST_REJOIN_RETRY))
        this.#stopRejoining = clock.after(wait, again)
      },
    )
  }

  #rejoined(): void {
    this.#rejoining = false
    this.emit('change')
  }

  async #leaveAndRejoin(): Promise<void> {
    await this.#leaving
    await this.#options.hands.rejoinRing()
  }

  async #part(scope: DrainScope): Promise<void> {
    const { hands } = this.#options
    const how = { communication: this.#communication, gracefulRestart: scope === 'withoutGracefulRestart' }
    const goodbyes = [
      this.#leaving,
      this.#guard('closeSessions', hands.closeSessions(how)),
      this.#guard('clearStatuses', hands.clearStatuses()),
    ]
    await Promise.all(goodbyes)
    this.#handle({ type: 'parted' })
  }

  /** For the operators of the peers, RFC 9003: who goes and why, in less than 256 octets. */
  get #communication(): string {
    const { node } = this.#options
    return this.#why === 'signal' ? `speaker on ${node} stops` : `node ${node} is drained: ${this.#why}`
  }

  async #guard(op: string, work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      this.#options.log.warn({ event: 'drain', op, error: String(error) }, 'a step of the drain failed, going on')
    }
  }

  #say(action: DrainAction['type'], fields: object): void {
    this.#options.log.info({ event: 'drain', action, ...fields }, `drain: ${action}`)
  }
}
