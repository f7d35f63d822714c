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
  Session,
  updateEvent,
  type ControlMessage,
  type SessionOptions,
} from '@typemetal/bgp/fsm'
import { createCease, type OpenMessage } from '@typemetal/bgp/wire'
import { EVENTS, OPTIONS, outcome, PEER_OPEN, sessionIn, shortAction, UPDATE } from './sessions.js'

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
    const cease = state === 'Active' ? '6/2 ' : ''
    t.equal(outcome(stopped, state, 0, stopped.handle({ type: 'ManualStop' }, 0)), `Idle ${cease}close`)

    const refused = delayed()
    t.equal(outcome(refused, state, 0, refused.handle(EVENTS.BGPOpenMsgErr, 0)), 'Idle 2/6 close +')
    const silent = sessionIn(state, { delayOpenTime: 5, sendNotificationWithoutOpen: false })
    silent.handle({ type: 'Tcp_CR_Acked' }, 0)
    t.equal(outcome(silent, state, 0, silent.handle(EVENTS.BGPHeaderErr, 0)), 'Idle close +')

    const mute = sessionIn(state, { delayOpenTime: 5, sendNotificationWithoutOpen: false })
    mute.handle({ type: 'Tcp_CR_Acked' }, 0)
    const stranger = { ...PEER_OPEN, asn: 1, capabilities: [] }
    t.equal(outcome(mute, state, 0, mute.handle({ type: 'BGPOpen', open: stranger }, 0)), 'Idle close +', 'OPEN too')

    const version = delayed()
    t.equal(outcome(version, state, 0, version.handle(EVENTS.NotifMsgVerErr, 0)), 'Idle close', 'not counted')
  }
  const lost = sessionIn('Connect', { delayOpenTime: 5 })
  lost.handle({ type: 'Tcp_CR_Acked' }, 0)
  t.equal(outcome(lost, 'Connect', 0, lost.handle(EVENTS.TcpConnectionFails, 0)), 'Active close')
  t.equal(lost.nextTimeout, 120_000, 'ConnectRetryTimer runs')
  const retried = sessionIn('Connect', { delayOpenTime: 500 })
  retried.handle({ type: 'Tcp_CR_Acked' }, 0)
  t.equal(outcome(retried, 'Connect', 0, retried.handle(EVENTS.ConnectRetryTimer_Expires, 0)), '= dial')
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

t.test('RFC 4271 4.4: no more than one KEEPALIVE a second', async t => {
  const interval = (options: Partial<SessionOptions>): number | undefined =>
    sessionIn('Established', { random: () => 0, ...options }).nextTimeout
  t.equal(interval({ holdTime: 3 }), 1000, 'jitter does not make it shorter')
  t.equal(interval({ holdTime: 90, keepaliveTime: 0.1 }), 1000, 'neither does the option')
  t.equal(interval({ holdTime: 6 }), 1500)
})

