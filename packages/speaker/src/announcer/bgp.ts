/** BGP: keeps the sessions of the plan and tells each peer its routes. */
import { EventEmitter } from 'node:events'
import { isDeepStrictEqual } from 'node:util'
import type { NotificationDetails } from '@typemetal/bgp'
import { systemClock } from '../clock.js'
import type { Clock } from '../clock.js'
import type { DrainScope } from '../drain/types.js'
import type { PlanDelta } from '../plan/delta.js'
import { sessionTarget } from '../plan/sessions.js'
import type { Plan, SessionPlan } from '../plan/types.js'
import { silent } from '../logger.js'
import type { Logger } from '../logger.js'
import { BfdSessions } from './bfd.js'
import type { BfdReading, StartBfd } from './bfd.js'
import type { CreateEngine, Engine, EnginePeer, Farewell } from './engine.js'
import { readEnvironment } from './environment.js'
import type { Environment } from './environment.js'
import type { PeerLimit } from './limits.js'
import { Neighbor } from './neighbor.js'
import type { Stance } from './neighbor.js'
import type { SessionHistory } from './session-history.js'
import { engineLog } from './session-log.js'

/** Options of {@link BGPAnnouncer}. */
export interface BGPAnnouncerOptions {
  /** Own node's name: the last resort for a router id. */
  readonly node: string
  /** Makes the BGP engine when the first peer is wanted. */
  readonly createEngine: CreateEngine
  /** Starts the BFD worker when the first peer wants one. @default that of `@typemetal/bgp/bfd` */
  readonly startBfd?: StartBfd
  /** What the machine lets a session do. @default looks at it */
  readonly environment?: Environment
  /** @default silent */
  readonly log?: Logger
  /** @default the machine's */
  readonly clock?: Clock
}

/** A session for the metrics. */
export interface PeerReading {
  /** Name of the BGPPeer. */
  readonly name: string
  /** `<address>:<port>`; of an unnumbered peer the learned address, before that the interface's name. */
  readonly peer: string
  /** `default` for the main table. */
  readonly vrf: string
  /** `undefined` while the session is not opened. */
  readonly state: EnginePeer | undefined
  readonly history: SessionHistory
  /** Milliseconds that the session has stood; 0 when there is none. */
  readonly uptime: number
}

/** The real worker, loaded when it is needed. */
const startWorker: StartBfd = async options => {
  const { Bfd } = await import('@typemetal/bgp/bfd')
  return Bfd.start(options)
}

/** Events of a {@link BGPAnnouncer}. A session goes by the name of its BGPPeer. */
export interface BGPAnnouncerEvents {
  /** {@link BGPAnnouncer.limits} are others now. */
  limits: []
  /** The state of RFC 4271 section 8.2.2 has changed. */
  session: [name: string, to: string, from: string, cause: string]
  /** A NOTIFICATION has gone one way or the other. */
  notification: [name: string, direction: 'sent' | 'received', details: NotificationDetails]
  /** bfd.SessionState of RFC 5880 has changed, of the session with an address in a VRF (`default`: the main table). */
  bfd: [peer: string, vrf: string, to: string, from: string, reason: string]
}

/** Told the whole wanted set, and what of it is new when that is known. */
export class BGPAnnouncer extends EventEmitter<BGPAnnouncerEvents> implements AsyncDisposable {
  readonly #options: BGPAnnouncerOptions
  readonly #log: Logger
  readonly #clock: Clock
  readonly #environment: Environment
  readonly #bfd: BfdSessions
  readonly #neighbors = new Map<string, Neighbor>()
  #engine: Engine | undefined
  #lowered: DrainScope = 'none'
  #withdrawn: DrainScope = 'none'
  /** Prefixes that stay announced though the others are withdrawn. */
  #kept: ReadonlySet<string> = new Set()
  #gracefulRestart = false
  #routes: Plan['routes'] | undefined
  #limits: readonly PeerLimit[] = []
  #notes: Plan['notes'] = []
  #ending: Promise<void> | undefined

