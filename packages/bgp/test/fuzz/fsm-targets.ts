/** State machines under any events: an octet chooses the event, and what it needs follows. */
import assert from 'node:assert/strict'
import {
  checkSessionOptions,
  createOpen,
  errorEvent,
  messageEvent,
  Peering,
  Session,
  updateEvent,
  type ConnectionId,
  type PeeringAction,
  type SessionAction,
  type SessionEvent,
  type SessionOptions,
  type State,
} from '@typemetal/bgp/fsm'
import { decodeMessage, encodeMessage, MessageType, WireError, type OpenMessage } from '@typemetal/bgp/wire'
import { EVENTS, OPTIONS } from '../sessions.js'
import { OctetSource } from './octet-source.js'
import type { FuzzTarget } from '@typemetal/lab'
import { wholeMessages } from './wire-targets.js'

const ALL_EVENTS: readonly SessionEvent[] = Object.values(EVENTS)
/** Events of the list come behind these steps. */
const STEPS = 8

function readOptions(source: OctetSource): SessionOptions {
  const bits = source.uint8()
  const more = source.uint8()
  return {
    ...OPTIONS,
    passive: (bits & 1) !== 0,
    automaticStart: (bits & 2) === 0,
    collisionDetectEstablishedState: (bits & 4) !== 0,
    sendNotificationWithoutOpen: (bits & 8) === 0,
    dampPeerOscillations: (bits & 16) === 0,
    delayOpenTime: bits & 32 ? 5 : 0,
    holdTime: [90, 0, 3, 90][bits >> 6]!,
    ...(more & 1 && { gracefulRestart: { families: ['ipv4-unicast'], notification: (more & 2) !== 0 } }),
    ...(more & 4 && { role: 'provider', strictRole: (more & 8) !== 0 }),
    ...(more & 16 && { addPath: { receive: ['ipv4-unicast'], send: ['ipv6-unicast'] } }),
  }
}

/** The OPEN that fits the options, from the other side. */
const fittingOpen = (options: SessionOptions): OpenMessage => {
  const { role: _, strictRole: _strict, ...rest } = options
  return createOpen(checkSessionOptions({ ...rest, asn: 64_513, bgpIdentifier: 2, remoteAs: 64_512 }))
}

function eventOf(octets: Uint8Array): SessionEvent {
  try {
    const message = decodeMessage(octets)
    return message.type === 'update' ? updateEvent(octets) : messageEvent(message)
  } catch (error) {
    if (error instanceof WireError) return errorEvent(error)
    throw error
  }
}

/** The next event of the program. */
function readEvent(source: OctetSource, step: number, options: SessionOptions): SessionEvent {
  if (step === 0) return { type: 'BGPOpen', open: fittingOpen(options) }
  if (step === 1) return { type: 'BGPOpen', open: { ...fittingOpen(options), bgpIdentifier: 1 + source.uint8() } }
  if (step === 2) return eventOf(source.take(19 + source.uint8()))
  if (step === 3) {
    const [errorCode, errorSubcode] = [source.uint8() % 10, source.uint8() % 12]
    return { type: 'NotifMsg', notification: { type: 'notification', errorCode, errorSubcode, data: source.take(3) } }
  }
  return ALL_EVENTS[(step - STEPS + ALL_EVENTS.length) % ALL_EVENTS.length]!
}

/** Events that the world cannot make happen: timers expire by {@link Session.handleTimeout} alone, and messages come on a connection. */
const isTimer = ({ type }: SessionEvent): boolean => type.endsWith('Timer_Expires')
const isStart = ({ type }: SessionEvent): boolean =>
  /^(Manual|Automatic)St|^TcpConnection_Valid|^Tcp_CR_Invalid/.test(type)

/** What one FSM has of TCP, from the outside. */
class Line {
  /** A connection is being opened. */
  isDialling = false
  isOpen = false

