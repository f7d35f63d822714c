import {
  createCease,
  createNotification,
  ErrorCode,
  WireError,
  type NotificationMessage,
  type OpenMessage,
} from '../wire/index.js'
import { BFD_DOWN, bfdConditionAfter, type BfdSubState } from './bfd.js'
import type { ControlMessage, SessionAction, SessionEvent, SessionEventType, State } from './events.js'
import { idleHold, notification, unexpected, type Fall } from './fall.js'
import { FALLBACK_NOTES, fewerCapabilities } from './fallback.js'
import { createHardReset, isFinal } from './hard-reset.js'
import { BFD_IGNORED, CONNECTIONS_IGNORED, ignore, STARTS_IGNORED } from './ignored.js'
import { Liveness } from './liveness.js'
import { PeerMemory } from './memory.js'
import { negotiate, type Negotiated } from './negotiate.js'
import { createOpen, type OpenLevel } from './open.js'
import { checkSessionOptions, type CheckedSessionOptions, type SessionOptions } from './options.js'
import { transition } from './session-end.js'
import { jitter, Timers, type Instant, type Seconds, type TimerName } from './timers.js'

type EventOf<T extends SessionEventType> = SessionEvent & { readonly type: T }
type Cell<T extends SessionEventType> = (s: Session, event: EventOf<T>, now: Instant) => void
type Row = { readonly [T in SessionEventType]?: Cell<T> }
type AnyCell = (s: Session, event: SessionEvent, now: Instant) => void

/** FSM Error subcode for a message without a cell, RFC 6608 section 3; the earlier states drop to Idle in silence. */
const UNEXPECTED: { readonly [S in State]?: number } = { OpenSent: 1, OpenConfirm: 2, Established: 3 }
const KEEPALIVE: ControlMessage = { type: 'keepalive' }

/**
 * One connection's FSM, RFC 4271 section 8. Reads no clock and opens no socket: same inputs, same actions.
 *
 * Its table is that of section 8.2.2, event by event. Where it departs from there, another section says so: a NOTIFICATION in
 * OpenSent is not answered by another one (6.4), a header error in Established is answered as every other one (6.1), and a
 * passive session never dials, so that its ConnectRetryTimer does not run (8.1.1). An OPEN on a connection that has had one is
 * an unexpected message (RFC 6608 section 3); one on another connection of the same peer is the {@link Peering}'s to judge.
 *
 * In strict mode (draft-ietf-idr-bgp-bfd-strict-mode) it waits for BFD in OpenSent also where the OPEN came while DelayOpenTimer ran, for
 * which the draft has sub-states of Connect and Active. A path that fails ends a session in OpenSent and OpenConfirm whether or not strict
 * mode was agreed on: it would come up on a path that is known to be broken.
 */
