import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import {
  checkSessionOptions,
  collisionSurvivor,
  createOpen,
  Damping,
  describeEvent,
  errorEvent,
  messageEvent,
  negotiate,
  Session,
  STATES,
  updateEvent,
  type ControlMessage,
  type SessionAction,
  type SessionEvent,
  type SessionEventType,
  type State,
} from '@typemetal/bgp/fsm'
import { createCease, encodeMessage, WireError, type OpenMessage } from '@typemetal/bgp/wire'
import { OPTIONS, PEER_OPEN, sessionIn, shortAction } from './sessions.js'

const UPDATE = encodeMessage({ type: 'update', withdrawnRoutes: [], pathAttributes: {}, nlri: [] })
const NOTIFICATION = createCease(4)
const headerError = new WireError('marker', 0, [1, 1])
const openError = new WireError('hold time 1', 22, [2, 6])
const updateError = new WireError('prefix', 23, [3, 10])

const EVENTS: { readonly [T in SessionEventType]: SessionEvent & { readonly type: T } } = {
  ManualStart: { type: 'ManualStart' },
  ManualStop: { type: 'ManualStop' },
  AutomaticStart: { type: 'AutomaticStart' },
  ManualStart_with_PassiveTcpEstablishment: { type: 'ManualStart_with_PassiveTcpEstablishment' },
  AutomaticStart_with_PassiveTcpEstablishment: { type: 'AutomaticStart_with_PassiveTcpEstablishment' },
  AutomaticStart_with_DampPeerOscillations: { type: 'AutomaticStart_with_DampPeerOscillations' },
  AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment: {
    type: 'AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment',
  },
  AutomaticStop: { type: 'AutomaticStop' },
  ConnectRetryTimer_Expires: { type: 'ConnectRetryTimer_Expires' },
  HoldTimer_Expires: { type: 'HoldTimer_Expires' },
  KeepaliveTimer_Expires: { type: 'KeepaliveTimer_Expires' },
  DelayOpenTimer_Expires: { type: 'DelayOpenTimer_Expires' },
  IdleHoldTimer_Expires: { type: 'IdleHoldTimer_Expires' },
  SendHoldTimer_Expires: { type: 'SendHoldTimer_Expires' },
  TcpConnection_Valid: { type: 'TcpConnection_Valid' },
  Tcp_CR_Invalid: { type: 'Tcp_CR_Invalid' },
  Tcp_CR_Acked: { type: 'Tcp_CR_Acked' },
  TcpConnectionConfirmed: { type: 'TcpConnectionConfirmed' },
  TcpConnectionFails: { type: 'TcpConnectionFails', reason: 'ECONNRESET' },
  BGPOpen: { type: 'BGPOpen', open: PEER_OPEN },
  BGPOpen_with_DelayOpenTimer_running: { type: 'BGPOpen_with_DelayOpenTimer_running', open: PEER_OPEN },
  BGPHeaderErr: { type: 'BGPHeaderErr', error: headerError },
  BGPOpenMsgErr: { type: 'BGPOpenMsgErr', error: openError },
  OpenCollisionDump: { type: 'OpenCollisionDump' },
  NotifMsgVerErr: { type: 'NotifMsgVerErr', notification: NOTIFICATION },
  NotifMsg: { type: 'NotifMsg', notification: NOTIFICATION },
  KeepAliveMsg: { type: 'KeepAliveMsg' },
  UpdateMsg: { type: 'UpdateMsg', octets: UPDATE },
  UpdateMsgErr: { type: 'UpdateMsgErr', error: updateError },
  RouteRefreshMsg: { type: 'RouteRefreshMsg', message: { type: 'route-refresh', afi: 1, subtype: 0, safi: 1 } },
  TcpSendProgress: { type: 'TcpSendProgress', pending: true },
}

/**
 * RFC 4271 section 8.2.2, row by row as there: for each event the new state and the actions, in the states Idle, Connect, Active,
 * OpenSent, OpenConfirm and Established. `=` is no change; `+` says that the ConnectRetryCounter goes up.
 */
