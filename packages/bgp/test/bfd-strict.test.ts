/** Sessions that wait for BFD, in virtual time. */
import assert from 'node:assert/strict'
import t from 'tap'
import {
  createOpen,
  negotiate,
  Peering,
  PeerMemory,
  checkSessionOptions,
  Session,
  type LocalSpeaker,
  type SessionAction,
  type SessionOptions,
} from '@typemetal/bgp/fsm'
import { decodeMessage, encodeMessage, type OpenMessage } from '@typemetal/bgp/wire'
import { errorOf, message, toHex } from './octets.js'
import { EVENTS, OPTIONS, PEER_OPEN, sessionIn, shortAction } from './sessions.js'

const STRICT: Partial<SessionOptions> = { bfdStrictMode: true }
const PEER: LocalSpeaker = { asn: 64_513, bgpIdentifier: 2, holdTime: 180, families: ['ipv4-unicast'] }
const STRICT_OPEN: OpenMessage = createOpen({ ...PEER, bfdStrictMode: true })
const OPEN_EVENT = { type: 'BGPOpen', open: STRICT_OPEN } as const

const short = (actions: readonly SessionAction[]): unknown[] =>
  actions.map(action => (action.type === 'transition' ? action.to : shortAction(action)))

/** A session that has both OPEN messages and waits, at instant 0. */
function waiting(options: Partial<SessionOptions> = {}, open = STRICT_OPEN): Session {
  const session = sessionIn('OpenSent', { ...STRICT, ...options })
  assert.deepEqual(short(session.handle({ type: 'BGPOpen', open }, 0)), ['wait'])
  assert.equal(session.bfdSubState, 'OpenSentBfdUpPending')
  return session
}

t.test('draft-ietf-idr-bgp-bfd-strict-mode section 5: capability 74, without a value', async t => {
  const open = createOpen({ ...PEER, bfdStrictMode: true })
  t.match(open.capabilities.at(-1), { type: 'bfd-strict-mode' })
  const octets = encodeMessage(open)
  t.match(toHex(octets), /4a00$/)
  t.same((decodeMessage(octets) as OpenMessage).capabilities.at(-1), { type: 'bfd-strict-mode' })
  t.notOk(createOpen(PEER).capabilities.some(({ type }) => type === 'bfd-strict-mode'))
  const malformed = message(1, '04fde8005a0a0000010502034a0100')
  t.match(errorOf(malformed), { notification: [2, 0], disposition: 'session-reset' })
})

t.test('draft-ietf-idr-bgp-bfd-strict-mode section 6: agreed on where both OPENs have it', async t => {
  const ours = checkSessionOptions({ ...OPTIONS, ...STRICT })
  const strict = (local: SessionOptions, remote: OpenMessage): boolean =>
    negotiate(checkSessionOptions(local), remote, 64_513).bfdStrictMode
  t.equal(strict(ours, STRICT_OPEN), true)
  t.equal(strict(ours, PEER_OPEN), false)
  t.equal(strict(OPTIONS, STRICT_OPEN), false)
})

t.test('draft-ietf-idr-bgp-bfd-strict-mode section 8.5.5: with BFD Up or AdminDown nothing is held back', async t => {
  for (const event of [EVENTS.BfdUp, EVENTS.BfdAdminDown, EVENTS.BfdDisabled]) {
    const session = sessionIn('OpenSent', STRICT)
    t.same(short(session.handle(event, 0)), [], 'BFD comes first')
    t.same(short(session.handle(OPEN_EVENT, 0)), ['keepalive', 'OpenConfirm'], event.type)
    t.equal(session.bfdSubState, undefined)
  }
  const lax = sessionIn('OpenSent')
  t.same(short(lax.handle(OPEN_EVENT, 0)), ['keepalive', 'OpenConfirm'], 'strict on the side of the peer alone')
})

t.test('draft-ietf-idr-bgp-bfd-strict-mode section 8.5.1: the KEEPALIVE goes when BFD comes Up', async t => {
  for (const event of [EVENTS.BfdUp, EVENTS.BfdAdminDown, EVENTS.BfdDisabled]) {
    const session = waiting()
    t.match(session, { state: 'OpenSent', negotiated: { holdTime: 90, bfdStrictMode: true } })
    t.equal(session.nextTimeout, 90_000, 'HoldTimer, and no KeepaliveTimer')
    t.same(short(session.handle(event, 60_000)), ['keepalive', 'OpenConfirm'], event.type)
    t.equal(session.nextTimeout, 90_000, 'KeepaliveTimer')
    t.equal(session.bfdSubState, undefined)
    t.same(short(session.handle(event, 60_000)), [], 'once')
    t.same(short(session.handle(EVENTS.KeepAliveMsg, 60_001)), ['Established'])
  }
})

