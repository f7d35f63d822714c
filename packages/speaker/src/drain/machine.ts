/**
 * The one state machine that orders a drain: nothing is taken away before its substitute is there, or a bound has passed. Events and the time
 * in, actions out; it calls no clock.
 */
import { checkDrainOptions } from './types.js'
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

/** A peer whose connection takes nothing must not hold up the others for longer. */
const TOLD_BOUND: Milliseconds = 1_000
/** Kept for the last step: Cease delivered, statuses cleared. */
const PARTING_BOUND: Milliseconds = 2_000

/** What the drain ends with: the process stays, or goes. */
type Goal = 'node' | 'exit'

/** One speaker's drain. */
export class DrainMachine {
  readonly #options: DrainOptions
  #state: DrainState = 'announcing'
  #goal: Goal | undefined
  #cause: DrainCause | undefined
  #heirs: Heirs = new Map()
  readonly #released = new Set<string>()
  #lowered: DrainScope = 'none'
  #withdrawn: DrainScope = 'none'
  /** Peers outside of it are left to graceful restart. */
  #scope: DrainScope = 'all'
  #left = false
  #alone = false
  /** When the drain must be over. */
  #end: Milliseconds = Infinity
  #deadline: Milliseconds | undefined
  /** Why the state is left at the deadline. */
  #late: DrainReason = 'drainBound'
  #actions: DrainAction[] = []

  /** @throws {RangeError} an option that cannot work */
  constructor(options: Partial<DrainOptions> = {}) {
    this.#options = checkDrainOptions(options)
  }

  /** Where the drain is. */
  get state(): DrainState {
    return this.#state
  }

  /** When {@link handleTimeout} is next due; `undefined` while nothing is waited for. */
  get nextTimeout(): Milliseconds | undefined {
    return this.#deadline
  }

  /** True from the moment the others elect without this node until it has rejoined. */
  get left(): boolean {
    return this.#left
  }

  /** Addresses that are no longer answered for, although the plan may say so. */
  get released(): ReadonlySet<string> {
    return this.#released
  }

  /** Whose routes were taken back. */
  get withdrawn(): DrainScope {
    return this.#withdrawn
  }

  /** Whose routes carry the lower preference. */
  get lowered(): DrainScope {
    return this.#lowered
  }

