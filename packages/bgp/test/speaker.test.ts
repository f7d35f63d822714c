/** Speakers of ours, on real sockets on loopback. */
import { once } from 'node:events'
import t from 'tap'
import { BgpSpeaker, type Peer, type PeerOptions } from '@typemetal/bgp'
import { TestClock } from './clock.js'
import { RawListener } from './raw-peer.js'
import { createNode, createRouter, LOCAL, until } from './speakers.js'

t.test('two speakers: IPv4 and IPv6 announced, changed, withdrawn; gone with the session', async t => {
  await using router = await createRouter()
  router.speaker.addDynamicPeers({ prefix: '127.0.0.0/8', asn: 64_512 })
  await using node = createNode()
  const peer = node.addPeer({ address: LOCAL, port: router.port, asn: 64_513 })
  t.match(peer, {
    name: LOCAL,
    address: LOCAL,
    port: router.port,
    asn: 64_513,
    passive: false,
    sourceAddress: undefined,
  })
  peer.setRoutes([
    { prefix: '192.0.2.0/24', communities: ['64512:2', '64512:1', '64512:2', 'large:64512:1:2', 'no-export'] },
    { prefix: '2001:db8::/32', nextHop: '2001:db8::1' },
  ])
  node.announce({ prefix: '198.51.100.0/24' })
  await until(() => router.routes.size === 3, 'three routes')
  t.match(router.routes.get('192.0.2.0/24')?.paths, [
    {
      nextHop: LOCAL,
      attributes: {
        origin: 0,
        asPath: [{ type: 2, asns: [64_512] }],
        communities: [64_512 * 65_536 + 1, 64_512 * 65_536 + 2, 0xffff_ff01],
        largeCommunities: [{ globalAdministrator: 64_512, localData1: 1, localData2: 2 }],
      },
    },
  ])
  t.match(router.routes.get('2001:db8::/32')?.paths, [{ nextHop: '2001:db8::1' }])
  const [dynamic] = router.speaker.peers
  t.equal(router.routes.get('2001:db8::/32')?.paths[0]?.peer, dynamic)
  t.same([...router.speaker.locRib()].map(({ prefix }) => prefix).toSorted(), [...router.routes.keys()].toSorted())
  t.match(peer.counters, {
    opensSent: 1,
    opensReceived: 1,
    prefixesAnnounced: 3,
    prefixesPending: 3,
    connectRetryCounter: 0,
  })
  t.equal(peer.counters.updatesSent, 5, 'three sets of attributes, two End-of-RIB')
  t.equal(dynamic?.counters.prefixesReceived, 3)
  t.match(peer.negotiated, { peerAsn: 64_513, internal: false, families: ['ipv4-unicast', 'ipv6-unicast'] })
  t.equal(peer.localAddress, LOCAL)

  peer.setRoutes([
    { prefix: '192.0.2.0/24', communities: ['no-export', '64512:1', '64512:2', 'large:64512:1:2'] },
    { prefix: '2001:db8::/32', nextHop: '2001:db8::2' },
  ])
  await until(() => router.routes.get('2001:db8::/32')?.paths[0]?.nextHop === '2001:db8::2', 'another next hop')
  t.equal(peer.counters.updatesSent, 6, 'what says the same is not sent again, a change is one UPDATE')
  node.announce({ prefix: '198.51.100.0/24' })
  node.withdraw('192.0.2.0/24')
  peer.setRoutes([])
  node.withdraw('198.51.100.0/24')
  await until(() => router.routes.size === 0, 'all withdrawn')
  t.match(peer.counters, { prefixesAnnounced: 0, prefixesPending: 0 })

  node.announce({ prefix: '198.51.100.0/24' })
  await until(() => router.routes.size === 1, 'announced again')
  const gone = once(router.speaker, 'state') as Promise<unknown[]>
  await node.close({ communication: 'gone fishing' })
  t.same((await gone).slice(1), ['Idle', 'Established', 'NotifMsg 6/2'])
  t.equal(router.routes.size, 0)
  await until(() => router.speaker.peers.length === 0, 'a dynamic peer goes with its session')
})

