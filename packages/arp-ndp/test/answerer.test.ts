import t from 'tap'
import { hex } from './octets.js'
import { request, senders, V4, V6, wanted, World } from './answerer-world.js'
import { link } from './virtual-platform.js'

t.test('start: responders, known interfaces, ready', async t => {
  const world = World.started()
  const { platform, reports } = world
  t.same(world.changes, ['create arp eth0', 'create ndp eth0'])
  t.same(reports[0], { type: 'interfaces', names: ['eth0'] })
  t.same(reports.at(-1), { type: 'ready' })
  t.same(platform.socket('arp').targets, [], 'nothing is let through while nothing is owned')
})

t.test('a burst, its counters, and a withdrawal', async t => {
  const world = World.started()
  const { platform, answerer } = world
  world.set(V4, V6)
  t.equal(platform.socket('arp').sent.length, 2, 'at once')
  platform.advance(20)
  t.same(platform.socket('arp').targets, ['192.0.2.1'])
  t.same(platform.socket('ndp').targets, ['2001:db8::1'])
  t.same(platform.joined, ['ff02::1:ff00:1'])
  platform.advance(10_000)
  t.equal(platform.socket('arp').sent.length, 10)
  t.equal(platform.socket('ndp').sent.length, 5)
  t.equal(world.counters('192.0.2.1')?.gratuitousSent, 10)
  t.equal(world.counters('2001:db8::1')?.gratuitousSent, 5)
  answerer.obey({ type: 'announce', address: '192.0.2.1' })
  answerer.obey({ type: 'announce', address: '192.0.2.9' })
  t.equal(platform.socket('arp').sent.length, 12, 'again, on demand')
  world.remove('192.0.2.1', '2001:db8::1')
  platform.advance(10_000)
  t.equal(platform.socket('arp').sent.length, 12, 'withdrawn in silence')
  t.same(platform.joined, [])
  t.same(platform.socket('arp').targets, [])
})

t.test('an answer goes out in the same turn and is counted when sent', async t => {
  const world = World.started()
  const { platform } = world
  world.set(V4)
  platform.advance(10_000)
  const socket = platform.socket('arp')
  socket.sent.length = 0
  socket.options.onFrames([request(V4.octets), request(hex('c0000209')), request(V4.octets)])
  t.equal(socket.sent.length, 2)
  t.match(world.counters('192.0.2.1'), { requestsReceived: 2, responsesSent: 2 })
  socket.room = 0
  socket.options.onFrames([request(V4.octets)])
  t.match(world.counters('192.0.2.1'), { requestsReceived: 3, responsesSent: 2 }, 'the transmit queue is full')
  socket.room = 1
  platform.advance(1)
  t.match(world.counters('192.0.2.1'), { requestsReceived: 3, responsesSent: 3 }, 'sent a millisecond later')
  t.match(world.ask('statistics'), [{ protocol: 'arp', drops: new Map([['not-owned', 1]]) }, { protocol: 'ndp' }])
})

t.test('the kernel’s filter never keeps a request for a new address from us', async t => {
  const world = World.started()
  const { platform } = world
  world.set(V4)
  t.equal(platform.socket('arp').targets, undefined, 'wide at once')
  t.same(platform.socket('ndp').targets, [], 'where nothing has come, nothing changes')
  platform.advance(20)
  t.same(platform.socket('arp').targets, ['192.0.2.1'], 'narrow soon after')
  t.equal(platform.socket('arp').filters, 2)
})

t.test('interfaces of an address', async t => {
  const world = World.started({}, platform => (platform.linkList = [link(), link({ index: 3, name: 'eth1' })]))
  const { platform } = world
  world.set(wanted('192.0.2.1', ['eth1']), wanted('2001:db8::1', ['eth1']))
  platform.advance(0)
  t.equal(platform.socket('arp', 2).sent.length, 0)
  t.equal(platform.socket('arp', 3).sent.length, 2)
  t.same(platform.joined, ['ff02::1:ff00:1'], 'joined on one interface only')
  world.set(wanted('2001:db8::1', ['eth0']))
  platform.advance(20)
  t.same(platform.joined, ['ff02::1:ff00:1'], 'moved to the other')
  t.same([platform.socket('ndp', 2).targets, platform.socket('ndp', 3).targets], [['2001:db8::1'], []])
})

t.test('a MAC change: responders are replaced and everything is announced from the new one', async t => {
  const world = World.started()
  const { platform } = world
  world.set(V4, V6)
  platform.advance(20_000)
  const old = platform.socket('arp')
  platform.linkList = [link({ mac: '02:00:00:00:00:02' })]
  platform.changed()
  platform.advance(20)
  t.notOk(old.open)
  t.same(world.changes.slice(2), ['delete arp eth0', 'delete ndp eth0', 'create arp eth0', 'create ndp eth0'])
  t.same(senders(platform.socket('arp')), ['020000000002'])
  t.equal(platform.socket('arp').sent.length, 2, 'at once')
  t.equal(platform.socket('ndp').sent.length, 1)
  t.same(platform.joined, ['ff02::1:ff00:1'], 'joined again')
  platform.advance(10_000)
  t.equal(platform.socket('arp').sent.length, 10, 'and a whole burst')
  t.same(platform.socket('arp').targets, ['192.0.2.1'])
})

