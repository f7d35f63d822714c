/** The BGP announcer in virtual time, with an engine that remembers what it was asked. */
import { diffPeerOptions } from '@typemetal/bgp'
import type { PeerOptions } from '@typemetal/bgp'
import * as fc from 'fast-check'
import t from 'tap'
import { BGPAnnouncer, peerOptions, sessionChange } from '@typemetal/speaker'
import type { Environment, Plan, PlanDelta, SessionPlan } from '@typemetal/speaker'
import { FakeBfd } from './support/fake-bfd.js'
import { FakeEngine } from './support/fake-engine.js'
import { recordingLog } from './support/log.js'
import type { Line } from './support/log.js'
import { planOf, route, session } from './support/sessions.js'
import { VirtualClock, settle } from './support/virtual-clock.js'

const EVERYTHING: Environment = { withoutSockets: undefined, netRaw: true }

function world(environment = EVERYTHING) {
  const engine = new FakeEngine()
  const bfd = new FakeBfd()
  const log = recordingLog()
  const clock = new VirtualClock()
  const options = { node: 'n1', createEngine: engine.create, startBfd: bfd.start, environment, log, clock }
  const bgp = new BGPAnnouncer(options)
  const apply = async (plan: Plan, delta?: PlanDelta): Promise<void> => {
    bgp.apply(plan, () => false, delta)
    await settle()
  }
  const said = (event: string): readonly Line[] =>
    log.lines.filter(line => line['event'] === event || line['op'] === event)
  return { engine, bfd, log, clock, bgp, apply, said }
}

const deltaOf = (routes: PlanDelta['routes']): PlanDelta => ({
  services: new Set(),
  layer2: new Map(),
  sessions: new Map(),
  routes,
})

t.test('a change is handed to the session that stands, and the log says what it does and why', async t => {
  const { engine, apply, said } = world()
  await apply(planOf([session()]))
  const [peer] = engine.open
  peer?.become('Established')
  t.match(said('sessionUp'), [{ level: 'info', peer: '192.0.2.1', name: 'r', localASN: 64512, peerASN: 64513 }])
  await apply(planOf([session({ connectTimeSeconds: 5, password: 'new' })]))
  t.strictSame(engine.open, [peer])
  t.match(peer?.options, { connectRetryTime: 5, md5Key: 'new' })
  t.match(said('sessionUpdated'), [{ level: 'info', fields: ['connectTimeSeconds', 'password'] }])
  t.match(JSON.stringify(said('sessionUpdated')), /password: carried, for the kernel changes the key/)
  t.notMatch(JSON.stringify(said('sessionUpdated')), /"new"/, 'the password itself is in no log')
  await apply(planOf([session({ connectTimeSeconds: 5, password: 'new', holdTimeSeconds: 30 })]))
  t.match(peer?.options, { holdTime: 30 })
  t.match(said('sessionReset'), [{ level: 'warn', fields: ['holdTimeSeconds'] }])
  t.match(JSON.stringify(said('sessionReset')), /Hold Time is agreed on in the OPEN messages/)
  await apply(planOf([session({ connectTimeSeconds: 5, password: 'new', holdTimeSeconds: 30 })]))
  t.equal(peer?.changes.length, 2, 'an equal plan changes nothing')
})

t.test('what a plan says of a change is what the engine does with it', async () => {
  const any = fc.record({
    peerPort: fc.constantFrom(179, 1179), myASN: fc.constantFrom(64512, 64514), peerASN: fc.constantFrom(64513, 64515),
    holdTimeSeconds: fc.constantFrom(90, 30), keepaliveTimeSeconds: fc.constantFrom(10, 5), ebgpMultiHop: fc.boolean(),
    gracefulRestart: fc.boolean(), routerID: fc.constantFrom('10.0.0.1', '10.0.0.2'),
    families: fc.constantFrom(['ipv4'] as const, ['ipv4', 'ipv6'] as const),
    peerAddress: fc.constantFrom('192.0.2.1', '192.0.2.2'),
  }) // prettier-ignore
  const extras = fc.record(
    {
      localASN: fc.constant(64999),
      vrf: fc.constant('red'),
      sourceAddress: fc.constant('10.0.0.9'),
      password: fc.constant('k'),
    },
    { requiredKeys: [] },
  )
  const optionsOf = (plan: SessionPlan): PeerOptions =>
    peerOptions(plan, { bgpIdentifier: plan.routerID ?? '', environment: EVERYTHING, leaving: false })
  const both = fc.tuple(any, extras).map(([base, more]) => session({ ...base, ...more }))
  fc.assert(
    fc.property(both, both, (a, b) => {
      const resets = diffPeerOptions(optionsOf(a), optionsOf(b)).some(({ effect }) => effect === 'reset')
      return resets === sessionChange(a, b).resets.length > 0
    }),
    { numRuns: 500 },
  )
})

