/** Options that change while a session stands. */
import t from 'tap'
import { CeaseSubcode, type Peer, type PeerOptions, type PeerOptionChange } from '@typemetal/bgp'
import { TestClock } from './clock.js'
import { RAW_OPEN, RawListener, RawPeer } from './raw-peer.js'
import { createNode, createRouter, established, LOCAL, nextPeer, RecordingLog, until, update } from './speakers.js'

const effects = (changes: readonly PeerOptionChange[]): readonly string[] =>
  changes.map(({ field, effect }) => `${field}: ${effect}`)

/** A session of two speakers: the router's peer has these options, and learns from the node. */
async function withSession(
  options: Partial<PeerOptions>,
  play: (scene: {
    readonly ours: Peer
    readonly theirs: Peer
    readonly change: (more: Partial<PeerOptions>) => readonly string[]
    readonly routes: ReadonlyMap<string, unknown>
    readonly log: RecordingLog
  }) => Promise<void>,
): Promise<void> {
  const log = new RecordingLog()
  await using router = await createRouter({ log })
  const base: PeerOptions = { address: LOCAL, asn: 64_512, passive: true, ...options }
  const ours = router.speaker.addPeer(base)
  await using node = createNode()
  const theirs = node.addPeer({ address: LOCAL, port: router.port, asn: 64_513, idleHoldTime: 0 })
  theirs.setRoutes([
    { prefix: '192.0.2.0/24', communities: ['64512:1'] },
    { prefix: '198.51.100.0/24', asPath: [64_513] },
  ])
  router.speaker.announce({ prefix: '203.0.113.0/24' })
  await established(ours, theirs)
  await until(() => ours.counters.prefixesReceived === 2 || options.importPolicy === 'reject', 'routes')
  await until(() => theirs.counters.prefixesReceived === 1, 'and ours')
  const { routes } = router
  const change = (more: Partial<PeerOptions>): readonly string[] => effects(ours.change({ ...base, ...more }))
  await play({ ours, theirs, change, routes, log })
}

t.test('import policy: the Adj-RIB-In goes through it again, without a message', async t => {
  await withSession({}, async ({ ours, change, routes }) => {
    t.same([...routes.keys()].toSorted(), ['192.0.2.0/24', '203.0.113.0/24'], 'one has our own AS in its path')
    const { totalReceived } = ours.counters
    t.same(change({ allowOwnAs: 1 }), ['allowOwnAs: live'])
    t.ok(routes.has('198.51.100.0/24'))
    const importPolicy: PeerOptions['importPolicy'] = ({ prefix }) => prefix.startsWith('198')
    t.same(change({ importPolicy }), ['importPolicy: live', 'allowOwnAs: live'])
    t.notOk(routes.has('192.0.2.0/24'))
    t.same(
      [...ours.adjRibIn()].map(({ accepted }) => accepted),
      [false, false],
      'kept, and not used',
    )
    t.equal(ours.counters.totalReceived, totalReceived)
    t.equal(ours.state, 'Established')
  })
})

t.test('RFC 2918 section 4: what was not kept is asked for', async t => {
  await withSession({ importPolicy: 'reject' }, async ({ ours, change, routes }) => {
    t.same([...routes.keys()], ['203.0.113.0/24'])
    t.same(change({ importPolicy: 'accept' }), ['importPolicy: live'])
    await until(() => routes.has('192.0.2.0/24'), 'said again')
    t.equal(ours.counters.routeRefreshSent, 2)
    t.same(change({ importPolicy: 'reject' }), ['importPolicy: live'])
    t.notOk(routes.has('192.0.2.0/24'), 'and let go of')
  })
})

t.test('RFC 8326, export policy: what differs is sent', async t => {
  await withSession({}, async ({ ours, theirs, change }) => {
    const heard = (): object => [...theirs.adjRibIn()][0]?.attributes ?? {}
    t.same(change({ gracefulShutdown: true }), ['gracefulShutdown: live'])
    await until(() => 'communities' in heard(), 'GRACEFUL_SHUTDOWN')
    t.match(heard(), { communities: [0xffff_0000] })
    t.same(change({ exportPolicy: 'reject' }), ['exportPolicy: live', 'gracefulShutdown: live'])
    await until(() => theirs.counters.prefixesReceived === 0, 'withdrawn')
    change({ exportPolicy: () => ({ multiExitDisc: 7 }) })
    await until(() => theirs.counters.prefixesReceived === 1, 'announced')
    t.match(heard(), { multiExitDisc: 7 })
    t.equal(ours.counters.opensSent, 1)
    t.equal(ours.state, 'Established')
  })
})

