import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { family as familyKind } from '../bgp-kinds.js'
import type { State as BfdState } from '../bfd/wire/state.js'
import {
  createHardReset,
  type BfdSubState,
  type Negotiated,
  type RemoteAs,
  type Seconds,
  type SessionEnd,
  type State,
} from '../fsm/index.js'
import { parseRoute, parseRoutes, parseWithdrawn, type Route } from '../route.js'
import {
  CeaseSubcode,
  createCease,
  familyName,
  familyOf,
  WireError,
  type FamilyName,
  type NotificationMessage,
  type RouteRefreshMessage,
} from '../wire/index.js'
import { announcedRoutes, receivedRoutes, type AnnouncedRoute, type ReceivedRoute } from './adj-ribs.js'
import type { PeerCounters } from './counters.js'
import { diffPeerOptions, type PeerOptionChange } from './diff-peer-options.js'
import type { ListenTerms } from './listening-socket.js'
import { checkCloseOptions, checkResetOptions, type CloseOptions, type ResetOptions } from './parting.js'
import { PeerBfd, type BfdMeeting } from './peer-bfd.js'
import { PeerDriver } from './peer-driver.js'
import type { PeerEvents } from './peer-events.js'
import { PeerLink } from './peer-link.js'
import { PeerLog } from './peer-log.js'
import { PeerMessages } from './peer-messages.js'
import { checkPeerOptions, type CheckedPeerOptions, type PeerOptions } from './peer-options.js'
import { PeerRoutes } from './peer-routes.js'
import { maximumPrefixesCease } from './prefix-limit.js'
import type { Incoming } from './reception.js'
import type { PeerSurroundings } from './peer-surroundings.js'
import { SILENCE } from './silence.js'

/** Longest wait for EoRR, RFC 7313 section 4.2. */
const REFRESH_PATIENCE: Seconds = 3600

/** One peer of a {@link BgpSpeaker}: its session, what it is told, what it tells. Made by `speaker.addPeer`. */
export class Peer extends EventEmitter<PeerEvents> implements AsyncDisposable {
  readonly #surroundings: PeerSurroundings
  readonly #log: PeerLog
  readonly #link: PeerLink
  readonly #driver: PeerDriver
  readonly #messages: PeerMessages
  readonly #routes: PeerRoutes
  readonly #bfd: PeerBfd
  readonly #isDynamic: boolean
  #given: PeerOptions
  #options: CheckedPeerOptions
  #closing: Promise<void> | undefined
  #saidUnanswered = false
  /** Why the last attempts failed, as it was logged. */
  #saidUnreachable = ''