t.test('RFC 4271 4.2, RFC 5492 3: what counts is the OPEN that was sent, whatever the options are by now', async t => {
  const session = sessionIn('OpenSent', { holdTime: 30, addPath: { receive: ['ipv4-unicast'] } })
  session.change(checkSessionOptions({ ...OPTIONS, holdTime: 90, extendedMessage: false }), 0)
  const addPath = { send: ['ipv4-unicast'], receive: ['ipv4-unicast'] } as const
  const peer = { asn: 64_513, bgpIdentifier: 2, holdTime: 180, families: ['ipv4-unicast'] as const, addPath }
  session.handle({ type: 'BGPOpen', open: createOpen(peer) }, 0)
  t.match(session.negotiated, { holdTime: 30, extendedMessage: true, addPath: { receive: ['ipv4-unicast'], send: [] } })
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
  const earlier = sessionIn('OpenConfirm', { holdTime: 9, sendHoldTime: 20 })
  earlier.handle({ type: 'KeepAliveMsg' }, 1000)
  for (let now = 2000; now < 21_000; now += 1000) {
    earlier.handle({ type: 'KeepAliveMsg' }, now)
    earlier.handleTimeout(now)
  }
  t.equal(earlier.state, 'Established')
  earlier.handle({ type: 'KeepAliveMsg' }, 21_000)
  earlier.handleTimeout(21_000)
  t.equal(earlier.state, 'Idle', 'what was sent before Established waits still')
  const never = sessionIn('Established', { holdTime: 9, sendHoldTime: 0 })
  never.handle({ type: 'TcpSendProgress', pending: true }, 0)
  t.equal(never.nextTimeout, 3000, 'off with a send hold time of 0: KeepaliveTimer')
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

t.test('RFC 4271 8.1.1: IdleHoldTime and DampPeerOscillations', async t => {
  const waits = (options: Partial<SessionOptions>): number[] => {
    const session = sessionIn('Connect', options)
    let now = 0
    return [1, 2, 3].map(() => {
      session.handle(EVENTS.TcpConnectionFails, now)
      const wait = session.nextTimeout! - now
      now += wait
      session.handleTimeout(now)
      return wait / 1000
    })
  }
  t.same(waits({}), [1, 2, 4])
  t.same(waits({ idleHoldTime: 10 }), [10, 20, 40])
  t.same(waits({ idleHoldTime: 10, dampPeerOscillations: false }), [10, 10, 10])
})

t.test('RFC 4271 8.1.2: AutomaticStop for too many prefixes, and when the session starts again', async t => {
  const stopped = (passive: boolean, idleHoldTime?: number): Session => {
    const session = sessionIn('Established', { passive })
    const more = idleHoldTime === undefined ? {} : { idleHoldTime }
    const actions = session.handle({ type: 'AutomaticStop', cease: createCease(1), ...more }, 0)
    t.equal(outcome(session, 'Established', 0, actions), 'Idle 6/1 close +')
    t.match(actions.at(-1), { ended: 'hard-reset' })
    return session
  }
  t.equal(stopped(false).nextTimeout, 1000)
  t.equal(stopped(false, 600).nextTimeout, 600_000)
  t.equal(stopped(false, Infinity).nextTimeout, undefined, 'not by itself')
  t.equal(stopped(true).awaitsConnection, true, 'a passive one takes the next connection')
  const held = stopped(true, 600)
  t.equal(held.nextTimeout, 600_000)
  t.equal(held.awaitsConnection, false, 'unless it was told to wait')
  held.handleTimeout(600_000)
  t.equal(held.state, 'Active')
})

t.test('damping: jitter, and what is not counted', async t => {
  const damping = new Damping({ first: 1, limit: 10, doubles: true, random: () => 0 })
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
  t.equal(type(createCease(4)), 'NotifMsg')
  t.equal(type({ ...createCease(4), errorCode: 2, errorSubcode: 1 }), 'NotifMsgVerErr')
  t.equal(type({ type: 'route-refresh', afi: 1, subtype: 0, safi: 1 }), 'RouteRefreshMsg')
  t.same(
    (['BGPHeaderErr', 'BGPOpenMsgErr', 'UpdateMsgErr'] as const).map(name => errorEvent(EVENTS[name].error)),
    [EVENTS.BGPHeaderErr, EVENTS.BGPOpenMsgErr, EVENTS.UpdateMsgErr],
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
    { families: ['ipv4-unicast', 'ipv4-unicast'] },
    { families: ['ipv4-multicast'] },
    { delayOpenTime: -1 },
    { openHoldTime: 0 },
    { idleHoldTime: -1 },
    { sendHoldTime: 90 },
    { gracefulRestart: { restartTime: 4096 } },
    { gracefulRestart: { families: ['ipv6-unicast'] }, families: ['ipv4-unicast'] },
    { longLivedGracefulRestart: { staleTime: 1 } },
    { gracefulRestart: {}, longLivedGracefulRestart: { staleTime: 2 ** 24 } },
    { addPath: { send: ['ipv6-unicast'] }, families: ['ipv4-unicast'] },
    { extendedNextHop: ['ipv4-unicast'], families: ['ipv6-unicast'] },
    { role: 'boss' },
    { strictRole: true },
    { role: 'peer', remoteAs: 'internal' },
    { role: 'peer', remoteAs: 64_512 },
    { role: 'peer', confederation: { identifier: 1, members: [64_513] } },
    { fqdn: { hostName: 'x'.repeat(65) } },
    { confederation: { identifier: 0, members: [] } },
    { confederation: { identifier: 1, members: [1] } },
    { extraCapabilities: [{ code: 256, value: new Uint8Array() }] },
    { extraCapabilities: [{ code: 1, value: new Uint8Array(256) }] },
    { extraCapabilities: Array.from({ length: 16 }, () => ({ code: 200, value: new Uint8Array(255) })) },
    { requireCapabilities: ['role'] },
    { fourOctetAs: false, asn: 65_536 },
  ] as unknown as Partial<SessionOptions>[]) {
    t.throws(() => checkSessionOptions({ ...OPTIONS, ...wrong }), RangeError, JSON.stringify(wrong))
  }
  const member = { asn: 70_000, confederation: { identifier: 64_512, members: [] } }
  t.ok(checkSessionOptions({ ...OPTIONS, ...member, fourOctetAs: false }), 'the identifier is the AS number outside')
  t.equal(checkSessionOptions({ ...OPTIONS, sendHoldTime: 0 }).sendHoldTime, 0, 'RFC 9687: off')
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
