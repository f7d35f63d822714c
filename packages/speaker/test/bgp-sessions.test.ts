/** How sessions of the real speaker process come about with real routers: AS numbers, keys, hops, addresses, devices. */
import { until } from '@typemetal/lab'
import t from 'tap'
import { Bird, missingBird } from './support/bird.js'
import { NODE, NODE6, ROUTER, bgpWorld, missingRoot, object, pool, said, service } from './support/bgp-world.js'
import type { BgpWorld } from './support/bgp-world.js'
import { Frr, missingFrr } from './support/frr.js'

const skip = missingRoot() ?? missingFrr() ?? false
const PREFIX = '203.0.113.1/32'

/** FRR with one neighbor, which calls. */
const frrOf = (asn: number, remoteAs: number | string, ...more: readonly string[]): string =>
  [
    `router bgp ${asn}`,
    ' bgp router-id 10.10.0.1',
    ' no bgp ebgp-requires-policy',
    ` neighbor ${NODE} remote-as ${remoteAs}`,
    ` neighbor ${NODE} passive`,
    ...more.map(line => ` neighbor ${NODE} ${line}`),
    '',
  ].join('\n')

const peer = (fields: string, name = 'r'): string =>
  object('BGPPeer', name, `{ myASN: 64512, peerAddress: ${ROUTER}, ${fields} }`)

/** Starts FRR and a speaker with one Service, one peer and, if need be, another advertisement. */
async function meet(world: BgpWorld, frr: string, fields: string, advertisement?: string): Promise<Frr> {
  const router = await Frr.start(world.router, world.directory, frr)
  await world.write('r', peer(fields))
  await world.write('all', [pool(advertisement), service('one', '203.0.113.1')].join('---\n'))
  return router
}

t.setTimeout(1_200_000)

t.test(
  'TCP-MD5: a wrong key is silence; the right one comes without a restart, and another one is no reset',
  { skip },
  async t => {
    await using world = await bgpWorld()
    const frr = await meet(
      world,
      frrOf(64513, 64512, 'password s3cret'),
      'peerASN: 64513, connectTime: 1s, password: wrong',
    )
    const speaker = world.speaker()
    const complaint = await speaker.waitForLine(said('connect', 'no answer'), 60_000)
    t.match(complaint, /"level":"error"/)
    t.notMatch(speaker.lines.join('\n'), /s3cret|"wrong"/, 'no key in any log')
    await world.write('r', peer('peerASN: 64513, connectTime: 1s, password: s3cret'))
    await frr.path(PREFIX)
    t.equal(speaker.lines.filter(said('connect')).length, 1)
  },
)

t.test('dynamicASN: external takes any AS but ours, internal ours alone', { skip }, async t => {
  {
    await using world = await bgpWorld()
    const frr = await meet(world, frrOf(65001, 64512), 'dynamicASN: external')
    world.speaker()
    t.match(await frr.path(PREFIX), { asPath: '64512' })
  }
  await using world = await bgpWorld()
  const frr = await meet(world, frrOf(65001, 64512), 'dynamicASN: internal')
  const speaker = world.speaker()
  t.match(await speaker.waitForLine(said('notificationSent'), 60_000), /"errorCode":2,"errorSubcode":2/)
  t.equal((await frr.paths(PREFIX)).length, 0)
  await world.write('r', peer('dynamicASN: external'))
  t.match(await frr.path(PREFIX, undefined, 60_000), { asPath: '64512' }, 'mended without a restart')
})

t.test('iBGP: LOCAL_PREF 100 unless said otherwise, and nothing of it to external peers', { skip }, async t => {
  await using world = await bgpWorld()
  const frr = await meet(world, frrOf(64512, 64512), 'dynamicASN: internal')
  world.speaker()
  t.match(await frr.path(PREFIX), { asPath: '', localPref: 100, nextHop: NODE })
  await world.write('all', [pool('{ localPref: 250 }'), service('one', '203.0.113.1')].join('---\n'))
  t.match(await frr.path(PREFIX, ({ localPref }) => localPref === 250), { communities: [] })
  t.equal((await frr.neighbor(NODE)).connectionsEstablished, 1)
})

t.test('localASN: the peer sees it alone, in OPEN and AS_PATH', { skip }, async t => {
  await using world = await bgpWorld()
  const frr = await meet(world, frrOf(65001, 64999), 'peerASN: 65001, localASN: 64999')
  world.speaker()
  t.match(await frr.path(PREFIX), { asPath: '64999' })
  t.equal((await frr.neighbor(NODE)).remoteAs, 64999)
})

t.test('ebgpMultiHop: a router behind a router is reached with it, and not without', { skip }, async t => {
  await using world = await bgpWorld()
  const { lab, node, router } = world
  const far = await lab.bridge('far')
  const behind = await lab.host('behind', {
    links: [{ bridge: far, addresses: ['10.20.0.1/24'] }],
    routes: [{ to: 'default', via: '10.20.0.254' }],
  })
  await far.plug(router.namespace, 'eth1', '02:00:00:00:20:fe')
  await router.exec([
    'sh',
    '-c',
    'ip address add 10.20.0.254/24 dev eth1; ip link set eth1 up; sysctl -qw net.ipv4.ip_forward=1',
  ])
  await node.exec(['ip', 'route', 'add', '10.20.0.0/24', 'via', ROUTER])
  const frr = await Frr.start(behind, world.directory, frrOf(64513, 64512, 'ebgp-multihop 255'))
  const remote = (more: string): string =>
    object('BGPPeer', 'r', `{ myASN: 64512, peerASN: 64513, peerAddress: 10.20.0.1, connectTime: 1s, ${more} }`)
  await world.write('r', remote('ebgpMultiHop: false'))
  await world.write('all', [pool(), service('one', '203.0.113.1')].join('---\n'))
  const speaker = world.speaker()
  t.match(await speaker.waitForLine(said('connect'), 60_000), /ttl 1|TTL|no answer|unreachable/i)
  await world.write('r', remote('ebgpMultiHop: true'))
  t.match(await frr.path(PREFIX), { nextHop: NODE })
})

