/** What a policy, a limit or an operator does to a peer, and what its RIBs and messages show. */
import t from 'tap'
import { CeaseSubcode, type Peer, type PolicyChanges } from '@typemetal/bgp'
import { createHardReset, decodeMessage, type NotificationMessage, type PathAttributes } from '@typemetal/bgp/wire'
import { changeRoute } from '../dist/policy.js'
import { parseRoute } from '../dist/route.js'
import { TestClock } from './clock.js'
import { RAW_OPEN, RawListener, RawPeer } from './raw-peer.js'
import { createNode, createRouter, established, LOCAL, nextPeer, RecordingLog, until, update } from './speakers.js'

t.test('a policy that throws: its routes are rejected, the log says so once a session', async t => {
  const log = new RecordingLog()
  await using router = await createRouter({ asn: 64_512, bgpIdentifier: '10.0.0.1', log })
  const policy = (): never => {
    throw new TypeError('no such list')
  }
  const peer = router.speaker.addPeer({ address: LOCAL, asn: 64_513, passive: true, importPolicy: policy })
  const other = router.speaker.addPeer({ address: '127.0.0.9', asn: 64_513, passive: true, exportPolicy: policy })
  for (const prefix of ['198.51.100.0/24', '203.0.113.0/24']) router.speaker.announce({ prefix })
  await using raw = await RawPeer.connect(router.port)
  await using second = await RawPeer.connect(router.port, '127.0.0.9')
  await Promise.all([raw.establish(), second.establish()])
  raw.send(update([64_513], 24), update([64_513], 16))
  await until(() => peer.counters.prefixesReceived === 2, 'received')
  t.notOk(router.routes.has('192.0.2.0/24'))
  t.same(
    [...peer.adjRibIn()].map(({ accepted }) => accepted),
    [false, false],
  )
  await until(() => other.counters.updatesSent === 2, 'nothing but End-of-RIB')
  const says = { message: 'a policy has thrown: such routes are rejected', error: 'TypeError: no such list' }
  t.match(log.at('error'), [says, says], 'once each')
  t.match([peer.state, other.state], ['Established', 'Established'])
})

t.test('a policy that says what no message can hold: rejected likewise', async t => {
  const [log, nodeLog] = [new RecordingLog(), new RecordingLog()]
  await using router = await createRouter({ log })
  const importPolicy = (): object => ({ nextHop: 'gateway' })
  const peer = router.speaker.addPeer({ address: LOCAL, asn: 64_512, passive: true, importPolicy })
  await using node = createNode({ log: nodeLog })
  const communities = Array.from({ length: 20_000 }, (_, i) => i)
  const exportPolicy = ({ prefix }: { readonly prefix: string }): object | true =>
    prefix.startsWith('192') ? true : { communities }
  const other = node.addPeer({ address: LOCAL, port: router.port, asn: 64_513, exportPolicy })
  for (const prefix of ['192.0.2.0/24', '198.51.100.0/24']) node.announce({ prefix })
  await until(() => peer.counters.prefixesReceived === 1, 'received')
  t.equal(router.routes.size, 0)
  t.same(
    [...other.adjRibOut()].map(({ prefix }) => prefix),
    ['192.0.2.0/24'],
  )
  t.match([...log.at('error'), ...nodeLog.at('error')], [{ error: /RangeError: not an IP/ }, { error: /RangeError/ }])
})

t.test('a policy that sets numbers no attribute can hold: rejected, and the log names the attribute', async t => {
  type Values = Omit<PathAttributes, 'nextHop' | 'mpReachNlri' | 'mpUnreachNlri' | 'partial' | 'unknown'>
  const bad: readonly [Values, RegExp][] = [
    [{ localPref: 2 ** 32 }, /localPref must be a whole number from 0 to 4294967295, not 4294967296/],
    [{ multiExitDisc: -1 }, /multiExitDisc must be/],
    [{ multiExitDisc: 1.5 }, /multiExitDisc must be/],
    [{ origin: 3 as never }, /origin must be/],
    [{ asPath: [{ type: 2, asns: [2 ** 32] }] }, /asPath.asns must be/],
    [{ asPath: [{ type: 2, asns: [] }] }, /asPath.asns.length must be/],
    [{ asPath: [{ type: 5 as never, asns: [1] }] }, /asPath.type must be/],
    [{ communities: [1, 2 ** 32] }, /communities must be/],
    [{ clusterList: [-1] }, /clusterList must be/],
    [{ originatorId: Number.NaN }, /originatorId must be/],
    [{ aggregator: { asn: 0, bgpIdentifier: 1 } }, /aggregator.asn must be/],
    [{ onlyToCustomer: 0 }, /onlyToCustomer must be/],
    [{ aigp: 2n ** 64n }, /aigp must be/],
    [
      { largeCommunities: [{ globalAdministrator: 1, localData1: 2, localData2: 2 ** 32 }] },
      /largeCommunities.localData2/,
    ],
    [
      { extendedCommunities: [{ type: 256, subtype: 0, value: new Uint8Array(6) }] },
      /extendedCommunities.type must be/,
    ],
  ]
  for (const [changes, error] of bad) {
    const attributes = { localPref: 100 }
    const refused = { name: 'RangeError', message: error }
    t.throws(() => changeRoute(attributes, new Uint8Array(4), changes), refused)
    t.throws(() => parseRoute({ prefix: '192.0.2.0/24', attributes: changes }), refused)
  }
  const log = new RecordingLog()
  await using router = await createRouter({ asn: 64_512, bgpIdentifier: '10.0.0.1', log })
  const importPolicy = (): PolicyChanges => ({ localPref: 2 ** 32 + 200 })
  const peer = router.speaker.addPeer({ address: LOCAL, asn: 64_513, passive: true, importPolicy })
  await using raw = await RawPeer.connect(router.port)
  await raw.establish()
  raw.send(update([64_513], 24))
  await until(() => peer.counters.prefixesReceived === 1, 'received')
  t.equal(router.routes.size, 0, 'and not used with a LOCAL_PREF of 200')
  t.match(log.at('error'), [{ error: /RangeError: localPref must be a whole number/ }])
})

