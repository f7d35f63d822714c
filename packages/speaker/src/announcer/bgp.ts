/** BGP: keeps the sessions of the plan and tells each peer its routes. */
import { isDeepStrictEqual } from 'node:util'
import { sessionTarget } from '../plan/sessions.js'
import type { Plan } from '../plan/types.js'
import { silent } from '../logger.js'
import type { Logger } from '../logger.js'
import type { CreateEngine, Engine, EnginePeer } from './engine.js'
import type { PeerLimit } from './limits.js'
import { peerLimits } from './limits.js'
import { Neighbor } from './neighbor.js'

/** Options of {@link BGPAnnouncer}. */
export interface BGPAnnouncerOptions {
  /** Own node's name: the last resort for a router id. */
  readonly node: string
  readonly createEngine: CreateEngine
  readonly log?: Logger
}

/** A session for the metrics. */
export interface PeerReading {
  /** `<address>:<port>`, or the interface's name. */
  readonly peer: string
  /** `default` for the main table. */
  readonly vrf: string
  /** `undefined` while the session is not opened. */
  readonly state: EnginePeer | undefined
}

/** Told the whole wanted set, finds the difference itself. */
export class BGPAnnouncer implements AsyncDisposable {
  readonly #options: BGPAnnouncerOptions
  readonly #log: Logger
  readonly #neighbors = new Map<string, Neighbor>()
  #engine: Engine | undefined
  #routes: Plan['routes'] = new Map()
  #limits: readonly PeerLimit[] = []
  #notes: Plan['notes'] = []

  constructor(options: BGPAnnouncerOptions) {
    this.#options = options
    this.#log = options.log ?? silent
  }

  /** What the peers ask for and do not get. */
  get limits(): readonly PeerLimit[] {
    return this.#limits
  }

  /**
   * Opens, changes and closes sessions, and hands each its routes.
   * @param isConfigured whether a BGPPeer of that name is still configured; tells why a session goes
   */
  apply({ sessions, routes, notes }: Plan, isConfigured: (name: string) => boolean): void {
    for (const [name, neighbor] of this.#neighbors) {
      if (!sessions.has(name))
        this.#remove(neighbor, isConfigured(name) ? 'filteredByNodeSelector' : 'removedFromConfig')
    }
    for (const [name, session] of sessions) {
      const neighbor = this.#neighbors.get(name)
      if (neighbor) neighbor.update(session)
      else this.#neighbors.set(name, new Neighbor(session, this.#neighborOptions))
    }
    this.#tellLimits([...sessions.values()].flatMap(session => peerLimits(session)))
    this.#setRoutes(routes)
    this.#tellNotes(notes)
  }

  /** All sessions as they are now. */
  peers(): readonly PeerReading[] {
    return [...this.#neighbors.values()].map(({ plan, peer }) => ({
      peer: plan.peerAddress === undefined ? sessionTarget(plan) : `${plan.peerAddress}:${plan.peerPort}`,
      vrf: plan.vrf ?? 'default',
      state: peer,
    }))
  }

  /** Ends all sessions with a Cease (Administrative Shutdown, RFC 4486) and waits until it is delivered. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const neighbor of this.#neighbors.values()) neighbor.release()
    this.#neighbors.clear()
    await this.#engine?.[Symbol.asyncDispose]()
    this.#engine = undefined
  }

  get #neighborOptions(): ConstructorParameters<typeof Neighbor>[1] {
    return { node: this.#options.node, log: this.#log, engine: identity => this.#engineFor(identity) }
  }

  /** One engine for all peers, each of which has an AS and an identifier of its own. */
  #engineFor(identity: { readonly asn: number; readonly bgpIdentifier: string }): Engine {
    this.#engine ??= this.#options.createEngine({ ...identity, log: this.#log })
    return this.#engine
  }

  #remove(neighbor: Neighbor, reason: string): void {
    this.#neighbors.delete(neighbor.plan.name)
    this.#log.info({ event: 'peerRemoved', peer: sessionTarget(neighbor.plan), reason }, 'peer removed')
    neighbor
      .close()
      .catch((error: unknown) => this.#log.error({ op: 'close', error: String(error) }, 'session not closed'))
  }

  #tellLimits(limits: readonly PeerLimit[]): void {
    const known = new Set(this.#limits.map(limitText))
    this.#limits = limits
    for (const limit of limits.filter(limit => !known.has(limitText(limit)))) {
      const { peer, field, reason } = limit
      this.#log.warn({ event: 'peerLimited', peer, field, reason }, 'BGPPeer asks for what is not available')
    }
  }

  #setRoutes(routes: Plan['routes']): void {
    if (isDeepStrictEqual(routes, this.#routes)) return
    this.#routes = routes
    for (const [name, neighbor] of this.#neighbors) neighbor.setRoutes(routes.get(name) ?? [])
    const numAds = new Set([...routes.values()].flat().map(({ prefix }) => prefix)).size
    this.#log.info({ event: 'updatedAdvertisements', numAds }, 'making advertisements using BGP')
  }

  #tellNotes(notes: Plan['notes']): void {
    const known = new Set(this.#notes.map(noteText))
    this.#notes = notes
    for (const note of notes.filter(note => !known.has(noteText(note)))) {
      this.#log.warn({ event: 'mergedAdvertisements', ...note }, 'Services disagree about a prefix')
    }
  }
}

const noteText = (note: Plan['notes'][number]): string => JSON.stringify(note)
const limitText = ({ peer, field, reason }: PeerLimit): string => `${peer} ${field} ${reason}`
