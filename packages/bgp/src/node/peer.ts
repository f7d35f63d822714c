import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { ControlMessage, Negotiated, RemoteAs, State } from '../fsm/index.js'
import type { LocRib, PrefixKey } from '../rib/index.js'
import { parseRoute, type ParsedRoute, type Route } from '../route.js'
import {
  CeaseSubcode,
  createCease,
  decodeHeader,
  decodeMessage,
  familyName,
  familyOf,
  shutdownCommunication,
  WireError,
  type FamilyName,
  type NotificationMessage,
  type RouteRefreshMessage,
  type UpdateMessage,
} from '../wire/index.js'
import type { Clock } from './clock.js'
import type { Connection } from './connection.js'
import { MessageCounter, type PeerCounters } from './counters.js'
import { dialTcp } from './dial.js'
import { Inbound, type PeerSource } from './inbound.js'
import type { Logger } from './logger.js'
import { nextHopSelf } from './next-hop.js'
import { Outbound, type OutboundSession } from './outbound.js'
import { PeerDriver, SILENCE } from './peer-driver.js'
import type { CheckedPeerOptions } from './peer-options.js'

/** Events of a {@link Peer}. */
export interface PeerEvents {
  /** The state has changed; `cause` is the event of RFC 4271 section 8.1 that did it, with what is known of it. */
  state: [to: State, from: State, cause: string]
  /** An UPDATE has come in. Its octet fields are views that hold a whole buffer alive: copy what you keep. */
  update: [update: UpdateMessage]
}

/** How to part with a peer. */
export interface CloseOptions {
  /** Subcode of the Cease NOTIFICATION, RFC 4486. @default `CeaseSubcode.PeerDeconfigured` */
  readonly subcode?: number
  /** Shutdown Communication, RFC 9003; sent with AdministrativeShutdown and AdministrativeReset. */
  readonly communication?: string
}

/** What a peer has from its speaker. */
export interface PeerSurroundings {
  readonly clock: Clock
  readonly log: Logger
  readonly locRib: LocRib<PeerSource<Peer>>
  /** Routes for all peers. */
  readonly shared: ReadonlyMap<PrefixKey, ParsedRoute>
  /** The selected paths of a prefix have changed. */
  readonly changed: (key: PrefixKey) => void
  readonly closed: (peer: Peer) => void
}

const parseRoutes = (routes: readonly Route[]): ReadonlyMap<PrefixKey, ParsedRoute> =>
  new Map(routes.map(parseRoute).map(route => [route.key, route]))

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
  readonly #outbound: Outbound
  #inbound: Inbound<Peer> | undefined
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
    this.#outbound = new Outbound(surroundings.shared, this.#log)
    this.#driver = new PeerDriver({
      session: options.session,
      clock: surroundings.clock,
      dial: signal => this.#dial(signal),
      handlers: {
        transition: (to, from, cause) => this.#transition(to, from, cause),
        update: octets => this.#updates(octets),
        routeRefresh: message => this.#routeRefresh(message),
        sent: message => this.#sent(message),
        received: message => this.#received(message),
        unanswered: () => this.#unanswered(),
        writable: () => this.#outbound.flush(),
      },
    })
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
      prefixesAnnounced: this.#outbound.announced,
      prefixesPending: this.#outbound.wanted,
      prefixesReceived: this.#inbound?.size ?? 0,
      connectRetryCounter: this.#driver.connectRetryCounter,
    }
  }

  /**
   * Replaces all routes that this peer is told of beside those of `speaker.announce`. Only the difference is sent, now and
   * on later sessions. Of two routes with one prefix the last counts.
   *
   * @throws {RangeError} a route that cannot be sent; nothing is changed then
   */
  setRoutes(routes: readonly Route[]): void {
    this.#outbound.setRoutes(parseRoutes(routes))
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
    this.#closing ??= this.#driver.stop(createCease(subcode, communication)).then(() => this.#surroundings.closed(this))
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

  /** @internal A shared route has changed. */
  sharedChanged(key: PrefixKey): void {
    this.#outbound.changed(key)
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

  #transition(to: State, from: State, cause: string): void {
    this.#saidUnanswered = false
    if (from === 'Established') this.#down()
    const { connection, negotiated } = this.#driver
    if (to === 'Established' && connection && negotiated) this.#up(connection, negotiated)
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

  #up(connection: Connection, negotiated: Negotiated): void {
    const { locRib, changed } = this.#surroundings
    const { asn, bgpIdentifier } = this.#options.session
    if (this.#options.importPolicy === 'accept') {
      const local = { asn, bgpIdentifier }
      const { localAddress } = connection
      this.#inbound = new Inbound({
        peer: this,
        address: this.address,
        localAddress,
        local,
        negotiated,
        locRib,
        changed,
      })
    }
    this.#outbound.up(this.#outboundSession(connection, negotiated, asn))
  }

  #outboundSession(connection: Connection, negotiated: Negotiated, asn: number): OutboundSession {
    const { internal, fourOctetAs, families } = negotiated
    const hops = new Map(families.map(family => [family, nextHopSelf(family, connection.localAddress)]))
    const counter = this.#counter
    const sink = {
      get isBlocked(): boolean {
        return connection.isBlocked
      },
      write(octets: Uint8Array, count: number): void {
        counter.sent('update', count)
        connection.write(octets)
      },
    }
    return { asn, internal, fourOctetAs, families, sink, nextHopSelf: family => hops.get(family) }
  }

  #down(): void {
    this.#outbound.down()
    const inbound = this.#inbound
    this.#inbound = undefined
    inbound?.end()
  }

  #updates(octets: Uint8Array): void {
    const context = this.#driver.connection?.context
    try {
      for (let at = 0; at < octets.length;) {
        const end = at + decodeHeader(octets, at).length
        this.#counter.received('update')
        const message = decodeMessage(octets.subarray(at, end), context)
        if (message.type === 'update') this.#update(message)
        at = end
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.#driver.updateFailed(error)
    }
  }

  #update(update: UpdateMessage): void {
    for (const fault of update.faults ?? []) {
      const { message, disposition } = fault
      this.#log.warn({ fault: message, disposition }, 'malformed UPDATE')
    }
    this.#inbound?.handle(update)
    this.emit('update', update)
  }

  #routeRefresh(message: RouteRefreshMessage): void {
    const family = familyName(message)
    // RFC 2918 section 4: one for a family that was not agreed on is ignored.
    if (family && message.subtype === 0 && this.negotiated?.families.includes(family)) this.#outbound.refresh(family)
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
