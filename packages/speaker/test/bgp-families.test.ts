/** What FRR and BIRD learn from the real speaker process: families, next hops, attributes, and no more messages than needed. */
import { nodeRouterId } from '@typemetal/speaker'
import t from 'tap'
import { Bird, missingBird } from './support/bird.js'
import { NODE, NODE6, ROUTER, ROUTER6, bgpWorld, missingRoot, object, pool, service } from './support/bgp-world.js'
import { Frr, missingFrr } from './support/frr.js'

const neighborsOf = (...lines: readonly string[]): string =>
  [
    'router bgp 64513',
    ' bgp router-id 10.10.0.1',
    ' no bgp ebgp-requires-policy',
    ' no bgp default ipv4-unicast',
    ...lines,
    '',
  ].join('\n')

const FRR = neighborsOf(
  ` neighbor ${NODE} remote-as 64512`,
  ` neighbor ${NODE} timers connect 1`,
  ` neighbor ${NODE6} remote-as 64512`,
  ` neighbor ${NODE6} timers connect 1`,
  ` neighbor ${NODE} passive`,
  ` neighbor ${NODE6} passive`,
  ...['ipv4', 'ipv6'].flatMap(family => [
    ` address-family ${family} unicast`,
    `  neighbor ${NODE} activate`,
    `  neighbor ${NODE6} activate`,
    ' exit-address-family',
  ]),
)

t.setTimeout(1_200_000)

t.test(
  'FRR: each family over its own session; no more messages than needed',
  { skip: missingRoot() ?? missingFrr() ?? false },
  async t => {
    await using world = await bgpWorld()
    const frr = await Frr.start(world.router, world.directory, FRR)
    await world.write('pool', pool('{ communities: ["64512:100"] }'))
    await world.write('v4', object('BGPPeer', 'v4', `{ myASN: 64512, peerASN: 64513, peerAddress: ${ROUTER} }`))
    await world.write('v6', object('BGPPeer', 'v6', `{ myASN: 64512, peerASN: 64513, peerAddress: "${ROUTER6}" }`))
    await world.write('one', service('one', '203.0.113.1', '2001:db8:1::1'))
    world.speaker()

    await t.test('addresses, next hops, AS_PATH, router id', async t => {
      t.match(await frr.path('203.0.113.1/32'), { nextHop: NODE, asPath: '64512', communities: ['64512:100'] })
      t.match(await frr.path('2001:db8:1::1/128'), { nextHop: NODE6, asPath: '64512' })
      t.equal((await frr.neighbor(NODE)).remoteRouterId, NODE, 'local address of the connection')
      t.equal((await frr.neighbor(NODE6)).remoteRouterId, NODE, 'over IPv6 that of the interface')
      t.equal((await frr.paths('2001:db8:1::1/128')).length, 1, 'IPv6 goes over the IPv6 session only')
    })

    await t.test('a new Service is one UPDATE, a community edit another, and no session notices', async t => {
      const before = await frr.neighbor(NODE)
      await world.write('two', service('two', '203.0.113.2'))
      await frr.path('203.0.113.2/32')
      const added = await frr.neighbor(NODE)
      t.equal(added.messageStats.updatesRecv, before.messageStats.updatesRecv + 1)
      await world.write('pool', pool('{ communities: ["64512:100", "large:64512:1:2"] }'))
      await frr.path('203.0.113.1/32', ({ communities }) => communities.includes('large:64512:1:2'))
      await frr.path('203.0.113.2/32', ({ communities }) => communities.includes('large:64512:1:2'))
      const edited = await frr.neighbor(NODE)
      t.equal(edited.messageStats.updatesRecv, added.messageStats.updatesRecv + 1, 'equal attributes share an UPDATE')
      await world.write('two')
      await frr.gone('203.0.113.2/32')
      const removed = await frr.neighbor(NODE)
      t.equal(removed.messageStats.updatesRecv, edited.messageStats.updatesRecv + 1)
      t.equal(removed.connectionsEstablished, 1)
      t.equal(removed.messageStats.opensRecv, 1)
    })

    await t.test('timers of a peer change on the session that stands; its Hold Time resets it', async t => {
      const peer = (more: string): string =>
        object('BGPPeer', 'v4', `{ myASN: 64512, peerASN: 64513, peerAddress: ${ROUTER}, ${more} }`)
      await world.write('v4', peer('connectTime: 5s, keepaliveTime: 7s, holdTime: 90s'))
      await world.write('two', service('two', '203.0.113.2'))
      await frr.path('203.0.113.2/32')
      t.equal((await frr.neighbor(NODE)).connectionsEstablished, 1)
      await world.write('v4', peer('connectTime: 5s, keepaliveTime: 7s, holdTime: 30s'))
      const metrics = await world.metricsWith('typemetal_bgp_hold_time_seconds{peer="10.10.0.1:179",vrf="default"} 30')
      t.match(metrics, /typemetal_bgp_session_ends_total\{peer="10.10.0.1:179",vrf="default",reason="\w+"\} 1/)
      t.match(metrics, 'metallb_bgp_session_up{peer="fd00:10::1:179",vrf="default"} 1')
    })
  },
)

