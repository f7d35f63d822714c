/** The answerer follows what happens to interfaces; in virtual time. */
import t from 'tap'
import { senders, V4, V6, wanted, World } from './answerer-world.js'
import { link, type VirtualPlatform } from './virtual-platform.js'

/** What the kernel promises: an event, and the new list. */
function happen(platform: VirtualPlatform, ...links: Parameters<typeof link>[0][]): void {
  platform.linkList = links.map(link)
  platform.changed()
}
const BOTH = ['create arp eth0', 'create ndp eth0']
const GONE = ['delete arp eth0', 'delete ndp eth0']

for (const { what, links, changes } of [
  { what: 'down', links: [{ up: false }], changes: GONE },
  { what: 'enslaved to a bond or bridge', links: [{ master: 7 }], changes: GONE },
  { what: 'removed', links: [], changes: GONE },
  { what: 'without ARP', links: [{ noarp: true }], changes: GONE },
  { what: 'another MAC address', links: [{ mac: '02:00:00:00:00:02' }], changes: [...GONE, ...BOTH] },
  {
    what: 'renamed',
    links: [{ name: 'lan0' }],
    changes: [...GONE, 'create arp lan0', 'create ndp lan0'],
  },
  { what: 'the same name with another index', links: [{ index: 9 }], changes: [...GONE, ...BOTH] },
  { what: 'link-local address lost', links: [{ addresses: [] }], changes: ['delete ndp eth0'] },
  {
    what: 'a new interface',
    links: [{}, { index: 3, name: 'eth1' }],
    changes: ['create arp eth1', 'create ndp eth1'],
  },
] as const) {
  t.test(`followed within 100 ms: ${what}`, async t => {
    const world = World.started()
    world.set(V4, V6)
    world.platform.advance(20_000)
    happen(world.platform, ...links)
    world.platform.advance(100)
    t.same(world.changes.slice(2), changes)
    const open = world.platform.sockets.filter(({ open }) => open)
    t.equal(open.length, world.platform.linkList.length === 0 ? 0 : world.ask('statistics').length)
    for (const socket of open.filter(({ sent }) => sent.length > 0)) {
      t.ok(socket.sent.length >= 1, 'what is new announces')
    }
    t.equal(world.platform.joined.length, open.filter(({ options }) => options.protocol === 'ndp').length, 'groups')
  })
}

t.test('released by a bond: announced again, from its own MAC address', async t => {
  const world = World.started({}, platform => {
    platform.linkList = [link({ master: 7 }), link({ index: 7, name: 'bond0', mac: '02:00:00:00:00:07' })]
  })
  const { platform } = world
  world.set(V4)
  platform.advance(20_000)
  happen(platform, {}, { index: 7, name: 'bond0', mac: '02:00:00:00:00:07' })
  platform.advance(100)
  t.same(senders(platform.socket('arp', 2)), ['020000000001'])
  t.equal(platform.socket('arp', 2).sent.length, 2)
  t.same(senders(platform.socket('arp', 7)), ['020000000007'])
})

t.test('renamed: the lists of addresses are compared with the new name', async t => {
  const world = World.started()
  const { platform } = world
  world.set(wanted('192.0.2.1', ['eth0']), wanted('192.0.2.2', ['lan0']))
  platform.advance(20_000)
  t.same(platform.socket('arp').targets, ['192.0.2.1'])
  happen(platform, { name: 'lan0' })
  platform.advance(100)
  t.same(platform.socket('arp').targets, ['192.0.2.2'])
  t.equal(platform.socket('arp').sent.length, 2)
})

t.test('a MAC address that changes twice in a moment: only the last one is heard', async t => {
  const world = World.started()
  const { platform } = world
  world.set(V4)
  platform.advance(20_000)
  happen(platform, { mac: '02:00:00:00:00:02' })
  platform.advance(5)
  happen(platform, { mac: '02:00:00:00:00:03' })
  platform.advance(100)
  t.same(senders(platform.socket('arp')), ['020000000003'])
  t.same(world.changes.slice(2), ['delete arp eth0', 'delete ndp eth0', ...BOTH])
})

t.test('where a look takes long, events are gathered for longer, but for no more than 100 ms', async t => {
  const world = World.started({}, platform => (platform.lookTakes = 5))
  const { platform } = world
  const before = platform.looks
  for (let i = 0; i < 200; i++) {
    platform.changed()
    platform.advance(5)
  }
  const looks = platform.looks - before
  t.ok(looks >= 10 && looks <= 25, `${looks} looks in a second`)
})

