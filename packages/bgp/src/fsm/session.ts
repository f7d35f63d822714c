import { createCease, ErrorCode, WireError, type NotificationMessage, type OpenMessage } from '../wire/index.js'
import { Damping } from './damping.js'
import {
  describeEvent,
  type ControlMessage,
  type SessionAction,
  type SessionEvent,
  type SessionEventType,
  type State,
} from './events.js'
import { createOpen, negotiate, type Negotiated } from './negotiate.js'
import { checkSessionOptions, type CheckedSessionOptions, type SessionOptions } from './options.js'
import { Timers, type Instant, type Seconds, type TimerName } from './timers.js'

type EventOf<T extends SessionEventType> = SessionEvent & { readonly type: T }
type Cell<T extends SessionEventType> = (s: Session, event: EventOf<T>, now: Instant) => void
type Row = { readonly [T in SessionEventType]?: Cell<T> }
type AnyCell = (s: Session, event: SessionEvent, now: Instant) => void

/** FSM Error subcode for an event without a cell, RFC 6608 section 3; the earlier states drop to Idle in silence. */
const UNEXPECTED: { readonly [S in State]?: number } = { OpenSent: 1, OpenConfirm: 2, Established: 3 }
const NO_DATA = new Uint8Array(0)
const KEEPALIVE: ControlMessage = { type: 'keepalive' }

const ignore = (): void => {}
const START_IGNORED: Row = {
  ManualStart: ignore,
  AutomaticStart: ignore,
  ManualStart_with_PassiveTcpEstablishment: ignore,
  AutomaticStart_with_PassiveTcpEstablishment: ignore,
  AutomaticStart_with_DampPeerOscillations: ignore,
  AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment: ignore,
}

/** How a session goes to Idle. */
interface Fall {
  /** Count it in the ConnectRetryCounter. @default true */
  readonly count?: boolean
  /** Count it against the peer in the damping. @default true */
  readonly damp?: boolean
  /** Stay there until the next start: the operator wants it. @default false */
  readonly manual?: boolean
}

/**
 * One connection's FSM, RFC 4271 section 8. Reads no clock and opens no socket: same inputs, same actions.
 *
 * Where it departs from section 8.2.2, because other sections or all implementations do: a NOTIFICATION is never answered
 * by another one (OpenSent), a header error in Established is answered as section 6.1 says, a second OPEN on the same
 * connection is an FSM error, and a passive session never dials when its ConnectRetryTimer would expire.
 */
