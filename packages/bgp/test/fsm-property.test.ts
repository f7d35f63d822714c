import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import {
  checkSessionOptions,
  createOpen,
  errorEvent,
  messageEvent,
  negotiate,
  Peering,
  Session,
  STATES,
  updateEvent,
  type Negotiated,
  type PeeringAction,
  type SessionAction,
  type SessionEvent,
  type SessionOptions,
  type State,
} from '@typemetal/bgp/fsm'
import {
  createCease,
  decodeMessage,
  encodeMessage,
  MessageType,
  WireError,
  type FamilyName,
  type OpenMessage,
} from '@typemetal/bgp/wire'
import { anyDamaged, anyOctets, anyOpen } from './messages.js'
import { EVENTS, OPTIONS } from './sessions.js'

const V4: FamilyName = 'ipv4-unicast'
const V6: FamilyName = 'ipv6-unicast'
const BOTH = [V4, V6] as const
const someFamilies = fc.subarray<FamilyName>([V4, V6])
const bool = fc.boolean()

/** Options that a session can have; those of the other side fit as far as AS numbers go. */
const anyOptions: fc.Arbitrary<SessionOptions> = fc
  .record({
    passive: bool,
    automaticStart: bool,
    collisionDetectEstablishedState: bool,
    sendNotificationWithoutOpen: bool,
    dampPeerOscillations: bool,
    delayOpenTime: fc.constantFrom(0, 0, 1),
    holdTime: fc.constantFrom(0, 3, 90),
    fourOctetAs: bool,
    routeRefresh: bool,
    enhancedRouteRefresh: bool,
    extendedMessage: bool,
    bfdStrictMode: bool,
    extendedNextHop: someFamilies,
    addPath: fc.record({ receive: someFamilies, send: someFamilies }),
    restart: fc.option(fc.record({ families: someFamilies, notification: bool, restartTime: fc.nat(4095) })),
    longLived: fc.option(fc.record({ families: someFamilies, staleTime: fc.nat(1000) })),
    role: fc.constantFrom(undefined, 'provider', 'customer', 'peer'),
    strict: bool,
  })
  .map(({ restart, longLived, role, strict, ...same }) => ({
    ...OPTIONS,
    ...same,
    ...(restart && { gracefulRestart: restart, ...(longLived && { longLivedGracefulRestart: longLived }) }),
    ...(role && ({ role, strictRole: strict } as const)),
  }))
const other = (options: SessionOptions): SessionOptions => ({
  ...options,
  asn: 64_513,
  bgpIdentifier: 2,
  remoteAs: 64_512,
})

const opens: fc.Arbitrary<OpenMessage> = fc.oneof(
  anyOptions.map(options => createOpen(checkSessionOptions(other(options)))),
  anyOpen.map(open => ({ ...open, asn: 64_513 })),
  anyOpen,
)

/** What whole messages of the peer are, whatever is in them. */
function eventsOf(octets: Uint8Array): SessionEvent {
  try {
    const message = decodeMessage(octets)
    return message.type === 'update' ? updateEvent(octets) : messageEvent(message)
  } catch (error) {
    if (error instanceof WireError) return errorEvent(error)
    throw error
  }
}

const events: fc.Arbitrary<SessionEvent> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<SessionEvent>(...Object.values(EVENTS)) },
  { weight: 3, arbitrary: opens.map(open => ({ type: 'BGPOpen' as const, open })) },
  { weight: 2, arbitrary: fc.oneof(anyOctets, anyDamaged).map(eventsOf) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.nat(9), fc.nat(12)).map(([errorCode, errorSubcode]) => ({
      type: 'NotifMsg' as const,
      notification: { type: 'notification' as const, errorCode, errorSubcode, data: new Uint8Array() },
    })),
  },
)

/** The actions of one call: what is sent can be written, a transition starts where the last one ended. @returns the state now */
function checkActions(actions: readonly SessionAction[], before: State): State {
  let state = before
  for (const action of actions) {
    if (action.type === 'send') {
      const octets = encodeMessage(action.message)
      assert.notEqual(octets[18], MessageType.Update)
    }
    if (action.type !== 'transition') continue
    assert.equal(action.from, state)
    assert.ok(STATES.includes(action.to))
    assert.equal('ended' in action, action.from === 'Established')
    state = action.to
  }
  return state
}

t.test('property: any event in any state, whatever the options, gives legal actions', async () => {
  fc.assert(
    fc.property(
      anyOptions,
      fc.array(fc.oneof(events, fc.constant('time' as const)), { maxLength: 40 }),
      (options, steps) => {
        const session = new Session(options)
        let now = 0
        let state: State = 'Idle'
        for (const next of steps) {
          now = next === 'time' ? (session.nextTimeout ?? now) : now
          const actions = next === 'time' ? session.handleTimeout(now) : session.handle(next, now)
          state = checkActions(actions, state)
          assert.equal(session.state, state)
          // In strict mode OpenSent goes on behind the peer's OPEN, and waits for BFD.
          const hasOpen = state === 'OpenConfirm' || state === 'Established' || session.bfdSubState !== undefined
          assert.equal(session.negotiated !== undefined, hasOpen)
          if (session.bfdSubState !== undefined) assert.equal(state, 'OpenSent')
          assert.ok(session.nextTimeout === undefined || session.nextTimeout >= now)
          const closed = actions.findIndex(({ type }) => type === 'close')
          const reopened = actions.findIndex(({ type }) => type === 'connect')
          if (closed >= 0 && reopened < closed) {
            assert.ok(
              actions.slice(closed).every(({ type }) => type !== 'send'),
              'nothing is sent behind close',
            )
          }
        }
      },
    ),
    { numRuns: 2000 },
  )
})

