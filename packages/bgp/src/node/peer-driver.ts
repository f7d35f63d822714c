import type { Socket } from 'node:net'
import {
  errorEvent,
  messageEvent,
  Peering,
  receiveContext,
  updateEvent,
  type BfdCondition,
  type BfdEvent,
  type BfdSubState,
  type ConnectionId,
  type ControlMessage,
  type Instant,
  type Negotiated,
  type PeeringAction,
  type Seconds,
  type SessionEnd,
  type SessionEvent,
  type SessionOptions,
  type State,
} from '../fsm/index.js'
import { encodeMessage, type NotificationMessage, type RouteRefreshMessage, type WireError } from '../wire/index.js'
import type { Clock } from './clock.js'
import { Connection } from './connection.js'
import type { LiveLink } from './dial.js'

/** What the driver tells the peer it drives. */
export interface PeerDriverHandlers {
  /** @param ended how a session that was Established has ended */
  transition(to: State, from: State, cause: string, ended: SessionEnd | undefined): void
  /** UPDATE messages back to back; a fault that resets the session goes to {@link PeerDriver.updateFailed}. */
  update(octets: Uint8Array): void
  routeRefresh(message: RouteRefreshMessage): void
  sent(message: ControlMessage): void
  /** Octets of messages that are no UPDATEs, as they are on the wire. */
  octets(direction: 'sent' | 'received', octets: Uint8Array): void
  received(message: ControlMessage): void
  /** An attempt to connect was given up because the next one is due. */
  unanswered(): void
  /** The Established connection takes UPDATEs again after {@link PeerDriver.isBlocked}. */
  writable(): void
  /** The OPEN messages are exchanged, and nothing goes on before BFD is Up. */
  awaitsBfd(): void
}

export interface PeerDriverOptions {
  readonly session: SessionOptions
  readonly clock: Clock
  readonly dial: (signal: AbortSignal) => Promise<Socket>
  readonly handlers: PeerDriverHandlers
}

/** An attempt to open a connection. */
interface Attempt {
  give(up: Error): void
}

const isConnection = (link: Connection | Attempt | undefined): link is Connection => link instanceof Connection

/**
 * Carries out what a {@link Peering} decides: dials, sends, closes, keeps one timer for it, and turns what the sockets say
 * into its events. Decides nothing.
 */
export class PeerDriver {
  readonly #peering: Peering
  readonly #clock: Clock
  readonly #dial: PeerDriverOptions['dial']
  readonly #handlers: PeerDriverHandlers
  readonly #links = new Map<ConnectionId, Connection | Attempt>()
  readonly #closing = new Set<Promise<void>>()
  readonly #waiting: (() => readonly PeeringAction[])[] = []
  #running = false
  #established: Connection | undefined
  #armedFor: Instant | undefined
  #disarm = (): void => {}

  /** @throws {RangeError} an option of the session has a value that the RFC does not allow */
  constructor({ session, clock, dial, handlers }: PeerDriverOptions) {
    this.#peering = new Peering(session)
    this.#clock = clock
    this.#dial = dial
    this.#handlers = handlers
  }

  get state(): State {
    return this.#peering.state
  }

  get negotiated(): Negotiated | undefined {
    return this.#peering.negotiated
  }

  get connectRetryCounter(): number {
    return this.#peering.connectRetryCounter
  }

  /** The connection of the Established session. */
  get connection(): Connection | undefined {
    return this.#established
  }

  /** Whether our OPENs say that we have restarted, RFC 4724 section 4.1. */
  set restarting(restarting: boolean) {
    this.#peering.restarting = restarting
  }

  /** What BFD says of the path; setting it is no event. */
  get bfd(): BfdCondition {
    return this.#peering.bfd
  }

  set bfd(condition: BfdCondition) {
    this.#peering.bfd = condition
  }

  /** Whether the session waits for BFD, draft-ietf-idr-bgp-bfd-strict-mode section 8.1. */
  get bfdSubState(): BfdSubState | undefined {
    return this.#peering.bfdSubState
  }

  /** BFD says something else of the path from now on. */
  bfdChanged(event: BfdEvent): void {
    this.#run(() => this.#peering.bfdChanged(event, this.#clock.now()))
  }

  /** Ignored unless it is Idle; then it dials at once, or listens. */
  start(): void {
    this.#run(() => this.#peering.start(this.#clock.now()))
  }

  /**
   * Other options from now on; what the OPEN messages settle holds from the next session.
   *
   * @throws {RangeError} an option of the session has a value that the RFC does not allow; nothing is changed then
   */
  change(session: SessionOptions): void {
    this.#peering.change(session, this.#clock.now())
    this.#established?.limit(this.#peering.userTimeout)
    this.#arm()
  }