t.test('a BGPPeer that is only renamed keeps its session', async t => {
  const { engine, apply, said } = world()
  await apply(planOf([session()], [route('10.1.0.1/32'), route('10.1.0.2/32')]))
  const [peer] = engine.open
  peer?.become('Established')
  const next = planOf([session({ name: 'router' })], [route('10.1.0.1/32')])
  await apply(next, deltaOf(new Map([['router', new Map([['10.1.0.1/32', route('10.1.0.1/32')]])]])))
  t.strictSame(engine.open, [peer])
  t.strictSame(
    peer?.routes.map(({ prefix }) => prefix),
    ['10.1.0.1/32'],
  )
  t.match(said('sessionUpdated'), [{ fields: ['name'], name: 'router' }])
  t.strictSame(said('peerRemoved'), [])
  // Advertisements that name the peer name the old one still: the new one is told nothing, and that is no change of its own.
  await apply(planOf([session({ name: 'third' })]), deltaOf(new Map()))
  t.strictSame(peer?.routes, [])
})

t.test('a new Service is one route for each peer, and a list that nobody changed is not looked at', async t => {
  const { engine, apply, said } = world()
  const sessions = [session(), session({ name: 's', peerAddress: '192.0.2.2' })]
  const before = planOf(sessions, [route('10.1.0.1/32')])
  await apply(before)
  t.strictSame(
    engine.open.map(({ routes }) => routes.length),
    [1, 1],
  )
  const after = planOf(sessions, [route('10.1.0.1/32'), route('10.1.0.2/32')])
  const change = new Map([['10.1.0.2/32', route('10.1.0.2/32')]])
  await apply(after, deltaOf(new Map([['r', change], ['s', change]]))) // prettier-ignore
  t.strictSame(
    engine.open.map(({ told }) => told),
    [['+10.1.0.2/32'], ['+10.1.0.2/32']],
  )
  t.match(said('updatedAdvertisements').at(-1), { numAds: 2 })
  await apply(after, deltaOf(new Map()))
  t.equal(said('updatedAdvertisements').length, 2, 'nothing new, nothing said')
  await apply(before, deltaOf(new Map([['r', new Map([['10.1.0.2/32', undefined]])]])))
  t.strictSame(engine.open[0]?.told, ['+10.1.0.2/32', '-10.1.0.2/32'])
  await apply(planOf(sessions, [route('10.1.0.7/32')]))
  t.strictSame(
    engine.open[1]?.routes.map(({ prefix }) => prefix),
    ['10.1.0.7/32'],
    'without a delta the whole set counts',
  )
})

t.test('a route that cannot be sent is named once, and keeps none of the others back', async t => {
  const { engine, apply, said } = world()
  await apply(planOf([session()]))
  const [peer] = engine.open
  if (peer) peer.unsendable = '10.1.0.2/32'
  const routes = [route('10.1.0.1/32'), route('10.1.0.2/32'), route('10.1.0.3/32')]
  await apply(planOf([session()], routes))
  t.strictSame(
    peer?.routes.map(({ prefix }) => prefix),
    ['10.1.0.1/32', '10.1.0.3/32'],
  )
  await apply(planOf([session()], [...routes]))
  t.match(said('setRoutes'), [{ level: 'error', prefix: '10.1.0.2/32', error: /too many communities/ }])
  t.equal(said('setRoutes').length, 1)
})

t.test('a family that the peer does not carry is named: its prefixes go nowhere', async t => {
  const { engine, apply, said } = world()
  await apply(planOf([session({ families: ['ipv4', 'ipv6'] })]))
  const [peer] = engine.open
  if (peer) peer.negotiated = { holdTime: 90, families: ['ipv4-unicast'] }
  peer?.become('Established')
  t.match(said('familyNotCarried'), [{ level: 'warn', families: ['ipv6'] }])
})