  /**
   * @internal
   * @param met the connection that a dynamic peer comes of
   * @throws {TypeError | RangeError} an option that cannot work
   */
  constructor(given: PeerOptions, surroundings: PeerSurroundings, met?: BfdMeeting) {
    super()
    const options = checkPeerOptions(given, surroundings.defaults)
    if (!met) surroundings.checkVacant(options)
    this.#isDynamic = met !== undefined
    this.#given = given
    this.#options = options
    this.#surroundings = surroundings
    this.#log = new PeerLog(surroundings.log, options.name)
    this.#messages = new PeerMessages(this.#log, {
      isListening: () => this.listenerCount('message') > 0,
      message: (direction, octets) => this.emit('message', direction, octets),
      notification: (direction, details) => this.emit('notification', direction, details),
    })
    this.#driver = new PeerDriver({
      session: options.session,
      clock: surroundings.clock,
      dial: signal => this.#dial(signal),
      handlers: {
        transition: (to, from, cause, ended) => this.#transition(to, from, cause, ended),
        update: octets => this.#updates(octets),
        routeRefresh: message => this.#routeRefresh(message),
        sent: message => this.#messages.sent(message),
        received: message => this.#messages.received(message),
        octets: (direction, octets) => this.#messages.octets(direction, octets),
        unanswered: () => this.#unanswered(),
        writable: () => this.#routes.outbound.flush(),
        awaitsBfd: () => this.#log.info({ state: this.bfdState }, 'BGP waits for BFD'),
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
    this.#bfd = this.#openBfd(options, met)
    // Last of all: it may look for a neighbour from now on.
    this.#link = new PeerLink(
      options,
      { ...surroundings, log: this.#log },
      {
        reachable: () => this.#driver.start(),
        found: address => this.#bfd.found(address),
      },
    )
  }

  /** For logs and metrics. */
  get name(): string {
    return this.#options.name
  }

  /** In canonical text, without zone; empty for a peer on an interface while it has not been found. */
  get address(): string {
    return this.#driver.connection?.remoteAddress ?? this.#link.address
  }

  /** @internal As its options say; empty for a peer on an interface. */
  get configuredAddress(): string {
    return this.#options.address
  }

  /** @internal Its options, for as long as no other peer may be where it is. */
  get occupies(): CheckedPeerOptions | undefined {
    return this.#closing || this.#isDynamic ? undefined : this.#options
  }

  /** The interface of an unnumbered peer. */
  get interface(): string | undefined {
    return this.#options.interface
  }

  /** TCP port of the peer that we connect to. */
  get port(): number {
    return this.#options.port
  }

  /** AS number that the peer must have; see {@link negotiated} for the one it has. */
  get asn(): RemoteAs {
    return this.#options.session.remoteAs
  }

  /** RFC 4271 section 8.2.2. */
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

  /** Our TCP port on the Established session. */
  get localPort(): number | undefined {
    return this.#driver.connection?.localPort
  }

  /** The peer's TCP port on the Established session. */
  get remotePort(): number | undefined {
    return this.#driver.connection?.remotePort
  }

  /** State of the BFD session with the peer, RFC 5880 section 6.2; `undefined` without one. */
  get bfdState(): BfdState | undefined {
    return this.#bfd.state
  }

  /** Whether the session waits for BFD in OpenSent: strict mode, draft-ietf-idr-bgp-bfd-strict-mode section 8.1. */
  get bfdSubState(): BfdSubState | undefined {
    return this.#driver.bfdSubState
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
      ...this.#messages.counter.read(),
      prefixesAnnounced: this.#routes.outbound.announced,
      prefixesPending: this.#routes.outbound.wanted,
      prefixesReceived: this.#routes.adjRibIn.size(),
      connectRetryCounter: this.#driver.connectRetryCounter,
      bfdNotifications: this.#bfd.notifications,
    }
  }

  /**
   * Replaces all routes that this peer is told of beside those of `speaker.announce`. Only the difference is sent, now and
   * on later sessions. Of two routes with one prefix and Path Identifier the last counts.
   *
   * @throws {TypeError | RangeError} a route that cannot be sent; the message begins with its place and the field, and nothing is changed
   * then
   */
  setRoutes(routes: readonly Route[]): void {
    this.#routes.setRoutes(parseRoutes(routes))
  }

  /**
   * Announces a route to this peer alone, in the place of an earlier one with the same prefix and Path Identifier.
   *
   * @throws {TypeError | RangeError} a route that cannot be sent; the message begins with the field's name
   */
  announce(route: Route): void {
    this.#routes.own.set(parseRoute(route))
  }

  /** Takes back what {@link announce} or {@link setRoutes} announced. @throws {TypeError | RangeError} not a prefix, or not a number */
  withdraw(prefix: string, pathId = 0): void {
    const { family, nlri } = parseWithdrawn(prefix, pathId)
    this.#routes.withdraw(family, nlri, pathId)
  }

  /** The Adj-RIB-In, RFC 4271 section 3.2: what the peer has announced, before policy. Read it before anything else happens. */
  adjRibIn(): IterableIterator<ReceivedRoute> {
    return receivedRoutes(this.#surroundings.rib, this.#routes.adjRibIn)
  }

  /** The Adj-RIB-Out, RFC 4271 section 3.2: what the peer was told in this session, as it was sent. Read it before anything else happens. */
  adjRibOut(): IterableIterator<AnnouncedRoute> {
    return announcedRoutes(this.#surroundings.rib, this.#routes.outbound)
  }

  /**
   * Asks the peer to announce its prefixes of a family again, RFC 2918.
   *
   * @returns whether it was asked: the session is Established, carries the family, and the peer has the capability
   * @throws {TypeError | RangeError} not a family
   */
  requestRefresh(family: FamilyName): boolean {
    familyKind('family', family)
    const { connection, negotiated } = this.#driver
    if (!connection || !negotiated?.routeRefresh || !negotiated.families.includes(family)) return false
    this.#driver.send({ type: 'route-refresh', ...familyOf(family), subtype: 0 })
    return true
  }

  /**
   * Other options in the place of all those before. Those that the protocol can carry on a running session are applied to it; for the others
   * the session ends with Cease, Other Configuration Change (RFC 4486), and comes back. That another peer has the address and port is no
   * fault here, for it may be about to move.
   *
   * @returns what has changed, see {@link diffPeerOptions}
   * @throws {TypeError | RangeError} an option that cannot work, or an unknown one; the message begins with its name, and nothing is
   * changed then
   * @throws {BgpSocketError} an option needs `@typemetal/sockets`, which is not installed
   */
  change(options: PeerOptions): readonly PeerOptionChange[] {
    const checked = checkPeerOptions(options, this.#surroundings.defaults)
    const changes = diffPeerOptions(this.#given, options)
    if (changes.length === 0) return changes
    // It may refuse.
    this.#bfd.change(checked)
    const resets = changes.some(({ effect }) => effect === 'reset')
    if (resets) this.#end(createCease(CeaseSubcode.OtherConfigurationChange), changes.some(isAnotherPeer))
    this.#given = options
    this.#options = checked
    this.#log.rename(checked.name)
    this.#driver.change(checked.session)
    this.#changeLink(checked)
    if (this.#routes.change(checked)) this.#refreshAll()
    this.#log.info({ changes: changes.map(({ field, effect }) => `${field}: ${effect}`) }, 'options changed')
    return changes
  }

  /**
   * Ends the session with Cease, Administrative Reset (RFC 4486), and lets it come back; a peer that is idle is tried at once. Where both
   * sides keep routes through NOTIFICATIONs (RFC 8538) they do, unless it is `hard`.
   *
   * @throws {TypeError | RangeError} an option that cannot be; nothing happens then
   */
  reset(options: ResetOptions = {}): void {
    checkResetOptions(options)
    const { subcode = CeaseSubcode.AdministrativeReset, communication, hard = false } = options
    if (this.#closing) return
    const cease = createCease(subcode, communication)
    if (this.state === 'Idle') this.#driver.start()
    else this.#end(hard && this.negotiated?.gracefulRestart?.notification ? createHardReset(cease) : cease, false)
  }

  /**
   * Ends the peer for good, with Cease where a session stands. Safe to call twice.
   *
   * @returns settles when its sockets are closed
   * @throws {TypeError | RangeError} an option that cannot be; it goes on then
   */
  close(options: CloseOptions = {}): Promise<void> {
    checkCloseOptions(options)
    this.#closing ??= this.#close(options)
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
  accept(incoming: Incoming, refuse: (socket: Socket) => void): void {
    this.#link.met(incoming.remote)
    this.#bfd.met(incoming)
    this.#driver.accept(incoming.socket, refuse)
  }

  /** @internal Whether a connection that has come in can be this peer's. */
  isFrom(incoming: Incoming): boolean {
    return !this.#closing && this.#link.isFrom(incoming)
  }

  /** @internal What it needs of the listening socket. */
  get terms(): ListenTerms {
    return this.#link.terms
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

  async #close({
    subcode = CeaseSubcode.PeerDeconfigured,
    communication,
    gracefulRestart,
  }: CloseOptions): Promise<void> {
    const leaves = gracefulRestart && this.#isKept
    await (leaves ? this.#driver.leave() : this.#driver.stop(createCease(subcode, communication)))
    // The peer hears of AdminDown, after which the end of BFD is no failure.
    this.#bfd.close()
    await this.#link.close()
    this.#routes.close()
    this.#surroundings.closed(this)
  }

  #openBfd(options: CheckedPeerOptions, met?: BfdMeeting): PeerBfd {
    const { defaults, interfaces } = this.#surroundings
    const bfd = new PeerBfd(
      options,
      {
        source: defaults.bfd,
        interfaces,
        log: this.#log,
        sessions: this.#driver,
        situation: () => ({ state: this.state, restarting: this.#routes.isPeerRestarting }),
        // The end of an Established session has done it already.
        forget: () => this.state !== 'Established' && this.#routes.down('hard-reset'),
      },
      met,
    )
    try {
      bfd.open()
    } catch (error) {
      this.#routes.close()
      throw error
    }
    return bfd
  }

  /** Whether the peer keeps our routes while we are away, RFC 4724 section 4.2. */
  get #isKept(): boolean {
    const { families, gracefulRestart } = this.#options.session
    return this.negotiated?.gracefulRestart !== undefined && (gracefulRestart?.families ?? families).length > 0
  }

  /** Ends the session, which comes back. @param forGood nothing is kept for it: it is another peer */
  #end(cease: NotificationMessage, forGood: boolean): void {
    if (forGood) void this.#driver.stop(cease)
    else this.#driver.stopAutomatically(cease)
    if (forGood || !this.#options.session.automaticStart) this.#driver.start()
  }

  #changeLink(options: CheckedPeerOptions): void {
    const { terms } = this.#link
    const { before, after } = this.#link.change(options)
    this.#surroundings.optionsChanged(this, terms)
    this.#driver
      .changeLink(before, after)
      .catch((error: Error) => this.#log.error({ error: error.message }, 'cannot change a connection that stands'))
  }

  /** Its routes were not kept, and are wanted now. */
  #refreshAll(): void {
    const families = this.negotiated?.families ?? []
    const missing = families.filter(family => !this.requestRefresh(family))
    if (missing.length > 0) this.#log.warn({ families: missing }, 'routes come with the next session: no ROUTE-REFRESH')
  }

  /** Says why the peer cannot be reached, once for as long as it stays the reason. */
  async #dial(signal: AbortSignal): Promise<Socket> {
    try {
      return await this.#link.dial(signal)
    } catch (error) {
      const { message } = error as Error
      if (!signal.aborted && message !== this.#saidUnreachable) {
        this.#saidUnreachable = message
        this.#log.warn({ reason: message }, 'peer cannot be reached')
      }
      throw error
    }
  }

  #transition(to: State, from: State, cause: string, ended: SessionEnd | undefined): void {
    this.#saidUnanswered = false
    if (from === 'Established') this.#routes.down(ended ?? 'tcp')
    const { connection, negotiated } = this.#driver
    this.#surroundings.transition(this, to, negotiated)
    if (to === 'Established' && connection && negotiated) {
      this.#saidUnreachable = ''
      this.#routes.up(connection, negotiated, this.#link.interface, this.#messages.sinkOf(connection))
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

  #updates(octets: Uint8Array): void {
    this.#messages.octets('received', octets)
    try {
      this.#messages.counter.received('update', this.#routes.receive(octets))
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.#messages.counter.received('update')
      this.#driver.updateFailed(error)
    }
  }

  #endOfRib(family: FamilyName): void {
    this.#surroundings.endOfRib(this, family)
    this.emit('endOfRib', family)
  }

  #tooMany(family: FamilyName | 'all', limit: number): void {
    const { maximumPrefixesAction, maximumPrefixesIdleTime } = this.#options.routing
    this.#log.warn({ family, limit }, 'more prefixes than allowed')
    if (maximumPrefixesAction === 'warn') return
    this.#driver.stopAutomatically(maximumPrefixesCease(family, limit), maximumPrefixesIdleTime)
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
}

/** Options that make it another peer: nothing of the one before is kept. */
const isAnotherPeer = ({ field }: PeerOptionChange): boolean => ['address', 'interface', 'asn'].includes(field)