t.test("draft-ietf-idr-bgp-bfd-strict-mode section 8.5.6: the peer's BFD is Up before ours", async t => {
  const session = waiting()
  t.same(short(session.handle(EVENTS.KeepAliveMsg, 10)), [])
  t.equal(session.bfdSubState, 'OpenSentConfirmedBfdUpPending')
  t.same(short(session.handle(EVENTS.KeepAliveMsg, 30_000)), [], 'as often as it likes')
  t.equal(session.nextTimeout, 90_000, 'which does not make the wait longer')
  const actions = session.handle(EVENTS.BfdUp, 40_000)
  t.same(short(actions), ['keepalive', 'Established'])
  t.match(actions.at(-1), { from: 'OpenSent', cause: 'BfdUp' })
  t.equal(session.establishedAt, 40_000)
  t.equal(session.connectRetryCounter, 0)

  const lax = sessionIn('OpenSent', STRICT)
  t.same(short(lax.handle(EVENTS.KeepAliveMsg, 0)), ['5/1', 'close', 'Idle'], 'before its OPEN it is an error as ever')
})

t.test('draft-ietf-idr-bgp-bfd-strict-mode section 8.5: the wait ends with the Hold Time', async t => {
  const session = waiting()
  t.same(short(session.handleTimeout(89_999)), [])
  const actions = session.handleTimeout(90_000)
  t.same(short(actions), ['4/0', 'close', 'Idle'])
  t.match(actions.at(-1), { cause: 'HoldTimer_Expires: BFD is not Up' })
  t.equal(session.connectRetryCounter, 1)
  t.equal(session.bfdSubState, undefined)
})

t.test('draft-ietf-idr-bgp-bfd-strict-mode section 8.5.3: BfdHoldTimer where the Hold Time is 0', async t => {
  for (const [bfdHoldTime, seconds] of [
    [undefined, 30],
    [5, 5],
  ] as const) {
    const session = waiting({ holdTime: 0, ...(bfdHoldTime && { bfdHoldTime }) })
    t.equal(session.nextTimeout, seconds * 1000)
    const actions = session.handleTimeout(seconds * 1000)
    t.same(short(actions), ['6/10', 'close', 'Idle'])
    t.match(actions.at(-1), { cause: 'BfdHoldTimer_Expires' })
    t.equal(session.connectRetryCounter, 1)
  }
  const early = waiting({ holdTime: 0 })
  early.handle(EVENTS.BfdUp, 29_999)
  t.equal(early.nextTimeout, undefined, 'it does not run on')
  for (const bfdHoldTime of [0, -1, 1.5, 65_536]) {
    t.throws(() => new Session({ ...OPTIONS, bfdHoldTime }), /^bfdHoldTime must be a whole number/)
  }
})

t.test('draft-ietf-idr-bgp-bfd-strict-mode section 8.5.2, 8.6.2: the path fails while the session opens', async t => {
  const memory = new PeerMemory(checkSessionOptions({ ...OPTIONS, ...STRICT }))
  memory.connectRetryCounter = 7
  const session = new Session({ ...OPTIONS, ...STRICT }, memory)
  session.handle(EVENTS.BfdUp, 0)
  session.handle(EVENTS.AutomaticStart_with_DampPeerOscillations, 0)
  session.handle(EVENTS.Tcp_CR_Acked, 0)
  session.handle(OPEN_EVENT, 0)
  t.equal(session.state, 'OpenConfirm')
  const actions = session.handle(EVENTS.BfdDown, 10)
  t.same(short(actions), ['6/10', 'close', 'Idle'])
  t.match(actions.at(-1), { cause: 'BfdDown: Control Detection Time Expired' })
  t.equal(session.connectRetryCounter, 0, 'counts anew')
  t.equal(session.nextTimeout, 1010, 'and tries again')

  session.handleTimeout(1010)
  session.handle(EVENTS.Tcp_CR_Acked, 1020)
  t.same(short(session.handle(OPEN_EVENT, 1030)), ['wait'], 'it is remembered')
})