t.test(
  'RFC 4486 section 4: more prefixes than allowed: Cease 6/1 with family and limit, idle until an operator comes',
  async t => {
    const clock = new TestClock()
    await using listener = await RawListener.open()
    const log = new RecordingLog()
    await using node = createNode({ clock, random: () => 1, log })
    const accepting = listener.accept()
    const limits = { maximumPrefixes: { 'ipv4-unicast': 1 }, maximumPrefixesIdleTime: Infinity }
    const peer = node.addPeer({ address: LOCAL, port: listener.port, asn: 64_513, ...limits })
    const raw = await accepting
    await raw.establish()
    raw.send(update([64_513], 24), update([64_513], 16))
    await raw.next('update')
    await raw.next('update')
    const notification = await raw.next('notification')
    t.match(notification, { errorCode: 6, errorSubcode: CeaseSubcode.MaximumNumberOfPrefixesReached })
    t.same([...notification.data], [0, 1, 1, 0, 0, 0, 1])
    clock.advance(3_600_000)
    t.equal(peer.state, 'Idle')
    const reason = 'Cease: Maximum Number of Prefixes Reached'
    t.match(
      log.at('info').find(({ message }) => message === 'notification sent'),
      { reason },
    )
    const again = listener.accept()
    peer.reset()
    await (await again).establish()
    await established(peer)
  },
)

t.test('RFC 4486 section 4: an administrative reset says so, and comes back', async t => {
  const clock = new TestClock()
  await using listener = await RawListener.open()
  await using node = createNode({ clock, random: () => 1 })
  const accepting = listener.accept()
  const peer = node.addPeer({ address: LOCAL, port: listener.port, asn: 64_513, automaticStart: false })
  const raw = await accepting
  await raw.establish()
  await raw.next('update')
  await raw.next('update')
  const again = listener.accept()
  peer.reset({ communication: 'router upgrade', hard: true })
  const notification = await raw.next('notification')
  t.match(
    notification,
    { errorCode: 6, errorSubcode: CeaseSubcode.AdministrativeReset },
    'RFC 8538: no Hard Reset for who knows none',
  )
  await (await again).establish()
  await established(peer)
  t.equal(peer.counters.connectRetryCounter, 0)
})

t.test('RFC 8538 section 3.1: a Hard Reset in the log tells its cause', async t => {
  const log = new RecordingLog()
  await using router = await createRouter({ log, asn: 64_512, bgpIdentifier: '10.0.0.1' })
  router.speaker.addPeer({ address: LOCAL, asn: 64_513, passive: true })
  await using raw = await RawPeer.connect(router.port)
  await raw.establish()
  const cause: NotificationMessage = {
    type: 'notification',
    errorCode: 6,
    errorSubcode: 2,
    data: Uint8Array.of(3, 0x62, 0x79, 0x65),
  }
  raw.send(createHardReset(cause))
  await until(() => log.lines.some(({ message }) => message === 'notification received'), 'logged')
  t.match(
    log.lines.find(({ message }) => message === 'notification received'),
    {
      reason: 'Cease: Hard Reset (Cease: Administrative Shutdown)',
      communication: 'bye',
      peer: LOCAL,
    },
  )
})