  /** Whether the event can happen now; it has, then. @param awaits the peer may connect: nobody else has taken its connection */
  allows(event: SessionEvent, awaits: boolean): boolean {
    if (isTimer(event)) return false
    if (isStart(event)) return true
    if (event.type === 'Tcp_CR_Acked' || event.type === 'TcpConnectionConfirmed') {
      if (this.isOpen || !(event.type === 'Tcp_CR_Acked' ? this.isDialling : awaits)) return false
      this.isDialling = false
      this.isOpen = true
      return true
    }
    if (event.type !== 'TcpConnectionFails') return this.isOpen
    if (!this.isOpen && !this.isDialling) return false
    this.isOpen = this.isDialling = false
    return true
  }

  check({ type }: SessionAction): void {
    if (type === 'connect') {
      assert.ok(!this.isOpen, 'a connection that stands is closed first')
      this.isDialling = true
    }
    if (type === 'close') this.isOpen = this.isDialling = false
    if (type === 'send') assert.ok(this.isOpen, 'nothing is sent where there is no connection')
  }
}

const isTimeStep = (step: number): boolean => step === 4 || step === 5

/** Lets time pass: to the next timer, or by some milliseconds. */
const later = (source: OctetSource, step: number, now: number, next: number | undefined): number =>
  step === 4 ? Math.max(now, next ?? now) : now + source.uint8() * 100

/** What one call has had a machine do: sends are of what the FSM may send, transitions follow each other. @returns the state now */
function checkTransitions(actions: readonly SessionAction[], before: State): State {
  let state = before
  for (const action of actions) {
    if (action.type === 'send') assert.notEqual(encodeMessage(action.message)[18], MessageType.Update)
    if (action.type === 'update') assert.equal(state, 'Established', 'UPDATEs count in Established only')
    if (action.type === 'route-refresh') assert.equal(state, 'Established', 'so does ROUTE-REFRESH')
    if (action.type !== 'transition') continue
    assert.equal(action.from, state)
    assert.notEqual(action.to, state)
    assert.equal('ended' in action, action.from === 'Established')
    state = action.to
  }
  return state
}

/** Longest wait that a timer is ever set for, in milliseconds: SendHoldTimer's 480 s. */
const LONGEST_TIMER = 480_000

function checkTimers(machine: Session | Peering, now: number): void {
  const next = machine.nextTimeout
  if (next === undefined) return
  assert.ok(next >= now, 'nothing is overdue')
  assert.ok(next <= now + LONGEST_TIMER, `a timer ${next - now} ms ahead`)
}

/** Octets that lead through a session: start, connection, OPEN, KEEPALIVE, UPDATE. */
function programs(): readonly Uint8Array[] {
  const event = (type: string): number => STEPS + ALL_EVENTS.findIndex(each => each.type === type)
  const up = [event('ManualStart'), event('Tcp_CR_Acked'), 0, event('KeepAliveMsg')]
  const listening = [event('ManualStart_with_PassiveTcpEstablishment'), event('TcpConnectionConfirmed'), 0]
  const straight = [up, [...up, event('UpdateMsg'), 4, 4], [...listening, event('KeepAliveMsg'), 3, 6, 2], [7, 0, 7, 0]]
  const all = ALL_EVENTS.map((_, i) => [...up.slice(0, i % 5), STEPS + i, 4, ...up])
  const messages = wholeMessages()
    .slice(0, 60)
    .map((octets, i) => [...up.slice(0, i % 5), 2, Math.min(255, octets.length - 19), ...octets])
  const options = [
    [0, 0],
    [1, 0],
    [4, 1],
    [32, 3],
    [64, 29],
    [2, 5],
  ]
  return [...straight, ...all, ...messages].map((steps, i) =>
    Uint8Array.from([...options[i % options.length]!, ...steps]),
  )
}