const TABLE: { readonly [T in SessionEventType]: readonly [string, string, string, string, string, string] } = {
  ManualStart: ['Connect connect', '=', '=', '=', '=', '='],
  ManualStop: ['=', 'Idle close', 'Idle close', 'Idle 6/2 close', 'Idle 6/2 close', 'Idle 6/2 close'],
  AutomaticStart: ['Connect connect', '=', '=', '=', '=', '='],
  ManualStart_with_PassiveTcpEstablishment: ['Active', '=', '=', '=', '=', '='],
  AutomaticStart_with_PassiveTcpEstablishment: ['Active', '=', '=', '=', '=', '='],
  AutomaticStart_with_DampPeerOscillations: ['Connect connect', '=', '=', '=', '=', '='],
  AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment: ['Active', '=', '=', '=', '=', '='],
  AutomaticStop: ['=', 'Idle close +', 'Idle close +', 'Idle 6/2 close +', 'Idle 6/2 close +', 'Idle 6/2 close +'],
  ConnectRetryTimer_Expires: [
    '=',
    '= connect',
    'Connect connect',
    'Idle 5/1 close +',
    'Idle 5/2 close +',
    'Idle 5/3 close +',
  ],
  HoldTimer_Expires: ['=', 'Idle close +', 'Idle close +', 'Idle 4/0 close +', 'Idle 4/0 close +', 'Idle 4/0 close +'],
  KeepaliveTimer_Expires: ['=', 'Idle close +', 'Idle close +', 'Idle 5/1 close +', '= keepalive', '= keepalive'],
  DelayOpenTimer_Expires: [
    '=',
    'OpenSent open',
    'OpenSent open',
    'Idle 5/1 close +',
    'Idle 5/2 close +',
    'Idle 5/3 close +',
  ],
  IdleHoldTimer_Expires: [
    'Connect connect',
    'Idle close +',
    'Idle close +',
    'Idle 5/1 close +',
    'Idle 5/2 close +',
    'Idle 5/3 close +',
  ],
  // RFC 9687 section 4
  SendHoldTimer_Expires: [
    '=',
    'Idle close +',
    'Idle close +',
    'Idle 8/0 close +',
    'Idle 8/0 close +',
    'Idle 8/0 close +',
  ],
  TcpConnection_Valid: ['=', '=', '=', '=', '=', '='],
  Tcp_CR_Invalid: ['=', '=', '=', '=', '=', '='],
  Tcp_CR_Acked: ['=', 'OpenSent open', 'OpenSent open', '=', '=', '='],
  TcpConnectionConfirmed: ['=', 'OpenSent open', 'OpenSent open', '=', '=', '='],
  TcpConnectionFails: ['=', 'Idle close', 'Idle close +', 'Active close', 'Idle close +', 'Idle close +'],
  BGPOpen: ['=', 'Idle close +', 'Idle close +', 'OpenConfirm keepalive', 'Idle 5/2 close +', 'Idle 5/3 close +'],
  BGPOpen_with_DelayOpenTimer_running: [
    '=',
    'OpenConfirm open keepalive',
    'OpenConfirm open keepalive',
    'Idle 5/1 close +',
    'Idle 5/2 close +',
    'Idle 5/3 close +',
  ],
  BGPHeaderErr: ['=', 'Idle close +', 'Idle close +', 'Idle 1/1 close +', 'Idle 1/1 close +', 'Idle 1/1 close +'],
  BGPOpenMsgErr: ['=', 'Idle close +', 'Idle close +', 'Idle 2/6 close +', 'Idle 2/6 close +', 'Idle 5/3 close +'],
  OpenCollisionDump: ['=', 'Idle close +', 'Idle close +', 'Idle 6/7 close +', 'Idle 6/7 close +', 'Idle 6/7 close +'],
  NotifMsgVerErr: ['=', 'Idle close +', 'Idle close +', 'Idle close', 'Idle close', 'Idle close'],
  NotifMsg: ['=', 'Idle close +', 'Idle close +', 'Idle close +', 'Idle close +', 'Idle close +'],
  KeepAliveMsg: ['=', 'Idle close +', 'Idle close +', 'Idle 5/1 close +', 'Established', '='],
  UpdateMsg: ['=', 'Idle close +', 'Idle close +', 'Idle 5/1 close +', 'Idle 5/2 close +', '= update'],
  UpdateMsgErr: ['=', 'Idle close +', 'Idle close +', 'Idle 5/1 close +', 'Idle 5/2 close +', 'Idle 3/10 close +'],
  // RFC 2918; a message like any other before Established
  RouteRefreshMsg: ['=', 'Idle close +', 'Idle close +', 'Idle 5/1 close +', 'Idle 5/2 close +', '= refresh'],
  TcpSendProgress: ['=', '=', '=', '=', '=', '='],
}