t.test('sourceAddress: connected from it, and it must be there', { skip }, async t => {
  await using world = await bgpWorld()
  await world.node.exec(['ip', 'address', 'add', '10.10.0.77/24', 'dev', 'eth0'])
  const frr = await meet(
    world,
    frrOf(64513, 64512).replaceAll(NODE, '10.10.0.77'),
    'peerASN: 64513, connectTime: 1s, sourceAddress: 10.10.0.78',
  )
  const speaker = world.speaker()
  t.match(await speaker.waitForLine(said('connect'), 60_000), /source address 10\.10\.0\.78 is not one of this machine/)
  await world.write('r', peer('peerASN: 64513, connectTime: 1s, sourceAddress: 10.10.0.77'))
  t.match(await frr.path(PREFIX), { nextHop: '10.10.0.77' })
  t.equal((await frr.neighbor('10.10.0.77')).remoteRouterId, '10.10.0.77')
})

t.test('holdTime 0: no KEEPALIVE is asked for, and TCP watches in its place', { skip }, async t => {
  await using world = await bgpWorld()
  const frr = await meet(world, frrOf(64513, 64512, 'timers 0 0'), 'peerASN: 64513, holdTime: 0s, keepaliveTime: 0s')
  world.speaker()
  await frr.path(PREFIX)
  const metrics = await world.metricsWith('metallb_bgp_session_up{peer="10.10.0.1:179",vrf="default"} 1')
  t.match(metrics, 'typemetal_bgp_hold_time_seconds{peer="10.10.0.1:179",vrf="default"} 0')
  const { stdout } = await world.node.exec(['ss', '-Htno', 'dst', ROUTER])
  t.match(stdout, /timer:\(keepalive,/)
})

t.test('a storm of changes ends in the last of them, on the session that stood all the while', { skip }, async t => {
  await using world = await bgpWorld()
  const frr = await meet(world, frrOf(64513, 64512), 'peerASN: 64513')
  const speaker = world.speaker()
  await frr.path(PREFIX)
  for (let i = 1; i <= 30; i++) {
    await world.write('r', peer(`peerASN: 64513, connectTime: ${i}s, keepaliveTime: ${(i % 9) + 1}s, holdTime: 90s`))
    await world.write('all', [pool(`{ communities: ["64512:${i}"] }`), service('one', '203.0.113.1')].join('---\n'))
  }
  await frr.path(PREFIX, ({ communities }) => communities.includes('64512:30'))
  const { connectionsEstablished, messageStats } = await frr.neighbor(NODE)
  t.equal(connectionsEstablished, 1)
  // The first one, End-of-RIB, and one for each version that was seen at all.
  t.ok(messageStats.updatesRecv <= 32, `${messageStats.updatesRecv} UPDATEs`)
  t.strictSame(speaker.lines.filter(said('sessionReset')), [])
})

t.test('vrf: the socket is bound to that device, as far as a plain one can show', { skip }, async t => {
  await using world = await bgpWorld()
  const frr = await meet(world, frrOf(64513, 64512), 'peerASN: 64513, connectTime: 1s, vrf: red')
  const speaker = world.speaker()
  t.match(await speaker.waitForLine(said('connect'), 60_000), /no interface red on this machine/)
  await world.write('r', peer('peerASN: 64513, connectTime: 1s, vrf: eth0'))
  t.match(await frr.path(PREFIX), { nextHop: NODE })
  const metrics = await world.metricsWith('metallb_bgp_session_up{peer="10.10.0.1:179",vrf="eth0"} 1')
  t.notMatch(metrics, 'vrf="default"')
  const { stdout } = await world.node.exec(['ss', '-Htne', 'dst', ROUTER])
  t.match(stdout, /%eth0:/, 'SO_BINDTODEVICE')
})

t.test(
  'BIRD: MD5 over IPv6, and a session that was renamed stays',
  { skip: missingRoot() ?? missingBird() ?? false },
  async t => {
    await using world = await bgpWorld()
    const bird = await Bird.start(
      world,
      `protocol bgp node { local as 64513; neighbor ${NODE6} as 64512; passive; password "s3cret"; ipv6 { import all; export none; }; }`,
    )
    const spec = '{ myASN: 64512, peerASN: 64513, peerAddress: "fd00:10::1", password: s3cret }'
    await world.write('r', object('BGPPeer', 'before', spec))
    await world.write('all', [pool(), service('one', '2001:db8:1::1')].join('---\n'))
    const speaker = world.speaker()
    t.match(await bird.learned('2001:db8:1::1/128'), { asPath: '64512' })
    const since = (await bird.ask('show protocols node')).split('\n').at(-2)
    await world.write('r', object('BGPPeer', 'after', spec))
    await speaker.waitForLine(said('sessionUpdated', '"fields":["name"]'), 60_000)
    t.equal((await bird.ask('show protocols node')).split('\n').at(-2), since)
    t.ok(await until('the route', () => bird.route('2001:db8:1::1/128')))
    t.strictSame(speaker.lines.filter(said('sessionDown')), [])
  },
)