  constructor(options: BGPAnnouncerOptions) {
    super()
    const { log = silent, clock = systemClock, startBfd: start = startWorker } = options
    this.#options = options
    this.#log = log
    this.#clock = clock
    this.#environment = options.environment ?? readEnvironment()
    this.#bfd = new BfdSessions({
      start,
      log,
      clock,
      changed: () => this.#reviewLimits(),
      onState: (...change) => this.emit('bfd', ...change),
    })
  }

  /** What the peers ask for and do not get. */
  get limits(): readonly PeerLimit[] {
    return this.#limits
  }

  /** Whether some peer is asked to keep our routes while we restart. */
  get gracefulRestart(): boolean {
    return this.#gracefulRestart
  }

  /** Whether every Established peer has been told as many prefixes as it is to know. */
  get settled(): boolean {
    return [...this.#neighbors.values()].every(({ peer }) => {
      if (peer?.state !== 'Established') return true
      const { prefixesAnnounced, prefixesPending } = peer.counters
      return prefixesAnnounced === prefixesPending
    })
  }

  /**
   * Opens, changes and closes sessions, and hands each its routes.
   * @param isConfigured whether a BGPPeer of that name is still configured; tells why a session goes
   * @param delta what differs from the plan of the call before; absent: unknown
   */
  apply({ sessions, routes, notes }: Plan, isConfigured: (name: string) => boolean, delta?: PlanDelta): void {
    if (this.#ending) return
    this.#gracefulRestart = [...sessions.values()].some(session => session.gracefulRestart)
    const renamed = this.#rename(sessions)
    for (const [name, neighbor] of this.#neighbors) {
      if (!sessions.has(name))
        this.#remove(neighbor, isConfigured(name) ? 'filteredByNodeSelector' : 'removedFromConfig')
    }
    for (const [name, session] of sessions) {
      const neighbor = this.#neighbors.get(name)
      if (neighbor) neighbor.update(session)
      else this.#neighbors.set(name, new Neighbor(session, this.#neighborOptions))
    }
    this.#takeStances()
    this.#setRoutes(routes, delta, renamed)
    this.#reviewLimits()
    this.#tellNotes(notes)
  }

  /**
   * All routes again with GRACEFUL_SHUTDOWN, and LOCAL_PREF 0 to internal peers, so that traffic moves away before it must
   * (RFC 8326). No session is reset.
   */
  lowerPreference(scope: DrainScope = 'all'): void {
    if (scope === this.#lowered) return
    this.#lowered = scope
    this.#log.info({ event: 'preferenceLowered', scope }, 'routes are announced as a last resort')
    this.#takeStances()
  }

  /**
   * Withdraws all routes; sessions stay.
   * @param kept prefixes that stay announced, as a last resort: nobody else would announce them
   */
  withdraw(scope: DrainScope = 'all', kept: ReadonlySet<string> = new Set()): void {
    if (scope === this.#withdrawn && isDeepStrictEqual(kept, this.#kept)) return
    this.#withdrawn = scope
    this.#kept = new Set(kept)
    this.#log.info({ event: 'routesWithdrawn', scope, kept: [...kept] }, 'routes are withdrawn, sessions stay')
    this.#takeStances()
  }

  /** Takes back {@link lowerPreference} and {@link withdraw}: peers are told what the plan says now. */
  restore(): void {
    if (this.#lowered === 'none' && this.#withdrawn === 'none') return
    this.#lowered = 'none'
    this.#withdrawn = 'none'
    this.#log.info({ event: 'preferenceRestored' }, 'routes are announced as ever')
    this.#takeStances()
  }

  /** Established sessions that a step of a drain is about. */
  peersUp(scope: DrainScope): number {
    return [...this.#neighbors.values()].filter(
      neighbor => neighbor.peer?.state === 'Established' && isAbout(scope, neighbor.isKept),
    ).length
  }

  /**
   * Ends all sessions for good with Cease, Administrative Shutdown (RFC 4486), then BFD with AdminDown.
   * @param communication what operators of the peers read, at most 255 octets (RFC 9003)
   * @returns settles when it is delivered, or the peer does not take it
   */
  shutdown(communication?: string): Promise<void> {
    return this.#end(communication === undefined ? {} : { communication })
  }

  /**
   * Leaves for a restart: connections to peers that keep our routes meanwhile just close (RFC 4724), the others are told as by
   * {@link shutdown}.
   */
  leave(communication?: string): Promise<void> {
    return this.#end({ gracefulRestart: true, ...(communication !== undefined && { communication }) })
  }

  /** All sessions as they are now. */
  peers(): readonly PeerReading[] {
    const now = this.#clock.now()
    return [...this.#neighbors.values()].map(({ plan, peer, history }) => ({
      name: plan.name,
      peer: labelOf(plan, peer),
      vrf: plan.vrf ?? 'default',
      state: peer,
      history,
      uptime: history.uptime(now),
    }))
  }

  /** All BFD sessions as they are now. */
  bfdSessions(): readonly BfdReading[] {
    return this.#bfd.readings()
  }

  /** {@link shutdown} without words. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown()
  }

  get #neighborOptions(): ConstructorParameters<typeof Neighbor>[1] {
    return {
      node: this.#options.node,
      log: this.#log,
      clock: this.#clock,
      environment: this.#environment,
      stance: isKept => this.#stanceOf(isKept),
      engine: identity => this.#engineFor(identity),
      limitsChanged: () => this.#reviewLimits(),
      onState: (...change) => this.emit('session', ...change),
      onNotification: (...told) => this.emit('notification', ...told),
    }
  }

  /** One engine for all peers, each of which has an AS and an identifier of its own. */
  #engineFor(identity: { readonly asn: number; readonly bgpIdentifier: string }): Engine {
    this.#engine ??= this.#options.createEngine({
      ...identity,
      log: engineLog(this.#log),
      bfd: this.#bfd,
      // As FRR says of every start: what was before it, nobody knows here.
      restarting: this.#gracefulRestart,
      selectionDeferralTime: 0,
    })
    return this.#engine
  }

  #takeStances(): void {
    for (const neighbor of this.#neighbors.values()) neighbor.setStance(this.#stanceOf(neighbor.isKept))
  }

  #stanceOf(isKept: boolean): Stance {
    if (isAbout(this.#withdrawn, isKept)) return this.#kept
    return isAbout(this.#lowered, isKept) ? 'leaving' : 'announcing'
  }

  #end(farewell: Farewell): Promise<void> {
    this.#ending ??= this.#endAll(farewell)
    return this.#ending
  }

  async #endAll(farewell: Farewell): Promise<void> {
    for (const neighbor of this.#neighbors.values()) neighbor.release()
    this.#neighbors.clear()
    await this.#engine?.close(farewell)
    await this.#bfd[Symbol.asyncDispose]()
    this.#engine = undefined
  }

  /** A BGPPeer that is only called otherwise keeps its session. @returns the new names */
  #rename(sessions: Plan['sessions']): ReadonlySet<string> {
    const renamed = new Set<string>()
    const added = [...sessions.values()].filter(({ name }) => !this.#neighbors.has(name))
    if (added.length === 0) return renamed
    for (const [name, neighbor] of this.#neighbors) {
      if (sessions.has(name)) continue
      const successor = added.find(session => identityOf(session) === identityOf(neighbor.plan))
      if (!successor) continue
      this.#neighbors.delete(name)
      this.#neighbors.set(successor.name, neighbor)
      renamed.add(successor.name)
    }
    return renamed
  }

  #remove(neighbor: Neighbor, reason: string): void {
    this.#neighbors.delete(neighbor.plan.name)
    this.#log.info({ event: 'peerRemoved', peer: sessionTarget(neighbor.plan), reason }, 'peer removed')
    neighbor
      .close()
      .catch((error: unknown) => this.#log.error({ op: 'close', error: String(error) }, 'session not closed'))
  }

  #reviewLimits(): void {
    const limits = [...this.#neighbors.values()].flatMap(neighbor => [...neighbor.limits, ...this.#bfdLimit(neighbor)])
    const known = new Set(this.#limits.map(limitText))
    const isSame = limits.length === known.size && limits.every(limit => known.has(limitText(limit)))
    if (isSame) return
    this.#limits = limits
    for (const limit of limits.filter(limit => !known.has(limitText(limit)))) {
      const { peer, field, reason } = limit
      this.#log.warn({ event: 'peerLimited', peer, field, reason }, 'BGPPeer asks for what is not available')
    }
    this.emit('limits')
  }

  #bfdLimit({ plan, peer }: Neighbor): readonly PeerLimit[] {
    const { fault } = this.#bfd
    if (fault === undefined || !plan.bfd || !peer) return []
    const reason = `${fault}: a dead peer is noticed by the hold timer`
    return [{ peer: plan.name, field: 'spec.bfdProfile', reason, notOpened: false }]
  }

  /** @param renamed sessions whose delta does not go on from what they were told */
  #setRoutes(routes: Plan['routes'], delta: PlanDelta | undefined, renamed: ReadonlySet<string>): void {
    // A delta goes on from the plan before, so there must have been one.
    const changes = this.#routes && delta?.routes
    this.#routes = routes
    if (changes?.size === 0 && renamed.size === 0) return
    let numAds = 0
    for (const [name, neighbor] of this.#neighbors) {
      const list = routes.get(name) ?? []
      if (renamed.has(name)) neighbor.setRoutes(list)
      else if (changes?.has(name) ?? true) neighbor.setRoutes(list, changes?.get(name))
      numAds = Math.max(numAds, list.length)
    }
    this.#log.info({ event: 'updatedAdvertisements', numAds }, 'making advertisements using BGP')
  }

  #tellNotes(notes: Plan['notes']): void {
    if (notes === this.#notes) return
    const known = new Set(this.#notes.map(noteText))
    this.#notes = notes
    for (const note of notes.filter(note => !known.has(noteText(note)))) {
      this.#log.warn({ event: 'mergedAdvertisements', ...note }, 'Services disagree about a prefix')
    }
  }
}

/** What of a session makes it one address pair: no two of a node have it in common. */
const identityOf = (session: SessionPlan): string =>
  `${sessionTarget(session)} ${session.peerPort} ${session.vrf ?? ''}`

function labelOf(plan: SessionPlan, peer: EnginePeer | undefined): string {
  const address = plan.peerAddress ?? peer?.address ?? ''
  return address === '' ? sessionTarget(plan) : `${address}:${plan.peerPort}`
}

/** @param isKept the peer keeps our routes over a restart */
const isAbout = (scope: DrainScope, isKept: boolean): boolean =>
  scope === 'all' || (scope === 'withoutGracefulRestart' && !isKept)

const noteText = (note: Plan['notes'][number]): string => JSON.stringify(note)
const limitText = ({ peer, field, reason }: PeerLimit): string => `${peer} ${field} ${reason}`