/** What a session did, in the form of the table. */
function outcome(session: Session, before: State, counter: number, actions: readonly SessionAction[]): string {
  const state = session.state === before ? '=' : session.state
  const count = session.connectRetryCounter > counter ? ['+'] : []
  return [state, ...actions.map(shortAction).filter(text => text !== undefined), ...count].join(' ')
}

for (const [i, state] of STATES.entries()) {
  t.test(`RFC 4271 8.2.2: ${state}`, async t => {
    for (const [type, cells] of Object.entries(TABLE) as [SessionEventType, readonly string[]][]) {
      const session = sessionIn(state)
      const actions = session.handle(EVENTS[type], 1000)
      t.equal(outcome(session, state, 0, actions), cells[i], `${state}, ${type}`)
      if (session.state !== state) {
        t.match(actions.at(-1), {
          type: 'transition',
          from: state,
          to: session.state,
          cause: describeEvent(EVENTS[type]),
        })
      }
      if (session.state === 'Idle' && state !== 'Idle') {
        t.equal(
          session.nextTimeout === undefined,
          type === 'ManualStop',
          'starts again by itself, unless it was stopped',
        )
      }
    }
  })
}

t.test('RFC 4271 8.2.2: with DelayOpen, OPEN waits for the peer or for DelayOpenTimer', async t => {
  for (const state of ['Connect', 'Active'] as const) {
    const delayed = (): Session => {
      const session = sessionIn(state, { delayOpenTime: 5 })
      t.same(session.handle({ type: 'Tcp_CR_Acked' }, 0), [], 'nothing is sent')
      t.equal(session.state, state)
      return session
    }
    const waits = delayed()
    t.equal(waits.nextTimeout, 5000)
    t.equal(outcome(waits, state, 0, waits.handleTimeout(5000)), 'OpenSent open')

    const answers = delayed()
    t.equal(outcome(answers, state, 0, answers.handle(EVENTS.BGPOpen, 0)), 'OpenConfirm open keepalive')

    const stopped = delayed()
    t.equal(outcome(stopped, state, 0, stopped.handle({ type: 'ManualStop' }, 0)), 'Idle 6/2 close')

    const refused = delayed()
    t.equal(outcome(refused, state, 0, refused.handle(EVENTS.BGPOpenMsgErr, 0)), 'Idle 2/6 close +')
    const silent = sessionIn(state, { delayOpenTime: 5, sendNotificationWithoutOpen: false })
    silent.handle({ type: 'Tcp_CR_Acked' }, 0)
    t.equal(outcome(silent, state, 0, silent.handle(EVENTS.BGPHeaderErr, 0)), 'Idle close +')

    const version = delayed()
    t.equal(outcome(version, state, 0, version.handle(EVENTS.NotifMsgVerErr, 0)), 'Idle close', 'not counted')
  }
  const lost = sessionIn('Connect', { delayOpenTime: 5 })
  lost.handle({ type: 'Tcp_CR_Acked' }, 0)
  t.equal(outcome(lost, 'Connect', 0, lost.handle(EVENTS.TcpConnectionFails, 0)), 'Active close')
  t.equal(lost.nextTimeout, 120_000, 'ConnectRetryTimer runs')
  const retried = sessionIn('Connect', { delayOpenTime: 500 })
  retried.handle({ type: 'Tcp_CR_Acked' }, 0)
  t.equal(outcome(retried, 'Connect', 0, retried.handle(EVENTS.ConnectRetryTimer_Expires, 0)), '= connect')
  t.equal(retried.nextTimeout, 120_000, 'DelayOpenTimer is off')
})