export class Session {
  static readonly #connecting: Row = {
    ...STARTS_IGNORED,
    ManualStop: (s, e, now) => s.#toIdle(e, now, { manual: true }),
    AutomaticStop: (s, e, now) => s.#toIdle(e, now, idleHold(e.idleHoldTime)),
    DelayOpenTimer_Expires: (s, e, now) => s.#sendOpen(e, now),
    TcpConnection_Valid: ignore,
    Tcp_CR_Invalid: ignore,
    Tcp_CR_Acked: (s, e, now) => s.#connectionUp('local', e, now),
    TcpConnectionConfirmed: (s, e, now) => s.#connectionUp('remote', e, now),
    BGPOpen_with_DelayOpenTimer_running: (s, e, now) => s.#acceptOpen(e, now, s.#createOpen()),
    BGPHeaderErr: (s, e, now) => s.#refuseWithoutOpen(e, now),
    BGPOpenMsgErr: (s, e, now) => s.#refuseWithoutOpen(e, now),
    NotifMsgVerErr: (s, e, now) => s.#toIdle(e, now, { count: !s.#timers.isRunning('DelayOpenTimer') }),
    ...BFD_IGNORED,
  }
  static readonly #online: Row = {
    ...STARTS_IGNORED,
    ManualStop: (s, e, now) => s.#notify(e.cease ?? createCease(2), e, now, { manual: true }),
    AutomaticStop: (s, e, now) => s.#notify(e.cease ?? createCease(2), e, now, idleHold(e.idleHoldTime)),
    HoldTimer_Expires: (s, e, now) =>
      s.#notify(notification(ErrorCode.HoldTimerExpired, 0), e, now, s.#bfdSubState && { note: 'BFD is not Up' }),
    ...CONNECTIONS_IGNORED,
    TcpConnectionFails: (s, e, now) => s.#toIdle(e, now),
    BGPHeaderErr: (s, e, now) => s.#refuse(e.error, e, now),
    OpenCollisionDump: (s, e, now) => s.#notify(createCease(7), e, now, { damp: false }),
    NotifMsg: (s, e, now) => s.#refused(e, now),
    NotifMsgVerErr: (s, e, now) => s.#toIdle(e, now, { count: false }),
    ...BFD_IGNORED,
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
      ManualStop: (s, e, now) => {
        if (s.#timers.isRunning('DelayOpenTimer')) s.#sendWithoutOpen(e.cease ?? createCease(2))
        s.#toIdle(e, now, { manual: true })
      },
      ConnectRetryTimer_Expires: (s, e, now) => {
        s.#timers.stop('DelayOpenTimer')
        s.#dial(now)
        s.#enter('Connect', e)
      },
      TcpConnectionFails: (s, e, now) => s.#toIdle(e, now),
    },
    OpenSent: {
      ...this.#online,
      TcpConnectionFails: (s, e, now) => s.#toActive(e, now, s.#memory.damping.next()),
      BGPOpen: (s, e, now) => {
        if (s.#bfdSubState) s.#notify(unexpected(e, 1), e, now)
        else s.#acceptOpen(e, now)
      },
      BGPOpenMsgErr: (s, e, now) => s.#refuse(e.error, e, now),
      // The peer's BFD may come Up before ours; section 8.5.6 of the draft.
      KeepAliveMsg: (s, e, now) => {
        if (s.#bfdSubState) s.#bfdSubState = 'OpenSentConfirmedBfdUpPending'
        else s.#notify(unexpected(e, 1), e, now)
      },
      BfdUp: (s, e, now) => s.#bfdReady(e, now),
      BfdAdminDown: (s, e, now) => s.#bfdReady(e, now),
      BfdDisabled: (s, e, now) => s.#bfdReady(e, now),
      BfdDown: (s, e, now) => s.#bfdDownWhileOpening(e, now),
      BfdHoldTimer_Expires: (s, e, now) => s.#notify(BFD_DOWN, e, now),
    },
    OpenConfirm: {
      ...this.#online,
      BfdDown: (s, e, now) => s.#bfdDownWhileOpening(e, now),
      KeepaliveTimer_Expires: (s, _, now) => s.#sendKeepalive(now),
      BGPOpenMsgErr: (s, e, now) => s.#refuse(e.error, e, now),
      KeepAliveMsg: (s, e, now) => {
        s.#restartHold(now)
        s.#establish(e, now)
      },
    },
    Established: {
      ...this.#online,
      KeepaliveTimer_Expires: (s, _, now) => s.#sendKeepalive(now),
      // RFC 9384 section 3
      BfdDown: (s, e, now) => s.#notify(BFD_DOWN, e, now),
      // RFC 9687 section 4.3
      SendHoldTimer_Expires: (s, e, now) => s.#notify(notification(ErrorCode.SendHoldTimerExpired, 0), e, now),
      NotifMsg: (s, e, now) => s.#toIdle(e, now),
      NotifMsgVerErr: (s, e, now) => s.#toIdle(e, now),
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

  #options: CheckedSessionOptions
  readonly #memory: PeerMemory
  readonly #timers = new Timers()
  readonly #liveness = new Liveness(this.#timers)
  #state: State = 'Idle'
  #actions: SessionAction[] = []
  #initiator: 'local' | 'remote' | undefined
  /** Our OPEN on this connection; the options may have changed since. */
  #sentOpen: OpenMessage | undefined
  #negotiated: Negotiated | undefined
  #establishedAt: Instant | undefined
  #awaits = false
  #openLevel: OpenLevel = 'all'
  #bfdSubState: BfdSubState | undefined

  /**
   * @param memory shared by the sessions of one peer
   * @throws {RangeError} an option has a value that the RFC does not allow
   */
  constructor(options: SessionOptions, memory?: PeerMemory) {
    this.#options = checkSessionOptions(options)
    this.#memory = memory ?? new PeerMemory(this.#options)
  }

  /** RFC 4271 section 8.2.2. */
  get state(): State {
    return this.#state
  }

  /** Who opened the TCP connection; `undefined` while there is none. */
  get initiator(): 'local' | 'remote' | undefined {
    return this.#initiator
  }

  /** Whether it waits for BFD in OpenSent, draft-ietf-idr-bgp-bfd-strict-mode section 8.1. */
  get bfdSubState(): BfdSubState | undefined {
    return this.#bfdSubState
  }

  /** What the OPEN messages agreed on; set in OpenConfirm and Established, and in OpenSent while it waits for BFD. */
  get negotiated(): Negotiated | undefined {
    return this.#negotiated
  }

  /** When the session became Established; `undefined` in the other states. */
  get establishedAt(): Instant | undefined {
    return this.#establishedAt
  }

  /** ConnectRetryCounter of RFC 4271 section 8: failures since the last manual start. */
  get connectRetryCounter(): number {
    return this.#memory.connectRetryCounter
  }

  /**
   * Idle, but a connection from the peer may start the session: because the peer could not be reached before, or
   * because it is for the peer to connect.
   */
  get awaitsConnection(): boolean {
    const resting = this.#state === 'Idle' && this.#timers.isRunning('IdleHoldTimer')
    return resting && this.#awaits
  }

  /** When {@link handleTimeout} is next due; `undefined` while no timer runs. */
  get nextTimeout(): Instant | undefined {
    return this.#timers.next
  }

  /** Other options from now on; what our OPEN says holds from the next one. */
  change(options: CheckedSessionOptions, now: Instant): void {
    const mayDial = this.#options.passive && !options.passive
    this.#options = options
    if (mayDial && this.#state === 'Active' && !this.#initiator) this.#startRetry(this.#jitter(1), now)
    if (options.passive) this.#timers.stop('ConnectRetryTimer')
  }

  /** @returns what the caller must now do, in this order */
  handle(event: SessionEvent, now: Instant): readonly SessionAction[] {
    this.#actions = []
    if (event.type === 'TcpSendProgress') this.#sendProgress(now, event.pending)
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
   *
   * @param how `silently`: the connection is dead, so there is nobody to tell
   */
  abandon(now: Instant, how?: 'silently'): readonly SessionAction[] {
    this.#actions = []
    if (UNEXPECTED[this.#state] && how !== 'silently') this.#send(createCease(7), now)
    if (this.#state === 'Idle') this.#timers.stopAll()
    else this.#disconnect()
    this.#state = 'Idle'
    return this.#actions
  }

  #dispatch(event: SessionEvent, now: Instant): void {
    this.#memory.bfd = bfdConditionAfter(event) ?? this.#memory.bfd
    const cell = Session.#table[this.#state][event.type] as AnyCell | undefined
    const subcode = UNEXPECTED[this.#state]
    if (cell) cell(this, event, now)
    else if (subcode) this.#notify(unexpected(event, subcode), event, now)
    else if (this.#state !== 'Idle') this.#toIdle(event, now)
  }

  /** RFC 4271 section 8.1.5 gives an OPEN that comes while DelayOpenTimer runs an event of its own. */
  #inDelay(event: SessionEvent): SessionEvent {
    if (event.type !== 'BGPOpen' || !this.#timers.isRunning('DelayOpenTimer')) return event
    return { type: 'BGPOpen_with_DelayOpenTimer_running', open: event.open }
  }

  #enter(to: State, event: SessionEvent, fall?: Fall): void {
    this.#actions.push(transition(this.#state, to, event, fall))
    this.#state = to
  }

  #send(message: ControlMessage, now: Instant): void {
    this.#actions.push({ type: 'send', message })
    if (!this.#timers.isRunning('SendHoldTimer')) this.#sendProgress(now, true)
  }

  #sendProgress(now: Instant, pending?: boolean): void {
    this.#liveness.sendProgress(this.#state === 'Established' ? this.#holdTime : 0, this.#options, now, pending)
  }

  get #holdTime(): Seconds {
    return this.#negotiated?.holdTime ?? 0
  }

  #jitter(seconds: Seconds): Seconds {
    return jitter(seconds, this.#options.random)
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
    if (resetCounter) this.#memory.connectRetryCounter = 0
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
    this.#openLevel = this.#memory.openLevel
    if (this.#options.delayOpenTime === 0) {
      this.#sendOpen(event, now)
      return
    }
    this.#timers.stop('ConnectRetryTimer')
    this.#timers.start('DelayOpenTimer', this.#options.delayOpenTime, now)
  }

  #sendOpen(event: SessionEvent, now: Instant): void {
    this.#timers.stopAll()
    this.#sentOpen = this.#createOpen()
    this.#send(this.#sentOpen, now)
    this.#timers.start('HoldTimer', this.#options.openHoldTime, now)
    this.#enter('OpenSent', event)
  }

  /** RFC 4724 section 4: a session that breaks while we run leaves our forwarding state alone, and so must a restart. */
  #createOpen(): OpenMessage {
    const { restarting, forwardingPreserved } = this.#memory
    const { remoteAs } = this.#options
    return createOpen(this.#options, { remoteAs, level: this.#openLevel, restarting, forwardingPreserved })
  }

  /** @param reply our OPEN, where it is not sent yet */
  #acceptOpen(event: SessionEvent & { readonly open: OpenMessage }, now: Instant, reply?: OpenMessage): void {
    const sent = reply ?? this.#sentOpen
    try {
      this.#negotiated = negotiate(this.#options, event.open, this.#options.remoteAs, sent)
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      if (reply) this.#refuseWithoutOpen({ type: 'BGPOpenMsgErr', error }, now)
      else this.#refuse(error, { type: 'BGPOpenMsgErr', error }, now)
      return
    }
    this.#timers.stop('DelayOpenTimer')
    this.#timers.stop('ConnectRetryTimer')
    if (reply) this.#send(reply, now)
    if (this.#options.bfdStrictMode && this.#memory.bfd === 'Down') this.#awaitBfd(event, now)
    else this.#confirm('OpenConfirm', event, now)
  }

  #confirm(to: 'OpenConfirm' | 'Established', event: SessionEvent, now: Instant): void {
    this.#sendKeepalive(now)
    this.#restartHold(now)
    if (to === 'Established') this.#establish(event, now)
    else this.#enter(to, event)
  }

  /** draft-ietf-idr-bgp-bfd-strict-mode section 8.5.5: the KEEPALIVE is held back, and the HoldTimer bounds the wait. */
  #awaitBfd(event: SessionEvent, now: Instant): void {
    this.#bfdSubState = 'OpenSentBfdUpPending'
    this.#restartHold(now)
    if (this.#holdTime === 0) this.#timers.start('BfdHoldTimer', this.#options.bfdHoldTime, now)
    this.#actions.push({ type: 'await-bfd' })
    if (this.#state !== 'OpenSent') this.#enter('OpenSent', event)
  }

  /** Section 8.5.1 of the draft. */
  #bfdReady(event: SessionEvent, now: Instant): void {
    const subState = this.#bfdSubState
    if (!subState) return
    this.#bfdSubState = undefined
    this.#timers.stop('BfdHoldTimer')
    this.#confirm(subState === 'OpenSentBfdUpPending' ? 'OpenConfirm' : 'Established', event, now)
  }

  /** Sections 8.5.2 and 8.6.2 of the draft: an attempt that ends so starts the count anew. */
  #bfdDownWhileOpening(event: SessionEvent, now: Instant): void {
    this.#memory.connectRetryCounter = 0
    this.#notify(BFD_DOWN, event, now, { count: false })
  }

  #establish(event: SessionEvent, now: Instant): void {
    this.#establishedAt = now
    this.#memory.forwardingPreserved = true
    this.#enter('Established', event)
    this.#sendProgress(now)
  }

  #sendKeepalive(now: Instant): void {
    this.#send(KEEPALIVE, now)
    this.#liveness.keepaliveSent(this.#holdTime, this.#options, now)
  }

  #restartHold(now: Instant): void {
    this.#liveness.heard(this.#holdTime, now)
  }

  #refuse(error: WireError, event: SessionEvent, now: Instant): void {
    this.#notify(createNotification(error), event, now)
  }

  #sendWithoutOpen(message: NotificationMessage): void {
    if (this.#initiator && this.#options.sendNotificationWithoutOpen) this.#actions.push({ type: 'send', message })
  }

  #refuseWithoutOpen(event: EventOf<'BGPHeaderErr' | 'BGPOpenMsgErr'>, now: Instant): void {
    this.#sendWithoutOpen(createNotification(event.error))
    this.#toIdle(event, now)
  }

  /** RFC 8538 section 5.1: a peer that would keep our routes through a NOTIFICATION must be told of a parting for good. */
  #notify(message: NotificationMessage, event: SessionEvent, now: Instant, fall?: Fall): void {
    const keepsOurs =
      this.#negotiated?.gracefulRestart?.notification && this.#options.gracefulRestart?.families?.length !== 0
    const hard = keepsOurs && isFinal(message)
    const sent = hard ? createHardReset(message) : message
    this.#send(sent, now)
    this.#toIdle(event, now, { ...fall, sent })
  }

  /** RFC 5492 section 3: a peer that refuses our capabilities is tried once more with fewer. */
  #refused(event: EventOf<'NotifMsg'>, now: Instant): void {
    const { families } = this.#options
    const level = this.#openLevel === 'all' ? fewerCapabilities(event.notification, families) : undefined
    this.#toIdle(event, now, level && { damp: false, note: FALLBACK_NOTES[level] })
    if (level) this.#memory.openLevel = level
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
    this.#sentOpen = undefined
    this.#negotiated = undefined
    this.#liveness.reset()
    this.#bfdSubState = undefined
    // The attempt with fewer capabilities has been made.
    if (this.#openLevel !== 'all') this.#memory.openLevel = 'all'
    this.#openLevel = 'all'
    this.#actions.push({ type: 'close' })
  }

  #toIdle(event: SessionEvent, now: Instant, fall: Fall = {}): void {
    const { count = true, manual = false } = fall
    const wasReached = this.#initiator !== undefined
    this.#disconnect()
    if (this.#establishedAt !== undefined) this.#memory.damping.sessionEnded((now - this.#establishedAt) / 1000)
    this.#establishedAt = undefined
    if (manual) {
      this.#memory.connectRetryCounter = 0
      this.#memory.damping.reset()
    } else if (count) this.#memory.connectRetryCounter++
    this.#enter('Idle', event, fall)
    this.#awaits = !fall.idleHoldTime && (!wasReached || this.#options.passive)
    if (!manual && this.#options.automaticStart) this.#holdIdle(now, fall)
  }

  /** A passive session waits only where it was told to: the peer decides when to try again. */
  #holdIdle(now: Instant, { damp = true, idleHoldTime = 0 }: Fall): void {
    const wait = damp ? this.#memory.damping.next() : this.#jitter(this.#options.idleHoldTime)
    const hold = Math.max(idleHoldTime, this.#options.passive ? 0 : wait)
    if (hold < Infinity) this.#timers.start('IdleHoldTimer', hold, now)
  }
}
