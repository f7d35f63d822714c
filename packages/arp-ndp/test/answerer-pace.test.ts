/** How fast gratuitous frames go out, and that answers do not wait for them; in virtual time. */
import t from 'tap'
import { many, request, V4, V6, World } from './answerer-world.js'
import { link } from './virtual-platform.js'

const FAILOVER = 5000

t.test('5,000 addresses fail over: all pairs within 250 ms, five rounds at the times of the spec', async t => {
  const world = World.started()
  const { platform } = world
  const socket = platform.socket('arp')
  world.set(...many(FAILOVER))
  t.ok(socket.sent.length <= 200, `the first turn of the loop is short: ${socket.sent.length} frames`)
  platform.advance(250)
  t.equal(socket.sent.length, 2 * FAILOVER)
  const asked = new Set(socket.sent.map(frame => Buffer.from(frame.subarray(38, 42)).toString('hex')))
  t.equal(asked.size, FAILOVER)
  t.comment(`after ${socket.sentAt.at(-1)} ms`)
  platform.advance(10_000)
  t.equal(socket.sent.length, 10 * FAILOVER)
  for (const [round, begin] of [0, 1100, 2200, 3300, 4400].entries()) {
    const times = socket.sentAt.slice(round * 2 * FAILOVER, (round + 1) * 2 * FAILOVER)
    t.equal(times[0], begin, `round ${round}`)
    t.ok(times.at(-1)! < begin + 250)
  }
  t.match(world.ask('statistics'), [{ sendDrops: 0 }, {}])
})

t.test('the pace is kept: no millisecond has more than its share', async t => {
  const world = World.started({ gratuitousRate: 10_000 })
  const { platform } = world
  const socket = platform.socket('arp')
  world.set(...many(500))
  platform.advance(1000)
  t.equal(socket.sent.length, 1000)
  for (let begin = 0; begin < 200; begin += 10) {
    const frames = socket.sentAt.filter(at => at >= begin && at < begin + 10).length
    t.ok(frames <= 10 * 10 + 50, `${frames} frames in the 10 ms from ${begin}`)
  }
})

t.test('a pace slower than the rounds come: an address waits once, and nothing grows', async t => {
  const world = World.started({ gratuitousRate: 100 })
  const { platform } = world
  const socket = platform.socket('arp')
  world.set(...many(1000))
  platform.advance(5500)
  t.ok(socket.sent.length <= 560 && socket.sent.length >= 540, `${socket.sent.length} frames`)
  world.set(V6)
  t.equal(platform.socket('ndp').sent.length, 1, 'each protocol has a pace of its own')
  platform.advance(30_000)
  const asked = new Set(socket.sent.map(frame => Buffer.from(frame.subarray(38, 42)).toString('hex')))
  t.equal(asked.size, 1000, 'each address was announced, though late')
  t.ok(socket.sent.length <= 560 + 2000, 'what waited when the burst ended was one round each')
})

t.test('every interface has its own pace', async t => {
  const world = World.started({}, platform => {
    platform.linkList = [2, 3, 4, 5].map(index => link({ index, name: `eth${index}`, mac: `02:00:00:00:00:0${index}` }))
  })
  world.set(...many(FAILOVER))
  world.platform.advance(250)
  t.same(
    [2, 3, 4, 5].map(index => world.platform.socket('arp', index).sent.length),
    [10_000, 10_000, 10_000, 10_000],
  )
})

t.test('requests in the middle of a failover are answered in their turn', async t => {
  const world = World.started()
  const { platform } = world
  world.set(V4)
  platform.advance(10_000)
  const socket = platform.socket('arp')
  world.set(...many(FAILOVER))
  for (let i = 0; i < 20; i++) {
    platform.advance(2)
    const before = socket.sent.length
    socket.receive(request(V4.octets))
    t.equal(socket.sent.length, before + 1)
    t.equal(socket.sent.at(-1)?.[21], 2, 'the answer')
  }
  t.equal(world.counters(V4.text)?.responsesSent, 20)
})

t.test('a full transmit queue: nothing is lost, answers go first when there is room', async t => {
  const world = World.started()
  const { platform } = world
  world.set(V4)
  platform.advance(10_000)
  const socket = platform.socket('arp')
  socket.sent.length = 0
  socket.room = 10
  world.set(...many(100))
  t.equal(socket.sent.length, 10)
  socket.receive(request(V4.octets), request(V4.octets))
  t.equal(socket.sent.length, 10, 'all wait')
  socket.room = 2
  platform.advance(0)
  t.same(
    socket.sent.slice(10).map(frame => frame[5]),
    [0x99, 0x99],
    'to the one who has asked',
  )
  socket.room = Infinity
  platform.advance(10)
  t.equal(socket.sent.length, 202)
  t.match(world.ask('statistics'), [{ sendDrops: 0 }, {}])
})

t.test('a queue that stays full for a second: what waits is counted as lost, and sent by a later round', async t => {
  const world = World.started()
  const { platform } = world
  const socket = platform.socket('arp')
  socket.room = 0
  world.set(V4)
  for (let i = 0; i < 100; i++) {
    platform.advance(10)
    socket.receive(request(V4.octets))
  }
  t.equal(socket.sent.length, 0)
  t.match(world.ask('statistics'), [{ sendDrops: 102 }, {}])
  socket.room = Infinity
  platform.advance(100)
  t.equal(socket.sent.length, 2, 'the round at 1.1 s')
  t.equal(world.counters(V4.text)?.gratuitousSent, 2)
})

t.test('a flood of requests at a full queue grows memory no further than the bound', async t => {
  const world = World.started()
  const { platform } = world
  world.set(V4)
  platform.advance(10_000)
  const socket = platform.socket('arp')
  socket.room = 0
  const batch = Array.from({ length: 64 }, () => request(V4.octets))
  for (let i = 0; i < 1000; i++) socket.receive(...batch)
  const [{ sendDrops } = { sendDrops: 0 }] = world.ask('statistics')
  t.equal(sendDrops, 64_000 - 32_768)
  socket.sent.length = 0
  socket.room = Infinity
  platform.advance(1)
  t.equal(socket.sent.length, 32_768)
})

t.test('an address withdrawn while its round waits is not announced', async t => {
  const world = World.started()
  const { platform } = world
  const all = many(200)
  world.set(...all)
  world.remove('10.0.0.199')
  platform.advance(100)
  t.equal(platform.socket('arp').sent.length, 398)
})

t.test('closed in the middle of a burst: silence', async t => {
  const world = World.started()
  const { platform, answerer } = world
  const socket = platform.socket('arp')
  world.set(...many(FAILOVER))
  platform.advance(20)
  const sent = socket.sent.length
  t.ok(sent > 0 && sent < 2 * FAILOVER)
  answerer.close()
  t.equal(platform.pending, 0)
  world.set(V4)
  answerer.obey({ type: 'announce', address: V4.text })
  platform.advance(10_000)
  t.equal(socket.sent.length, sent)
})

t.test('orders are carried out in order, however long the one before takes', async t => {
  const world = World.started()
  const { platform, answerer } = world
  world.set(...many(FAILOVER))
  world.remove(...many(FAILOVER).map(({ text }) => text))
  answerer.obey({ type: 'ask', id: 7, question: 'statistics' })
  world.set(V4)
  t.same(world.of('answer'), [], 'not before what came first')
  platform.advance(0)
  t.equal(world.of('answer')[0]?.id, 7)
  t.same(platform.socket('arp').targets, undefined)
  platform.advance(200)
  t.same(platform.socket('arp').targets, ['192.0.2.1'])
})