t.test('draft-ietf-idr-bgp-bfd-strict-mode section 8.5: what else can happen to one that waits', async t => {
  t.same(short(waiting().handle(OPEN_EVENT, 1)), ['5/1', 'close', 'Idle'])
  t.same(short(waiting().handle(EVENTS.UpdateMsg, 1)), ['5/1', 'close', 'Idle'])
  t.same(short(waiting().handle(EVENTS.ManualStop, 1)), ['6/2', 'close', 'Idle'])
  t.same(short(waiting().handle(EVENTS.NotifMsg, 1)), ['close', 'Idle'])
  const lost = waiting()
  t.same(short(lost.handle(EVENTS.TcpConnectionFails, 1)), ['close', 'Active'])
  t.match(lost, { bfdSubState: undefined, negotiated: undefined })
  t.same(short(lost.handle(EVENTS.BfdUp, 2)), [])
})

t.test(
  'draft-ietf-idr-bgp-bfd-strict-mode: a peer without the capability is waited with, on our side alone',
  async t => {
    const session = waiting({}, PEER_OPEN)
    t.equal(session.negotiated?.bfdStrictMode, false)
    t.same(short(session.handle(EVENTS.KeepAliveMsg, 1)), [], 'it is in OpenConfirm')
    t.same(short(session.handle(EVENTS.BfdUp, 2)), ['keepalive', 'Established'])
  },
)

t.test('draft-ietf-idr-bgp-bfd-strict-mode section 8.3.5: an OPEN that comes while DelayOpenTimer runs', async t => {
  for (const event of [EVENTS.Tcp_CR_Acked, EVENTS.TcpConnectionConfirmed]) {
    const session = sessionIn('Connect', { ...STRICT, delayOpenTime: 5 })
    session.handle(event, 0)
    t.same(short(session.handle(OPEN_EVENT, 1000)), ['open', 'wait', 'OpenSent'])
    t.equal(session.nextTimeout, 91_000, 'the HoldTimer alone')
    t.same(short(session.handle(EVENTS.BfdUp, 2000)), ['keepalive', 'OpenConfirm'])
  }
})

t.test('RFC 4271 section 6.8: of two connections that wait one is left, and comes up', async t => {
  const peering = new Peering({ ...OPTIONS, ...STRICT })
  const { connection: dialled } = peering.start(0)[0]!
  peering.handle(dialled, EVENTS.Tcp_CR_Acked, 1)
  peering.handle(dialled, OPEN_EVENT, 2)
  t.equal(peering.bfdSubState, 'OpenSentBfdUpPending')
  t.match(peering.negotiated, { bfdStrictMode: true })
  const accepted = peering.accept(3).connection!
  const actions = peering.handle(accepted, OPEN_EVENT, 4)
  t.same(
    actions.map(action => [action.connection, action.type === 'transition' ? action.to : shortAction(action)]),
    [
      [dialled, '6/7'],
      [dialled, 'close'],
      [accepted, 'wait'],
    ],
    'the connection of the higher BGP Identifier',
  )
  t.same(short(peering.bfdChanged({ type: 'BfdUp' }, 5)), ['keepalive', 'OpenConfirm'])
  t.equal(peering.bfd, 'Up')
  t.same(short(peering.handle(accepted, EVENTS.KeepAliveMsg, 6)), ['Established'])
})

t.test('RFC 5882 section 3.2: BFD that fails ends both connections of a collision', async t => {
  const peering = new Peering(OPTIONS)
  peering.bfdChanged({ type: 'BfdUp' }, 0)
  const { connection: dialled } = peering.start(0)[0]!
  peering.handle(dialled, EVENTS.Tcp_CR_Acked, 1)
  const accepted = peering.accept(3).connection!
  const actions = peering.bfdChanged({ type: 'BfdDown', reason: 'Path Down' }, 5)
  t.same(
    actions.map(action => [action.connection, action.type === 'transition' ? action.to : shortAction(action)]),
    [
      [accepted, '6/10'],
      [accepted, 'close'],
      [dialled, '6/10'],
      [dialled, 'close'],
      [dialled, 'Idle'],
    ],
  )
  t.equal(peering.bfd, 'Down')
  peering.bfd = 'Up'
  t.same(short(peering.bfdChanged({ type: 'BfdAdminDown' }, 6)), [])
  t.equal(peering.bfd, 'AdminDown')
})