t.test('multipath: the same prefix from several peers, one of which goes away', async t => {
  await using router = await createRouter()
  router.speaker.addDynamicPeers({ prefix: '127.0.0.0/8', asn: 'external' })
  const ends = [2, 3, 4].map(i => {
    const node = createNode({ bgpIdentifier: `10.0.0.${i}` })
    const peer = node.addPeer({ address: LOCAL, port: router.port, asn: 64_513, sourceAddress: `127.0.0.${i}` })
    node.announce({ prefix: '192.0.2.1/32' })
    return { node, peer }
  })
  const nextHops = (): string =>
    router.routes
      .get('192.0.2.1/32')
      ?.paths.map(({ nextHop }) => nextHop)
      .join(' ') ?? ''
  await until(() => nextHops() === '127.0.0.2 127.0.0.3 127.0.0.4', 'three paths')
  ends[1]?.node.withdraw('192.0.2.1/32')
  await until(() => nextHops() === '127.0.0.2 127.0.0.4', 'two paths')
  await ends[0]?.peer.close()
  await until(() => nextHops() === '127.0.0.4', 'one path')
  t.pass('as the peers say')
  for (const { node } of ends) await node.close()
})

t.test('RFC 4271 6.8: both sides dial at once, on real sockets, always exactly one session', async t => {
  for (let round = 0; round < 20; round++) {
    const identifiers = round % 2 ? ['10.0.0.1', '10.0.0.2'] : ['10.0.0.2', '10.0.0.1']
    const [a, b] = identifiers.map((bgpIdentifier, i) => {
      const address = `127.0.1.${i + 1}`
      return { address, speaker: new BgpSpeaker({ asn: 64_512 + i, bgpIdentifier, listen: { address, port: 0 } }) }
    }) as [{ address: string; speaker: BgpSpeaker }, { address: string; speaker: BgpSpeaker }]
    await Promise.all([a.speaker.start(), b.speaker.start()])
    const dial = (from: typeof a, to: typeof a): Peer => {
      const asn = to.speaker.asn
      return from.speaker.addPeer({ address: to.address, port: to.speaker.port!, asn, sourceAddress: from.address })
    }
    const [ab, ba] = [dial(a, b), dial(b, a)]
    a.speaker.announce({ prefix: '192.0.2.0/24' })
    b.speaker.announce({ prefix: '198.51.100.0/24' })
    const learned = (): number =>
      [a, b].flatMap(({ speaker }) => [...speaker.locRib()]).filter(({ paths }) => paths[0]?.peer).length
    await until(() => learned() === 2, 'routes on both sides')
    await new Promise(resolve => setTimeout(resolve, 20))
    if (ab.state !== 'Established' || ba.state !== 'Established') t.fail(`round ${round}: ${ab.state}, ${ba.state}`)
    await Promise.all([a.speaker.close(), b.speaker.close()])
  }
  t.pass('20 times')
})

t.test("bad options and routes are the caller's fault, said at once", async t => {
  t.throws(() => createNode({ asn: 0 }), RangeError)
  t.throws(() => createNode({ bgpIdentifier: 'node-1' }), RangeError)
  await using node = createNode()
  const wrong: Partial<PeerOptions>[] = [
    { address: 'localhost' },
    { address: '10.0.0.0/8' },
    { port: 0 },
    { sourceAddress: 'eth0' },
    { holdTime: 2 },
    { bgpIdentifier: '1' },
    { md5Key: '' },
    { md5Key: 'x'.repeat(81) },
    { localAsn: -1 },
  ]
  for (const options of wrong) {
    t.throws(() => node.addPeer({ address: LOCAL, asn: 64_513, ...options }), RangeError, JSON.stringify(options))
  }
  t.throws(() => node.addDynamicPeers({ prefix: '10.0.0.0', asn: 1 }), RangeError)
  for (const route of [
    { prefix: '10.0.0.0/33' },
    { prefix: '10.0.0.0' },
    { prefix: '2001:db8::/129' },
    { prefix: 'cluster.local/24' },
    { prefix: '2001:db8::/32', nextHop: '10.0.0.1' },
    { prefix: '10.0.0.0/8', nextHop: 'gateway' },
    { prefix: '10.0.0.0/8', nextHop: '224.0.0.1' },
    { prefix: '2001:db8::/32', nextHop: '::' },
    { prefix: '10.0.0.0/8', localPref: -1 },
    { prefix: '10.0.0.0/8', localPref: 2 ** 32 },
    { prefix: '10.0.0.0/8', multiExitDisc: 0.5 },
    { prefix: '10.0.0.0/8', communities: ['65536:1'] },
    { prefix: '10.0.0.0/8', communities: ['1:2:3'] },
    { prefix: '10.0.0.0/8', communities: ['large:1:2'] },
    { prefix: '10.0.0.0/8', communities: ['blackhole!'] },
    { prefix: '10.0.0.0/8', communities: Array.from({ length: 951 }, (_, i) => `1:${i}`) },
  ]) {
    t.throws(() => node.announce(route), RangeError, JSON.stringify(route).slice(0, 80))
  }
  t.throws(() => node.withdraw('10.0.0.0'), RangeError)
})