t.test('RFC 4271 4.2, 10: hold and keepalive time are negotiated, with jitter', async t => {
  const timers = (ours: number, theirs: number, more: object = {}): Session => {
    const session = sessionIn('OpenSent', { holdTime: ours, ...more })
    session.handle({ type: 'BGPOpen', open: { ...PEER_OPEN, holdTime: theirs } }, 0)
    return session
  }
  t.equal(timers(90, 180).negotiated?.holdTime, 90)
  t.equal(timers(90, 30).negotiated?.holdTime, 30)
  t.equal(timers(90, 30).nextTimeout, 10_000, 'a third')
  t.equal(timers(90, 30, { keepaliveTime: 5 }).nextTimeout, 5000, 'as configured')
  t.equal(timers(90, 30, { keepaliveTime: 50 }).nextTimeout, 10_000, 'never more than a third')
  t.equal(timers(90, 30, { random: () => 0 }).nextTimeout, 7500, '75 % at least')
  const off = timers(90, 0)
  t.equal(off.nextTimeout, undefined, 'no timer at all')
  off.handle({ type: 'KeepAliveMsg' }, 0)
  t.equal(off.state, 'Established')
  t.equal(off.nextTimeout, undefined)
})

t.test('RFC 4271 4.4, 6.5: KEEPALIVE and UPDATE hold the session, silence ends it', async t => {
  const session = sessionIn('Established', { holdTime: 9 })
  t.same(session.handleTimeout(2999), [])
  t.same(session.handleTimeout(3000).map(shortAction), ['keepalive'])
  session.handle({ type: 'KeepAliveMsg' }, 5000)
  session.handle(updateEvent(UPDATE), 8000)
  session.handle(EVENTS.RouteRefreshMsg, 9000)
  t.same(session.handleTimeout(6000).map(shortAction), ['keepalive'])
  for (let now = 9000; now < 18_000; now += 1000) session.handleTimeout(now)
  t.equal(session.state, 'Established')
  t.same(session.handleTimeout(18_000).map(shortAction), ['4/0', 'close', undefined])
  t.equal(session.state, 'Idle')
})

t.test('RFC 9687 4: a peer that takes no octets ends the session', async t => {
  const session = sessionIn('Established', { holdTime: 9, sendHoldTime: 20 })
  const alive = (from: number, to: number): void => {
    for (let now = from; now < to; now += 1000) {
      session.handle({ type: 'KeepAliveMsg' }, now)
      session.handleTimeout(now)
    }
  }
  session.handle({ type: 'TcpSendProgress', pending: false }, 0)
  alive(0, 15_000)
  session.handle({ type: 'TcpSendProgress', pending: true }, 15_000)
  alive(15_000, 35_000)
  t.equal(session.state, 'Established', 'progress put it off')
  session.handle({ type: 'KeepAliveMsg' }, 35_000)
  t.ok(session.handleTimeout(35_000).some(action => shortAction(action) === '8/0'))
  t.equal(session.state, 'Idle')
  const drained = sessionIn('Established', { holdTime: 0 })
  drained.handle({ type: 'TcpSendProgress', pending: true }, 0)
  t.equal(drained.nextTimeout, undefined, 'off with a hold time of 0')
})

t.test(
  'RFC 4271 8.1.1: IdleHoldTime doubles for a peer that oscillates, and starts over after a session that stood',
  async t => {
    const waits: number[] = []
    const session = new Session({ ...OPTIONS, connectRetryTime: 30 })
    let now = 0
    session.handle({ type: 'ManualStart' }, now)
    const fail = (): void => {
      const before = now
      now = session.nextTimeout ?? Number.NaN
      waits.push((now - before) / 1000)
      session.handleTimeout(now)
    }
    for (let i = 0; i < 7; i++) {
      session.handle({ type: 'TcpConnectionFails' }, now)
      fail()
    }
    t.same(waits, [1, 2, 4, 8, 16, 30, 30], 'up to connectRetryTime')

    waits.length = 0
    const establish = (stood: number): void => {
      for (const type of ['Tcp_CR_Acked', 'BGPOpen', 'KeepAliveMsg'] as const) session.handle(EVENTS[type], now)
      t.equal(session.state, 'Established')
      now += stood * 1000
      session.handle(EVENTS.NotifMsg, now)
      fail()
    }
    establish(1)
    establish(30)
    establish(1)
    establish(1)
    t.same(waits, [30, 1, 2, 4], 'a session of 30 s is forgiven what was before')
  },
)