t.test('RFC 8326: a drain lowers preference, withdraws, and a cancelled one takes it all back', async t => {
  const { engine, bgp, apply } = world()
  const plain = session()
  const kept = session({ name: 's', peerAddress: '192.0.2.2', gracefulRestart: true })
  await apply(planOf([plain, kept], [route('10.1.0.1/32')]))
  const [first, second] = engine.open
  for (const peer of engine.open) peer.become('Established')
  if (second) second.negotiated = { holdTime: 90, families: ['ipv4-unicast'], gracefulRestart: {} }
  t.strictSame([bgp.peersUp('all'), bgp.peersUp('withoutGracefulRestart'), bgp.peersUp('none')], [2, 1, 0])
  bgp.lowerPreference('withoutGracefulRestart')
  t.ok(first?.options.gracefulShutdown)
  t.notOk(second?.options.gracefulShutdown, 'who keeps our routes over a restart is spared')
  bgp.lowerPreference()
  t.ok(second?.options.gracefulShutdown)
  bgp.withdraw()
  t.strictSame(
    engine.open.map(({ routes }) => routes.length),
    [0, 0],
  )
  await apply(planOf([plain, kept], [route('10.1.0.1/32'), route('10.1.0.2/32')]))
  t.strictSame(
    engine.open.map(({ routes }) => routes.length),
    [0, 0],
    'whatever the plan says',
  )
  bgp.withdraw('all', new Set(['10.1.0.2/32']))
  t.match(first?.routes, [{ prefix: '10.1.0.2/32' }], 'what nobody else would announce stays')
  t.equal(first?.routes.length, 1)
  t.ok(first?.options.gracefulShutdown, 'as a last resort')
  await apply(planOf([plain, kept], [route('10.1.0.2/32'), route('10.1.0.3/32')]))
  t.equal(first?.routes.length, 1)
  await apply(planOf([plain, kept], [route('10.1.0.1/32'), route('10.1.0.2/32')]))
  bgp.restore()
  t.strictSame(
    engine.open.map(({ routes }) => routes.length),
    [2, 2],
  )
  t.strictSame(
    engine.open.map(({ options }) => options.gracefulShutdown),
    [undefined, undefined],
  )
  t.notOk(bgp.settled, 'the fake has two prefixes to tell and told one')
  bgp.lowerPreference()
  await apply(planOf([plain, kept, session({ name: 'x', peerAddress: '192.0.2.3' })]))
  t.ok(engine.open[2]?.options.gracefulShutdown, 'a session that is opened meanwhile, too')
})

t.test('RFC 9003, RFC 4724: the two ways to leave', async t => {
  const down = world()
  await down.apply(planOf([session()]))
  t.equal(down.engine.options?.restarting, false)
  await Promise.all([down.bgp.shutdown('node n1 is drained'), down.bgp.shutdown()])
  t.strictSame(down.engine.farewell, { communication: 'node n1 is drained' })
  await down.apply(planOf([session()]))
  t.equal(down.engine.peers.length, 1, 'nothing is opened after the end')
  const upgrade = world()
  await upgrade.apply(planOf([session({ gracefulRestart: true })]))
  t.match(upgrade.engine.options, { restarting: true, selectionDeferralTime: 0 })
  t.ok(upgrade.bgp.gracefulRestart)
  t.equal(upgrade.engine.open[0]?.options.gracefulRestart, true)
  await upgrade.bgp.leave('upgrade')
  t.strictSame(upgrade.engine.farewell, { gracefulRestart: true, communication: 'upgrade' })
})

t.test('BFD: the worker runs while a peer wants it; a profile changes without BGP', async t => {
  const { engine, bfd, bgp, apply, clock } = world()
  const profile = {
    receiveInterval: 300, transmitInterval: 300, detectMultiplier: 3, echoInterval: 50, echoMode: false,
    passiveMode: false, minimumTtl: 254,
  } // prettier-ignore
  await apply(planOf([session()]))
  t.equal(bfd.workers.length, 0, 'nobody asks, nothing runs')
  const watched = session({ bfdProfile: 'fast', bfd: profile })
  await apply(planOf([watched]))
  const [peer] = engine.open
  t.match(peer?.options.bfd, profile)
  const held = engine.options?.bfd.session({ address: '192.0.2.1', ...profile })
  await settle()
  t.equal(bfd.workers.length, 1)
  bfd.workers[0]?.sessions[0]?.become('Up')
  t.equal(held?.state, 'Up')
  t.match(bgp.bfdSessions(), [{ peer: '192.0.2.1', vrf: 'default', notifications: 1, snapshot: { state: 'Up' } }])
  await apply(planOf([session({ bfdProfile: 'fast', bfd: { ...profile, transmitInterval: 100 } })]))
  t.equal(peer?.options.bfd?.transmitInterval, 100)
  t.strictSame(engine.open, [peer])
  held?.close()
  await settle()
  t.ok(bfd.workers[0]?.closed, 'nobody asks any more')
  t.equal(clock.pending, 0)
})

t.test('BFD that does not run is a limit of those who want it, until it runs', async t => {
  const { engine, bfd, bgp, apply, clock } = world()
  const profile = {
    receiveInterval: 300, transmitInterval: 300, detectMultiplier: 3, echoInterval: 50, echoMode: false,
    passiveMode: false, minimumTtl: 254,
  } // prettier-ignore
  bfd.refusal = 'another process has a port of BFD'
  await apply(planOf([session({ bfdProfile: 'fast', bfd: profile }), session({ name: 's', peerAddress: '192.0.2.2' })]))
  engine.options?.bfd.session({ address: '192.0.2.1', ...profile })
  await settle()
  t.match(bgp.limits, [
    { peer: 'r', field: 'spec.bfdProfile', reason: /another process has a port of BFD: a dead peer/ },
  ])
  t.equal(bgp.limits.length, 1)
  bfd.refusal = undefined
  await clock.advance(1_000)
  t.strictSame(bgp.limits, [])
})

