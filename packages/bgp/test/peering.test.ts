import t from 'tap'
import { createOpen, Peering, type SessionOptions } from '@typemetal/bgp/fsm'
import { createCease } from '@typemetal/bgp/wire'
import { Pair, seeded } from './pair.js'
import { OPTIONS, PEER_OPEN, shortAction } from './sessions.js'

const A: SessionOptions = { asn: 64_512, bgpIdentifier: 1, remoteAs: 64_513, holdTime: 90, connectRetryTime: 30 }
const B: SessionOptions = { asn: 64_513, bgpIdentifier: 2, remoteAs: 64_512, holdTime: 90, connectRetryTime: 30 }
const MINUTE = 60_000

t.test('RFC 4271 8: active and passive, back to back', async t => {
  const pair = new Pair(A, { ...B, passive: true }, seeded(1))
  pair.start(pair.a)
  pair.start(pair.b)
  pair.runUntil(1000)
  t.ok(pair.isEstablished)
  t.equal(pair.openPipes.length, 1)
  t.same(
    pair.log.toSorted(),
    [
      'a Idle Connect ManualStart',
      'b Idle Active ManualStart_with_PassiveTcpEstablishment',
      'b Active OpenSent TcpConnectionConfirmed',
      'a Connect OpenSent Tcp_CR_Acked',
      'b OpenSent OpenConfirm BGPOpen',
      'a OpenSent OpenConfirm BGPOpen',
      'b OpenConfirm Established KeepAliveMsg',
      'a OpenConfirm Established KeepAliveMsg',
    ].toSorted(),
  )
  pair.runUntil(10 * MINUTE)
  t.equal(pair.log.length, 8, 'KEEPALIVEs hold it')
  t.match(pair.a.peering.negotiated, { peerAsn: 64_513, holdTime: 90 })

  pair.stop(pair.a)
  pair.runUntil(11 * MINUTE)
  t.equal(pair.a.peering.state, 'Idle')
  t.equal(pair.a.peering.nextTimeout, undefined)
  t.equal(pair.b.peering.state, 'Active', 'ready for the next one')
  t.match(pair.log.at(-2), 'b Established Idle NotifMsg 6/2')
  t.equal(pair.openPipes.length, 0)
})

t.test('RFC 4271 6.8: both sides dial at once, 500 times: always exactly one session, and it stays', async t => {
  let collisions = 0
  for (let seed = 0; seed < 500; seed++) {
    const random = seeded(seed)
    const [first, second] = random() < 0.5 ? [A, B] : [{ ...A, bgpIdentifier: 9 }, B]
    const pair = new Pair(first, second, random)
    pair.after(Math.floor(random() * 120), () => pair.start(pair.a))
    pair.after(Math.floor(random() * 120), () => pair.start(pair.b))
    pair.runUntil(20_000)
    const { length } = pair.log
    if (pair.pipes.length > 1) collisions++
    pair.runUntil(5 * MINUTE)
    if (!pair.isEstablished || pair.openPipes.length !== 1 || pair.log.length !== length) {
      t.fail(`seed ${seed}: ${pair.openPipes.length} connections`, { log: pair.log })
    }
  }
  t.ok(collisions > 200, `${collisions} of 500 collided`)
})

t.test('connections cut at random: the session comes back, one only', async t => {
  for (let seed = 0; seed < 100; seed++) {
    const random = seeded(seed)
    const pair = new Pair(A, B, random)
    pair.start(pair.a)
    pair.start(pair.b)
    for (let cut = 0; cut < 5; cut++) {
      pair.runUntil(pair.now + Math.floor(random() * 5000))
      pair.reset(random() < 0.5 ? pair.a : pair.b)
    }
    pair.runUntil(pair.now + 3 * MINUTE)
    if (!pair.isEstablished || pair.openPipes.length !== 1) t.fail(`seed ${seed}`, { log: pair.log })
  }
  t.pass('always')
})

t.test('a peer that is down is tried again, ever less often, and found when it is back', async t => {
  const pair = new Pair({ ...A, connectRetryTime: 8 }, { ...B, passive: true }, () => 0.999)
  pair.b.down = true
  pair.start(pair.a)
  pair.start(pair.b)
  pair.runUntil(MINUTE)
  t.ok(
    pair.pipes.length >= 9 && pair.pipes.length <= 11,
    `${pair.pipes.length} attempts in a minute: 1, 2, 4, 8, 8 s …`,
  )
  pair.b.down = false
  pair.runUntil(MINUTE + 9000)
  t.ok(pair.isEstablished)
})

t.test('a peer that rejects our OPEN is not asked in a hot loop', async t => {
  const pair = new Pair(A, { ...B, remoteAs: 1, passive: true }, seeded(3))
  pair.start(pair.a)
  pair.start(pair.b)
  pair.runUntil(10 * MINUTE)
  t.ok(pair.pipes.length < 30, `${pair.pipes.length} connections in ten minutes`)
  t.ok(pair.log.some(line => line.startsWith('b OpenSent Idle BGPOpenMsgErr: peer AS')))
})

t.test('a peer that could not be reached may reach us meanwhile', async t => {
  const peering = new Peering(OPTIONS)
  const [dial] = peering.start(0)
  peering.handle(dial!.connection, { type: 'TcpConnectionFails' }, 0)
  t.equal(peering.state, 'Idle')
  const { connection, actions } = peering.accept(100)
  t.ok(connection)
  t.same(actions.map(shortAction), [undefined, 'open', undefined])
  t.equal(peering.state, 'OpenSent')
})