  /** Changes what can be changed on all connections that stand; see {@link changeLink}. */
  async changeLink(before: LiveLink, after: LiveLink): Promise<void> {
    const connections = [...this.#links.values()].filter(isConnection)
    await Promise.all(connections.map(connection => connection.change(before, after)))
  }

  /** @returns settles when all connections are closed, at the latest after two seconds */
  async stop(cease?: NotificationMessage): Promise<void> {
    this.#run(() => this.#peering.stop(this.#clock.now(), cease))
    await Promise.all(this.#closing)
  }

  /** As {@link stop}, but without a word: TCP just closes, as when the process ends (RFC 4724 section 4). */
  async leave(): Promise<void> {
    this.#run(() => this.#peering.stop(this.#clock.now()).filter(({ type }) => type !== 'send'))
    await Promise.all(this.#closing)
  }

  /**
   * Ends the session with this NOTIFICATION; it starts again by itself, as after a failure.
   *
   * @param idleHoldTime no sooner than that; Infinity: not before {@link start}
   */
  stopAutomatically(cease: NotificationMessage, idleHoldTime?: Seconds): void {
    this.#run(() => this.#peering.stopAutomatically(this.#clock.now(), cease, idleHoldTime))
  }

  /** Sends a message on the Established connection. */
  send(message: ControlMessage): void {
    this.#sendOn(this.#established, message)
  }

  /** An UPDATE of the Established session breaks a MUST: the session is reset. */
  updateFailed(error: WireError): void {
    for (const [id, link] of this.#links) {
      if (link === this.#established) this.#happened(id, { type: 'UpdateMsgErr', error })
    }
  }

  /** Takes a connection from the peer, or has it refused. */
  accept(socket: Socket, refuse: (socket: Socket) => void): void {
    this.#run(() => {
      const { connection, actions } = this.#peering.accept(this.#clock.now())
      if (connection === undefined) refuse(socket)
      else this.#links.set(connection, this.#connect(connection, socket))
      return actions
    })
  }

  /**
   * Runs to completion, one event after the other: a listener that calls back into the peer does not run inside the
   * actions of the event that it listens to.
   */
  #run(decide: () => readonly PeeringAction[]): void {
    this.#waiting.push(decide)
    if (this.#running) return
    this.#running = true
    try {
      for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
        for (const action of next()) this.#perform(action)
      }
    } finally {
      this.#running = false
      this.#arm()
    }
  }

  #happened(connection: ConnectionId, event: SessionEvent): void {
    this.#run(() => this.#peering.handle(connection, event, this.#clock.now()))
  }

  /** One timer for all; one that fires early finds nothing due and is set again. */
  #arm(): void {
    const next = this.#peering.nextTimeout
    if (next !== undefined && this.#armedFor !== undefined && this.#armedFor <= next) return
    this.#disarm()
    this.#armedFor = next
    if (next === undefined) return
    this.#disarm = this.#clock.after(Math.ceil(next - this.#clock.now()), () => {
      this.#armedFor = undefined
      this.#run(() => this.#peering.handleTimeout(this.#clock.now()))
    })
  }

  #perform(action: PeeringAction): void {
    switch (action.type) {
      case 'connect':
        if (this.#links.has(action.connection)) this.#handlers.unanswered()
        this.#close(action.connection)
        void this.#attempt(action.connection)
        break
      case 'close':
        this.#close(action.connection)
        break
      case 'send':
        this.#sendOn(this.#links.get(action.connection), action.message)
        break
      case 'transition':
        this.#transition(action)
        break
      case 'update':
        this.#handlers.update(action.octets)
        break
      case 'route-refresh':
        this.#handlers.routeRefresh(action.message)
        break
      case 'await-bfd':
        this.#handlers.awaitsBfd()
        break
      default:
        action satisfies never // a new action fails to compile here
    }
  }

  #sendOn(link: Connection | Attempt | undefined, message: ControlMessage): void {
    if (!isConnection(link)) return
    this.#handlers.sent(message)
    const octets = encodeMessage(message, link.context)
    this.#handlers.octets('sent', octets)
    link.write(octets)
  }

  #transition({ connection, from, to, cause, ended }: PeeringAction & { readonly type: 'transition' }): void {
    const link = this.#links.get(connection)
    const negotiated = this.#peering.negotiated
    this.#established = to === 'Established' && isConnection(link) ? link : undefined
    if (this.#established && negotiated) {
      this.#established.context = receiveContext(negotiated)
      this.#established.limit(this.#peering.userTimeout)
    }
    this.#handlers.transition(to, from, cause, ended)
  }

  #close(connection: ConnectionId): void {
    const link = this.#links.get(connection)
    this.#links.delete(connection)
    if (!isConnection(link)) {
      link?.give(new Error('given up'))
      return
    }
    const closed = link.end()
    this.#closing.add(closed)
    void closed.finally(() => this.#closing.delete(closed))
  }

  async #attempt(connection: ConnectionId): Promise<void> {
    const controller = new AbortController()
    const attempt: Attempt = { give: up => controller.abort(up) }
    this.#links.set(connection, attempt)
    const { socket, reason } = await this.#dialOut(controller.signal)
    if (this.#links.get(connection) !== attempt) socket?.destroy()
    else if (socket) this.#reached(connection, socket)
    else this.#unreachable(connection, reason)
  }

  async #dialOut(signal: AbortSignal): Promise<{ socket?: Socket; reason: string }> {
    try {
      return { socket: await this.#dial(signal), reason: '' }
    } catch (error) {
      return { reason: (error as Error).message }
    }
  }

  #reached(connection: ConnectionId, socket: Socket): void {
    this.#links.set(connection, this.#connect(connection, socket))
    this.#happened(connection, { type: 'Tcp_CR_Acked' })
  }

  #unreachable(connection: ConnectionId, reason: string): void {
    this.#links.delete(connection)
    this.#happened(connection, { type: 'TcpConnectionFails', reason })
  }

  #connect(id: ConnectionId, socket: Socket): Connection {
    return new Connection(socket, this.#clock, {
      message: (message, octets) => {
        this.#handlers.received(message)
        this.#handlers.octets('received', octets)
        this.#happened(id, messageEvent(message))
      },
      updates: octets => this.#happened(id, updateEvent(octets)),
      malformed: error => this.#happened(id, errorEvent(error)),
      failed: reason => {
        this.#links.delete(id)
        this.#happened(id, { type: 'TcpConnectionFails', reason })
      },
      progress: pending => this.#happened(id, { type: 'TcpSendProgress', pending }),
      drained: () => this.#handlers.writable(),
    })
  }
}