t.test('damping: jitter, and what is not counted', async t => {
  const damping = new Damping(10, () => 0)
  t.equal(damping.next(), 0.75)
  t.equal(damping.next(), 1.5)
  damping.reset()
  t.equal(damping.next(), 0.75)
  const session = sessionIn('OpenSent')
  session.handle({ type: 'OpenCollisionDump' }, 0)
  t.equal(session.nextTimeout, 1000)
  session.handleTimeout(1000)
  session.handle({ type: 'TcpConnectionFails' }, 1000)
  t.equal(session.nextTimeout, 2000, 'a lost collision is no failure')
})

t.test('RFC 4271 8.1.1: a passive session never dials', async t => {
  const session = new Session({ ...OPTIONS, passive: true })
  session.handle({ type: 'ManualStart_with_PassiveTcpEstablishment' }, 0)
  t.equal(session.nextTimeout, undefined, 'no ConnectRetryTimer')
  session.handle({ type: 'TcpConnectionConfirmed' }, 0)
  t.equal(session.initiator, 'remote')
  session.handle(EVENTS.BGPOpenMsgErr, 10)
  t.equal(session.nextTimeout, 10, 'ready again at once')
  session.handleTimeout(10)
  t.equal(session.state, 'Active')
})

t.test('automaticStart off: Idle until somebody starts it', async t => {
  const session = sessionIn('Established', { automaticStart: false })
  session.handle(EVENTS.TcpConnectionFails, 0)
  t.equal(session.state, 'Idle')
  t.equal(session.nextTimeout, undefined)
  t.equal(session.awaitsConnection, false)
})

t.test('OPEN that cannot stand is refused with its own code', async t => {
  for (const { name, open, code } of [
    { name: 'RFC 4271 6.2: Bad Peer AS', open: { ...PEER_OPEN, capabilities: [] as [], asn: 1 }, code: '2/2' },
    {
      name: 'RFC 7607: AS number 0 in capability 65',
      open: { ...PEER_OPEN, capabilities: [{ type: 'four-octet-as', asn: 0 }] },
      code: '2/2',
    },
  ] as { name: string; open: OpenMessage; code: string }[]) {
    const session = sessionIn('OpenSent')
    t.equal(outcome(session, 'OpenSent', 0, session.handle({ type: 'BGPOpen', open }, 0)), `Idle ${code} close +`, name)
  }
})

t.test('RFC 4271 6.2, 4760 8, 5492, 6286, 6793: negotiation', async t => {
  const local = { asn: 64_512, bgpIdentifier: 1, holdTime: 90, families: ['ipv4-unicast', 'ipv6-unicast'] } as const
  const open = (asn: number, bgpIdentifier = 2): OpenMessage =>
    createOpen({ asn, bgpIdentifier, holdTime: 30, families: ['ipv6-unicast'] })
  t.match(negotiate(local, open(64_513), 64_513), {
    peerAsn: 64_513,
    peerBgpIdentifier: 2,
    internal: false,
    holdTime: 30,
    fourOctetAs: true,
    families: ['ipv6-unicast'],
    routeRefresh: true,
  })
  t.equal(negotiate(local, open(64_512), 'internal').internal, true)
  t.equal(negotiate(local, open(4_200_000_000), 'external').peerAsn, 4_200_000_000)
  const bare = { ...open(64_513), capabilities: [] }
  t.match(negotiate(local, bare, 64_513), { families: ['ipv4-unicast'], fourOctetAs: false, routeRefresh: false })
  const refuses = (what: () => unknown, notification: string): void => {
    try {
      what()
      t.fail('taken')
    } catch (error) {
      t.equal((error as WireError).notification.join('/'), notification)
    }
  }
  refuses(() => negotiate(local, open(64_513), 'internal'), '2/2')
  refuses(() => negotiate(local, open(64_512), 'external'), '2/2')
  refuses(() => negotiate(local, open(64_514), 64_513), '2/2')
  refuses(() => negotiate(local, open(64_512, 1), 'internal'), '2/3')
  t.equal(negotiate(local, open(64_513, 1), 64_513).peerBgpIdentifier, 1, 'RFC 6286: only within one AS')
  refuses(() => negotiate({ ...local, families: ['ipv6-unicast'] }, bare, 64_513), '2/7')
})