t.test('5.4 of the reference: an address whose interfaces are not there is told, and when they come', async t => {
  const world = World.started()
  const { platform } = world
  world.set(V4, wanted('192.0.2.2', ['eth0']), wanted('192.0.2.3', ['eth1', 'eth2']), wanted('192.0.2.4', []))
  t.same(world.of('unmatched'), [
    { type: 'unmatched', address: '192.0.2.3', interfaces: ['eth1', 'eth2'] },
    { type: 'unmatched', address: '192.0.2.4', interfaces: [] },
  ])
  t.same(world.of('matched'), [])
  happen(platform, {}, { index: 3, name: 'eth2', up: false })
  platform.advance(100)
  t.same(world.of('matched'), [{ type: 'matched', address: '192.0.2.3' }], 'it is there, though down')
  happen(platform, { index: 3, name: 'eth2' })
  platform.advance(100)
  t.same(world.of('unmatched').slice(2), [{ type: 'unmatched', address: '192.0.2.2', interfaces: ['eth0'] }])
  world.set(wanted('192.0.2.2', ['eth2']))
  t.same(world.of('matched').slice(1), [{ type: 'matched', address: '192.0.2.2' }], 'another list')
  world.set(wanted('192.0.2.4', ['eth9']))
  t.equal(world.of('unmatched').length, 3, 'told once')
  world.remove('192.0.2.4')
  world.set(wanted('192.0.2.4', ['eth9']))
  t.equal(world.of('unmatched').length, 4, 'until it was removed')
})

t.test('an interface list that changes: the old interface is silent at once, the new one announces', async t => {
  const world = World.started({}, platform => {
    platform.linkList = [link(), link({ index: 3, name: 'eth1', mac: '02:00:00:00:00:03' })]
  })
  const { platform } = world
  world.set(wanted('192.0.2.1', ['eth0']))
  platform.advance(2000)
  const before = platform.socket('arp', 2).sent.length
  world.set(wanted('192.0.2.1', ['eth1']))
  platform.advance(10_000)
  t.equal(platform.socket('arp', 2).sent.length, before)
  t.ok(platform.socket('arp', 3).sent.length >= 8)
  t.same([platform.socket('arp', 2).targets, platform.socket('arp', 3).targets], [[], ['192.0.2.1']])
})

t.test(
  'an interface that changes between the first look and the watch is followed within 100 ms, not by the poll',
  async t => {
    const world = World.started({}, platform => {
      const watchLinks = platform.watchLinks.bind(platform)
      platform.watchLinks = onChange => {
        platform.linkList = [link(), link({ index: 3, name: 'eth1', mac: '02:00:00:00:00:03' })]
        return watchLinks(onChange)
      }
    })
    world.platform.advance(100)
    t.same(world.changes, [...BOTH, 'create arp eth1', 'create ndp eth1'])
  },
)

t.test('a link that comes back is announced on with a whole burst, and the others stay quiet', async t => {
  const [eth0, eth1] = [link(), link({ index: 3, name: 'eth1', mac: '02:00:00:00:00:03' })]
  const world = World.started({}, platform => (platform.linkList = [eth0, eth1]))
  const { platform } = world
  world.set(V4, V6)
  platform.advance(20_000)
  const count = (): number[] =>
    [2, 3].flatMap(index => [platform.socket('arp', index).sent.length, platform.socket('ndp', index).sent.length])
  t.same(count(), [10, 5, 10, 5])
  happen(platform, eth0, { ...eth1, flags: 0x1003 })
  platform.advance(1000)
  happen(platform, eth0, eth1)
  platform.advance(20_000)
  t.same(count(), [10, 5, 20, 10])
  world.remove(V4.text, V6.text)
  happen(platform, eth0, { ...eth1, flags: 0x1003 })
  platform.advance(1000)
  happen(platform, eth0, eth1)
  platform.advance(20_000)
  t.same(count(), [10, 5, 20, 10], 'nothing to tell')
  t.equal(platform.pending, 1, 'only the poll is left')
})

t.test('a fresh interface that goes in its burst: no timer stays', async t => {
  const world = World.started()
  const { platform } = world
  world.set(V4, V6)
  platform.advance(20_000)
  happen(platform, {}, { index: 3, name: 'eth1', mac: '02:00:00:00:00:03' })
  platform.advance(1500)
  const { sent } = platform.socket('arp', 3)
  t.equal(sent.length, 4, 'two rounds')
  happen(platform, {})
  platform.advance(20_000)
  t.equal(sent.length, 4)
  t.equal(platform.pending, 1, 'only the poll is left')
})
