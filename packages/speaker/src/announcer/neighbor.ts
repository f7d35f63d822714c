/** One BGP session of the plan and what runs for it. */
import { isInternal, sessionChange, sessionTarget } from '../plan/sessions.js'
import type { RoutePlan, SessionPlan } from '../plan/types.js'
import type { Logger } from '../logger.js'
import { localAddressTowards, routerIdOf } from '../router-id.js'
import type { Engine, EnginePeer, EnginePeerOptions } from './engine.js'
import { canOpen } from './limits.js'

/** What a {@link Neighbor} is given. */
export interface NeighborOptions {
  readonly node: string
  readonly log: Logger
  readonly engine: (options: { readonly asn: number; readonly bgpIdentifier: string }) => Engine
}

/** Follows its session's plan; a change closes the session only when the protocol demands it. */
export class Neighbor {
  readonly #options: NeighborOptions
  readonly #log: Logger
  #plan: SessionPlan
  #routes: readonly RoutePlan[] = []
  #peer: EnginePeer | undefined
  /** Counts openings, so that one that was overtaken while it looked for its address gives up. */
  #opening = 0
  /** The plan has changes that the running session does not know; they are taken at its next start. */
  #outdated = false
  /** Why the last attempts failed, as it was logged. */
  #failure = ''

  constructor(plan: SessionPlan, options: NeighborOptions) {
    this.#options = options
    this.#plan = plan
    this.#log = options.log.child({ peer: sessionTarget(plan), name: plan.name })
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

  /** Takes over a new version of the plan. */
  update(plan: SessionPlan): void {
    const { resets, carried } = sessionChange(this.#plan, plan)
    this.#plan = plan
    if (resets.length > 0) {
      this.#log.warn({ event: 'sessionReset', fields: resets }, 'session is opened anew: changed fields demand it')
      this.#reopen()
    } else if (carried.length > 0) {
      this.#log.info({ event: 'sessionUpdated', fields: carried }, 'peer changed, session stays')
      this.#outdated = true
      if (this.#peer?.state !== 'Established') this.#reopen()
    }
  }

  /** Takes the whole wanted set of routes. */
  setRoutes(routes: readonly RoutePlan[]): void {
    this.#routes = routes
    this.#tellRoutes()
  }

  /** Lets go of the session without ending it: the engine does that for all. */
  release(): void {
    this.#opening++
    this.#peer = undefined
  }

  /** Ends the session for good. */
  async close(): Promise<void> {
    const peer = this.#peer
    this.release()
    await peer?.close()
  }

  #reopen(): void {
    // One address pair has one session: the new one starts when the old one has gone.
    this.#open(this.close())
  }

  #open(after: Promise<void> = Promise.resolve()): void {
    this.#outdated = false
    if (!canOpen(this.#plan)) return
    this.#dial(++this.#opening, this.#plan, after).catch((error: unknown) => {
      this.#log.error({ op: 'connect', error: String(error) }, 'session cannot be opened')
    })
  }

  async #dial(opening: number, plan: SessionPlan, after: Promise<void>): Promise<void> {
    await after
    const bgpIdentifier = plan.routerID ?? routerIdOf(await this.#localAddress(plan), this.#options.node)
    if (opening !== this.#opening) return
    const options = peerOptions(plan, bgpIdentifier)
    const peer = this.#options.engine({ asn: options.localAsn, bgpIdentifier }).addPeer(options)
    peer.on('state', (to, from, cause) => this.#stateChanged(peer, to, from, cause))
    this.#peer = peer
    this.#tellRoutes()
  }

  /** Routes that cannot be sent, such as one with a thousand communities, leave the peer with those it has. */
  #tellRoutes(): void {
    try {
      this.#peer?.setRoutes(this.#routes)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      this.#log.error({ op: 'setRoutes', error: error.message }, 'routes cannot be sent, the last ones stay')
    }
  }

  #localAddress(plan: SessionPlan): Promise<string | undefined> {
    if (plan.sourceAddress !== undefined) return Promise.resolve(plan.sourceAddress)
    return localAddressTowards(plan.peerAddress ?? '', plan.peerPort)
  }

  #stateChanged(peer: EnginePeer, to: string, from: string, cause: string): void {
    const { localASN, myASN, peerASN, dynamicASN } = this.#plan
    const asns = { localASN: localASN ?? myASN, peerASN: peerASN ?? dynamicASN }
    if (cause.startsWith('NotifMsg')) {
      this.#log.error({ event: 'peerNotification', error: cause }, 'peer sent a NOTIFICATION')
    }
    if (to === 'Established') {
      this.#failure = ''
      this.#log.info({ event: 'sessionUp', ...asns }, 'BGP session established')
    } else if (from !== 'Established') this.#tellFailure(cause)
    if (from !== 'Established') return
    this.#log.warn({ event: 'sessionDown', ...asns, reason: cause }, 'BGP session down')
    if (this.#outdated && peer === this.#peer) this.#reopen()
  }

  /** Attempts go on for ever; what keeps them from succeeding is said once. */
  #tellFailure(cause: string): void {
    if (!cause.startsWith('TcpConnectionFails') || cause === this.#failure) return
    this.#failure = cause
    this.#log.error({ op: 'connect', error: cause }, 'BGP peer cannot be reached, trying on')
  }
}

function peerOptions(plan: SessionPlan, bgpIdentifier: string): EnginePeerOptions {
  const { connectTimeSeconds, sourceAddress, password } = plan
  return {
    name: plan.name,
    address: plan.peerAddress ?? '',
    port: plan.peerPort,
    asn: plan.dynamicASN ?? plan.peerASN ?? 0,
    localAsn: plan.localASN ?? plan.myASN,
    bgpIdentifier,
    holdTime: Math.trunc(plan.holdTimeSeconds),
    keepaliveTime: plan.keepaliveTimeSeconds,
    importPolicy: 'reject',
    families: plan.families.map(family => `${family}-unicast` as const),
    // The limit to one hop is a matter of eBGP.
    ...(!isInternal(plan) && { multihop: plan.ebgpMultiHop }),
    ...(connectTimeSeconds !== undefined && { connectRetryTime: connectTimeSeconds }),
    ...(sourceAddress !== undefined && { sourceAddress }),
    ...(password !== undefined && { md5Key: password }),
  }
}
