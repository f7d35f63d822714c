/** One BGP session of the plan and what runs for it. */
import type { NotificationDetails } from '@typemetal/bgp'
import type { Clock } from '../clock.js'
import type { Logger } from '../logger.js'
import type { RouteDelta } from '../plan/delta.js'
import { sessionChange, sessionTarget } from '../plan/sessions.js'
import type { SessionChange } from '../plan/sessions.js'
import type { RoutePlan, SessionPlan } from '../plan/types.js'
import { routerIdFor } from '../router-id.js'
import type { RouterId } from '../router-id.js'
import type { Engine, EnginePeer, Farewell } from './engine.js'
import type { Environment } from './environment.js'
import { canOpen, peerLimits } from './limits.js'
import type { PeerLimit } from './limits.js'
import { peerOptions } from './peer-options.js'
import { refusalOf } from './refusal.js'
import { isFailure, SessionHistory } from './session-history.js'
import { SessionLog } from './session-log.js'
import { ToldRoutes } from './told-routes.js'

/**
 * What all peers are told beside the plan: `leaving` with GRACEFUL_SHUTDOWN (RFC 8326); a set: in that way these prefixes and no others.
 */
export type Stance = 'announcing' | 'leaving' | ReadonlySet<string>

/** What a {@link Neighbor} is given. */
export interface NeighborOptions {
  readonly node: string
  readonly log: Logger
  readonly clock: Clock
  readonly environment: Environment
  /** How to speak to a peer, which may keep our routes over a restart. */
  readonly stance: (isKept: boolean) => Stance
  readonly engine: (options: { readonly asn: number; readonly bgpIdentifier: string }) => Engine
  /** {@link Neighbor.limits} are others now. */
  readonly limitsChanged: () => void
  /** The session's state is another one. */
  readonly onState: (name: string, to: string, from: string, cause: string) => void
  /** A NOTIFICATION has gone one way or the other. */
  readonly onNotification: (name: string, direction: 'sent' | 'received', details: NotificationDetails) => void
}

/** Fields that the router id is derived from. */
const IDENTIFYING: ReadonlySet<string> = new Set(['routerID', 'sourceAddress', 'peerAddress', 'interface', 'vrf'])

/** Follows its session's plan; a change closes the session only when the protocol demands it. */
export class Neighbor {
  readonly history = new SessionHistory()
  readonly #options: NeighborOptions
  readonly #lines = new SessionLog()
  readonly #routes: ToldRoutes
  #log: Logger
  #plan: SessionPlan
  #peer: EnginePeer | undefined
  #stance: Stance
  #routerId: RouterId | undefined
  /** What the engine refuses of the plan. */
  #refusal: PeerLimit | undefined
  /** Counts what was begun, so that what was overtaken while it looked for its address gives up. */
  #turn = 0

  constructor(plan: SessionPlan, options: NeighborOptions) {
    this.#options = options
    this.#plan = plan
    this.#stance = options.stance(plan.gracefulRestart)
    this.#log = this.#logOf(plan)
    this.#routes = new ToldRoutes(() => this.#log)
    this.#log.info({ event: 'peerAdded' }, 'peer configured')
    this.#open()
  }

  get plan(): SessionPlan {
    return this.#plan
  }

  /** `undefined` while the session is not opened. */
  get peer(): EnginePeer | undefined {
    return this.#peer
  }

  /** Whether the peer keeps our routes while we restart (RFC 4724); before a session stands, whether it is to be asked for that. */
  get isKept(): boolean {
    const isRefused = this.#peer?.state === 'Established' && this.#peer.negotiated?.gracefulRestart === undefined
    return this.#plan.gracefulRestart && !isRefused
  }