export const SESSION: FuzzTarget = {
  name: 'session',
  claim: 'RFC 4271 section 8: any events at any time give legal actions; Idle runs no timer but IdleHoldTimer',
  corpus: programs,
  open: () => ({
    run(input) {
      const source = new OctetSource(input)
      const options = readOptions(source)
      // Even what cannot happen throws nothing and ends in a state.
      const isWild = source.uint8() === 255
      const session = new Session(options)
      const line = new Line()
      let now = 0
      let state: State = 'Idle'
      while (!source.isEmpty) {
        const step = source.uint8() % (STEPS + ALL_EVENTS.length)
        let actions: readonly SessionAction[] = []
        if (isTimeStep(step)) {
          now = later(source, step, now, session.nextTimeout)
          actions = session.handleTimeout(now)
        } else {
          const event = readEvent(source, step, options)
          if (isWild || line.allows(event, state === 'Active')) actions = session.handle(event, now)
        }
        state = checkTransitions(actions, state)
        assert.equal(session.state, state)
        assert.equal(session.negotiated !== undefined, state === 'OpenConfirm' || state === 'Established')
        if (!isWild) for (const action of actions) line.check(action)
        checkTimers(session, now)
        if (state === 'Idle') checkIdle(session, now)
      }
    },
  }),
}

/** In Idle a timer may run that ends in a start, RFC 4271 section 8.1.1; whatever else ran would do something else. */
function checkIdle(session: Session, now: number): void {
  const next = session.nextTimeout
  if (next === undefined) return
  assert.ok(next - now <= 120_000, 'IdleHoldTime is never above the ConnectRetryTime')
}

/** What of a peering's connections is open, from the outside. */
class Lines {
  readonly #lines = new Map<ConnectionId, Line>()

  /** The last one made, or one before it. */
  at(back: number): readonly [ConnectionId, Line] | undefined {
    return [...this.#lines].at(-1 - back)
  }

  take(connection: ConnectionId): Line {
    const line = this.#lines.get(connection) ?? new Line()
    this.#lines.set(connection, line)
    return line
  }

  check(actions: readonly PeeringAction[]): void {
    for (const action of actions) {
      if (action.type === 'transition') continue
      this.take(action.connection).check(action)
    }
    const open = [...this.#lines.values()].filter(({ isOpen, isDialling }) => isOpen || isDialling)
    assert.ok(open.length <= 2, 'RFC 4271 section 6.8: two connections at most')
  }
}

export const PEERING: FuzzTarget = {
  name: 'peering',
  claim: 'RFC 4271 section 6.8: whatever comes on however many connections, two are held at most, and one session',
  corpus: programs,
  open: () => ({
    run(input) {
      const source = new OctetSource(input)
      const options = readOptions(source)
      const peering = new Peering(options)
      const lines = new Lines()
      let now = 0
      let actions = peering.start(now)
      let state: State = 'Idle'
      for (;;) {
        lines.check(actions)
        state = checkTransitions(actions, state)
        assert.equal(peering.state, state)
        if (state === 'Established') assert.ok(peering.negotiated)
        if (state === 'Idle') assert.equal(peering.negotiated, undefined)
        checkTimers(peering, now)
        if (source.isEmpty) return
        const step = source.uint8() % (STEPS + ALL_EVENTS.length)
        if (isTimeStep(step)) {
          now = later(source, step, now, peering.nextTimeout)
          actions = peering.handleTimeout(now)
        } else if (step === 6) actions = source.uint8() & 1 ? peering.stop(now) : peering.start(now)
        else if (step === 7) {
          const accepted = peering.accept(now)
          if (accepted.connection !== undefined) lines.take(accepted.connection).isOpen = true
          actions = accepted.actions
        } else {
          const [connection, line] = lines.at(source.uint8() & 1) ?? []
          const event = readEvent(source, step, options)
          actions = connection !== undefined && line?.allows(event, false) ? peering.handle(connection, event, now) : []
        }
      }
    },
  }),
}