t.test('a peer that is wrong costs its own session only, and is a limit with the field that it is about', async t => {
  const { engine, bgp, apply, said } = world()
  let changes = 0
  bgp.on('limits', () => changes++)
  await apply(planOf([session()]))
  engine.refusal = 'md5Key must have 1 to 80 octets'
  const long = session({ name: 's', peerAddress: '192.0.2.2', password: 'x'.repeat(81) })
  await apply(planOf([session(), long]))
  t.match(bgp.limits, [
    { peer: 's', field: 'spec.password', reason: /must have 1 to 80 octets: session not opened/, notOpened: true },
  ])
  t.equal(changes, 1)
  t.match(said('configure'), [{ level: 'error', field: 'spec.password' }])
  engine.refusal = undefined
  await apply(planOf([session(), { ...long, password: 'short' }]))
  t.strictSame(bgp.limits, [])
  t.equal(engine.open.length, 2)
  const [first] = engine.open
  if (first) first.refusal = 'holdTime must be 0 or at least 3'
  await apply(planOf([session({ holdTimeSeconds: 2 }), { ...long, password: 'short' }]))
  t.match(bgp.limits, [
    { peer: 'r', field: 'spec.holdTime', reason: /the session goes on as before/, notOpened: false },
  ])
})

t.test('what the machine does not give is said once, with the reason, and the rest of the sessions run', async t => {
  const bare: Environment = { withoutSockets: 'the package @typemetal/sockets is not installed', netRaw: false }
  const { engine, bgp, apply, said } = world(bare)
  const red = session({ name: 'red', peerAddress: '192.0.2.2', vrf: 'red' })
  await apply(planOf([session(), red]))
  await apply(planOf([session(), red]))
  t.strictSame(
    engine.open.map(({ options }) => options.address),
    ['192.0.2.1'],
  )
  t.notOk('multihop' in (engine.open[0]?.options ?? {}), 'without the addon the kernel chooses the TTL')
  t.strictSame(bgp.limits.map(({ peer, field, notOpened }) => [peer, field, notOpened]), [
    ['r', 'spec.ebgpMultiHop', false],
    ['red', 'spec.vrf', true],
    ['red', 'spec.ebgpMultiHop', false],
  ]) // prettier-ignore
  t.equal(said('peerLimited').length, 3)
  const poor = world({ withoutSockets: undefined, netRaw: false })
  const { peerAddress: _, ...rest } = session({ name: 'u' })
  await poor.apply(planOf([{ ...rest, interface: 'eth0' }]))
  t.match(poor.bgp.limits, [{ field: 'spec.interface', reason: /CAP_NET_RAW/, notOpened: true }])
  t.equal(poor.engine.open.length, 0)
})

t.test('a peer that is down, lies or flaps is said once, not at every attempt', async t => {
  const { engine, apply, said, bgp } = world()
  await apply(planOf([session()]))
  const [peer] = engine.open
  for (let i = 0; i < 50; i++) {
    peer?.become('Connect')
    peer?.become('Active', 'TcpConnectionFails: connection refused')
    peer?.become('OpenSent')
    peer?.become('Idle', 'BGPOpenMsgErr: AS 64599 is not the configured one (octet 20)')
    peer?.emit('notification', 'received', { errorCode: 2, errorSubcode: 2, reason: 'OPEN Message Error/Bad Peer AS' })
    peer?.emit('notification', 'sent', { errorCode: 2, errorSubcode: 2, reason: 'OPEN Message Error/Bad Peer AS' })
    peer?.become('Idle', 'NotifMsg 2/2')
  }
  t.match(said('connect'), [
    { level: 'error', error: /refused/ },
    { level: 'error', error: /AS 64599/ },
  ])
  t.equal(said('connect').length, 2)
  t.match(said('peerNotification'), [{ level: 'error', error: 'OPEN Message Error/Bad Peer AS', errorCode: 2 }])
  t.equal(said('peerNotification').length + said('notificationSent').length, 2)
  t.match(bgp.peers()[0]?.history.lastNotification, { direction: 'sent', errorCode: 2, errorSubcode: 2 })
  peer?.become('Established')
  peer?.become('Idle', 'HoldTimer_Expires')
  peer?.become('Active', 'TcpConnectionFails: connection refused')
  t.equal(said('connect').length, 3, 'again after a session that stood')
  t.match(said('sessionDown'), [{ level: 'warn', reason: 'HoldTimer_Expires' }])
  t.strictSame([...(bgp.peers()[0]?.history.ends ?? [])], [['HoldTimer_Expires', 1]])
})