t.test('NDP that comes later joins the groups of all addresses there are; they are counted right', async t => {
  const world = World.started({}, platform => (platform.linkList = [link({ addresses: [] })]))
  const { platform } = world
  world.set(V6, wanted('2001:db8:1::1'), wanted('2001:db8::2'))
  platform.advance(0)
  t.same(platform.joined, [])
  platform.linkList = [link()]
  platform.changed()
  platform.advance(20)
  t.same(platform.joined, ['ff02::1:ff00:1', 'ff02::1:ff00:2'])
  t.equal(platform.socket('ndp').sent.length, 3, 'and announces them')
  world.remove('2001:db8::1')
  t.same(platform.joined, ['ff02::1:ff00:1', 'ff02::1:ff00:2'], 'shared with 2001:db8:1::1')
  world.remove('2001:db8:1::1', '2001:db8::2')
  t.same(platform.joined, [])
  world.set(V6)
  t.same(platform.joined, ['ff02::1:ff00:1'], 'a re-announcement joins')
})

t.test('an interface that vanishes and returns; the poll finds what no event told', async t => {
  const world = World.started()
  const { platform, reports } = world
  world.set(V4)
  platform.advance(0)
  platform.linkList = []
  platform.advance(10_000)
  t.same(world.changes.slice(2), ['delete arp eth0', 'delete ndp eth0'])
  platform.linkList = [link({ index: 9 }), link({ index: 1, name: 'lo' })]
  platform.advance(10_000)
  t.equal(platform.socket('arp', 9).sent.length, 2)
  t.same(
    reports.flatMap(report => (report.type === 'interfaces' ? [report.names] : [])),
    [['eth0'], [], ['eth0']],
  )
})

t.test('a carrier that returns is announced on', async t => {
  const world = World.started()
  const { platform } = world
  world.set(V4)
  platform.advance(20_000)
  const socket = platform.socket('arp')
  const look = (flags: number): void => {
    platform.linkList = [link({ flags })]
    platform.changed()
    platform.advance(20)
  }
  socket.sent.length = 0
  look(0x1003)
  t.equal(socket.sent.length, 0, 'carrier lost: nothing to say')
  look(0x1043)
  t.equal(socket.sent.length, 2)
  platform.advance(20_000)
  t.equal(socket.sent.length, 10, 'a whole burst')
  t.ok(socket.open, 'the same responder')
})

t.test('an interface that was away between two looks gets a new responder: the old socket may be dead', async t => {
  const world = World.started()
  const { platform } = world
  world.set(V4)
  platform.advance(20_000)
  const old = platform.socket('arp')
  old.options.onError(Object.assign(new Error('network is down'), { code: 'ENETDOWN' }))
  platform.changed()
  platform.advance(20)
  t.notOk(old.open)
  t.same(world.changes.slice(2), ['delete arp eth0', 'create arp eth0'], 'the other one stays')
  t.equal(platform.socket('arp').sent.length, 2, 'and announces')
  platform.changed()
  platform.advance(20)
  t.equal(world.changes.length, 4, 'once')
})

t.test('link events are gathered: a storm costs one look', async t => {
  const world = World.started()
  const { platform } = world
  for (let i = 0; i < 50; i++) platform.changed()
  platform.advance(20)
  t.equal(platform.looks, 2)
  platform.advance(9999)
  t.equal(platform.looks, 2)
  platform.advance(1)
  t.equal(platform.looks, 3, 'the poll counts from the last look')
})

t.test('a storm that does not end cannot keep the look away', async t => {
  const world = World.started()
  const { platform } = world
  for (let i = 0; i < 100; i++) {
    platform.changed()
    platform.advance(10)
  }
  t.ok(platform.looks > 20, `${platform.looks} looks in a second`)
})

t.test('a responder that cannot be created is told once, tried again, and leaves the other alone', async t => {
  const world = World.started({}, platform => platform.refusals.set('ndp', 'EADDRNOTAVAIL'))
  const { platform } = world
  t.same(world.changes, ['create arp eth0'])
  platform.advance(50_000)
  t.equal(world.logs.length, 1)
  platform.refusals.set('ndp', 'ENOMEM')
  platform.advance(20_000)
  t.equal(world.logs.length, 2, 'another reason is another line')
  platform.refusals.clear()
  platform.advance(10_000)
  t.same(world.changes, ['create arp eth0', 'create ndp eth0'])
})

t.test('without the privilege, starting fails with EPERM', async t => {
  const world = new World({}, platform => platform.refusals.set('ndp', 'EPERM').set('arp', 'EPERM'))
  const { answerer } = world
  t.throws(() => answerer.start(), { code: 'EPERM' })
})

t.test('links that cannot be listed: at the start an error, later a warning', async t => {
  const broken = new World({}, platform => (platform.broken = true))
  t.throws(() => broken.answerer.start(), { code: 'EBUSY' })
  const world = World.started()
  const { platform } = world
  platform.broken = true
  platform.advance(10_000)
  t.same(world.logs, ['looking at the interfaces has failed'])
  t.ok(platform.socket('arp').open, 'what stands stays')
  platform.broken = false
  platform.advance(10_000)
  t.equal(platform.looks, 3)
})

t.test('a sending that fails is told once and costs the frames, nothing else', async t => {
  const world = World.started()
  const { platform } = world
  platform.socket('arp').sendFailure = 'ENXIO'
  world.set(V4)
  platform.advance(10_000)
  t.equal(world.logs.length, 1)
  t.equal(world.counters('192.0.2.1')?.gratuitousSent, 0)
  t.match(world.ask('statistics'), [{ sendDrops: 10 }, {}])
})

t.test('close: no socket, no group, no timer is left', async t => {
  const world = World.started()
  const { platform, answerer } = world
  world.set(V4, V6)
  platform.socket('arp').room = 0
  answerer.obey({ type: 'announce', address: '192.0.2.1' })
  answerer.close()
  t.ok(platform.sockets.every(({ open }) => !open))
  t.equal(platform.groups.size, 0)
  t.equal(platform.pending, 0)
  answerer.close()
})
