import { checkWhole } from '../../fsm/check.js'
import {
  Diagnostic,
  type ControlPacket,
  type DigestAlgorithm,
  type EchoPacket,
  type Microseconds,
  type State,
} from '../wire/index.js'
import {
  SESSION_DISCARD_REASONS,
  type Action,
  type DiscardAction,
  type SessionDiscardReason,
  type SessionSnapshot,
} from './actions.js'
import { Allowance } from './allowance.js'
import { Authenticator } from './authentication.js'
import { EchoFunction } from './echo.js'
import { Intervals } from './intervals.js'
import { checkSessionOptions, MILLISECOND, type CheckedSessionOptions, type SessionOptions } from './options.js'
import { Remote } from './remote.js'
import { jittered, nextDue } from './schedule.js'
import { TRANSITIONS } from './transitions.js'
import { Transmitter } from './transmitter.js'

/** What a session gets from its surroundings. */
export interface SessionContext {
  /** bfd.LocalDiscr: unique in this system, not 0. */
  readonly myDiscriminator: number
  /** A number from 0 up to 1, without 1: jitter, sequence numbers, the cookie of echo packets. */
  readonly random: () => number
  /** When the session begins; on the monotonic clock of every later `now`. */
  readonly now: Microseconds
  /** Hashes octets; an authentication with a digest needs it. */
  readonly digest?: (algorithm: DigestAlgorithm, octets: Uint8Array) => Uint8Array
}

/** RFC 5880 section 6.8.3: bfd.DesiredMinTxInterval while not Up, and bfd.RequiredMinRxInterval beside echo packets, at least. */
const SLOW: Microseconds = 1_000_000

const NOTHING: readonly Action[] = []
const DISCARDS = Object.fromEntries(
  SESSION_DISCARD_REASONS.map(reason => [reason, [{ type: 'discard', reason }]]),
) as unknown as { readonly [R in SessionDiscardReason]: readonly DiscardAction[] }

/**
 * One BFD session, RFC 5880 section 6.8. Reads no clock and opens no socket: same inputs, same actions. Calls take `now` in
 * their order; it never goes back.
 *
 * Where the RFC leaves freedom: an active session sends its first packet at once. AdminDown is told as long as it lasts. Poll
 * Sequences belong to a session that is Up, where one follows on every way there (as in bfdd); a session that is Down changes
 * its intervals at once, and one in Init waits for either. We never ask for Demand mode, but honor it (section 6.6). A longer
 * transmit interval begins after the packet that is scheduled already when the Poll Sequence ends.
 */
export class Session {
  readonly #random: () => number
  readonly #remote = new Remote()
  readonly #authenticator: Authenticator
  readonly #transmitter: Transmitter
  readonly #echo: EchoFunction
  readonly #intervals: Intervals
  readonly #allowance = new Allowance()
  /** The next packet; written to in place, as nothing keeps it. */
  readonly #packet: { -readonly [F in keyof Omit<ControlPacket, 'authentication'>]: ControlPacket[F] }
  #options: CheckedSessionOptions
  #state: State = 'Down'
  #actions: readonly Action[] = NOTHING
  /** Interval of the periodic packets before jitter; 0 while there are none. */
  #interval: Microseconds = 0
  /** When the last packet that counts for the interval was sent: Final packets do not. */
  #sentAt: Microseconds = -Infinity
  #transmitDeadline: Microseconds = Infinity
  /** When the last packet was received that counts for the Detection Time. */
  #receivedAt: Microseconds = Infinity
  #detectionTime: Microseconds = 0
  /** When bfd.AuthSeqKnown is to be cleared. */
  #forgetAt: Microseconds = Infinity