export class Session {
  static readonly #connecting: Row = {
    ...START_IGNORED,
    ManualStop: (s, e, now) => {
      if (s.#timers.isRunning('DelayOpenTimer')) s.#sendWithoutOpen(e.cease ?? createCease(2))
      s.#toIdle(e, now, { manual: true })
    },
    DelayOpenTimer_Expires: (s, e, now) => s.#sendOpen(e, now),
    TcpConnection_Valid: ignore,
    Tcp_CR_Invalid: ignore,
    Tcp_CR_Acked: (s, e, now) => s.#connectionUp('local', e, now),
    TcpConnectionConfirmed: (s, e, now) => s.#connectionUp('remote', e, now),
    BGPOpen_with_DelayOpenTimer_running: (s, e, now) => s.#acceptOpen(e, now, createOpen(s.#options)),
    BGPHeaderErr: (s, e, now) => s.#refuseWithoutOpen(e, now),
    BGPOpenMsgErr: (s, e, now) => s.#refuseWithoutOpen(e, now),
    NotifMsgVerErr: (s, e, now) => s.#toIdle(e, now, { count: !s.#timers.isRunning('DelayOpenTimer') }),
  }
  static readonly #online: Row = {
    ...START_IGNORED,
    ManualStop: (s, e, now) => s.#notify(e.cease ?? createCease(2), e, now, { manual: true }),
    AutomaticStop: (s, e, now) => s.#notify(e.cease ?? createCease(2), e, now),
    HoldTimer_Expires: (s, e, now) => s.#notify(notification(ErrorCode.HoldTimerExpired, 0), e, now),
    SendHoldTimer_Expires: (s, e, now) => s.#notify(notification(ErrorCode.SendHoldTimerExpired, 0), e, now),
    // A second connection of the same peer is tracked by the Peering, not here.
    TcpConnection_Valid: ignore,
    Tcp_CR_Invalid: ignore,
    Tcp_CR_Acked: ignore,
    TcpConnectionConfirmed: ignore,
    TcpConnectionFails: (s, e, now) => s.#toIdle(e, now),
    BGPHeaderErr: (s, e, now) => s.#refuse(e.error, e, now),
    OpenCollisionDump: (s, e, now) => s.#notify(createCease(7), e, now, { damp: false }),
    NotifMsg: (s, e, now) => s.#toIdle(e, now),
    NotifMsgVerErr: (s, e, now) => s.#toIdle(e, now, { count: false }),
  }
  static readonly #table: { readonly [S in State]: Row } = {
    Idle: {
      ManualStart: (s, e, now) => s.#start(e, now, true),
      AutomaticStart: (s, e, now) => s.#start(e, now, true),
      ManualStart_with_PassiveTcpEstablishment: (s, e, now) => s.#listen(e, now, true),
      AutomaticStart_with_PassiveTcpEstablishment: (s, e, now) => s.#listen(e, now, true),
      AutomaticStart_with_DampPeerOscillations: (s, e, now) => s.#start(e, now, false),
      AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment: (s, e, now) => s.#listen(e, now, false),
      ManualStop: s => s.#timers.stop('IdleHoldTimer'),
      IdleHoldTimer_Expires: (s, e, now) => (s.#options.passive ? s.#listen(e, now, false) : s.#start(e, now, false)),
    },
    Connect: {
      ...this.#connecting,
      ConnectRetryTimer_Expires: (s, _, now) => {
        s.#timers.stop('DelayOpenTimer')
        s.#dial(now)
      },
      TcpConnectionFails: (s, e, now) => {
        if (s.#timers.isRunning('DelayOpenTimer')) s.#toActive(e, now, s.#options.connectRetryTime)
        else s.#toIdle(e, now, { count: false })
      },
    },
    Active: {
      ...this.#connecting,
      ConnectRetryTimer_Expires: (s, e, now) => {
        s.#dial(now)
        s.#enter('Connect', e)
      },
      TcpConnectionFails: (s, e, now) => s.#toIdle(e, now),
    },
    OpenSent: {
      ...this.#online,
      TcpConnectionFails: (s, e, now) => s.#toActive(e, now, s.#damping.next()),
      BGPOpen: (s, e, now) => s.#acceptOpen(e, now),
      BGPOpenMsgErr: (s, e, now) => s.#refuse(e.error, e, now),
    },
    OpenConfirm: {
      ...this.#online,
      KeepaliveTimer_Expires: (s, _, now) => s.#sendKeepalive(now),
      BGPOpenMsgErr: (s, e, now) => s.#refuse(e.error, e, now),
      KeepAliveMsg: (s, e, now) => {
        s.#restartHold(now)
        s.#establishedAt = now
        s.#enter('Established', e)
      },
    },
    Established: {
      ...this.#online,
      KeepaliveTimer_Expires: (s, _, now) => s.#sendKeepalive(now),
      KeepAliveMsg: (s, _, now) => s.#restartHold(now),
      UpdateMsg: (s, e, now) => {
        s.#restartHold(now)
        s.#actions.push({ type: 'update', octets: e.octets })
      },
      UpdateMsgErr: (s, e, now) => s.#refuse(e.error, e, now),
      RouteRefreshMsg: (s, e, now) => {
        s.#restartHold(now)
        s.#actions.push({ type: 'route-refresh', message: e.message })
      },
    },
  }

  readonly #options: CheckedSessionOptions
  readonly #damping: Damping
  readonly #timers = new Timers()
  #state: State = 'Idle'
  #actions: SessionAction[] = []
  #initiator: 'local' | 'remote' | undefined
  #negotiated: Negotiated | undefined
  #establishedAt: Instant | undefined
  #connectRetryCounter = 0
  #unreachable = false

  /**
   * @param damping shared by the sessions of one peer
   * @throws {RangeError} an option has a value that the RFC does not allow
   */
  constructor(options: SessionOptions, damping?: Damping) {
    this.#options = checkSessionOptions(options)
    this.#damping = damping ?? new Damping(this.#options.connectRetryTime, this.#options.random)
  }

  get state(): State {
    return this.#state
  }

  /** Who opened the TCP connection; `undefined` while there is none. */
  get initiator(): 'local' | 'remote' | undefined {
    return this.#initiator
  }

  /** What the OPEN messages agreed on; set in OpenConfirm and Established. */
  get negotiated(): Negotiated | undefined {
    return this.#negotiated
  }

  /** ConnectRetryCounter of RFC 4271 section 8: failures since the last manual start. */
  get connectRetryCounter(): number {
    return this.#connectRetryCounter
  }

  /**
   * Idle for now, but a connection from the peer may start the session: because the peer could not be reached before, or
   * because it is for the peer to connect.
   */
  get awaitsConnection(): boolean {
    const resting = this.#state === 'Idle' && this.#timers.isRunning('IdleHoldTimer')
    return resting && (this.#unreachable || this.#options.passive)
  }

  /** When {@link handleTimeout} is next due; `undefined` while no timer runs. */
  get nextTimeout(): Instant | undefined {
    return this.#timers.next
  }

  /** @returns what the caller must now do, in this order */
  handle(event: SessionEvent, now: Instant): readonly SessionAction[] {
    this.#actions = []
    if (event.type === 'TcpSendProgress') this.#sendProgress(event.pending, now)
    else this.#dispatch(this.#inDelay(event), now)
    return this.#actions
  }

  /** Fires the timers that are due at `now`. */
  handleTimeout(now: Instant): readonly SessionAction[] {
    const actions: SessionAction[] = []
    for (let timer = this.#timers.takeDue(now); timer; timer = this.#timers.takeDue(now)) {
      actions.push(...this.handle({ type: `${timer satisfies TimerName}_Expires` }, now))
    }
    return actions
  }

  /**
   * Ends the FSM for good, because another connection of the peer stays: with Cease (Connection Collision Resolution) where
   * an OPEN was sent. Counts nothing and starts nothing anew.
   */
  abandon(now: Instant): readonly SessionAction[] {
    this.#actions = []
    if (UNEXPECTED[this.#state]) this.#send(createCease(7), now)
    if (this.#state === 'Idle') this.#timers.stopAll()
    else this.#disconnect()
    this.#state = 'Idle'
    this.#unreachable = false
    return this.#actions
  }

  #dispatch(event: SessionEvent, now: Instant): void {
    const cell = Session.#table[this.#state][event.type] as AnyCell | undefined
    const subcode = UNEXPECTED[this.#state]
    if (cell) cell(this, event, now)
    else if (subcode) this.#notify(notification(ErrorCode.FiniteStateMachine, subcode), event, now)
    else if (this.#state !== 'Idle') this.#toIdle(event, now)
  }

  /** RFC 4271 section 8.1.5 gives an OPEN that comes while DelayOpenTimer runs an event of its own. */
  #inDelay(event: SessionEvent): SessionEvent {
    if (event.type !== 'BGPOpen' || !this.#timers.isRunning('DelayOpenTimer')) return event
    return { type: 'BGPOpen_with_DelayOpenTimer_running', open: event.open }
  }

  #enter(to: State, event: SessionEvent): void {
    const from = this.#state
    this.#state = to
    this.#actions.push({ type: 'transition', from, to, cause: describeEvent(event) })
  }

  #send(message: ControlMessage, now: Instant): void {
    this.#actions.push({ type: 'send', message })
    if (!this.#timers.isRunning('SendHoldTimer')) this.#sendProgress(true, now)
  }

  /** RFC 9687 section 4: the timer runs while octets wait for TCP, from the last time TCP took some. */
  #sendProgress(pending: boolean, now: Instant): void {
    const holdTime = this.#negotiated?.holdTime
    const wanted = pending && holdTime !== undefined && holdTime > 0 && this.#state !== 'Idle'
    if (wanted) this.#timers.start('SendHoldTimer', this.#options.sendHoldTime ?? Math.max(480, 2 * holdTime), now)
    else this.#timers.stop('SendHoldTimer')
  }

  #jitter(seconds: Seconds): Seconds {
    return seconds * (0.75 + 0.25 * this.#options.random())
  }

  #startRetry(seconds: Seconds, now: Instant): void {
    if (!this.#options.passive) this.#timers.start('ConnectRetryTimer', seconds, now)
  }

  #dial(now: Instant): void {
    this.#startRetry(this.#jitter(this.#options.connectRetryTime), now)
    this.#initiator = undefined
    this.#actions.push({ type: 'connect' })
  }

  #begin(resetCounter: boolean): void {
    if (resetCounter) this.#connectRetryCounter = 0
    this.#timers.stopAll()
    this.#negotiated = undefined
  }

  #start(event: SessionEvent, now: Instant, resetCounter: boolean): void {
    this.#begin(resetCounter)
    this.#dial(now)
    this.#enter('Connect', event)
  }

  #listen(event: SessionEvent, now: Instant, resetCounter: boolean): void {
    this.#begin(resetCounter)
    this.#startRetry(this.#jitter(this.#options.connectRetryTime), now)
    this.#enter('Active', event)
  }

  #connectionUp(initiator: 'local' | 'remote', event: SessionEvent, now: Instant): void {
    this.#initiator = initiator
    if (this.#options.delayOpenTime === 0) {
      this.#sendOpen(event, now)
      return
    }
    this.#timers.stop('ConnectRetryTimer')
    this.#timers.start('DelayOpenTimer', this.#options.delayOpenTime, now)
  }

  #sendOpen(event: SessionEvent, now: Instant): void {
    this.#timers.stopAll()
    this.#send(createOpen(this.#options), now)
    this.#timers.start('HoldTimer', this.#options.openHoldTime, now)
    this.#enter('OpenSent', event)
  }

  /** @param reply our OPEN, where it is not sent yet */
  #acceptOpen(event: SessionEvent & { readonly open: OpenMessage }, now: Instant, reply?: OpenMessage): void {
    try {
      this.#negotiated = negotiate(this.#options, event.open, this.#options.remoteAs)
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.#refuse(error, { type: 'BGPOpenMsgErr', error }, now)
      return
    }
    this.#timers.stop('DelayOpenTimer')
    this.#timers.stop('ConnectRetryTimer')
    if (reply) this.#send(reply, now)
    this.#sendKeepalive(now)
    this.#restartHold(now)
    this.#enter('OpenConfirm', event)
  }

  #sendKeepalive(now: Instant): void {
    this.#send(KEEPALIVE, now)
    const third = (this.#negotiated?.holdTime ?? 0) / 3
    // A keepaliveTime of 0 asks for none only together with a Hold Time of 0.
    const interval = Math.min(this.#options.keepaliveTime || third, third)
    if (interval > 0) this.#timers.start('KeepaliveTimer', this.#jitter(interval), now)
  }

  #restartHold(now: Instant): void {
    const holdTime = this.#negotiated?.holdTime ?? 0
    if (holdTime > 0) this.#timers.start('HoldTimer', holdTime, now)
    else this.#timers.stop('HoldTimer')
  }

  #refuse(error: WireError, event: SessionEvent, now: Instant): void {
    this.#notify(notification(error.notification[0], error.notification[1], error.data), event, now)
  }

  #sendWithoutOpen(message: NotificationMessage): void {
    if (this.#initiator && this.#options.sendNotificationWithoutOpen) this.#actions.push({ type: 'send', message })
  }

  #refuseWithoutOpen(event: EventOf<'BGPHeaderErr' | 'BGPOpenMsgErr'>, now: Instant): void {
    const { notification: code, data } = event.error
    this.#sendWithoutOpen(notification(code[0], code[1], data))
    this.#toIdle(event, now)
  }

  #notify(message: NotificationMessage, event: SessionEvent, now: Instant, fall?: Fall): void {
    this.#send(message, now)
    this.#toIdle(event, now, fall)
  }

  #toActive(event: SessionEvent, now: Instant, retry: Seconds): void {
    this.#disconnect()
    this.#startRetry(retry, now)
    this.#enter('Active', event)
  }

  /** Stops all timers, drops the connection and forgets what was negotiated. */
  #disconnect(): void {
    this.#timers.stopAll()
    this.#initiator = undefined
    this.#negotiated = undefined
    this.#actions.push({ type: 'close' })
  }

  #toIdle(event: SessionEvent, now: Instant, { count = true, damp = true, manual = false }: Fall = {}): void {
    this.#unreachable = this.#initiator === undefined
    this.#disconnect()
    if (this.#establishedAt !== undefined) this.#damping.sessionEnded((now - this.#establishedAt) / 1000)
    this.#establishedAt = undefined
    if (manual) {
      this.#connectRetryCounter = 0
      this.#damping.reset()
    } else if (count) this.#connectRetryCounter++
    this.#enter('Idle', event)
    if (!manual && this.#options.automaticStart) this.#holdIdle(now, damp)
  }

  /** A passive session waits for nothing: the peer decides when to try again. */
  #holdIdle(now: Instant, damp: boolean): void {
    const wait = damp ? this.#damping.next() : this.#jitter(1)
    this.#timers.start('IdleHoldTimer', this.#options.passive ? 0 : wait, now)
  }
}

/** A NOTIFICATION message. */
function notification(errorCode: number, errorSubcode: number, data: Uint8Array = NO_DATA): NotificationMessage {
  return { type: 'notification', errorCode, errorSubcode, data }
}
