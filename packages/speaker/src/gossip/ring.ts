/** Keeps this speaker in the gossip ring of all speakers: joins, rejoins, and says who is alive. */
import { EventEmitter } from 'node:events'
import { SilentHosts } from './silent-hosts.js'
import type { Clock } from '../clock.js'
import { systemClock } from '../clock.js'
import { silent } from '../logger.js'
import type { Logger } from '../logger.js'

/** What the ring looks at in a member. */
export interface GossipMember {
  readonly name: string
  readonly address: string
  /** `alive` or `suspect`. */
  readonly state: string
}

/** The part of `@typemetal/memberlist` that the ring uses. */
export interface Gossip {
  /** Joins by any of these; how many have answered. Rejects when none has. */
  join(addresses: readonly string[]): Promise<number>
  /** Tells the others, and waits so many milliseconds until they know. */
  leave(timeout?: number): Promise<void>
  /** A member again after {@link leave}. */
  rejoin(): Promise<void>
  /** How many nodes are held for what; those that died or left are remembered for a while. */
  states(): Readonly<Record<'alive' | 'suspect' | 'dead' | 'left', number>>
  /** What was refused since the start. */
  readonly counters: {
    readonly packetFaults: Readonly<Partial<Record<string, number>>>
    readonly streamFaults: number
  }
  /** Who is alive, this node included. */
  members(): readonly GossipMember[]
  /** Tells the others that a member does not answer, which it may contradict. */
  accuse(name: string): void
  /** A member has come, gone, changed, is suspected, or has only missed a ping of ours. */
  on(event: 'join' | 'leave' | 'update' | 'suspect' | 'silence', listener: (member: GossipMember) => void): unknown
  /** Closes sockets and timers, without a word to the others. */
  [Symbol.asyncDispose](): Promise<void>
}

/** Options of {@link Ring}. Times in milliseconds. */
export interface RingOptions {
  /** Own name in the ring. @default not among the members */
  readonly node?: string
  /** The ring disposes of it. */
  readonly gossip: Gossip
  /** Starts it: see {@link Ring.start}. @default it is started, so that the own node is alive */
  readonly open?: () => Promise<void>
  /** Hosts that may be members, newest knowledge, this one left out. */
  readonly peers: () => readonly string[]
  /**
   * Whether the host of a member answers on the segment; `undefined` where that cannot be asked. With it, a suspected member whose host
   * is silent counts as gone at once, and one that has missed a ping is suspected at once.
   * @default nobody is asked
   */
  readonly reaches?: (address: string) => Promise<boolean | undefined>
  /** @default silent */
  readonly log?: Logger
  /** @default the machine's */
  readonly clock?: Clock
  /** Longest wait between attempts until the first success; it starts at 500 and doubles. @default 4000 */
  readonly retryInterval?: number
  /** Between attempts after that: heals a split ring. @default 60000 */
  readonly rejoinInterval?: number
}

const LEAVE_TIMEOUT = 1_000
const FIRST_RETRY = 500

/** Attempts to join since the start, by what came of them. */
export interface JoinCounts {
  readonly succeeded: number
  readonly failed: number
}

/** Events of a {@link Ring}. */
export interface RingEvents {
  /** Who is alive has changed. */
  members: []
  /** A member does not answer; it counts as alive until it is certain. */
  suspect: [name: string]
}

/** This speaker's place among the others. */
export class Ring extends EventEmitter<RingEvents> implements AsyncDisposable {
  readonly #options: Required<Omit<RingOptions, 'node'>>
  readonly #silent: SilentHosts
  #joined = false
  #closed = false
  #present = true
  #opened: boolean
  #opening: Promise<void> | undefined
  #entered: boolean
  readonly #joins = { succeeded: 0, failed: 0 }
  /** {@link leave} and {@link rejoin}, one after the other. */
  #turn: Promise<void> = Promise.resolve()
  #cancel: (() => void) | undefined
  #attempt: Promise<void> | undefined
  #nudged = false
  #retry = FIRST_RETRY
  /** Hosts that the last attempt did not reach, as they were logged. */
  #missed = ''

