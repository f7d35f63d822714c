import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { formatAddress, formatPrefix, parsePrefix } from '../address.js'
import type { ControlMessage, Negotiated, RemoteAs, Seconds, SessionEnd, State } from '../fsm/index.js'
import { PathFlag } from '../rib/index.js'
import { parseRoute, type Route } from '../route.js'
import {
  CeaseSubcode,
  createCease,
  familyName,
  familyOf,
  shutdownCommunication,
  WireError,
  type FamilyName,
  type NotificationMessage,
  type PathAttributes,
  type RouteRefreshMessage,
  type UpdateMessage,
} from '../wire/index.js'
import type { Connection } from './connection.js'
import { MessageCounter, type PeerCounters } from './counters.js'
import { dialTcp } from './dial.js'
import type { Logger } from './logger.js'
import type { UpdateSink } from './outbound.js'
import { PeerDriver, SILENCE } from './peer-driver.js'
import type { CheckedPeerOptions } from './peer-options.js'
import { PeerRoutes, type RouteSurroundings } from './peer-routes.js'

/** Events of a {@link Peer}. */
export interface PeerEvents {
  /** The state has changed; `cause` is the event of RFC 4271 section 8.1 that did it, with what is known of it. */
  state: [to: State, from: State, cause: string]
  /**
   * An UPDATE has come in. Its octet fields are views that hold a whole buffer alive: copy what you keep. With a listener each UPDATE is made
   * values of, which costs a few microseconds.
   */
  update: [update: UpdateMessage]
  /** Whole messages as they are on the wire: views, good until the listener returns. */
  message: [direction: 'sent' | 'received', octets: Uint8Array]
  /** The peer has announced all that it has of a family, RFC 4724 section 2. */
  endOfRib: [family: FamilyName]
}

/** How to part with a peer. */
export interface CloseOptions {
  /** Subcode of the Cease NOTIFICATION, RFC 4486. @default `CeaseSubcode.PeerDeconfigured` */
  readonly subcode?: number
  /** Shutdown Communication, RFC 9003; sent with AdministrativeShutdown and AdministrativeReset. */
  readonly communication?: string
}

/** What a peer has from its speaker. */
export interface PeerSurroundings extends RouteSurroundings {
  readonly log: Logger
  readonly closed: (peer: Peer) => void
  readonly transition: (peer: Peer, to: State, negotiated: Negotiated | undefined) => void
  readonly endOfRib: (peer: Peer, family: FamilyName) => void
}

/** A path that a peer has announced to us. */
export interface ReceivedRoute {
  readonly prefix: string
  /** Path Identifier, RFC 7911; absent without. */
  readonly pathId?: number
  readonly nextHop: string
  /** As the peer has sent them, before policy. */
  readonly attributes: PathAttributes
  /** Policy and loop detection let it be used. */
  readonly accepted: boolean
  /** The peer restarts and has not said it anew, RFC 4724. */
  readonly stale: boolean
}

/** A path that a peer was told. */
export interface AnnouncedRoute {
  readonly prefix: string
  /** Its attributes here; on the way to the peer AS_PATH, LOCAL_PREF and others become what the session asks for. */
  readonly attributes: PathAttributes
}

/** Longest wait for EoRR, RFC 7313 section 4.2. */
const REFRESH_PATIENCE: Seconds = 3600

/** One peer of a {@link BgpSpeaker}: its session, what it is told, what it tells. Made by `speaker.addPeer`. */
export class Peer extends EventEmitter<PeerEvents> implements AsyncDisposable {
  readonly name: string
  /** Canonical text. */
  readonly address: string
  readonly port: number
  /** AS number that the peer must have; see {@link negotiated} for the one it has. */
  readonly asn: RemoteAs
  readonly #options: CheckedPeerOptions
  readonly #surroundings: PeerSurroundings
  readonly #log: Logger
  readonly #driver: PeerDriver
  readonly #counter = new MessageCounter()
  readonly #routes: PeerRoutes
  #closing: Promise<void> | undefined
  #saidUnanswered = false

