/** A second owner of an address, seen by the answerer in a virtual world: what the main thread hears of it. */
import t from 'tap'
import { gratuitousArp, unsolicitedAdvertisement } from '@typemetal/arp-ndp/responder'
import { hex } from './octets.js'
import { many, request, V4, V6, wanted, World } from './answerer-world.js'
import { link } from './virtual-platform.js'

const OTHER = hex('020000000077')
const OTHER_TEXT = '02:00:00:00:00:77'
const arpClaim = (address: Uint8Array, mac = OTHER): readonly Uint8Array[] => gratuitousArp(mac, address)
const ndpClaim = (address: Uint8Array, mac = OTHER): Uint8Array =>
  unsolicitedAdvertisement({ interface: 'eth0', mac, linkLocal: hex('fe800000000000000000000000000077') }, address)

t.test('RFC 5227 section 2.4: a gratuitous ARP of another host is a conflict, told with its MAC address', async t => {
  const world = World.started()
  const { platform } = world
  world.set(V4, V6)
  platform.advance(10_000)
  platform.socket('arp').receive(...arpClaim(V4.octets))
  t.same(world.conflicts, [], 'not in the turn in which answers are made')
  platform.advance(0)
  t.same(world.conflicts, [
    { address: V4.text, interface: 'eth0', mac: OTHER_TEXT, kind: 'claim', count: 1, since: new Date(10_000) },
  ])
  t.match(world.ask('conflicts'), [{ address: V4.text, mac: OTHER_TEXT, count: 2 }])
  t.match(world.counters(V4.text), { requestsReceived: 1, responsesSent: 1 }, 'answering goes on')
})

t.test('RFC 4862 section 5.4.4: an advertisement of another host for an address of ours', async t => {
  const world = World.started()
  const { platform } = world
  world.set(V4, V6)
  platform.advance(10_000)
  platform.socket('ndp').receive(ndpClaim(V6.octets))
  platform.advance(0)
  t.match(world.conflicts, [{ address: V6.text, interface: 'eth0', mac: OTHER_TEXT, kind: 'claim' }])
})

t.test('a storm of claims is told once a second', async t => {
  const world = World.started()
  const { platform } = world
  world.set(V4)
  platform.advance(10_000)
  for (let i = 0; i < 350; i++) {
    platform.socket('arp').receive(...arpClaim(V4.octets))
    platform.advance(10)
  }
  t.equal(world.conflicts.length, 4)
  t.match(world.ask('conflicts'), [{ count: 700 }])
})

t.test('a flood of invented MAC addresses: few are told, little is kept', async t => {
  const world = World.started()
  const { platform } = world
  world.set(...many(1000))
  platform.advance(10_000)
  const flood = many(1000).flatMap(({ octets }, i) =>
    [1, 2].flatMap(n => arpClaim(octets, Uint8Array.of(2, 0, 0, n, i >> 8, i & 255))),
  )
  platform.socket('arp').receive(...flood)
  platform.advance(0)
  t.equal(world.of('conflict').length, 1, 'one message')
  t.equal(world.conflicts.length, 256)
})

t.test('one host that takes over thousands of addresses in a moment is told for each', async t => {
  const world = World.started()
  const { platform } = world
  const addresses = many(3000)
  world.set(...addresses)
  platform.advance(10_000)
  platform.socket('arp').receive(...addresses.flatMap(({ octets }) => arpClaim(octets)))
  platform.advance(0)
  t.equal(new Set(world.conflicts.map(({ address }) => address)).size, 3000)
})

t.test('RFC 5227 section 2.4: an address is announced once to defend it, and not at all when it is hushed', async t => {
  const world = World.started({ refreshInterval: 1000 })
  const { platform } = world
  world.set(V4, V6)
  platform.advance(100)
  const arp = platform.socket('arp')
  world.answerer.obey({ type: 'hush', addresses: [V4.text, V6.text, '192.0.2.99'] })
  arp.sent.length = 0
  platform.socket('ndp').sent.length = 0
  platform.advance(60_000)
  t.same([arp.sent.length, platform.socket('ndp').sent.length], [0, 0], 'neither burst nor refresh')
  arp.receive(request(V4.octets))
  t.equal(arp.sent.length, 1, 'it is answered for all the same')
  world.answerer.obey({ type: 'defend', address: V4.text })
  t.equal(arp.sent.length, 3, 'one round: a request and a reply')
  platform.advance(60_000)
  t.equal(arp.sent.length, 3)
  world.answerer.obey({ type: 'announce', address: V4.text })
  platform.advance(20_000)
  t.ok(arp.sent.length >= 3 + 10 + 2 * 15, 'announced, it has its burst and its refreshes again')
  world.answerer.obey({ type: 'defend', address: '192.0.2.99' })
})

