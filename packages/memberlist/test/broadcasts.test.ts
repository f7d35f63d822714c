/** What is gossiped to whom, how often and in which order: section 18 of the protocol's description, and around it. */
import * as wire from '@typemetal/memberlist/wire'
import t from 'tap'
import { BroadcastQueue } from '../dist/swim/broadcast-queue.js'
import { Bench, entry, ping, QUIET } from './bench.js'

/** Gossip, and nothing beside it. */
const GOSSIPING = { ...QUIET, gossipInterval: 200 }

t.test('section 18: the least told first, of those the longest, of those the newest', async t => {
  const queue = new BroadcastQueue()
  const take = (limit: number, count = 255): string =>
    queue
      .take({ overhead: 2, limit, count, transmitLimit: 3 })
      .map(octets => Buffer.from(octets).toString())
      .join(' ')
  for (const text of ['a1', 'long', 'b2', 'longest']) queue.add(undefined, Buffer.from(text))
  t.equal(take(100, 2), 'longest long', 'no more than there is room for are counted')
  t.equal(take(4), 'b2')
  t.equal(take(100), 'a1 longest long b2', 'told less comes first')
  t.equal(take(8), 'a1 b2', 'of each tier what fits')
  t.equal(take(100), 'longest long a1', 'b2 has been told often enough')
  t.equal(queue.length, 0)
  for (const text of ['xxx', 'y']) queue.add(undefined, Buffer.from(text))
  take(5)
  queue.add(undefined, Buffer.from('z'))
  queue.prune(2)
  t.equal(take(100), 'z y', 'of too many the most told go')
})

t.test('section 18: a newer word about a node ends the older', async t => {
  const bench = new Bench(GOSSIPING).alive('n002', 3).run(5000)
  bench.take()
  bench.input({ type: 'update', request: 1, meta: Uint8Array.of(1) })
  t.same(bench.taken('updated'), [], 'it has to be told first')
  bench.input({ type: 'update', request: 2, meta: Uint8Array.of(2) })
  t.same(bench.taken('updated'), [{ type: 'updated', request: 1 }])
  t.same(bench.run(5000).taken('updated'), [{ type: 'updated', request: 2 }])
})

t.test('section 18: the lately dead are told, those who left are not', async t => {
  const bench = new Bench(GOSSIPING).alive('dead', 3).alive('left', 4).run(5000)
  bench.dead('dead', 'n000').dead('left', 'left').run(5000)
  const told = (): string[] => {
    bench.take()
    bench.input({ type: 'broadcast', payload: Uint8Array.of(1) }).run(5000)
    return [...new Set(bench.sent().map(({ to }) => to))]
  }
  t.same(told(), ['127.0.1.3'])
  bench.run(30_000)
  t.same(told(), [], 'after gossipToTheDeadTime they are not')
})

t.test('section 18: gossip behind a message fills the budget to the octet', async t => {
  const ack = wire.encodeAck({ seqNo: 5, payload: undefined })
  const overhead = 2 + 3 + 29 // a label of three octets, and encryption
  const room = 1400 - ack.length - 2 - overhead
  const carried = (payload: number): number | undefined => {
    const bench = new Bench({ ...GOSSIPING, packetOverhead: () => overhead }).alive('n000', 1).run(5000)
    bench.take()
    bench.input({ type: 'broadcast', payload: new Uint8Array(payload) }).packet(ping())
    const [packet] = bench.taken('packet')
    return wire.decodePacket(packet!.octets).messages.length === 2 ? packet!.octets.length : undefined
  }
  t.equal(
    carried(room - 3),
    1400 - overhead + 2,
    'a user message costs three; the length of the ack itself is not counted',
  )
  t.equal(carried(room - 2), undefined)
})

t.test('section 18: a packet of more than 255 messages is none', async t => {
  const bench = new Bench(GOSSIPING).alive('n000', 1).run(5000)
  bench.take()
  for (let i = 0; i < 600; i++) bench.input({ type: 'broadcast', payload: new Uint8Array() })
  bench.packet(ping())
  const [packet] = bench.taken('packet')
  t.equal(wire.decodePacket(packet!.octets).messages.length, 255, 'the ack and 254')
  bench.run(60_000)
  const users = bench.sent().filter(({ type }) => type === 'user').length
  t.equal(users, 600 * 4 - 254, 'each is told four times, none only in the books')
})

t.test('section 18: a user message that fits no datagram is refused', async t => {
  const bench = new Bench({ ...GOSSIPING, packetOverhead: () => 29 }).alive('n000', 1).run(5000)
  bench.take()
  const broadcast = (length: number) => (): void =>
    void bench.input({ type: 'broadcast', payload: new Uint8Array(length) })
  t.throws(broadcast(1367), { name: 'RangeError', message: /1366/ })
  broadcast(1366)()
  const lengths = bench
    .run(5000)
    .sent()
    .map(({ type, body }) => (type === 'user' ? body.length : 0))
  t.same([...new Set(lengths)], [1366], 'the longest that does fit is told')
})

t.test('section 18: what nobody takes does not pile up', async t => {
  const bench = new Bench(GOSSIPING)
  for (let i = 0; i < 2000; i++) bench.input({ type: 'broadcast', payload: Uint8Array.of(i & 0xff) })
  t.equal(bench.swim.queuedUserBroadcasts, 1024)
  bench.run(10_000)
  t.equal(bench.swim.queuedUserBroadcasts, 1024, 'somebody may still join')
  bench.run(30_000)
  t.equal(bench.swim.queuedUserBroadcasts, 0)
  bench
    .pushPull(entry('n002', 3))
    .input({ type: 'broadcast', payload: Uint8Array.of(1) })
    .take()
  bench.run(5000)
  t.ok(bench.sent().some(({ type }) => type === 'user'))
})

t.test('section 19: alone, an update is told at once', async t => {
  const bench = new Bench(GOSSIPING)
  bench.input({ type: 'update', request: 1, meta: Uint8Array.of(1) })
  t.match(bench.take(), [
    { type: 'member', event: 'update' },
    { type: 'updated', request: 1 },
  ])
})