t.test('RFC 4271 6.8, RFC 6286 2.3: who survives a collision', async t => {
  const speaker = (bgpIdentifier: number, asn: number): { bgpIdentifier: number; asn: number } => ({
    bgpIdentifier,
    asn,
  })
  t.equal(collisionSurvivor(speaker(2, 1), speaker(1, 9)), 'local')
  t.equal(collisionSurvivor(speaker(1, 9), speaker(2, 1)), 'remote')
  t.equal(collisionSurvivor(speaker(0xffff_ffff, 1), speaker(1, 1)), 'local', 'unsigned')
  t.equal(collisionSurvivor(speaker(1, 2), speaker(1, 1)), 'local')
  t.equal(collisionSurvivor(speaker(1, 1), speaker(1, 2)), 'remote')
})

t.test('messages and errors as events', async t => {
  const type = (m: ControlMessage): string => messageEvent(m).type
  t.equal(type(PEER_OPEN), 'BGPOpen')
  t.equal(type({ type: 'keepalive' }), 'KeepAliveMsg')
  t.same(updateEvent(UPDATE), { type: 'UpdateMsg', octets: UPDATE })
  t.equal(type(NOTIFICATION), 'NotifMsg')
  t.equal(type({ ...NOTIFICATION, errorCode: 2, errorSubcode: 1 }), 'NotifMsgVerErr')
  t.equal(type({ type: 'route-refresh', afi: 1, subtype: 0, safi: 1 }), 'RouteRefreshMsg')
  t.same(
    [headerError, openError, updateError].map(error => errorEvent(error).type),
    ['BGPHeaderErr', 'BGPOpenMsgErr', 'UpdateMsgErr'],
  )
  t.equal(describeEvent({ type: 'TcpConnectionFails' }), 'TcpConnectionFails')
})

t.test('options that the RFC does not allow', async t => {
  for (const wrong of [
    { asn: 0 },
    { asn: 2 ** 32 },
    { asn: 1.5 },
    { bgpIdentifier: 0 },
    { remoteAs: 0 },
    { holdTime: 1 },
    { holdTime: 2 },
    { holdTime: 65_536 },
    { connectRetryTime: 0 },
    { keepaliveTime: -1 },
    { families: [] },
  ]) {
    t.throws(() => checkSessionOptions({ ...OPTIONS, ...wrong }), RangeError, JSON.stringify(wrong))
  }
})

t.test(
  'property: whatever happens, no timer but IdleHoldTimer runs in Idle, and nothing is sent after close',
  async () => {
    const event = fc.constantFrom(...Object.values(EVENTS))
    const step = fc.oneof({ weight: 3, arbitrary: event }, fc.constant('time' as const))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, passive) => {
        const session = new Session({ ...OPTIONS, passive, automaticStart: false, delayOpenTime: 1 })
        let now = 0
        for (const next of steps) {
          now = next === 'time' ? (session.nextTimeout ?? now) : now
          const actions = next === 'time' ? session.handleTimeout(now) : session.handle(next, now)
          const closed = actions.findIndex(({ type }) => type === 'close')
          if (closed >= 0) assert.ok(actions.slice(closed).every(({ type }) => type !== 'send'))
          if (session.state === 'Idle') assert.equal(session.nextTimeout, undefined)
          assert.ok(session.nextTimeout === undefined || session.nextTimeout >= now)
          assert.equal(
            session.negotiated !== undefined,
            session.state === 'OpenConfirm' || session.state === 'Established',
          )
        }
      }),
      { numRuns: 3000 },
    )
  },
)
