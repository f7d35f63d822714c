/** Solicited-node groups (RFC 4291 §2.8, RFC 4861 §7.2.1) of the answerer in a virtual world. */
import t from 'tap'
import { V6, wanted, World } from './answerer-world.js'
import { link } from './virtual-platform.js'

const numbered = (count: number) => Array.from({ length: count }, (_, i) => wanted(`2001:db8::${(i + 1).toString(16)}`))

t.test('more groups than a socket holds: as many sockets as they need, and no more once they are gone', async t => {
  const world = World.started({}, platform => (platform.groupsPerSocket = 100))
  const { platform } = world
  const all = numbered(250)
  world.set(...all)
  platform.advance(100)
  t.equal(platform.joined.length, 250)
  t.equal(platform.groups.size, 3)
  world.remove(...all.slice(1).map(({ text }) => text))
  platform.advance(100)
  t.same(platform.joined, ['ff02::1:ff00:1'])
  t.equal(platform.groups.size, 1)
})

t.test('thousands of groups are joined bit by bit: announcements do not wait for them', async t => {
  const world = World.started()
  const { platform } = world
  world.set(...numbered(5000))
  t.ok(platform.joined.length <= 16, `${platform.joined.length} joined in the first turn`)
  platform.advance(0)
  t.equal(platform.joined.length, 5000)
  platform.linkList = [link(), link({ index: 3, name: 'eth1', mac: '02:00:00:00:00:03' })]
  platform.changed()
  platform.until(() => platform.sockets.length === 4)
  t.ok(platform.joined.length <= 5016, 'also on an interface that comes')
  world.remove(...numbered(5000).map(({ text }) => text))
  platform.advance(20)
  t.same(platform.joined, [], 'joins that wait and are not wanted any more are left out')
})

t.test('months of churn do not gather sockets', async t => {
  const world = World.started({}, platform => (platform.groupsPerSocket = 10))
  const { platform } = world
  const all = numbered(400)
  world.set(...all.slice(0, 25))
  for (let i = 25; i < all.length; i++) {
    world.set(all[i]!)
    world.remove(all[i - 25]!.text)
    platform.advance(10)
  }
  t.equal(platform.joined.length, 25)
  t.ok(platform.groups.size <= 5, `${platform.groups.size} sockets`)
  t.same(world.logs, [])
})

t.test('a group that the kernel refuses: told once, not fatal, tried again at each look', async t => {
  const world = World.started({}, platform => (platform.groupsPerSocket = 0))
  const { platform } = world
  world.set(V6, wanted('2001:db8::2'))
  platform.advance(100)
  t.same(platform.joined, [])
  t.equal(platform.groups.size, 0, 'no socket without a group is left open')
  t.same(world.logs, ['a responder has met an error'])
  t.equal(platform.socket('ndp').sent.length, 2, 'announced all the same')
  platform.advance(10_000)
  t.equal(world.logs.length, 1)
  platform.groupsPerSocket = 10
  platform.advance(10_000)
  t.same(platform.joined, ['ff02::1:ff00:1', 'ff02::1:ff00:2'])
  world.remove('2001:db8::1', '2001:db8::2')
  t.same(platform.joined, [])
})

t.test('a group that was refused and is left before it was joined stays away', async t => {
  const world = World.started({}, platform => (platform.groupsPerSocket = 0))
  const { platform } = world
  world.set(V6)
  world.remove(V6.text)
  platform.groupsPerSocket = 10
  platform.advance(20_000)
  t.same(platform.joined, [])
})

t.test('an interface that comes gets the groups of all addresses that are for it', async t => {
  const world = World.started()
  const { platform } = world
  world.set(V6, wanted('2001:db8:1::1'), wanted('2001:db8::2', ['eth0']), wanted('2001:db8::3', ['eth1']))
  t.same(platform.joined, ['ff02::1:ff00:1', 'ff02::1:ff00:2'])
  platform.linkList = [link(), link({ index: 3, name: 'eth1', mac: '02:00:00:00:00:03' })]
  platform.changed()
  platform.advance(20)
  t.same(platform.joined, ['ff02::1:ff00:1', 'ff02::1:ff00:1', 'ff02::1:ff00:2', 'ff02::1:ff00:3'])
  world.remove(V6.text)
  t.same(platform.joined.length, 4, 'shared with 2001:db8:1::1')
  world.remove('2001:db8:1::1', '2001:db8::2', '2001:db8::3')
  world.remove('2001:db8:1::1')
  t.same(platform.joined, [])
  world.set(V6)
  t.same(platform.joined, ['ff02::1:ff00:1', 'ff02::1:ff00:1'], 'counted from zero again')
})
