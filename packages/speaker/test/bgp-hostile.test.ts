/** Peers that lie, freeze and flap, and a machine without descriptors: the others do not notice, and nothing is hot or loud. */
import { until } from '@typemetal/lab'
import t from 'tap'
import { NODE, ROUTER, bgpWorld, missingRoot, object, pool, said, service } from './support/bgp-world.js'
import { Frr, missingFrr } from './support/frr.js'
import { LIARS, startLiars } from './support/lying-peers.js'

const skip = missingRoot() ?? missingFrr() ?? false
const PREFIX = '203.0.113.1/32'
const FRR = `router bgp 64513
 bgp router-id 10.10.0.1
 no bgp ebgp-requires-policy
 neighbor ${NODE} remote-as 64512
 neighbor ${NODE} passive
 neighbor ${NODE} timers 1 3
`
const peer = (name: string, address: string, more = ''): string =>
  object('BGPPeer', name, `{ myASN: 64512, peerASN: 64513, peerAddress: ${address}${more} }`)

t.setTimeout(1_200_000)

t.test('liars are tried later and later and named once; the honest peer does not notice', { skip }, async t => {
  await using world = await bgpWorld()
  const liars = await startLiars(world.router)
  const other = await world.lab.bridge('other')
  const honest = await world.lab.host('honest', { links: [{ bridge: other, addresses: ['10.30.0.1/24'] }] })
  await other.plug(world.node.namespace, 'eth1', '02:00:00:00:30:11')
  await world.node.exec(['sh', '-c', 'ip address add 10.30.0.11/24 dev eth1; ip link set eth1 up'])
  const frr = await Frr.start(honest, world.directory, FRR.replaceAll(NODE, '10.30.0.11'))
  const addresses = Object.keys(LIARS)
  const liarPeers = addresses.map((address, i) => peer(`liar${i}`, address))
  await world.write('r', [peer('honest', '10.30.0.1', ', holdTime: 9s'), ...liarPeers].join('---\n'))
  await world.write('all', [pool(), service('one', '203.0.113.1')].join('---\n'))
  const speaker = world.speaker()
  await frr.path(PREFIX)
  const meetings = (address: string): readonly number[] =>
    liars.lines.filter(line => line.startsWith(`met ${address} `)).map(line => Number(line.split(' ')[2]))
  const met = (address: string): number => meetings(address).length
  const reconnecting = addresses.filter(address => address !== '10.10.0.6')
  for (const address of reconnecting) {
    await until(`four attempts at ${address}`, () => (met(address) >= 4 ? true : undefined), { timeout: 60_000 })
  }
  for (const address of reconnecting) {
    const [first = 0, , , fourth = 0] = meetings(address)
    t.ok(fourth - first > 3_000, `1 s, 2 s and 4 s between them, less jitter: took ${fourth - first} ms`)
  }
  for (const address of addresses)
    t.ok(met(address) <= 8, `${address} ${LIARS[address as keyof typeof LIARS]}: met ${met(address)} times`)
  const loud = speaker.lines.filter(line => /"level":"(warn|error)"/.test(line) && !line.includes('10.10.0.7'))
  t.ok(loud.length < 20, `${loud.length} lines of complaint`)
  t.match(speaker.lines.find(said('notificationSent', '10.10.0.2')), /"errorCode":2,"errorSubcode":2/, 'Bad Peer AS')
  t.match(speaker.lines.find(said('peerNotification', '10.10.0.3')), /Connection Rejected/)
  t.match(speaker.lines.find(said('sessionDown', '10.10.0.7')), /UpdateMsgErr/)
  t.equal((await frr.neighbor('10.30.0.11')).connectionsEstablished, 1)
  const metrics = await world.metricsWith('metallb_bgp_session_up{peer="10.30.0.1:179",vrf="default"} 1')
  t.match(
    metrics,
    'typemetal_bgp_last_notification{peer="10.10.0.2:179",vrf="default",direction="sent",code="2",subcode="2"} 1',
  )
  t.match(metrics, /typemetal_bgp_connect_failures_total\{peer="10.10.0.5:179",vrf="default"\} [1-9]/)
  t.match(metrics, 'metallb_bgp_session_up{peer="10.10.0.6:179",vrf="default"} 0')
})

t.test('RFC 4271 section 6.5: a frozen peer is noticed by the hold timer, and comes back', { skip }, async t => {
  await using world = await bgpWorld()
  const frr = await Frr.start(world.router, world.directory, FRR)
  await world.write('r', peer('r', ROUTER, ', holdTime: 9s, connectTime: 1s'))
  await world.write('all', [pool(), service('one', '203.0.113.1')].join('---\n'))
  const speaker = world.speaker()
  await frr.path(PREFIX)
  frr.freeze()
  const down = await speaker.waitForLine(said('sessionDown'), 60_000)
  t.match(down, /HoldTimer_Expires/)
  frr.thaw()
  await until('the session', () => (speaker.lines.filter(said('sessionUp')).length >= 2 ? true : undefined), {
    timeout: 60_000,
  })
  t.ok(await frr.path(PREFIX))
})

t.test('no file descriptor is left to dial with: said once, and it dials when there is one', { skip }, async t => {
  await using world = await bgpWorld()
  const frr = await Frr.start(world.router, world.directory, FRR)
  await world.write('r', peer('r', ROUTER, ', holdTime: 9s, connectTime: 1s'))
  await world.write('all', [pool(), service('one', '203.0.113.1')].join('---\n'))
  const speaker = world.speaker()
  await frr.path(PREFIX)
  const limit = (count: number) => world.node.exec(['prlimit', '--pid', `${speaker.pid}`, `--nofile=${count}:`])
  // Not even the descriptor that the session leaves is to be had.
  await limit(3)
  await frr.configure('router bgp 64513', `neighbor ${NODE} shutdown`)
  await speaker.waitForLine(said('sessionDown'), 60_000)
  await frr.configure('router bgp 64513', `no neighbor ${NODE} shutdown`)
  t.match(await speaker.waitForLine(said('connect', 'EMFILE'), 60_000), /"level":"error"/)
  await limit(1024)
  await until('the session', () => (speaker.lines.filter(said('sessionUp')).length >= 2 ? true : undefined), {
    timeout: 60_000,
  })
  t.ok(await frr.path(PREFIX))
  t.ok(speaker.lines.filter(said('connect')).length <= 3)
})