t.test('a peer that is not there: the cause says why, and it is tried again', async t => {
  const clock = new TestClock()
  let port = 0
  {
    await using listener = await RawListener.open()
    port = listener.port
  }
  await using node = createNode({ clock, random: () => 1 })
  const states: string[] = []
  const peer = node.addPeer({ address: LOCAL, port, asn: 64_513, name: 'gone' })
  peer.on('state', (to, _from, cause) => states.push(`${to} ${cause}`))
  await until(() => states.length === 1, 'refused')
  clock.advance(1000)
  await until(() => states.length === 3, 'refused again')
  const reason = `${LOCAL}: connection refused: nothing listens on port ${port} there, or a firewall says so (ECONNREFUSED)`
  const refused = `Idle TcpConnectionFails: ${reason}`
  t.same(states, [refused, 'Connect IdleHoldTimer_Expires', refused])
  await node.addPeer({ address: '127.0.0.9', port, asn: 64_513 })[Symbol.asyncDispose]()
  t.same(node.peers, [peer])
})

t.test('a port in use, or not ours: one clear sentence', async t => {
  await using router = await createRouter()
  const taken = createNode({ listen: { address: LOCAL, port: router.port } })
  await t.rejects(taken.start(), { code: 'ERR_BGP_SOCKET', message: /another process/ })
  const elsewhere = createNode({ listen: { address: '192.0.2.1', port: 0 } })
  await t.rejects(elsewhere.start(), { code: 'ERR_BGP_SOCKET', message: /cannot listen on port 0: / })
  t.equal(elsewhere.port, undefined)
})

t.test('a listener that calls back into the peer', async t => {
  await using router = await createRouter()
  router.speaker.addDynamicPeers({ prefix: '127.0.0.0/8', asn: 64_512 })
  await using node = createNode()
  const peer = node.addPeer({ address: LOCAL, port: router.port, asn: 64_513 })
  const states: string[] = []
  const closed = new Promise<void>(resolve => {
    peer.on('state', to => {
      states.push(to)
      if (to === 'OpenSent') void peer.close().then(resolve)
    })
  })
  await closed
  t.same(states, ['OpenSent', 'Idle'])
  t.same(node.peers, [])
})

t.test('changes of routes are told to whoever listens, whenever that begins', async t => {
  await using speaker = createNode()
  const heard: string[] = []
  const listener = ({ prefix }: { readonly prefix: string }): unknown => heard.push(prefix)
  speaker.announce({ prefix: '192.0.2.0/25' })
  speaker.on('route', listener)
  speaker.announce({ prefix: '192.0.2.128/25' })
  speaker.off('route', listener)
  speaker.announce({ prefix: '198.51.100.0/24' })
  speaker.once('route', listener)
  speaker.withdraw('198.51.100.0/24')
  speaker.withdraw('192.0.2.0/25')
  speaker.on('route', () => heard.push('nobody'))
  speaker.removeAllListeners()
  speaker.withdraw('192.0.2.128/25')
  speaker.on('route', listener)
  speaker.announce({ prefix: '203.0.113.0/24' })
  t.same(heard, ['192.0.2.128/25', '198.51.100.0/24', '203.0.113.0/24'])
})