  /** Addresses still answered for, with who may take over. */
  get held(): Heirs {
    return new Map([...this.#heirs].filter(([address]) => !this.#released.has(address)))
  }

  /** @returns what is to be done now, in this order */
  handle(event: DrainEvent, now: Milliseconds): readonly DrainAction[] {
    this.#actions = []
    if (this.#state === 'ended') return this.#actions
    switch (event.type) {
      case 'signal':
        this.#signal(event.restart, now)
        break
      case 'node':
        this.#nodeChanged(event.cause, now)
        break
      case 'others':
        this.#othersChanged(event.heirs, event.alone, now)
        break
      case 'peersTold':
        this.#peersTold(event.peers, now)
        break
      case 'successor':
        this.#successorSeen(event.address, now)
        break
      case 'parted':
        if (this.#state === 'parting') this.#finish('parted')
        break
      default:
        event satisfies never
    }
    return this.#advance(now)
  }

  /** Goes on where what was waited for did not come in time. */
  handleTimeout(now: Milliseconds): readonly DrainAction[] {
    this.#actions = []
    return this.#advance(now)
  }

  #advance(now: Milliseconds): readonly DrainAction[] {
    while (this.#deadline !== undefined && this.#deadline <= now) {
      const overall = this.#deadline >= this.#cutoff && this.#state !== 'parting' && this.#state !== 'drained'
      this.#next(overall ? 'drainBound' : this.#late, now)
    }
    return this.#actions
  }

  #signal(restart: boolean, now: Milliseconds): void {
    if (this.#goal === 'exit') {
      this.#finish('secondSignal')
      return
    }
    const state = this.#state
    this.#goal = 'exit'
    this.#end = now + this.#options.timeout
    if (state === 'announcing') {
      this.#scope = restart && this.#cause === undefined ? 'withoutGracefulRestart' : 'all'
      this.#lower('signal', now)
    } else if (state === 'drained') this.#part('signal', now)
  }

  #nodeChanged(cause: DrainCause | undefined, now: Milliseconds): void {
    const before = this.#cause
    this.#cause = cause
    if (this.#goal === 'exit') return
    if (cause !== undefined && before === undefined) {
      this.#goal = 'node'
      this.#scope = 'all'
      this.#end = now + this.#options.timeout
      this.#lower(cause, now)
    } else if (cause === undefined && before !== undefined) this.#restore()
  }

  #othersChanged(heirs: Heirs, alone: boolean, now: Milliseconds): void {
    this.#heirs = heirs
    this.#alone = alone
    if (this.#state === 'handingOver') this.#leaveHandingOver(now)
    else if (this.#state === 'drained') this.#company(now)
  }

  /** A node that came later can take over, and is given the time to be heard. */
  #company(now: Milliseconds): void {
    if (this.#alone) return this.#lastResort()
    if (this.#withdrawn === 'none') this.#takeBack()
    if (this.#waiting.length === 0) this.#deadline = undefined
    else this.#deadline ??= now + this.#options.successorWait
  }

  #peersTold(peers: number, now: Milliseconds): void {
    if (this.#state === 'lowering') {
      if (peers === 0) this.#next('noPeers', now)
      else if (this.#late === 'peersBound') this.#wait(this.#options.peerWait, 'peersHadTime', now)
    } else if (this.#state === 'withdrawing') this.#next(peers === 0 ? 'noPeers' : 'peersTold', now)
  }

  #successorSeen(address: string, now: Milliseconds): void {
    if (!this.#left || !this.#heirs.has(address)) return
    this.#release([address], 'successorsSeen')
    if (this.#state === 'handingOver') this.#leaveHandingOver(now)
  }

  /** Leaves the state that `reason` ends. */
  #next(reason: DrainReason, now: Milliseconds): void {
    switch (this.#state) {
      case 'lowering':
        this.#handOver(reason, now)
        break
      case 'handingOver':
        this.#withdraw(reason, now)
        break
      case 'withdrawing':
        if (this.#goal === 'exit') this.#part(reason, now)
        else this.#rest(reason)
        break
      case 'drained':
        this.#deadline = undefined
        this.#release(this.#waiting, 'successorBound')
        break
      case 'parting':
        this.#finish(reason)
        break
      case 'announcing':
      case 'ended':
        this.#deadline = undefined
        break
      default:
        this.#state satisfies never
    }
  }

  #lower(reason: DrainReason, now: Milliseconds): void {
    this.#enter('lowering', reason)
    this.#lowered = this.#scope
    this.#actions.push({ type: 'lowerPreference', scope: this.#scope })
    this.#wait(TOLD_BOUND, 'peersBound', now)
  }

  #handOver(reason: DrainReason, now: Milliseconds): void {
    this.#enter('handingOver', reason)
    this.#left = true
    this.#actions.push({ type: 'leaveRing' })
    this.#wait(this.#options.successorWait, 'successorBound', now)
    this.#leaveHandingOver(now)
  }

  /** Goes on when there is nobody left to wait for. */
  #leaveHandingOver(now: Milliseconds): void {
    if (this.#waiting.length > 0) return
    if (this.held.size > 0) this.#next('onlyNode', now)
    else this.#next(this.#released.size > 0 ? 'successorsSeen' : 'nothingToHandOver', now)
  }

  #withdraw(reason: DrainReason, now: Milliseconds): void {
    this.#enter('withdrawing', reason)
    // Without another node, routers would have nobody left to send to: the routes go with the sessions.
    if (this.#alone) return this.#next('onlyNode', now)
    this.#takeBack()
    this.#wait(TOLD_BOUND, 'peersBound', now)
  }

  #takeBack(): void {
    this.#withdrawn = this.#scope
    this.#actions.push({ type: 'withdrawRoutes', scope: this.#scope })
  }

  #rest(reason: DrainReason): void {
    this.#enter('drained', reason)
    this.#end = Infinity
    if (this.#alone) this.#lastResort()
    else this.#release(this.#waiting, 'successorBound')
  }

  /** All the others have gone, too: better a node that should be empty than none. */
  #lastResort(): void {
    this.#deadline = undefined
    if (this.#released.size > 0) this.#actions.push({ type: 'answerAgain' })
    this.#released.clear()
    if (this.#withdrawn !== 'none') this.#actions.push({ type: 'announceRoutes' })
    this.#withdrawn = 'none'
  }

  #part(reason: DrainReason, now: Milliseconds): void {
    this.#enter('parting', reason)
    this.#release(this.#waiting, 'successorBound')
    this.#actions.push({ type: 'closeSessions', scope: this.#scope }, { type: 'clearStatuses' })
    this.#deadline = Math.min(now + PARTING_BOUND, this.#end)
    this.#late = 'partingBound'
  }

  /** What nobody else can answer is answered to the last. */
  #finish(reason: DrainReason): void {
    this.#release([...this.held.keys()], reason)
    this.#enter('ended', reason)
    this.#actions.push({ type: 'exit' })
  }

  /** Back to what was before; the addresses first, so that somebody answers while the others hear of the return. */
  #restore(): void {
    const reason = 'nodeReturned'
    if (this.#left) this.#actions.push({ type: 'answerAgain' }, { type: 'rejoinRing' })
    if (this.#lowered !== 'none') this.#actions.push({ type: 'restorePreference' })
    if (this.#withdrawn !== 'none') this.#actions.push({ type: 'announceRoutes' })
    this.#released.clear()
    this.#left = false
    this.#withdrawn = 'none'
    this.#lowered = 'none'
    this.#goal = undefined
    this.#end = Infinity
    this.#enter('announcing', reason)
  }

  /** Held addresses that somebody else can take over. */
  get #waiting(): readonly string[] {
    return [...this.held].filter(([, heir]) => heir !== undefined).map(([address]) => address)
  }

  /** The last moment at which something other than parting is waited for. */
  get #cutoff(): Milliseconds {
    return this.#end - Math.min(PARTING_BOUND, this.#options.timeout / 2)
  }

  #release(addresses: readonly string[], reason: DrainReason): void {
    const fresh = addresses.filter(address => !this.#released.has(address))
    if (fresh.length === 0) return
    for (const address of fresh) this.#released.add(address)
    this.#actions.push({ type: 'stopAnswering', addresses: fresh, reason })
  }

  #wait(time: Milliseconds, late: DrainReason, now: Milliseconds): void {
    this.#deadline = Math.min(now + time, this.#cutoff)
    this.#late = late
  }

  #enter(to: DrainState, reason: DrainReason): void {
    this.#deadline = undefined
    this.#actions.push({ type: 'transition', from: this.#state, to, reason })
    this.#state = to
  }
}