  /** @internal */
  constructor(options: CheckedPeerOptions, surroundings: PeerSurroundings) {
    super()
    this.#options = options
    this.#surroundings = surroundings
    this.name = options.name
    this.address = options.address
    this.port = options.port
    this.asn = options.session.remoteAs
    this.#log = surroundings.log.child({ peer: this.name })
    this.#driver = new PeerDriver({
      session: options.session,
      clock: surroundings.clock,
      dial: signal => this.#dial(signal),
      handlers: {
        transition: (to, from, cause, ended) => this.#transition(to, from, cause, ended),
        update: octets => this.#updates(octets),
        routeRefresh: message => this.#routeRefresh(message),
        sent: message => this.#sent(message),
        received: message => this.#received(message),
        octets: (direction, octets) => this.#octets(direction, octets),
        unanswered: () => this.#unanswered(),
        writable: () => this.#routes.outbound.flush(),
      },
    })
    this.#routes = new PeerRoutes(
      options,
      surroundings,
      {
        wantsUpdates: () => this.listenerCount('update') > 0,
        update: update => this.emit('update', update),
        endOfRib: family => this.#endOfRib(family),
        tooMany: (family, limit) => this.#tooMany(family, limit),
      },
      this.#log,
    )
  }

  get state(): State {
    return this.#driver.state
  }

  /** What the OPEN messages agreed on; `undefined` before OpenConfirm. */
  get negotiated(): Negotiated | undefined {
    return this.#driver.negotiated
  }

  /** Our address on the Established session. */
  get localAddress(): string | undefined {
    return this.#driver.connection?.localAddress
  }

  /** Whether it waits for the peer to connect. */
  get passive(): boolean {
    return this.#options.passive
  }

  /** Local address that it connects from, as configured. */
  get sourceAddress(): string | undefined {
    return this.#options.sourceAddress
  }

  /** A copy of the counters as they are now. */
  get counters(): PeerCounters {
    return {
      ...this.#counter.read(),
      prefixesAnnounced: this.#routes.outbound.announced,
      prefixesPending: this.#routes.outbound.wanted,
      prefixesReceived: this.#routes.adjRibIn.size(),
      connectRetryCounter: this.#driver.connectRetryCounter,
    }
  }

  /**
   * Replaces all routes that this peer is told of beside those of `speaker.announce`. Only the difference is sent, now and
   * on later sessions. Of two routes with one prefix and Path Identifier the last counts.
   *
   * @throws {RangeError} a route that cannot be sent; nothing is changed then
   */
  setRoutes(routes: readonly Route[]): void {
    this.#routes.setRoutes(routes.map(parseRoute))
  }

  /**
   * Announces a route to this peer alone, in the place of an earlier one with the same prefix and Path Identifier.
   *
   * @throws {RangeError} a route that cannot be sent
   */
  announce(route: Route): void {
    this.#routes.own.set(parseRoute(route))
  }

  /** Takes back what {@link announce} or {@link setRoutes} announced. @throws {RangeError} not a prefix */
  withdraw(prefix: string, pathId = 0): void {
    const { family, nlri } = parsePrefix(prefix)
    this.#routes.withdraw(family, nlri, pathId)
  }

  /** The Adj-RIB-In, RFC 4271 section 3.2: what the peer has announced, before policy. Read it before anything else happens. */
  *adjRibIn(): IterableIterator<ReceivedRoute> {
    const { rib } = this.#surroundings
    for (const family of ['ipv4-unicast', 'ipv6-unicast'] as const) {
      const paths = rib.family(family)
      for (const path of this.#routes.adjRibIn.paths(family)) {
        const received = paths.received(path)
        const pathId = paths.pathId(path)
        yield {
          prefix: formatPrefix(family, paths.prefixes.nlri(paths.prefixOf(path))),
          ...(pathId !== 0 && { pathId }),
          nextHop: formatAddress(rib.attributes.nextHop(received)),
          attributes: rib.attributes.attributes(received),
          accepted: paths.attributes(path) !== 0,
          stale: (paths.flags(path) & PathFlag.Stale) !== 0,
        }
      }
    }
  }

  /** The Adj-RIB-Out, RFC 4271 section 3.2: what the peer was told in this session. Read it before anything else happens. */
  *adjRibOut(): IterableIterator<AnnouncedRoute> {
    const { rib } = this.#surroundings
    for (const [family, prefix, , { set }] of this.#routes.adjRibOut?.entries() ?? []) {
      const { prefixes } = rib.family(family)
      yield { prefix: formatPrefix(family, prefixes.nlri(prefix)), attributes: rib.attributes.attributes(set) }
    }
  }

  /**
   * Asks the peer to announce its prefixes of a family again, RFC 2918.
   *
   * @returns whether it was asked: the session is Established, carries the family, and the peer has the capability
   */
  requestRefresh(family: FamilyName): boolean {
    const { connection, negotiated } = this.#driver
    if (!connection || !negotiated?.routeRefresh || !negotiated.families.includes(family)) return false
    this.#driver.send({ type: 'route-refresh', ...familyOf(family), subtype: 0 })
    return true
  }

  /** Ends the peer for good, with Cease where a session stands. Safe to call twice. @returns settles when its sockets are closed */
  close({ subcode = CeaseSubcode.PeerDeconfigured, communication }: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#end(createCease(subcode, communication))
    return this.#closing
  }

  /** Same as {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** @internal */
  start(): void {
    this.#driver.start()
  }

  /** @internal */
  accept(socket: Socket, refuse: (socket: Socket) => void): void {
    this.#driver.accept(socket, refuse)
  }

  /** @internal Number of the peer among the sources of paths. */
  get source(): number {
    return this.#routes.adjRibIn.source
  }

  /** @internal Routes of the family are selected now, RFC 4724 section 4.1. */
  release(family: FamilyName): void {
    this.#routes.outbound.release(family)
  }

  /** @internal */
  set restarting(restarting: boolean) {
    this.#driver.restarting = restarting
  }

  async #end(cease: NotificationMessage): Promise<void> {
    await this.#driver.stop(cease)
    this.#routes.close()
    this.#surroundings.closed(this)
  }

  #dial(signal: AbortSignal): Promise<Socket> {
    const { dialAddress: address, port, sourceAddress, md5Key, ttl } = this.#options
    const optional = {
      ...(sourceAddress !== undefined && { sourceAddress }),
      ...(md5Key !== undefined && { md5Key }),
      ...(ttl !== undefined && { ttl }),
    }
    return dialTcp({ address, port, ...optional }, signal)
  }

  #transition(to: State, from: State, cause: string, ended: SessionEnd | undefined): void {
    this.#saidUnanswered = false
    if (from === 'Established') this.#routes.down(ended ?? 'tcp')
    const { connection, negotiated } = this.#driver
    this.#surroundings.transition(this, to, negotiated)
    if (to === 'Established' && connection && negotiated) {
      this.#routes.up(connection, negotiated, this.#createSink(connection))
    }
    const level = to === 'Established' || from === 'Established' ? 'info' : 'debug'
    this.#log[level]({ to, from, cause }, 'session state')
    this.emit('state', to, from, cause)
  }

  /** Said once until the state changes: the attempts may follow each other by the second. */
  #unanswered(): void {
    if (this.#saidUnanswered) return
    this.#saidUnanswered = true
    this.#log.warn({ address: this.address }, `no answer before the next attempt: ${SILENCE}`)
  }

  #createSink(connection: Connection): UpdateSink {
    const counter = this.#counter
    const peer = this
    return {
      get isBlocked(): boolean {
        return connection.isBlocked
      },
      write(octets, count) {
        counter.sent('update', count)
        peer.#octets('sent', octets)
        connection.write(octets)
      },
      writeRefresh(octets) {
        counter.sent('route-refresh')
        peer.#octets('sent', octets)
        connection.write(octets)
      },
    }
  }

  #updates(octets: Uint8Array): void {
    this.#octets('received', octets)
    try {
      this.#counter.received('update', this.#routes.receive(octets))
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.#counter.received('update')
      this.#driver.updateFailed(error)
    }
  }

  /** Whole messages, one or many, to those who want to see them. */
  #octets(direction: 'sent' | 'received', octets: Uint8Array): void {
    if (this.listenerCount('message') === 0) return
    for (let at = 0; at < octets.length;) {
      const end = at + ((octets[at + 16]! << 8) | octets[at + 17]!)
      this.emit('message', direction, octets.subarray(at, end))
      at = end
    }
  }

  #endOfRib(family: FamilyName): void {
    this.#surroundings.endOfRib(this, family)
    this.emit('endOfRib', family)
  }

  #tooMany(family: FamilyName | 'all', limit: number): void {
    const { maximumPrefixesAction } = this.#options.routing
    this.#log.warn({ family, limit }, 'more prefixes than allowed')
    if (maximumPrefixesAction === 'warn') return
    // RFC 4486 section 4: which family, and how many were allowed.
    const { afi, safi } = familyOf(family === 'all' ? 'ipv4-unicast' : family)
    const data =
      family === 'all'
        ? new Uint8Array(0)
        : Uint8Array.of(afi >> 8, afi, safi, limit >>> 24, limit >>> 16, limit >>> 8, limit)
    this.#driver.stopAutomatically({ ...createCease(CeaseSubcode.MaximumNumberOfPrefixesReached), data })
  }

  #routeRefresh({ afi, safi, subtype }: RouteRefreshMessage): void {
    const family = familyName({ afi, safi })
    const { negotiated } = this
    // RFC 2918 section 4: one for a family that was not agreed on is ignored.
    if (!family || !negotiated?.families.includes(family)) return
    if (subtype === 0) this.#routes.outbound.refresh(family, negotiated.enhancedRouteRefresh)
    else if (negotiated.enhancedRouteRefresh && subtype <= 2)
      this.#routes.refreshed(family, subtype === 2, REFRESH_PATIENCE)
  }

  #sent(message: ControlMessage): void {
    this.#counter.sent(message.type)
    if (message.type === 'notification') this.#logNotification('notification sent', message)
  }

  #received(message: ControlMessage): void {
    this.#counter.received(message.type)
    if (message.type === 'notification') this.#logNotification('notification received', message)
  }

  #logNotification(what: string, notification: NotificationMessage): void {
    const { errorCode, errorSubcode, data } = notification
    const communication = shutdownCommunication(notification)
    const fields = { errorCode, errorSubcode, ...(communication && { communication }) }
    this.#log.info({ ...fields, ...(data.length && { data: Buffer.from(data).toString('hex') }) }, what)
  }
}