  /** What the plan asks for and does not get. */
  get limits(): readonly PeerLimit[] {
    const limits = peerLimits(this.#plan, this.#options.environment)
    return this.#refusal ? [...limits, this.#refusal] : limits
  }

  /** Takes over a new version of the plan; its name may be another one. */
  update(plan: SessionPlan): void {
    if (plan === this.#plan) return
    const change = sessionChange(this.#plan, plan)
    this.#plan = plan
    if (change.changes.length === 0) return
    this.#log = this.#logOf(plan)
    const peer = this.#peer
    if (!canOpen(plan, this.#options.environment)) this.#shut(peer)
    else if (!peer) this.#open()
    else if (change.changes.some(({ field }) => IDENTIFYING.has(field))) this.#identify(peer, change)
    else this.#change(peer, change)
  }

  /** Takes the whole wanted set of routes; `delta`: what of it differs from the one before. */
  setRoutes(routes: readonly RoutePlan[], delta?: RouteDelta): void {
    this.#routes.set(routes, delta)
  }

  /** Speaks to the peer in another way from now on. */
  setStance(stance: Stance): void {
    if (stance === this.#stance) return
    const wasLeaving = this.#isLeaving
    this.#stance = stance
    this.#holdRoutes()
    const peer = this.#peer
    if (peer && this.#routerId && wasLeaving !== this.#isLeaving)
      this.#try(() => peer.change(this.#engineOptions(this.#routerId)))
  }

  /** Lets go of the session without ending it: the engine does that for all. */
  release(): void {
    this.#turn++
    this.#peer = undefined
    this.#routes.attach(undefined)
  }

  /** Ends the session for good. */
  async close(farewell?: Farewell): Promise<void> {
    const peer = this.#peer
    this.release()
    await peer?.close(farewell)
  }

  get #isLeaving(): boolean {
    return this.#stance !== 'announcing'
  }

  #holdRoutes(): void {
    if (typeof this.#stance === 'string') this.#routes.hold(false)
    else this.#routes.hold(true, this.#stance)
  }

  #logOf(plan: SessionPlan): Logger {
    return this.#options.log.child({ peer: sessionTarget(plan), name: plan.name })
  }

  #open(): void {
    const turn = ++this.#turn
    if (!canOpen(this.#plan, this.#options.environment)) return
    void this.#routerIdOf(turn, routerId => this.#add(routerId))
  }

  #add(routerId: RouterId): void {
    const options = this.#engineOptions(routerId)
    this.#try(() => {
      const engine = this.#options.engine({ asn: options.localAsn, bgpIdentifier: options.bgpIdentifier })
      const peer = engine.addPeer(options)
      peer.on('state', (to, from, cause) => this.#stateChanged(peer, to, from, cause))
      peer.on('notification', (direction, details) => {
        this.history.notified(direction, details)
        this.#lines.notified(this.#log, direction, details)
        this.#options.onNotification(this.#plan.name, direction, details)
      })
      this.#peer = peer
      this.#holdRoutes()
      this.#routes.attach(peer)
    }, 'session not opened')
  }

  /** The plan wants what this machine does not have. */
  #shut(peer: EnginePeer | undefined): void {
    this.#refusal = undefined
    if (peer) this.#log.error({ event: 'sessionShut' }, 'session is closed: it cannot be had as it is wanted now')
    this.close().catch((error: unknown) => {
      this.#log.error({ op: 'close', error: String(error) }, 'session not closed')
    })
  }

  #identify(peer: EnginePeer, change: SessionChange): void {
    const turn = ++this.#turn
    void this.#routerIdOf(turn, () => this.#change(peer, change))
  }

  async #routerIdOf(turn: number, then: (routerId: RouterId) => void): Promise<void> {
    const routerId = await routerIdFor(this.#plan, this.#options.node)
    if (turn !== this.#turn) return
    this.#routerId = routerId
    then(routerId)
  }

  #change(peer: EnginePeer, change?: SessionChange): void {
    const wasUp = peer.state === 'Established'
    const done = this.#try(() => peer.change(this.#engineOptions(this.#routerId)), 'the session goes on as before')
    if (!done || !change) return
    const changes = change.changes.map(({ field, effect, why }) => `${field}: ${effect}, for ${why}`)
    if (change.resets.length > 0 && wasUp) {
      const fields = { event: 'sessionReset', fields: change.resets, changes }
      this.#log.warn(fields, 'session is opened anew: changed fields demand it')
    } else {
      const fields = { event: 'sessionUpdated', fields: change.changes.map(({ field }) => field), changes }
      this.#log.info(fields, 'peer changed, session stays')
    }
  }

  #engineOptions(routerId: RouterId | undefined): ReturnType<typeof peerOptions> {
    return peerOptions(this.#plan, {
      bgpIdentifier: routerId?.bgpIdentifier ?? '',
      environment: this.#options.environment,
      leaving: this.#isLeaving,
    })
  }

  /** @returns whether the engine took it; what it objects to is said, and one of the {@link limits} */
  #try(work: () => void, consequence = 'the session goes on as before'): boolean {
    const before = this.#refusal?.reason
    try {
      work()
      this.#refusal = undefined
    } catch (error) {
      this.#refusal = refusalOf(this.#plan.name, error, consequence, this.#peer === undefined)
      const { field, reason } = this.#refusal
      if (reason !== before) this.#log.error({ op: 'configure', field, error: reason }, 'BGPPeer cannot be carried out')
    }
    if (this.#refusal?.reason !== before) this.#options.limitsChanged()
    return this.#refusal === undefined
  }

  #stateChanged(peer: EnginePeer, to: string, from: string, cause: string): void {
    this.history.changed(to, from, cause, this.#options.clock.now())
    this.#lines.changed(this.#log, this.#plan, { to, from, cause, families: peer.negotiated?.families })
    this.#options.onState(this.#plan.name, to, from, cause)
    // There was no address to go by when the identifier was chosen; there may be one now.
    if (isFailure(to, from, cause) && this.#routerId?.isLastResort && peer === this.#peer) this.#reconsider(peer)
  }

  #reconsider(peer: EnginePeer): void {
    const before = this.#routerId?.bgpIdentifier
    const turn = this.#turn
    void this.#routerIdOf(turn, ({ bgpIdentifier }) => {
      if (bgpIdentifier !== before && peer.state !== 'Established') this.#change(peer)
    })
  }
}