  /**
   * The session begins in state Down; an active one is due to send at once.
   *
   * @throws {RangeError} an option, or the discriminator, is outside its range; the message begins with its name
   * @throws {TypeError} an option is of another type, or the digest that it needs is missing
   */
  constructor(options: SessionOptions, { digest, myDiscriminator, now, random }: SessionContext) {
    const checked = checkSessionOptions(options)
    checkWhole('myDiscriminator', myDiscriminator, 1, 0xffff_ffff)
    this.#options = checked
    this.#random = random
    this.#authenticator = new Authenticator(checked.authentication, digest, random)
    this.#transmitter = new Transmitter(this.#authenticator)
    this.#echo = new EchoFunction(myDiscriminator, random)
    this.#intervals = new Intervals(this.#slowTx(), this.#wantedRx())
    this.#packet = {
      diagnostic: Diagnostic.NoDiagnostic,
      state: 'Down',
      poll: false,
      final: false,
      controlPlaneIndependent: false,
      demand: false,
      detectMult: checked.detectMultiplier,
      myDiscriminator,
      yourDiscriminator: 0,
      desiredMinTxInterval: 0,
      requiredMinRxInterval: 0,
      requiredMinEchoRxInterval: 0,
    }
    this.#retime(now)
  }

  /** bfd.SessionState. */
  get state(): State {
    return this.#state
  }

  /** When {@link expire} wants to be called; Infinity for never. In the past: at once. */
  get deadline(): Microseconds {
    return Math.min(
      this.#transmitDeadline,
      this.#silenceDeadline,
      this.#echo.deadline,
      this.#echo.detectionDeadline,
      this.#forgetAt,
    )
  }

  /**
   * When {@link expire} would take the session down, for want of control packets or echo packets; Infinity for never. Read
   * what the sockets have before that, so that a stall of the caller accuses nobody.
   */
  get detectionDeadline(): Microseconds {
    const listening = this.#state === 'Init' || this.#state === 'Up'
    return Math.min(listening ? this.#silenceDeadline : Infinity, this.#echo.detectionDeadline)
  }

  /** RFC 5880 section 6.8.4. */
  get #silenceDeadline(): Microseconds {
    return this.#receivedAt + this.#detectionTime
  }

  /**
   * Takes a packet, RFC 5880 section 6.8.6 from where the session is known.
   *
   * @param packet that `checkControlPacket` has accepted and that belongs to this session
   * @param octets what it was decoded from, for its authentication
   * @returns mostly nothing; a `discard` comes last
   */
  receive(packet: ControlPacket, octets: Uint8Array, now: Microseconds): readonly Action[] {
    const refusal = this.#refusal(packet, octets, now)
    if (refusal !== undefined) return DISCARDS[refusal]
    const from = this.#remote.state
    this.#remote.update(packet)
    this.#receivedAt = now
    this.#forgetAt = Infinity
    if (packet.final) this.#endPoll(now)
    const transition = TRANSITIONS[this.#state][packet.state]
    if (transition !== undefined) this.#enter(transition.to, transition.diagnostic, transition.cause, now)
    else if (packet.state !== from) this.#push({ type: 'remote-state', from, to: packet.state })
    this.#update(now)
    if (this.#state === 'AdminDown') return [...this.#take(), ...DISCARDS['administratively-down']]
    // A new state is told by the Final packet as well as by another one.
    if (packet.poll) this.#transmit(true, now)
    if (transition !== undefined) this.#tellState(packet.poll, now)
    return this.#take()
  }

  /**
   * Takes an echo packet that has come back, RFC 5880 section 6.8.8; its `myDiscriminator` has selected the session.
   * @returns a `discard` when it was not waited for
   */
  receiveEcho(echo: EchoPacket, now: Microseconds): readonly Action[] {
    return this.#echo.interval > 0 && this.#echo.receive(echo, now) ? NOTHING : DISCARDS.echo
  }

  /** Does what is due at `now`: believes that the remote system or the path has failed, then sends. */
  expire(now: Microseconds): readonly Action[] {
    // Without echo packets the Detection Time of control packets is shorter, so that it may be over as well.
    if (now >= this.#echo.detectionDeadline) {
      this.#fall(Diagnostic.EchoFunctionFailed, 'no echo packet within the detection time', now)
    }
    if (now >= this.#silenceDeadline) this.#silence(now)
    if (now >= this.#forgetAt) {
      this.#authenticator.forget()
      this.#forgetAt = Infinity
    }
    if (now >= this.#echo.deadline) this.#push({ type: 'send-echo', octets: this.#echo.send(now) })
    if (now >= this.#transmitDeadline) this.#transmitPeriodic(now)
    return this.#take()
  }

  /**
   * Changes the options: all of them, what is left out has its default. The session stays up; its intervals change with a
   * Poll Sequence (RFC 5880 section 6.8.3), the Detect Mult with the next packet (section 6.8.12).
   *
   * @throws {RangeError} an option is outside its range; the message begins with its name
   * @throws {TypeError} an option is of another type, or the digest that it needs is missing
   */
  change(options: SessionOptions, now: Microseconds): readonly Action[] {
    const checked = checkSessionOptions(options)
    this.#authenticator.change(checked.authentication)
    this.#transmitter.reset()
    this.#options = checked
    if (this.#state === 'Down' || this.#state === 'AdminDown') this.#intervals.reset(this.#slowTx(), this.#wantedRx())
    this.#update(now)
    return this.#take()
  }

  /**
   * Takes the session to AdminDown, RFC 5880 section 6.8.16.
   *
   * @param diagnostic such as Diagnostic.PathDown or ConcatenatedPathDown, section 6.8.17
   * @throws {RangeError} the diagnostic does not fit 5 bits
   */
  disable(now: Microseconds, diagnostic: number = Diagnostic.AdministrativelyDown): readonly Action[] {
    checkWhole('diagnostic', diagnostic, 0, 31)
    if (this.#state !== 'AdminDown') this.#leave('AdminDown', diagnostic, 'taken down by the operator', now)
    return this.#take()
  }

  /** Takes the session from AdminDown to Down, from where it comes up, RFC 5880 section 6.8.16. */
  enable(now: Microseconds): readonly Action[] {
    if (this.#state === 'AdminDown') this.#leave('Down', undefined, 'enabled by the operator', now)
    return this.#take()
  }

  /**
   * Takes a session in Init or Up to Down for a reason that only this system knows, such as Diagnostic.PathDown, or
   * Diagnostic.ForwardingPlaneReset (RFC 5880 section 6.8.15).
   *
   * @param cause told in the `state` action
   * @throws {RangeError} the diagnostic does not fit 5 bits
   */
  fail(now: Microseconds, diagnostic: number, cause: string): readonly Action[] {
    checkWhole('diagnostic', diagnostic, 0, 31)
    this.#fall(diagnostic, cause, now)
    return this.#take()
  }

  /** What the session knows now. */
  snapshot(): SessionSnapshot {
    const remote = this.#remote
    const packet = this.#fill(false)
    return {
      state: this.#state,
      remoteState: remote.state,
      diagnostic: packet.diagnostic,
      remoteDiagnostic: remote.diagnostic,
      myDiscriminator: packet.myDiscriminator,
      yourDiscriminator: remote.discriminator,
      desiredMinTxInterval: packet.desiredMinTxInterval,
      requiredMinRxInterval: packet.requiredMinRxInterval,
      requiredMinEchoRxInterval: packet.requiredMinEchoRxInterval,
      detectMult: packet.detectMult,
      remoteDesiredMinTxInterval: remote.desiredMinTx,
      remoteMinRxInterval: remote.minRx,
      remoteMinEchoRxInterval: remote.minEchoRx,
      remoteDetectMult: remote.detectMult,
      remoteControlPlaneIndependent: remote.controlPlaneIndependent,
      transmitInterval: this.#interval,
      receiveInterval: remote.detectMult === 0 ? 0 : Math.max(this.#intervals.rx, remote.desiredMinTx),
      detectionTime: this.#detectionTime,
      remoteDetectionTime: packet.detectMult * this.#interval,
      polling: this.#intervals.polling,
      changePending: this.#intervals.pending,
      remoteDemandActive: this.#isDemandActive(),
      echoActive: this.#echo.interval > 0,
      echoInterval: this.#echo.interval,
    }
  }

  #push(action: Action): void {
    this.#actions = [...this.#actions, action]
  }

  #take(): readonly Action[] {
    const actions = this.#actions
    this.#actions = NOTHING
    return actions
  }

  // Receiving

  #refusal(packet: ControlPacket, octets: Uint8Array, now: Microseconds): SessionDiscardReason | undefined {
    const { yourDiscriminator } = packet
    if (yourDiscriminator !== 0 && yourDiscriminator !== this.#packet.myDiscriminator) return 'discriminator'
    const forgery = this.#authenticator.check(packet, octets)
    if (forgery !== undefined) return forgery
    // Only now, so that forged packets leave those of the remote system alone.
    const interval = Math.min(this.#intervals.rx, this.#intervals.tx)
    return this.#allowance.take(interval, now) ? undefined : 'rate'
  }

  /** The end of a Poll Sequence: what it told is in force. */
  #endPoll(now: Microseconds): void {
    if (!this.#intervals.final(now)) return
    const interval = this.#periodicInterval()
    // The packet that is scheduled keeps its time: it tells the new values once more to a remote system that got one of
    // our older packets last, because they were reordered, before it may wait for longer.
    if (this.#interval > 0 && interval > this.#interval) this.#interval = interval
  }

  /** RFC 5880 section 6.8.4: the Detection Time has passed without a packet. */
  #silence(now: Microseconds): void {
    this.#forgetAt = this.#receivedAt + 2 * this.#detectionTime
    this.#receivedAt = Infinity
    this.#remote.forget()
    this.#fall(Diagnostic.ControlDetectionTimeExpired, 'no control packet within the detection time', now)
    this.#update(now)
  }

  // States

  /** Goes to Down from Init or Up. */
  #fall(diagnostic: number, cause: string, now: Microseconds): void {
    if (this.#state === 'Init' || this.#state === 'Up') this.#leave('Down', diagnostic, cause, now)
  }

  /** Changes the state for a reason other than a packet. */
  #leave(to: State, diagnostic: number | undefined, cause: string, now: Microseconds): void {
    this.#enter(to, diagnostic, cause, now)
    this.#update(now)
    this.#tellState(false, now)
  }

  #enter(to: State, diagnostic: number | undefined, cause: string, now: Microseconds): void {
    const from = this.#state
    this.#state = to
    if (diagnostic !== undefined) this.#packet.diagnostic = diagnostic
    this.#push({
      type: 'state',
      from,
      to,
      diagnostic: this.#packet.diagnostic,
      remoteState: this.#remote.state,
      remoteDiagnostic: this.#remote.diagnostic,
      cause,
    })
    if (to === 'Up') {
      this.#updateEcho(now)
      this.#intervals.want(this.#wantedTx(), this.#wantedRx())
      this.#intervals.poll()
    } else if (to !== 'Init') {
      this.#echo.stop()
      this.#intervals.reset(this.#slowTx(), this.#wantedRx())
    }
  }

  /** RFC 5880 section 6.8.7: a new state is told between the periodic packets, which go on from there. */
  #tellState(told: boolean, now: Microseconds): void {
    if (this.#isMute()) return
    if (!told) this.#transmit(false, now)
    this.#sentAt = now
    if (this.#interval > 0) this.#transmitDeadline = now + this.#wait()
  }

  // Intervals

  #slowTx(): Microseconds {
    return Math.max(SLOW, this.#wantedTx())
  }

  #wantedTx(): Microseconds {
    return this.#options.transmitInterval * MILLISECOND
  }

  #wantedRx(): Microseconds {
    const wanted = this.#options.receiveInterval * MILLISECOND
    return this.#echo.interval > 0 ? Math.max(SLOW, wanted) : wanted
  }

  /** Brings everything in line that hangs on the state, the options, and what the remote system has said. */
  #update(now: Microseconds): void {
    this.#updateEcho(now)
    if (this.#state === 'Up' || this.#state === 'Init') {
      this.#intervals.want(this.#state === 'Up' ? this.#wantedTx() : this.#slowTx(), this.#wantedRx())
      if (this.#state === 'Up') this.#intervals.begin(now)
    }
    const { desiredMinTx, detectMult } = this.#remote
    this.#detectionTime = detectMult * Math.max(this.#intervals.rx, desiredMinTx)
    this.#retime(now)
    // Section 6.6: without periodic packets, the next one is the Poll that has to wait for the end of the last sequence.
    if (this.#isDemandActive() && !this.#intervals.polling) {
      this.#transmitDeadline = Math.max(this.#transmitDeadline, this.#intervals.quietUntil)
    }
  }

  /** RFC 5880 sections 6.4 and 6.8.9: echo packets only while Up and the remote system loops them, at a rate that it can bear. */
  #updateEcho(now: Microseconds): void {
    const { detectMultiplier, echoInterval, echoMode } = this.#options
    const { minEchoRx } = this.#remote
    if (echoMode && this.#state === 'Up' && minEchoRx > 0) {
      this.#echo.start(Math.max(echoInterval * MILLISECOND, minEchoRx), detectMultiplier, now)
    } else if (this.#echo.interval > 0) this.#echo.stop()
  }

  /** RFC 5880 section 6.8.7: a passive session says nothing to a system that it has not heard. */
  #isMute(): boolean {
    return this.#options.passiveMode && this.#remote.discriminator === 0
  }

  /** RFC 5880 section 6.6: the remote system wants no periodic packets. */
  #isDemandActive(): boolean {
    return this.#remote.demand && this.#state === 'Up' && this.#remote.state === 'Up'
  }

  /** RFC 5880 section 6.8.7. */
  #periodicInterval(): Microseconds {
    const { minRx } = this.#remote
    if (minRx === 0 || this.#isMute()) return 0
    if (this.#isDemandActive() && !this.#intervals.polling && !this.#intervals.pending) return 0
    return Math.max(this.#intervals.tx, minRx)
  }

  #wait(): Microseconds {
    return jittered(this.#interval, this.#options.detectMultiplier, this.#random())
  }

  /** Moves the next periodic packet when the interval has changed; a shorter one counts from the last packet (section 6.8.3). */
  #retime(now: Microseconds): void {
    const interval = this.#periodicInterval()
    if (interval === this.#interval) return
    this.#interval = interval
    this.#transmitDeadline = interval === 0 ? Infinity : Math.max(now, this.#sentAt + this.#wait())
  }

  // Sending

  #fill(final: boolean): ControlPacket {
    const packet = this.#packet
    const { echoInterval, echoMode } = this.#options
    packet.state = this.#state
    packet.final = final
    packet.poll = this.#intervals.polling && !final
    packet.detectMult = this.#options.detectMultiplier
    packet.yourDiscriminator = this.#remote.discriminator
    packet.desiredMinTxInterval = this.#intervals.desiredMinTx
    packet.requiredMinRxInterval = this.#intervals.requiredMinRx
    packet.requiredMinEchoRxInterval = echoMode ? echoInterval * MILLISECOND : 0
    return packet
  }

  #transmit(final: boolean, now: Microseconds): void {
    const packet = this.#fill(final)
    if (packet.poll) this.#intervals.pollSent(now)
    const send = this.#transmitter.send(packet)
    this.#actions = this.#actions === NOTHING ? send : [...this.#actions, ...send]
  }

  #transmitPeriodic(now: Microseconds): void {
    const due = this.#transmitDeadline
    // A change that waited may begin with this packet; the Detection Time must be longer before the remote system knows.
    this.#update(now)
    this.#transmit(false, now)
    this.#sentAt = now
    this.#transmitDeadline = nextDue(due, now, this.#interval, this.#wait())
  }
}