t.test('frames of our own other interfaces are no conflict (RFC 5227 section 2.4)', async t => {
  const world = World.started({}, platform => {
    platform.linkList = [
      link(),
      link({ index: 3, name: 'eth1', mac: '02:00:00:00:00:03' }),
      link({ index: 4, name: 'lo', mac: '02:00:00:00:00:04' }),
    ]
  })
  const { platform } = world
  world.set(V4, V6)
  platform.advance(10_000)
  for (const mac of ['020000000001', '020000000003', '020000000004']) {
    platform.socket('arp').receive(...arpClaim(V4.octets, hex(mac)))
    platform.socket('ndp').receive(ndpClaim(V6.octets, hex(mac)))
  }
  platform.advance(100)
  t.same(world.conflicts, [])
})

t.test('not seen for a minute, a conflict is over', async t => {
  const world = World.started()
  const { platform } = world
  world.set(V4)
  platform.advance(10_000)
  platform.socket('arp').receive(...arpClaim(V4.octets))
  platform.advance(30_000)
  platform.socket('arp').receive(...arpClaim(V4.octets))
  platform.advance(59_000)
  t.same(world.over, [])
  platform.advance(3000)
  t.match(world.over, [{ address: V4.text, mac: OTHER_TEXT, count: 4, since: new Date(10_000) }])
  t.same(world.ask('conflicts'), [])
  platform.socket('arp').receive(...arpClaim(V4.octets))
  platform.advance(0)
  t.equal(world.conflicts.length, 3, 'and begins anew')
})

t.test('an address that is given up ends its conflict at once; so does an interface that goes', async t => {
  const world = World.started()
  const { platform } = world
  world.set(V4, wanted('192.0.2.2'))
  platform.advance(10_000)
  platform.socket('arp').receive(...arpClaim(V4.octets), ...arpClaim(hex('c0000202')))
  platform.advance(0)
  world.remove(V4.text)
  t.same(
    world.over.map(({ address }) => address),
    [V4.text],
  )
  platform.linkList = []
  platform.changed()
  platform.advance(20)
  t.same(
    world.over.map(({ address }) => address),
    [V4.text, '192.0.2.2'],
  )
  platform.advance(100_000)
  t.equal(world.over.length, 2, 'once each')
  t.equal(platform.pending, 1, 'only the poll is left')
})

t.test(
  'a conflict is told before it is over, also when the address is given up in the moment of its first sight',
  async t => {
    const world = World.started()
    const { platform } = world
    world.set(V4)
    platform.advance(10_000)
    // A failover as it is: the new owner announces the address, and its claim and our order to give it up come in one turn.
    platform.socket('arp').receive(...arpClaim(V4.octets))
    world.remove(V4.text)
    platform.advance(1000)
    t.same(
      world.reports.map(({ type }) => type).filter(type => type.startsWith('conflict')),
      ['conflict', 'conflict-over'],
    )
  },
)

t.test('a conflict that has run out when its interface goes is over all the same', async t => {
  const world = World.started()
  const { platform } = world
  world.set(V4, wanted('192.0.2.2'))
  platform.advance(10_000)
  platform.socket('arp').receive(...arpClaim(V4.octets))
  platform.advance(500)
  platform.socket('arp').receive(...arpClaim(hex('c0000202')))
  platform.advance(60_000 - 480) // the second one has run out since the last sweep
  platform.advance(500)
  platform.linkList = []
  platform.changed()
  platform.advance(20)
  t.same(world.over.map(({ address }) => address).toSorted(), [V4.text, '192.0.2.2'])
})

t.test('option defend: never a frame by default, RFC 5227 section 2.4 (c) with always', async t => {
  for (const [defend, frames] of [
    ['never', 0],
    ['always', 2],
  ] as const) {
    const world = World.started({ defend })
    const { platform } = world
    world.set(V4)
    platform.advance(10_000)
    const socket = platform.socket('arp')
    socket.sent.length = 0
    for (let i = 0; i < 2; i++) {
      const [, reply] = arpClaim(V4.octets)
      socket.receive(reply!)
      socket.receive(reply!)
      platform.advance(11_000)
    }
    t.equal(socket.sent.length, frames, defend)
    t.equal(world.counters(V4.text)?.gratuitousSent, 10 + frames)
  }
})

t.test('a neighbour that asks is no conflict', async t => {
  const world = World.started()
  const { platform } = world
  world.set(V4)
  platform.advance(10_000)
  platform.socket('arp').receive(request(V4.octets))
  platform.advance(100)
  t.same(world.conflicts, [])
  t.equal(platform.pending, 1, 'only the poll is left')
})