t.test('FRR: both families over one session, either way', { skip: missingRoot() ?? missingFrr() ?? false }, async t => {
  for (const address of [ROUTER, ROUTER6]) {
    await using world = await bgpWorld()
    const frr = await Frr.start(world.router, world.directory, FRR)
    const peer = `{ myASN: 64512, peerASN: 64513, peerAddress: "${address}", dualStackAddressFamily: true }`
    await world.write(
      'all',
      [pool(), object('BGPPeer', 'r', peer), service('one', '203.0.113.1', '2001:db8:1::1')].join('---\n'),
    )
    world.speaker()
    t.match(await frr.path('203.0.113.1/32'), { nextHop: NODE }, `IPv4 over ${address}`)
    t.match(await frr.path('2001:db8:1::1/128'), { nextHop: NODE6 }, `IPv6 over ${address}`)
  }
})

t.test(
  'RFC 8950: IPv4 over a dual-stack session between hosts that have IPv6 only',
  { skip: missingRoot() ?? missingFrr() ?? false },
  async t => {
    await using world = await bgpWorld({ node: [`${NODE6}/64`], router: [`${ROUTER6}/64`] })
    const frr = await Frr.start(
      world.router,
      world.directory,
      neighborsOf(
        ` neighbor ${NODE6} remote-as 64512`,
        ` neighbor ${NODE6} passive`,
        ` neighbor ${NODE6} capability extended-nexthop`,
        ...['ipv4', 'ipv6'].flatMap(family => [
          ` address-family ${family} unicast`,
          `  neighbor ${NODE6} activate`,
          ' exit',
        ]),
      ),
    )
    const peer = `{ myASN: 64512, peerASN: 64513, peerAddress: "${ROUTER6}", dualStackAddressFamily: true }`
    await world.write('all', [pool(), object('BGPPeer', 'r', peer), service('one', '203.0.113.1')].join('---\n'))
    world.speaker()
    t.match(await frr.path('203.0.113.1/32'), { nextHop: NODE6 })
    t.equal((await frr.neighbor(NODE6)).remoteRouterId, nodeRouterId('n1'), 'no IPv4 address to go by')
  },
)

t.test(
  'BIRD: both families, aggregation, large communities',
  { skip: missingRoot() ?? missingBird() ?? false },
  async t => {
    await using world = await bgpWorld()
    const bird = await Bird.start(
      world,
      `protocol bgp node4 { local as 64513; neighbor ${NODE} as 64512; passive; ipv4 { import all; export none; }; }`,
      `protocol bgp node6 { local as 64513; neighbor ${NODE6} as 64512; passive; ipv6 { import all; export none; }; }`,
    )
    const peers = [ROUTER, `"${ROUTER6}"`].map((address, i) =>
      object('BGPPeer', `r${i}`, `{ myASN: 64512, peerASN: 64513, peerAddress: ${address} }`),
    )
    const ad = '{ aggregationLength: 24, aggregationLengthV6: 120, communities: ["64512:7", "large:64512:8:9"] }'
    await world.write('all', [pool(ad), ...peers, service('one', '203.0.113.1', '2001:db8:1::1')].join('---\n'))
    world.speaker()
    const communities = ['64512:7', 'large:64512:8:9']
    t.match(await bird.learned('203.0.113.0/24'), { nextHop: NODE, asPath: '64512', communities })
    t.match(await bird.learned('2001:db8:1::/120'), { nextHop: new RegExp(`^${NODE6}`), asPath: '64512', communities })
    await world.write('two', service('two', '203.0.113.2'))
    await world.metricsWith('service="default/two"')
    await world.write('all', [pool(ad), ...peers].join('---\n'))
    await world.metricsWith(text => !text.includes('service="default/one"'))
    t.ok(await bird.route('203.0.113.0/24'), 'an aggregate stays while any Service needs it')
  },
)
