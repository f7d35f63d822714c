import { openAsn, WireError, type NotificationMessage, type OpenMessage } from '../wire/index.js'
import { collisionSurvivor } from './collision.js'
import type { BfdCondition, BfdEvent, BfdSubState } from './bfd.js'
import type { SessionAction, SessionEnd, SessionEvent, State } from './events.js'
import { userTimeout } from './liveness.js'
import { PeerMemory } from './memory.js'
import { negotiate, type Negotiated } from './negotiate.js'
import { localAs } from './open.js'
import { checkSessionOptions, type CheckedSessionOptions, type SessionOptions } from './options.js'
import { Session } from './session.js'
import type { Instant, Seconds } from './timers.js'

/** Names one FSM of a peering, and with it the TCP connection it has or tries to get. */
export type ConnectionId = number

/** What the owner of a peering must do, in the order given. A transition is one of the peering as a whole. */
export type PeeringAction = SessionAction & { readonly connection: ConnectionId }

/** What became of an incoming connection. */
export interface Acceptance {
  /** The FSM that takes the connection; `undefined` when it must be refused with Cease. */
  readonly connection: ConnectionId | undefined
  readonly actions: readonly PeeringAction[]
}

/** One FSM and its name. */
interface Line {
  readonly connection: ConnectionId
  readonly session: Session
}

/**
 * An OPEN that comes so soon after a session was Established, in milliseconds, is of a connection that lost the collision, its
 * Cease on the way. A peer that has restarted within this time comes again.
 */
const COLLISION_PATIENCE: Instant = 5000

const isOpening = (state: State): boolean => state === 'OpenSent' || state === 'OpenConfirm'

/**
 * One configured peer: its FSM, and for as long as two connections collide a second one for the incoming connection
 * (RFC 4271 sections 6.8 and 8.2.1). Reads no clock and opens no socket.
 *
 * Beside an Established session a further connection is refused, unless CollisionDetectEstablishedState lets the two collide or
 * graceful restart was agreed on: then the peer must have restarted unnoticed, and its OPEN ends the old session in silence (RFC 4724
 * section 4.2). Not the connection by itself does, as the RFC has it, nor an OPEN in the first seconds: one that lost a collision may still
 * be on its way.
 */
export class Peering {
  #options: CheckedSessionOptions
  readonly #memory: PeerMemory
  #primary: Line
  #second: Line | undefined
  #lastConnection: ConnectionId = 0
  /** State of the peering that was last told. */
  #state: State = 'Idle'
  #actions: PeeringAction[] = []

  /** @throws {RangeError} an option has a value that the RFC does not allow */
  constructor(options: SessionOptions) {
    this.#options = checkSessionOptions(options)
    this.#memory = new PeerMemory(this.#options)
    this.#primary = this.#createLine()
  }

  /** State of the connection that counts, RFC 4271 section 8.2.2: the one that was last told in a `transition`. */
  get state(): State {
    return this.#state
  }

  /** What the session agreed on; `undefined` unless it is in OpenConfirm or Established. */
  get negotiated(): Negotiated | undefined {
    return this.#primary.session.negotiated
  }

  /** How long TCP may go without getting anything through to the peer; 0 for as long as the kernel likes. See {@link userTimeout}. */
  get userTimeout(): Seconds {
    return userTimeout(this.negotiated?.holdTime ?? 0, this.#options)
  }

  /** ConnectRetryCounter of RFC 4271 section 8. */
  get connectRetryCounter(): number {
    return this.#memory.connectRetryCounter
  }

  /** Whether our OPENs say that we have restarted and hold back our routes, RFC 4724 section 4.1. */
  get restarting(): boolean {
    return this.#memory.restarting
  }

  /** Setting it to `true` says too that packets were forwarded on meanwhile. */
  set restarting(restarting: boolean) {
    this.#memory.restarting = restarting
    if (restarting) this.#memory.forwardingPreserved = true
  }

  /** Whether the connection that counts waits for BFD, draft-ietf-idr-bgp-bfd-strict-mode section 8.1. */
  get bfdSubState(): BfdSubState | undefined {
    return this.#primary.session.bfdSubState
  }

  /** What BFD says of the path; setting it is no event: nothing follows for the sessions that there are. @default 'Down' */
  get bfd(): BfdCondition {
    return this.#memory.bfd
  }

  /** No event: nothing follows for the sessions that there are. */
  set bfd(condition: BfdCondition) {
    this.#memory.bfd = condition
  }

  /** When {@link handleTimeout} is next due; `undefined` while no timer runs. */
  get nextTimeout(): Instant | undefined {
    const first = this.#primary.session.nextTimeout
    const second = this.#second?.session.nextTimeout
    if (first === undefined || second === undefined) return first ?? second
    return Math.min(first, second)
  }

  /** ManualStart, or its passive form where the options say so. */
  start(now: Instant): readonly PeeringAction[] {
    const type = this.#options.passive ? 'ManualStart_with_PassiveTcpEstablishment' : 'ManualStart'
    return this.#collect(() => this.#drive(this.#primary, { type }, now))
  }

  /** ManualStop of all connections; `cease` is the NOTIFICATION to part with. */
  stop(now: Instant, cease?: NotificationMessage): readonly PeeringAction[] {
    const event: SessionEvent = { type: 'ManualStop', ...(cease && { cease }) }
    return this.#collect(() => {
      if (this.#second) this.#drive(this.#second, event, now)
      this.#second = undefined
      this.#drive(this.#primary, event, now)
    })
  }

