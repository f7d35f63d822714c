/** Unnumbered peers: the real speaker process and FRR find each other by router advertisements. */
import { until } from '@typemetal/lab'
import t from 'tap'
import { bgpWorld, missingRoot, object, pool, said, service } from './support/bgp-world.js'
import { Frr, missingFrr } from './support/frr.js'

const skip = missingRoot() ?? missingFrr() ?? false

const FRR = `bfd
 profile fast
  transmit-interval 100
  receive-interval 100
 !
!
router bgp 64513
 bgp router-id 10.10.0.1
 no bgp ebgp-requires-policy
 neighbor eth0 interface remote-as external
 neighbor eth0 timers connect 1
 neighbor eth0 bfd
 neighbor eth0 bfd profile fast
 address-family ipv4 unicast
  neighbor eth0 activate
 exit-address-family
 address-family ipv6 unicast
  neighbor eth0 activate
 exit-address-family
`

t.setTimeout(1_200_000)

t.test('interface: found on the link, both families with next hops of IPv6, BFD over link-local', { skip }, async t => {
  await using world = await bgpWorld({ node: [], router: [] })
  for (const host of [world.node, world.router]) {
    // What is no router takes advertisements of others; what forwards does not.
    await host.exec(['sh', '-c', 'sysctl -qw net.ipv6.conf.all.forwarding=1; ip link set eth0 up'])
  }
  const frr = await Frr.start(world.router, world.directory, FRR)
  await world.write('fast', object('BFDProfile', 'fast', '{ receiveInterval: 1000, transmitInterval: 1000 }'))
  await world.write(
    'r',
    object('BGPPeer', 'r', '{ myASN: 64512, dynamicASN: external, interface: eth0, bfdProfile: fast }'),
  )
  await world.write('all', [pool(), service('one', '203.0.113.1', '2001:db8:1::1')].join('---\n'))
  const speaker = world.speaker()
  t.match(await frr.path('203.0.113.1/32', undefined, 60_000), { nextHop: /^fe80::/, asPath: '64512' })
  t.match(await frr.path('2001:db8:1::1/128'), { nextHop: /^fe80::/ })
  const up = await speaker.waitForLine(said('sessionUp'))
  t.match(up, /"peer":"eth0"/)

  await t.test('metrics name the learned address', async t => {
    const metrics = await world.metricsWith(text =>
      /metallb_bfd_session_up\{peer="fe80::[^"]+",vrf="default"\} 1/.test(text),
    )
    t.match(metrics, /metallb_bgp_session_up\{peer="fe80::[\da-f:]+:179",vrf="default"\} 1/)
    t.match(metrics, /metallb_bgp_announced_prefixes_total\{peer="fe80::[^"]+",vrf="default"\} 2/)
  })

  await t.test('the link goes and comes back: so does the session', async t => {
    await world.router.exec(['ip', 'link', 'set', 'eth0', 'down'])
    await speaker.waitForLine(said('sessionDown'), 60_000)
    await world.router.exec(['ip', 'link', 'set', 'eth0', 'up'])
    await until('the session', () => (speaker.lines.filter(said('sessionUp')).length >= 2 ? true : undefined), {
      timeout: 60_000,
    })
    t.match(await frr.path('203.0.113.1/32'), { nextHop: /^fe80::/ })
  })
})

t.test('an interface that is not there is named, and used when it comes', { skip }, async t => {
  await using world = await bgpWorld({ node: [], router: [] })
  await world.router.exec(['sh', '-c', 'sysctl -qw net.ipv6.conf.all.forwarding=1; ip link set eth0 up'])
  const frr = await Frr.start(world.router, world.directory, FRR)
  await world.write('r', object('BGPPeer', 'r', '{ myASN: 64512, peerASN: 64513, interface: uplink }'))
  await world.write('all', [pool(), service('one', '203.0.113.1')].join('---\n'))
  const speaker = world.speaker()
  t.match(
    await speaker.waitForLine(line => /"level":"(warn|error)"/.test(line) && line.includes('uplink'), 60_000),
    /uplink/,
  )
  await world.node.exec(['sh', '-c', 'ip link set eth0 down; ip link set eth0 name uplink; ip link set uplink up'])
  t.match(await frr.path('203.0.113.1/32', undefined, 60_000), { nextHop: /^fe80::/, asPath: '64512' })
})

t.test('what an unnumbered peer needs and is missing is named; the other peers run', { skip }, async t => {
  await using world = await bgpWorld()
  const frr = await Frr.start(
    world.router,
    world.directory,
    `router bgp 64513
 bgp router-id 10.10.0.1
 no bgp ebgp-requires-policy
 neighbor 10.10.0.11 remote-as 64512
 neighbor 10.10.0.11 passive
`,
  )
  const peers = [
    '{ myASN: 64512, peerASN: 64513, interface: eth0 }',
    '{ myASN: 64512, peerASN: 64513, peerAddress: 10.10.0.1 }',
  ]
  await world.write('r', peers.map((spec, i) => object('BGPPeer', `r${i}`, spec)).join('---\n'))
  await world.write('all', [pool(), service('one', '203.0.113.1')].join('---\n'))
  const bare = ['setpriv', '--bounding-set', '-net_raw', '--inh-caps', '-net_raw', '--']
  const speaker = world.speaker([], bare)
  await frr.path('203.0.113.1/32')
  t.match(await speaker.waitForLine(said('peerLimited')), /"field":"spec.interface".*CAP_NET_RAW/)
})