t.test('RFC 4271 8.2.1: connections that no FSM takes are refused', async t => {
  const refused = (peering: Peering): boolean => peering.accept(0).connection === undefined
  const stopped = new Peering(OPTIONS)
  t.ok(refused(stopped), 'never started')

  const punished = new Peering(OPTIONS)
  const [dial] = punished.start(0)
  punished.handle(dial!.connection, { type: 'Tcp_CR_Acked' }, 0)
  punished.handle(dial!.connection, { type: 'NotifMsg', notification: createCease(2) }, 0)
  t.equal(punished.state, 'Idle')
  t.ok(refused(punished), 'IdleHoldTimer runs after an error')

  const busy = new Peering({ ...OPTIONS, passive: true })
  busy.start(0)
  const first = busy.accept(0).connection!
  t.notOk(refused(busy), 'a second one may collide')
  t.ok(refused(busy), 'a third one may not')
  busy.handle(first, { type: 'BGPOpen', open: PEER_OPEN }, 0)
  busy.handle(first, { type: 'KeepAliveMsg' }, 0)
  t.equal(busy.state, 'Established')
  t.ok(refused(busy), 'Established')
})

t.test('of two connections that the peer opened, the newer one counts', async t => {
  const peering = new Peering({ ...OPTIONS, passive: true })
  peering.start(0)
  const first = peering.accept(0).connection!
  const second = peering.accept(0).connection!
  const actions = peering.handle(second, { type: 'BGPOpen', open: PEER_OPEN }, 0)
  t.same(
    actions.map(action => [action.connection, shortAction(action)]),
    [
      [first, '6/7'],
      [first, 'close'],
      [second, 'keepalive'],
      [second, undefined],
    ],
  )
  t.same(peering.handle(first, { type: 'KeepAliveMsg' }, 0), [], 'the old one is unknown now')
})

t.test('RFC 4271 6.8: an OPEN that cannot stand does not win a collision', async t => {
  const peering = new Peering(OPTIONS)
  const [dial] = peering.start(0)
  const ours = dial!.connection
  peering.handle(ours, { type: 'Tcp_CR_Acked' }, 0)
  const theirs = peering.accept(0).connection!
  const wrong = { ...PEER_OPEN, asn: 1, capabilities: [] }
  const actions = peering.handle(theirs, { type: 'BGPOpen', open: wrong }, 0)
  t.same(
    actions.map(action => [action.connection, shortAction(action)]),
    [
      [theirs, '2/2'],
      [theirs, 'close'],
    ],
  )
  t.equal(peering.state, 'OpenSent', 'ours goes on')
  peering.handle(ours, { type: 'BGPOpen', open: PEER_OPEN }, 0)
  t.equal(peering.state, 'OpenConfirm')
})

t.test('RFC 6286 2.3, RFC 5065 4: with equal BGP Identifiers the AS numbers decide that the OPENs have', async t => {
  const identifier = 64_512
  const peering = new Peering({
    asn: 10,
    bgpIdentifier: 2,
    remoteAs: 100,
    confederation: { identifier, members: [11] },
  })
  const [dial] = peering.start(0)
  peering.handle(dial!.connection, { type: 'Tcp_CR_Acked' }, 0)
  const theirs = peering.accept(0).connection!
  const open = createOpen({ asn: 100, bgpIdentifier: 2, holdTime: 90, families: ['ipv4-unicast'] })
  const actions = peering.handle(theirs, { type: 'BGPOpen', open }, 0)
  t.same(
    actions.map(action => [action.connection, shortAction(action)]),
    [
      [theirs, '6/7'],
      [theirs, 'close'],
    ],
    '64512 is the larger one, our member AS is not seen outside',
  )
})

t.test('the second connection takes over when the first one fails', async t => {
  const peering = new Peering(OPTIONS)
  const [dial] = peering.start(0)
  const { connection } = peering.accept(0)
  t.equal(peering.state, 'Connect', 'told of the first one still')
  peering.handle(connection!, { type: 'BGPOpen', open: PEER_OPEN }, 0)
  const actions = peering.handle(dial!.connection, { type: 'TcpConnectionFails' }, 0)
  t.equal(peering.state, 'OpenConfirm')
  t.match(actions.at(-1), { type: 'transition', to: 'OpenConfirm', cause: 'other connection ended' })
})

t.test('the second connection is Established: an attempt of ours is given up', async t => {
  const peering = new Peering(OPTIONS)
  const [dial] = peering.start(0)
  const connection = peering.accept(0).connection!
  peering.handle(connection, { type: 'BGPOpen', open: PEER_OPEN }, 0)
  const actions = peering.handle(connection, { type: 'KeepAliveMsg' }, 0)
  t.match(actions, [
    { type: 'close', connection: dial!.connection },
    { type: 'transition', from: 'Connect', to: 'Established', connection },
  ])
  t.ok(peering.negotiated)
  t.equal(peering.connectRetryCounter, 0)
  t.same(peering.stop(0, createCease(3)).map(shortAction), ['6/3', 'close', undefined])
})

t.test('RFC 4271 8: the ConnectRetryCounter is the peer’s, whichever connection failed', async t => {
  const peering = new Peering(OPTIONS)
  const [dial] = peering.start(0)
  peering.handle(dial!.connection, { type: 'Tcp_CR_Acked' }, 0)
  peering.handle(dial!.connection, { type: 'NotifMsg', notification: createCease(4) }, 0)
  t.equal(peering.connectRetryCounter, 1)
  peering.handleTimeout(peering.nextTimeout!)
  const { connection } = peering.accept(1000)
  t.equal(peering.connectRetryCounter, 1, 'a second connection is no manual start')
  peering.handle(connection!, { type: 'NotifMsg', notification: createCease(4) }, 1000)
  t.equal(peering.connectRetryCounter, 2)
  peering.stop(1000)
  t.equal(peering.connectRetryCounter, 0)
})