  /**
   * AutomaticStop of the session: we end it ourselves, such as for too many prefixes.
   *
   * @param cease the NOTIFICATION to part with
   * @param idleHoldTime start again no sooner than that; Infinity: not before {@link start}. By default as after any failure
   */
  stopAutomatically(now: Instant, cease: NotificationMessage, idleHoldTime?: Seconds): readonly PeeringAction[] {
    const event: SessionEvent = { type: 'AutomaticStop', cease, ...(idleHoldTime !== undefined && { idleHoldTime }) }
    return this.#collect(() => {
      if (this.#second) this.#dropSecond(this.#second, now)
      this.#drive(this.#primary, event, now)
    })
  }

  /**
   * Other options from now on. A session that stands goes on: timers follow at their next start, what our OPEN says with the next OPEN.
   *
   * @throws {RangeError} an option has a value that the RFC does not allow; nothing is changed then
   */
  change(options: SessionOptions, now: Instant): void {
    this.#options = checkSessionOptions(options)
    this.#memory.change(this.#options)
    this.#primary.session.change(this.#options, now)
    this.#second?.session.change(this.#options, now)
  }

  /** A connection from the peer has come in. */
  accept(now: Instant): Acceptance {
    let line: Line | undefined
    const actions = this.#collect(() => {
      line = this.#lineForIncoming(now)
      if (line) this.#deliver(line, { type: 'TcpConnectionConfirmed' }, now)
    })
    return { connection: line?.connection, actions }
  }

  /** Something happened to the connection; unknown ones are ignored, for they were closed. */
  handle(connection: ConnectionId, event: SessionEvent, now: Instant): readonly PeeringAction[] {
    const line = this.#line(connection)
    if (!line) return []
    return this.#collect(() => {
      if (event.type === 'BGPOpen') this.#handleOpen(line, event.open, now)
      else this.#deliver(line, event, now)
    })
  }

  /** What BFD says from now on, which concerns all connections (RFC 5882 section 3). */
  bfdChanged(event: BfdEvent, now: Instant): readonly PeeringAction[] {
    return this.#collect(() => {
      for (const line of [this.#second, this.#primary])
        if (line && this.#line(line.connection)) this.#deliver(line, event, now)
    })
  }

  /** Fires the timers that are due at `now`. */
  handleTimeout(now: Instant): readonly PeeringAction[] {
    return this.#collect(() => {
      for (const line of [this.#primary, this.#second]) {
        if (!line) continue
        this.#forward(line, line.session.handleTimeout(now))
        this.#settle(now)
      }
    })
  }

  #createLine(): Line {
    return { connection: ++this.#lastConnection, session: new Session(this.#options, this.#memory) }
  }

  #line(connection: ConnectionId): Line | undefined {
    if (this.#primary.connection === connection) return this.#primary
    return this.#second?.connection === connection ? this.#second : undefined
  }

  #collect(run: () => void): readonly PeeringAction[] {
    this.#actions = []
    run()
    return this.#actions
  }

  /** The FSM that takes an incoming connection, made if need be; RFC 4271 section 8.2.1 allows one beside the configured one. */
  #lineForIncoming(now: Instant): Line | undefined {
    const { session } = this.#primary
    if (session.awaitsConnection) {
      this.#drive(this.#primary, { type: 'AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment' }, now)
    }
    if (session.state === 'Active' && !session.initiator) return this.#primary
    if (session.state === 'Idle' || this.#second) return undefined
    if (session.state === 'Established' && !this.#mayCollide(session)) return undefined
    this.#second = this.#createLine()
    this.#drive(this.#second, { type: 'AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment' }, now)
    return this.#second
  }

  /** Whether a new connection can end an Established session. */
  #mayCollide(session: Session): boolean {
    return this.#options.collisionDetectEstablishedState || this.#restartsGracefully(session)
  }

  /** RFC 4724 section 5: the capability was received with one family at least. */
  #restartsGracefully(session: Session): boolean {
    return (session.negotiated?.gracefulRestart?.families.length ?? 0) > 0
  }

  #deliver(line: Line, event: SessionEvent, now: Instant): void {
    this.#drive(line, event, now)
    this.#settle(now)
  }

  #drive(line: Line, event: SessionEvent, now: Instant): void {
    this.#forward(line, line.session.handle(event, now))
  }

  /** Passes actions on; transitions of the second FSM stay untold until it takes the first one's place. */
  #forward({ connection }: Line, actions: readonly SessionAction[]): void {
    for (const action of actions) {
      if (action.type !== 'transition') this.#actions.push({ ...action, connection })
      else if (connection === this.#primary.connection) this.#tell(action.to, action.cause, action.ended)
    }
  }

  #tell(to: State, cause: string, ended: SessionEnd = 'notification'): void {
    const from = this.#state
    if (to === from) return
    const { connection } = this.#primary
    const end = from === 'Established' && { ended }
    this.#actions.push({ type: 'transition', from, to, cause, connection, ...end })
    this.#state = to
  }

  /** RFC 4271 section 6.8: an OPEN that could stand decides between the connection it came on and the other one. */
  #handleOpen(line: Line, open: OpenMessage, now: Instant): void {
    const other = line === this.#primary ? this.#second : this.#primary
    if (other && this.#collides(other.session) && this.#isAcceptable(open)) {
      if (this.#hasRestarted(other.session, now)) this.#replacePrimary(line, 'peer has restarted', now, 'tcp')
      else if (this.#resolve(line, other, open, now) === line) return
    }
    this.#deliver(line, { type: 'BGPOpen', open }, now)
  }

  /** Whether a new OPEN of the peer means that it knows nothing of the session any more. */
  #hasRestarted(session: Session, now: Instant): boolean {
    if (session.state !== 'Established' || !this.#restartsGracefully(session)) return false
    return now - (session.establishedAt ?? now) >= COLLISION_PATIENCE
  }

  #collides({ state }: Session): boolean {
    return isOpening(state) || (state === 'Established' && this.#second !== undefined)
  }

  /** @returns the line that has to go, and has gone */
  #resolve(line: Line, other: Line, open: OpenMessage, now: Instant): Line {
    const loser = this.#loser(line, other, open)
    if (loser === this.#second) this.#dropSecond(loser, now)
    else this.#replacePrimary(loser === line ? other : line, 'collision resolved', now)
    return loser
  }

  /** Of two connections that the peer opened it has given up the older one; RFC 4271 knows no such collision. */
  #loser(line: Line, other: Line, open: OpenMessage): Line {
    if (other.session.state === 'Established' && !this.#options.collisionDetectEstablishedState) return line
    if (line.session.initiator === other.session.initiator) return other
    const remote = { bgpIdentifier: open.bgpIdentifier, asn: openAsn(open) }
    const { bgpIdentifier, remoteAs } = this.#options
    const local = { bgpIdentifier, asn: localAs(this.#options, remoteAs) }
    return line.session.initiator === collisionSurvivor(local, remote) ? other : line
  }

  #isAcceptable(open: OpenMessage): boolean {
    try {
      negotiate(this.#options, open, this.#options.remoteAs)
      return true
    } catch (error) {
      if (error instanceof WireError) return false
      throw error
    }
  }

  /** After each event: one Established session ends the other one, and a second FSM without a connection is gone. */
  #settle(now: Instant): void {
    const second = this.#second
    if (!second) return
    if (second.session.state === 'Established') this.#replacePrimary(second, 'KeepAliveMsg', now)
    else if (this.#primary.session.state === 'Established' && !this.#mayCollide(this.#primary.session)) {
      this.#dropSecond(second, now)
    } else if (!second.session.initiator) this.#dropSecond(second, now)
    else if (!this.#isAlive(this.#primary.session)) this.#replacePrimary(second, 'other connection ended', now)
  }

  /** It has a connection, or is about to get one. */
  #isAlive(session: Session): boolean {
    return session.initiator !== undefined || session.state === 'Connect'
  }

  #dropSecond(second: Line, now: Instant): void {
    this.#second = undefined
    this.#forward(second, second.session.abandon(now))
  }

  /** @param ended how the first one's session ended, if it was Established: `tcp` is a dead connection, which is told nothing */
  #replacePrimary(by: Line, cause: string, now: Instant, ended?: SessionEnd): void {
    const old = this.#primary
    this.#primary = by
    this.#second = undefined
    this.#forward(old, old.session.abandon(now, ended === 'tcp' ? 'silently' : undefined))
    this.#tell(by.session.state, cause, ended)
  }
}