t.test('name, limit of prefixes: at once', async t => {
  await withSession({}, async ({ ours, change, log }) => {
    t.same(change({ name: 'tor' }), ['name: live'])
    t.equal(ours.name, 'tor')
    t.match(log.lines.at(-1), { peer: 'tor', message: 'options changed' })
    t.same(change({ name: 'tor', maximumPrefixes: 1, maximumPrefixesAction: 'warn' }).length, 2)
    t.match(log.at('warn'), [{ peer: 'tor', message: 'more prefixes than allowed', limit: 1 }])
    t.equal(ours.state, 'Established')
    t.throws(() => change({ maximumPrefixes: 0 }), RangeError)
    t.match(change({ name: 'tor', maximumPrefixes: 1, maximumPrefixesAction: 'warn' }), [], 'nothing had changed')
  })
})

t.test('RFC 4271 section 4.4: timers of ours follow', async t => {
  const clock = new TestClock()
  await using listener = await RawListener.open()
  await using node = createNode({ clock, random: () => 1 })
  const options: PeerOptions = { address: LOCAL, port: listener.port, asn: 64_513, families: ['ipv4-unicast'] }
  const accepting = listener.accept()
  const peer = node.addPeer(options)
  const raw = await accepting
  await raw.establish()
  await raw.next('update')
  t.same(effects(peer.change({ ...options, keepaliveTime: 5 })), ['keepaliveTime: live'])
  clock.advance(30_000)
  await raw.next('keepalive')
  clock.advance(5000)
  await raw.next('keepalive')
  t.equal(peer.state, 'Established')
})

t.test('RFC 4486 section 4: Other Configuration Change for what the OPEN messages settle', async t => {
  await using listener = await RawListener.open()
  const clock = new TestClock()
  await using node = createNode({ clock, random: () => 1 })
  const options: PeerOptions = { address: LOCAL, port: listener.port, asn: 64_513, families: ['ipv4-unicast'] }
  const accepting = listener.accept()
  const peer = node.addPeer(options)
  const raw = await accepting
  await raw.establish()
  await raw.next('update')
  t.throws(() => peer.change({ ...options, holdTime: 1 }), RangeError)
  t.equal(peer.state, 'Established')
  const again = listener.accept()
  t.same(effects(peer.change({ ...options, holdTime: 30, port: listener.port })), ['holdTime: reset'])
  t.match(await raw.next('notification'), { errorCode: 6, errorSubcode: CeaseSubcode.OtherConfigurationChange })
  clock.advance(1000)
  const second = await again
  t.match(await second.establish(), { holdTime: 30 })
})

t.test('another address is another peer: the old one is told, the new one dialled at once', async t => {
  await using first = await RawListener.open()
  await using second = await RawListener.open()
  await using node = createNode()
  const options: PeerOptions = { address: LOCAL, port: first.port, asn: 64_513, families: ['ipv4-unicast'] }
  const [one, two] = [first.accept(), second.accept()]
  const peer = node.addPeer(options)
  const raw = await one
  await raw.establish()
  raw.send(update([64_513]))
  await until(() => peer.counters.prefixesReceived === 1, 'a route')
  t.match(effects(peer.change({ ...options, asn: 64_514, port: second.port })), ['port: reset', 'asn: reset'])
  t.equal(peer.counters.prefixesReceived, 0)
  await (await two).establish({ ...RAW_OPEN, asn: 64_514, capabilities: [{ type: 'four-octet-as', asn: 64_514 }] })
  await established(peer)
  t.match(peer, { asn: 64_514, port: second.port })
})

t.test('a range: for those that are connected and those to come; no more of them than its limit', async t => {
  const log = new RecordingLog()
  await using router = await createRouter({ asn: 64_512, bgpIdentifier: '10.0.0.1', log })
  const range = router.speaker.addDynamicPeers({ prefix: '127.0.0.0/8', asn: 64_513, limit: 1 })
  t.equal(range.prefix, '127.0.0.0/8')
  const connected = nextPeer(router.speaker)
  await using raw = await RawPeer.connect(router.port, '127.0.0.2')
  await raw.establish()
  const peer = await connected
  await established(peer)
  t.same(range.peers, [peer])
  await using second = await RawPeer.connect(router.port, '127.0.0.3')
  t.match(await second.next('notification'), { errorCode: 6, errorSubcode: CeaseSubcode.ConnectionRejected })
  t.match(log.at('warn'), [{ message: 'too many dynamic peers', address: '127.0.0.3', limit: 1 }])
  const changed = { prefix: '127.0.0.0/8', asn: 64_513, limit: 2, gracefulShutdown: true } as const
  t.same(effects(range.change(changed)), ['gracefulShutdown: live'])
  t.equal(peer.state, 'Established')
  t.throws(() => range.change({ ...changed, prefix: '10.0.0.0/8' }), RangeError)
  t.throws(() => range.change({ ...changed, limit: 0 }), RangeError)
  await using third = await RawPeer.connect(router.port, '127.0.0.3')
  await third.establish()
  await until(() => range.peers.length === 2, 'two')
  range.change({ ...changed, holdTime: 30 })
  await until(() => range.peers.length === 0, 'they have to come anew')
  await using fourth = await RawPeer.connect(router.port, '127.0.0.3')
  t.match(await fourth.establish(), { holdTime: 30 })
})