type PeeringStep =
  'accept' | 'time' | 'stop' | 'start' | 'stop automatically' | readonly [line: number, event: SessionEvent]

const peeringSteps: fc.Arbitrary<PeeringStep[]> = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: fc.constant('accept' as const) },
    { weight: 2, arbitrary: fc.constant('time' as const) },
    { weight: 1, arbitrary: fc.constantFrom('stop' as const, 'start' as const, 'stop automatically' as const) },
    { weight: 8, arbitrary: fc.tuple(fc.nat(2), events) },
  ),
  { maxLength: 40 },
)

/** What only a connection that is there can bring, or a timer that runs beside one. */
const CONNECTED: readonly string[] = [
  'Tcp_CR_Acked',
  'TcpConnectionConfirmed',
  'DelayOpenTimer_Expires',
  'BGPOpen_with_DelayOpenTimer_running',
]

/** @param lines every connection that there was, the newest last; `open` are those that are not closed */
function perform(
  peering: Peering,
  step: PeeringStep,
  now: number,
  lines: number[],
  open: ReadonlySet<number>,
): readonly PeeringAction[] {
  if (step === 'start') return peering.start(now)
  if (step === 'stop') return peering.stop(now)
  if (step === 'stop automatically') return peering.stopAutomatically(now, createCease(1), 5)
  if (step === 'time') return peering.handleTimeout(now)
  if (step === 'accept') {
    const { connection, actions } = peering.accept(now)
    if (connection !== undefined) lines.push(connection)
    return actions
  }
  const line = lines.at(-1 - step[0])
  if (line === undefined || (CONNECTED.includes(step[1].type) && !open.has(line))) return []
  return peering.handle(line, step[1], now)
}

t.test('property: a peering has two connections at most, and one session', async () => {
  fc.assert(
    fc.property(anyOptions, peeringSteps, (options, steps) => {
      const peering = new Peering(options)
      const lines: number[] = []
      const open = new Set<number>()
      let now = 0
      let state: State = 'Idle'
      for (const step of steps) {
        if (step === 'time') now = peering.nextTimeout ?? now
        const known = lines.length
        const actions = perform(peering, step, now, lines, open)
        for (const connection of lines.slice(known)) open.add(connection)
        for (const { type, connection } of actions) {
          if (type === 'close') open.delete(connection)
          if (type === 'send') assert.ok(open.has(connection), 'nothing is sent where there is no connection')
          if (type !== 'connect') continue
          open.add(connection)
          lines.push(connection)
        }
        state = checkActions(actions, state)
        assert.equal(peering.state, state)
        assert.ok(open.size <= 2)
        if (state === 'Established') assert.ok(peering.negotiated)
        if (state === 'Idle') assert.equal(peering.negotiated, undefined)
      }
    }),
    { numRuns: 2000 },
  )
})

/** What both sides must see in the same way. */
const shared = ({
  extendedMessage,
  extendedNextHop,
  families,
  fourOctetAs,
  holdTime,
  ...rest
}: Negotiated): unknown => ({
  extendedMessage,
  fourOctetAs,
  holdTime,
  enhancedRouteRefresh: rest.enhancedRouteRefresh,
  families: families.toSorted(),
  extendedNextHop: extendedNextHop.toSorted(),
  notification: rest.gracefulRestart?.notification,
})

t.test('property: both sides negotiate the same', async () => {
  fc.assert(
    fc.property(anyOptions, anyOptions, (a, b) => {
      const { role: _a, strictRole: _sa, ...plainA } = a
      const { role: _b, strictRole: _sb, ...plainB } = b
      const local = checkSessionOptions(plainA)
      const remote = checkSessionOptions(other(plainB))
      const here = negotiate(local, createOpen(remote), 64_513)
      const there = negotiate(remote, createOpen(local), 64_512)
      assert.deepEqual(shared(here), shared(there))
      for (const name of BOTH) {
        assert.equal(here.addPath.receive.includes(name), there.addPath.send.includes(name))
        assert.equal(here.addPath.send.includes(name), there.addPath.receive.includes(name))
      }
    }),
    { numRuns: 1000 },
  )
})

t.test('property: any OPEN is taken or refused with a NOTIFICATION of its own', async () => {
  const codes = new Set<string>()
  fc.assert(
    fc.property(anyOptions, opens, (options, open) => {
      try {
        const negotiated = negotiate(checkSessionOptions(options), open, 64_513)
        assert.ok(negotiated.families.length > 0)
        assert.ok(negotiated.extendedNextHop.every(name => negotiated.families.includes(name)))
      } catch (error) {
        assert.ok(error instanceof WireError, String(error))
        codes.add(error.notification.join('/'))
      }
    }),
    { numRuns: 2000 },
  )
  t.same(
    [...codes].toSorted().filter(code => !['2/2', '2/7', '2/11'].includes(code)),
    [],
  )
})