t.test('RFC 4271 section 3.2: the Adj-RIB-Out is what was sent', async t => {
  await using router = await createRouter()
  router.speaker.addDynamicPeers({ prefix: '127.0.0.0/8', asn: 64_512, addPath: { receive: ['ipv4-unicast'] } })
  await using node = createNode()
  const connected = nextPeer(router.speaker)
  const peer = node.addPeer({
    address: LOCAL,
    port: router.port,
    asn: 64_513,
    addPath: { send: ['ipv4-unicast'] },
    exportPolicy: ({ prefix }) => (prefix.startsWith('198') ? { multiExitDisc: 5 } : true),
  })
  peer.setRoutes([
    { prefix: '192.0.2.0/24', pathId: 7, communities: ['64512:1'], localPref: 200 },
    { prefix: '192.0.2.0/24', pathId: 8 },
    { prefix: '198.51.100.0/24', pathId: 9 },
    { prefix: '2001:db8::/32', nextHop: '2001:db8::1' },
  ])
  const usual = node.addPeer({ address: '127.0.0.1', port: router.port, asn: 64_513, sourceAddress: '127.0.0.5' })
  const theirs = await connected
  await until(() => theirs.counters.prefixesReceived === 4, 'all of them')
  const told = [...peer.adjRibOut()]
  const asPath = [{ type: 2, asns: [64_512] }]
  t.match(told, [
    { prefix: '192.0.2.0/24', pathId: 7, nextHop: LOCAL, attributes: { asPath, communities: [64_512 * 65_536 + 1] } },
    { prefix: '192.0.2.0/24', pathId: 8, nextHop: LOCAL, attributes: { asPath } },
    { prefix: '198.51.100.0/24', pathId: 9, attributes: { asPath, multiExitDisc: 5 } },
    { prefix: '2001:db8::/32', nextHop: '2001:db8::1', attributes: { asPath } },
  ])
  t.ok(told.every(({ attributes }) => !('localPref' in attributes) && !('nextHop' in attributes)))
  const heard = [...theirs.adjRibIn()]
  t.match(heard, told, 'and what the other side has heard')
  usual.announce({ prefix: '192.0.2.0/24' })
  await until(() => usual.counters.prefixesAnnounced === 1, 'told')
  t.match([...usual.adjRibOut()], [{ prefix: '192.0.2.0/24', nextHop: '127.0.0.5', attributes: { asPath } }])
})

t.test('RFC 6793 section 4.2.2: the Adj-RIB-Out towards a 2-octet speaker has AS numbers whole', async t => {
  await using listener = await RawListener.open()
  await using node = createNode({ asn: 4_200_000_000 })
  const accepting = listener.accept({ fourOctetAs: false, internal: false })
  const peer = node.addPeer({ address: LOCAL, port: listener.port, asn: 64_513 })
  peer.setRoutes([{ prefix: '192.0.2.0/24' }])
  const raw = await accepting
  await raw.establish({ ...RAW_OPEN, capabilities: [] })
  await raw.next('update')
  t.match([...peer.adjRibOut()], [{ attributes: { asPath: [{ asns: [4_200_000_000] }] } }])
  t.notOk('as4Path' in [...peer.adjRibOut()][0]!.attributes)
})

t.test('who listens from the change of state on sees every UPDATE of the session', async t => {
  await using router = await createRouter()
  router.speaker.addDynamicPeers({ prefix: '127.0.0.0/8', asn: 64_512 })
  await using node = createNode()
  node.announce({ prefix: '192.0.2.0/24' })
  const seen: string[] = []
  node.on('state', (peer: Peer, to) => {
    if (to !== 'Established') return
    peer.on('message', (direction, octets) => seen.push(`${direction} ${decodeMessage(octets).type}`))
  })
  const peer = node.addPeer({ address: LOCAL, port: router.port, asn: 64_513 })
  await until(() => peer.counters.updatesReceived === 2, 'established both ways')
  t.equal(seen.filter(what => what === 'sent update').length, 3, 'a route and two End-of-RIB')
  t.type(peer.localPort, 'number')
  t.equal(peer.remotePort, router.port)
})

t.test('RFC 5065 section 4: the confederation and the name of the speaker are those of its sessions', async t => {
  const confederation = { identifier: 64_500, members: [64_514] }
  t.throws(() => createNode({ confederation: { identifier: 64_500, members: [64_500] } }), RangeError)
  t.throws(() => createNode({ fqdn: { hostName: 'x'.repeat(65) } }), RangeError)
  await using listener = await RawListener.open()
  await using node = createNode({ confederation, fqdn: { hostName: 'tor1', domainName: 'example.net' } })
  const accepting = listener.accept()
  node.addPeer({ address: LOCAL, port: listener.port, asn: 64_513 }).setRoutes([{ prefix: '192.0.2.0/24' }])
  const raw = await accepting
  const open = await raw.establish()
  t.equal(open.asn, 64_500, 'from outside only the confederation is seen')
  t.match(
    open.capabilities.find(({ type }) => type === 'fqdn'),
    { hostName: 'tor1', domainName: 'example.net' },
  )
  t.match((await raw.next('update')).pathAttributes, { asPath: [{ type: 2, asns: [64_500] }] })
  const again = listener.accept()
  node
    .addPeer({ address: LOCAL, port: listener.port, sourceAddress: '127.0.0.5', asn: 64_514 })
    .setRoutes([{ prefix: '192.0.2.0/24' }])
  const member = await again
  const capabilities = [{ type: 'four-octet-as' as const, asn: 64_514 }]
  t.equal(
    (await member.establish({ ...RAW_OPEN, asn: 64_514, capabilities })).asn,
    64_512,
    'a member sees the Member-AS',
  )
  t.match((await member.next('update')).pathAttributes, { asPath: [{ type: 3, asns: [64_512] }], localPref: 100 })
})