  constructor(options: RingOptions) {
    super()
    const reaches = async (): Promise<undefined> => undefined
    const open = async (): Promise<void> => {}
    const defaults = { log: silent, clock: systemClock, retryInterval: 4_000, rejoinInterval: 60_000, reaches, open }
    this.#options = { ...defaults, ...options }
    this.#opened = options.open === undefined
    this.#entered = this.#opened
    const { gossip, clock } = this.#options
    this.#silent = new SilentHosts({
      members: () => gossip.members(),
      node: options.node,
      reaches: this.#options.reaches,
      accuse: name => this.#accuse(name),
      onChange: () => this.emit('members'),
      clock,
    })
    gossip.on('silence', ({ name }) => this.#silent.missed(name))
    gossip.on('suspect', ({ name }) => {
      this.#silent.suspect(name)
      this.emit('suspect', name)
    })
    gossip.on('join', member => this.#changed('NodeJoin', member))
    gossip.on('leave', member => this.#changed('NodeLeave', member))
    gossip.on('update', member => this.#changed('NodeUpdate', member))
  }

  /**
   * Sorted names of the live members, and this node unless it has left. Suspected ones are included, unless their hosts are silent on
   * the segment, too.
   */
  get members(): readonly string[] {
    return this.#options.gossip
      .members()
      .map(({ name }) => name)
      .filter(name => !this.#silent.has(name))
      .toSorted()
  }

  /** The same members with their addresses and what gossip holds them for; silent hosts included. */
  get hosts(): readonly GossipMember[] {
    return this.#options.gossip.members()
  }

  /** Members that did not answer lately, and are counted in until it is certain. */
  get suspects(): number {
    return this.#options.gossip.states().suspect
  }

  /** Whether this node is a member: not between {@link leave} and {@link rejoin}. */
  get present(): boolean {
    return this.#present
  }

  /** Whether {@link members} says who is alive: the port is open, and everybody has been asked once. */
  get entered(): boolean {
    return this.#entered
  }

  /** Hosts that may be members, newest knowledge, this one left out. */
  get peers(): readonly string[] {
    return this.#options.peers()
  }

  /** Attempts to join a host since the start. */
  get joins(): JoinCounts {
    return this.#joins
  }

  /** Octets that were no gossip of this ring, by what was wrong with them, since the start. */
  get refused(): Readonly<Record<string, number>> {
    const { packetFaults, streamFaults } = this.#options.gossip.counters
    const faults = Object.entries(packetFaults).map(([fault, count]) => [fault, count ?? 0] as const)
    return { ...Object.fromEntries(faults), ...(streamFaults > 0 && { stream: streamFaults }) }
  }

  /**
   * Opens the gossip port. Not before this node can answer for addresses: others may hear at once that it lives, above all when they
   * held it for dead, and leave to it what it owns. Until then {@link nudge} does nothing. Called again it does nothing more.
   * @throws what keeps the port from being opened
   */
  start(): Promise<void> {
    if (this.#opened || this.#closed) return Promise.resolve()
    this.#opening ??= this.#options
      .open()
      .then(() => void (this.#opened = true))
      .finally(() => (this.#opening = undefined))
    return this.#opening
  }

  /**
   * Tries to join the hosts that are not members yet, now; more calls while an attempt runs make one more attempt.
   * @returns when somebody has answered or every host has been tried
   */
  nudge(): Promise<void> {
    if (this.#closed || !this.#present || !this.#opened) return Promise.resolve()
    if (this.#attempt) {
      this.#nudged = true
      return this.#attempt
    }
    this.#cancel?.()
    this.#attempt = this.#join().finally(() => this.#afterAttempt())
    return this.#attempt
  }

  /**
   * Tells the others that this node goes, so that they elect without it, and waits at most a second for it to be heard. It goes on
   * to gossip: it hears who comes and dies, and can {@link rejoin}. Called again it does nothing.
   */
  leave(): Promise<void> {
    return this.#afterTurn(() => this.#leave())
  }

  /** Takes this node's place again after {@link leave}. @returns when the others have been told or could not be reached */
  rejoin(): Promise<void> {
    return this.#afterTurn(() => this.#rejoin())
  }

  /** Stops without a word to the others. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#stop()
    await this.#options.gossip[Symbol.asyncDispose]()
  }

  /** A turn that failed is for who asked for it, and keeps nobody from the next. */
  #afterTurn(step: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.catch(() => {}).then(step)
    return this.#turn
  }

  async #leave(): Promise<void> {
    if (this.#closed || !this.#present) return
    this.#present = false
    this.#cancel?.()
    if (!this.#opened) return
    const { gossip, log } = this.#options
    log.info({ op: 'memberlist' }, 'leaving memberlist cluster')
    try {
      await gossip.leave(LEAVE_TIMEOUT)
      log.info({ op: 'memberlist' }, 'left memberlist cluster')
    } catch (error) {
      log.warn({ op: 'memberlist', error: String(error) }, 'not all of the others may have heard that this node leaves')
    }
  }

  async #rejoin(): Promise<void> {
    if (this.#closed || this.#present) return
    const { gossip, log } = this.#options
    if (this.#opened) await gossip.rejoin()
    this.#present = true
    if (!this.#opened) return
    log.info({ op: 'memberlist' }, 'back in the memberlist cluster')
    await this.nudge()
  }

  #stop(): void {
    this.#closed = true
    this.#cancel?.()
    this.#silent.close()
    this.removeAllListeners()
  }

  async #join(): Promise<void> {
    const { gossip, peers } = this.#options
    const present = new Set(gossip.members().map(({ address }) => address))
    const targets = peers().filter(host => !present.has(host))
    if (targets.length === 0) return
    // One by one but at the same time: a host that is down costs its timeout, and must not hold up the others.
    const attempts = targets.map(host => gossip.join([host]).catch(() => 0))
    void this.#logJoin(targets, attempts)
    this.#joined = (await firstSuccess(attempts)) || this.#joined
  }

  /** Says what changed: a host that is down for a day is not worth a line a minute. */
  async #logJoin(targets: readonly string[], attempts: readonly Promise<number>[]): Promise<void> {
    const counts = await Promise.all(attempts)
    const missed = targets.filter((_, i) => counts[i] === 0)
    const joined = targets.length - missed.length
    this.#joins.succeeded += joined
    this.#joins.failed += missed.length
    const said = this.#missed
    this.#missed = missed.join(' ')
    if (this.#closed || (joined === 0 && this.#missed === said)) return
    const { log } = this.#options
    if (missed.length === 0) log.info({ op: 'memberDiscovery', joined }, 'joined')
    else log.error({ op: 'memberDiscovery', joined, expected: targets.length, missed }, 'partial join')
  }

  #afterAttempt(): void {
    this.#attempt = undefined
    this.#entered = true
    if (this.#closed || !this.#present) return
    const { clock, rejoinInterval, retryInterval } = this.#options
    if (this.#nudged) {
      this.#nudged = false
      void this.nudge()
      return
    }
    const wait = this.#joined ? rejoinInterval : this.#retry
    this.#retry = Math.min(this.#retry * 2, retryInterval)
    this.#cancel = clock.after(wait, () => void this.nudge())
  }

  #accuse(name: string): void {
    if (this.#closed || !this.#present) return
    this.#options.log.warn({ op: 'memberlist', 'node name': name }, 'a node and its host do not answer, suspecting it')
    this.#options.gossip.accuse(name)
  }

  #changed(event: string, member: GossipMember): void {
    const { name, address } = member
    this.#silent.settle(name)
    this.#options.log.info(
      { 'node event': event, 'node name': name, 'node addr': address },
      'node event - forcing sync',
    )
    this.emit('members')
  }
}

/** True as soon as one attempt contacted somebody, false when none did. */
async function firstSuccess(attempts: readonly Promise<number>[]): Promise<boolean> {
  const successes = attempts.map(attempt =>
    attempt.then(count => count > 0 || Promise.reject(new Error('nobody there'))),
  )
  return Promise.any(successes).catch(() => false)
}
