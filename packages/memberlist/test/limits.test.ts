/** How much the octets of a peer can make us do. Sections are those of the protocol's description. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as wire from '@typemetal/memberlist/wire'
import t from 'tap'
import { Suspicion } from '../dist/swim/suspicion.js'
import { Timers } from '../dist/swim/timers.js'
import { Bench, entry, QUIET } from './bench.js'

/** Octets in buffers that something still refers to: what is freed is counted by another thread, which may take a while. */
async function heldOctets(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  let held = Infinity
  for (let same = 0; same < 3;) {
    collect()
    await new Promise(resolve => setTimeout(resolve, 50))
    const { arrayBuffers } = process.memoryUsage()
    same = arrayBuffers < held ? 0 : same + 1
    held = Math.min(held, arrayBuffers)
  }
  return held
}

t.test('section 6: a datagram unfolds to so many messages and no more', async t => {
  const nack = wire.encodeNack({ seqNo: 1 })
  const full = wire.encodeCompound(Array.from({ length: 255 }, () => nack))
  t.equal(wire.decodePacket(wire.encodeCompress(full)).messages.length, 255, 'what a peer may send is read')
  const bomb = wire.encodeCompress(wire.encodeCompound(Array.from({ length: 255 }, () => full)))
  t.ok(bomb.length < 10_000)
  const { messages, faults } = wire.decodePacket(bomb)
  t.ok(messages.length > 500 && messages.length <= wire.MAX_MESSAGES)
  t.match(faults, [{ fault: 'limit' }])
  t.equal(faults.length, 1, 'said once')
  const bad = wire.encodeCompound(Array.from({ length: 255 }, () => Uint8Array.of(99)))
  const many = wire.decodePacket(wire.encodeCompound(Array.from({ length: 255 }, () => bad))).faults
  t.ok(many.length <= wire.MAX_MESSAGES + 1, 'faults count too')
  t.same(
    many.slice(-2).map(({ fault }) => fault),
    ['unsupported', 'limit'],
  )
  const hollow = wire.encodeCompound(Array.from({ length: 255 }, () => wire.encodeCompound([])))
  const nested = wire.encodeCompress(wire.encodeCompound(Array.from({ length: 255 }, () => hollow)))
  t.match(wire.decodePacket(nested), { messages: [], faults: [{ fault: 'limit' }] }, 'and compounds of nothing')
})

t.test('section 8: nothing is no compressed message', async t => {
  t.throws(() => wire.lzwDecode(new Uint8Array(), 100), wire.WireError)
  t.match(wire.decodePacket(Uint8Array.of(9, 0xc0)), { messages: [], faults: [{ fault: 'truncated' }] })
  const [a, b] = [new Uint8Array(3000).fill(7), Uint8Array.from({ length: 3000 }, (_, i) => i % 7)]
  const packed = [wire.lzwEncode(a), wire.lzwEncode(b)] as const
  t.throws(() => wire.lzwDecode(packed[0].subarray(0, 20), 3000))
  t.same(wire.lzwDecode(packed[1], 3000), b, 'what another message left in the dictionary does not show')
})

t.test('sections 11 and 12: a plain stream ends at its limit, and what was read is not kept', async t => {
  const head = Uint8Array.of(
    6,
    0x83,
    ...Buffer.from('\xa4Join\xc2\xa5Nodes\xd2\x00\x01\x00\x00\xacUserStateLen\x00', 'latin1'),
  )
  const chunk = Buffer.concat(
    Array.from({ length: 64 }, () => wire.encodePushNodeState(entry('x', 3, { meta: new Uint8Array(15_000) }))),
  )
  const reader = new wire.StreamReader({})
  reader.push(head)
  t.throws(
    () => {
      while (reader.received < 2 ** 28) reader.push(chunk)
    },
    { code: 'ERR_MEMBERLIST_WIRE', fault: 'limit' },
  )
  t.ok(reader.received > 40 * 2 ** 20 && reader.received < 42 * 2 ** 20)

  // Entries that are mostly fields nobody knows: 30 MB of them leave a few octets each.
  const padded = Buffer.concat([
    Uint8Array.of(0x82, 0xa4, ...Buffer.from('Addr'), 0xa4, 127, 0, 1, 3, 0xa1, 0x78, 0xda, 0x30, 0x00),
    new Uint8Array(0x3000),
  ])
  const before = await heldOctets()
  const lean = new wire.StreamReader({})
  lean.push(head)
  for (let i = 0; i < 2500; i++) lean.push(Uint8Array.from(padded))
  t.ok((await heldOctets()) - before < 2_000_000)
  t.ok(lean.received > 30_000_000)
})

t.test('section 11: a push/pull that comes in pieces is the one that was sent', async t => {
  const nodes = Array.from({ length: 300 }, (_, i) => entry(`n${i}`, i & 0xff, { meta: new Uint8Array(i).fill(i) }))
  const octets = wire.encodePushPull(
    true,
    300,
    Buffer.concat(nodes.map(wire.encodePushNodeState)),
    new Uint8Array(5000).fill(9),
  )
  for (const size of [17, 100, 1000, 30_000]) {
    const reader = new wire.StreamReader({ label: new Uint8Array() })
    let message: wire.StreamMessage | undefined
    for (let at = 0; at < octets.length; at += size) message = reader.push(octets.slice(at, at + size))
    t.same(message?.body, { join: true, nodes, userState: new Uint8Array(5000).fill(9) }, `pieces of ${size}`)
  }
})

t.test('section 9: a frame of 20 MiB is taken, one of an octet more is not', async t => {
  const open = (payload: Uint8Array): Uint8Array => payload
  const frame = (length: number): wire.StreamReader => {
    const reader = new wire.StreamReader({ open })
    reader.push(wire.encodeFrameHead(length))
    return reader
  }
  t.equal(wire.MAX_FRAME, 20 * 2 ** 20)
  const user = wire.encodeUserStream(new Uint8Array(wire.MAX_FRAME - 18))
  t.equal(user.length, wire.MAX_FRAME, 'a frame as large as it gets')
  t.match(frame(wire.MAX_FRAME).push(user), { type: 'user' })
  t.throws(() => frame(wire.MAX_FRAME + 1), { fault: 'limit', message: /larger than limit/ })
})

t.test('section 16: accusers beyond those that count are not kept', async t => {
  const timers = new Timers(250, 1000, () => {})
  const kept = (k: number): number => {
    const ends = { onExpire: () => {}, onLastCall: () => {}, callTime: 1000 }
    const suspicion = new Suspicion({ k, min: 4000, max: 24_000, from: 'first', ...ends }, timers, 0)
    for (let i = 0; i < 1000; i++) suspicion.confirm(`n${i}`, 0)
    return suspicion.confirmedBy
  }
  t.equal(kept(2), 2)
  t.equal(kept(0), 1, 'that there is one, the watch asks for')
})

t.test('what was told of a ring is not kept after it', async t => {
  const before = await heldOctets()
  let bench: Bench | undefined = new Bench(QUIET)
  for (let i = 0; i < 3000; i++)
    bench.alive(`n${i}`, 1, 1, { addr: Uint8Array.of(10, 1, i >> 8, i & 0xff), meta: new Uint8Array(512) })
  t.ok((await heldOctets()) - before > 1_000_000)
  t.equal(bench.swim.size, 3001)
  bench = undefined
  t.ok((await heldOctets()) - before < 1_000_000)
})
