/** Section 23: whatever comes from the network, nothing is thrown but typed errors, and nothing is allocated on a claim. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { seededRandom } from '@typemetal/memberlist/simulator'
import { Swim } from '@typemetal/memberlist/swim'
import * as wire from '@typemetal/memberlist/wire'
import * as fc from 'fast-check'
import t from 'tap'
import type { VectorFile } from './vectors.js'

t.setTimeout(1_200_000)

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 1_000_000)
const vectors = JSON.parse(
  readFileSync(new URL('../test/vectors/memberlist.json', import.meta.url), 'utf8'),
) as VectorFile
const seeds = (kinds: readonly string[]): Uint8Array[] =>
  (vectors.generated ?? [])
    .filter(v => kinds.includes(v.kind ?? '') && (v.hex ?? '').length < 4000)
    .map(v => Uint8Array.from(Buffer.from(v.hex ?? '', 'hex')))

/** Random octets, or a good message with some of it changed, cut, doubled or spliced into another. */
function* hostile(corpus: readonly Uint8Array[], runs: number, seed: number): Generator<Uint8Array> {
  const random = seededRandom(seed)
  const below = (n: number): number => Math.floor(random() * n)
  const pick = (): Uint8Array => corpus[below(corpus.length)]!
  for (let i = 0; i < runs; i++) {
    const kind = below(6)
    if (kind === 0) {
      yield Uint8Array.from({ length: below(64) }, () => below(256))
      continue
    }
    const octets = Uint8Array.from(pick())
    if (kind === 1) yield octets.subarray(0, below(octets.length + 1))
    else if (kind === 2) yield Uint8Array.of(...octets.subarray(0, below(octets.length)), ...pick().subarray(below(20)))
    else {
      for (let k = 1 + below(4); k > 0; k--) octets[below(octets.length)] = below(3) === 0 ? 0xff : below(256)
      yield octets
    }
  }
}

function assertTyped(read: () => unknown): void {
  try {
    read()
  } catch (error) {
    assert.ok(error instanceof wire.WireError, String(error))
  }
}

t.test(`datagrams: ${RUNS} hostile ones give messages and typed faults`, async t => {
  let messages = 0
  for (const octets of hostile(seeds(['message', 'compound', 'compress', 'crc']), RUNS, 1)) {
    const packet = wire.decodePacket(octets)
    messages += packet.messages.length
    assert.ok(packet.faults.every(fault => fault instanceof wire.WireError))
  }
  t.ok(messages > RUNS / 10, 'and many of them were readable')
})

t.test('streams: hostile octets in chunks', async () => {
  const random = seededRandom(2)
  for (const octets of hostile(seeds(['stream', 'encrypted-stream']), RUNS / 20, 3)) {
    const reader = new wire.StreamReader({
      open: payload => payload,
      requireEncryption: random() < 0.1,
      decompressed: 1 << 20,
    })
    assertTyped(() => {
      for (let at = 0; at < octets.length; at += 50) if (reader.push(octets.subarray(at, at + 50))) return
    })
  }
})

t.test('a node that is fed with them goes on', async t => {
  const swim = new Swim({ name: 'n000', address: Uint8Array.of(127, 0, 1, 1), port: 7946, random: seededRandom(4) })
  swim.handle({ type: 'start' }, 0)
  const from = { address: '127.0.1.2', port: 7946 }
  let now = 0
  for (const octets of hostile(seeds(['message', 'compound', 'crc']), RUNS / 20, 5)) {
    swim.handle({ type: 'packet', octets, from }, (now += 1))
    if (swim.nextTimeout !== undefined && swim.nextTimeout <= now) swim.handleTimeout(now)
  }
  let id = 0
  for (const octets of hostile(seeds(['stream']), RUNS / 100, 6)) {
    assertTyped(() => {
      const message = new wire.StreamReader({ decompressed: 1 << 20 }).push(octets)
      if (message) swim.handle({ type: 'stream', id: ++id, message, from }, (now += 1))
    })
    swim.handleTimeout(now)
  }
  t.equal(swim.stateOf('n000'), 'alive')
})

t.test('encrypted payloads and labels', async () => {
  const aead: wire.Aead = { seal: (_k, _n, plaintext) => plaintext, open: (_k, _n, sealed) => sealed.subarray(0, -16) }
  const key = new Uint8Array(16)
  for (const octets of hostile(seeds(['encrypted-packet']), RUNS / 20, 7)) {
    assertTyped(() => wire.openPayload(wire.stripLabel(octets, new Uint8Array()), new Uint8Array(), aead, [key]))
  }
})

t.test('section 8: a bomb is stopped at the limit', async t => {
  const bomb = wire.encodeCompress(new Uint8Array(8 * 1024 * 1024))
  t.ok(bomb.length < 65_536, `${bomb.length} octets`)
  t.match(wire.decodePacket(bomb), { messages: [], faults: [{ fault: 'limit' }] })
  const nested = wire.encodeCompound([bomb, bomb, wire.encodeNack({ seqNo: 1 })])
  t.match(wire.decodePacket(nested), { messages: [{ type: 'nack' }], faults: [{ fault: 'limit' }, { fault: 'limit' }] })
  const shared = wire.encodeCompress(new Uint8Array(700_000).fill(200))
  const two = wire.decodePacket(wire.encodeCompound([shared, shared])).faults.map(fault => fault.fault)
  t.same(two, ['unsupported', 'limit'], 'the limit counts for the whole datagram')
})

t.test('section 23.2: nesting is bounded', async t => {
  let octets = wire.encodeNack({ seqNo: 1 })
  for (let depth = 0; depth < 3; depth++) octets = wire.encodeCompound([octets])
  t.match(wire.decodePacket(octets), { messages: [{ type: 'nack' }], faults: [] })
  t.match(wire.decodePacket(wire.encodeCompound([octets])), { messages: [], faults: [{ fault: 'limit' }] })
  const ping = wire.encodePing({ seqNo: 1, node: 'a', sourceAddr: undefined, sourcePort: 0, sourceNode: '' })
  t.match(wire.decodePacket(wire.encodeCompound([wire.encodeCrc(ping)])), {
    messages: [],
    faults: [{ fault: 'unsupported' }],
  })
})

t.test('section 12: claims on a stream are refused before they are believed', async t => {
  const head = (nodes: number, userStateLen: number): Uint8Array =>
    Uint8Array.of(
      6,
      0x83,
      ...Buffer.from('\xa4Join\xc2\xa5Nodes', 'latin1'),
      0xd3,
      ...be64(nodes),
      ...Buffer.from('\xacUserStateLen', 'latin1'),
      0xd3,
      ...be64(userStateLen),
    )
  const throwsLimit = (read: () => unknown): void => assert.throws(read, { fault: 'limit' })
  const push = (octets: Uint8Array) => () => new wire.StreamReader({}).push(octets)
  throwsLimit(push(head(65_537, 0)))
  throwsLimit(push(head(-1, 0)))
  throwsLimit(push(head(0, 20 * 1024 * 1024 + 1)))
  t.equal(push(head(65_536, 0))(), undefined, 'that many may come')
  throwsLimit(() => new wire.StreamReader({ open: p => p }).push(Uint8Array.of(10, 0x01, 0x40, 0, 1)))
  // An entry that never ends is given up, not read again and again.
  const endless = Uint8Array.of(
    ...head(1, 0),
    0x81,
    0xa3,
    ...Buffer.from('foo'),
    0xdd,
    0,
    0xff,
    0xff,
    0xff,
    ...new Uint8Array(20_000),
  )
  throwsLimit(push(endless))
})

const be64 = (value: number): Buffer => {
  const octets = Buffer.alloc(8)
  octets.writeBigInt64BE(BigInt(value))
  return octets
}

const name = fc.uint8Array({ maxLength: 80 }).map(wire.decodeText)
const u32 = fc.integer({ min: 0, max: 0xffffffff })
const octets = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength })

t.test('property: any octets are a name, and come back', async () => {
  fc.assert(fc.property(octets(100), value => assert.deepEqual(wire.encodeText(wire.decodeText(value)), value)))
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), value => assert.equal(wire.decodeText(wire.encodeText(value)), value)),
  )
})

t.test('property: decode inverts encode', async () => {
  fc.assert(
    fc.property(u32, name, name, (incarnation, node, from) => {
      const m = { incarnation, node, from }
      assert.deepEqual(wire.decodeSuspect(wire.encodeSuspect(m)), m)
      assert.deepEqual(wire.decodeDead(wire.encodeDead(m)), m)
    }),
  )
  const alive = fc.record(
    {
      incarnation: u32,
      node: name,
      addr: octets(16),
      port: fc.nat(65_535),
      meta: fc.option(octets(512), { nil: undefined }),
      vsn: octets(6),
    },
    { noNullPrototype: true },
  )
  fc.assert(fc.property(alive, m => assert.deepEqual(wire.decodeAlive(wire.encodeAlive(m)), m)))
  fc.assert(fc.property(octets(3000), input => assert.deepEqual(wire.lzwDecode(wire.lzwEncode(input), 3000), input)))
})

t.test('property: LZW of long and repetitive input', async () => {
  const random = seededRandom(9)
  for (const [length, letters] of [
    [20_000, 2],
    [100_000, 256],
    [60_000, 5],
    [5000, 1],
  ] as const) {
    const input = Uint8Array.from({ length }, () => Math.floor(random() * letters))
    assert.deepEqual(wire.lzwDecode(wire.lzwEncode(input), length), input)
  }
})

t.test('property: each cut of a message is refused', async () => {
  const message = wire.encodeAlive({
    incarnation: 70_000,
    node: 'n',
    addr: Uint8Array.of(1, 2, 3, 4),
    port: 7946,
    meta: undefined,
    vsn: Uint8Array.of(1, 5, 2, 0, 0, 0),
  })
  for (let n = 1; n < message.length; n++) {
    assert.throws(() => wire.decodeAlive(message.subarray(0, n)), { code: 'ERR_MEMBERLIST_WIRE', fault: 'truncated' })
  }
})

t.test("the caller's mistakes are RangeErrors", async t => {
  t.throws(() => wire.encodeNack({ seqNo: -1 }), RangeError)
  t.throws(() => wire.encodeNack({ seqNo: 2 ** 32 }), RangeError)
  t.throws(() => wire.encodeCompound(Array.from({ length: 256 }, () => new Uint8Array(1))), RangeError)
  t.throws(() => wire.encodeCompound([new Uint8Array(70_000)]), RangeError)
  t.throws(() => wire.encodeLabelHeader(new Uint8Array(256)), RangeError)
  t.throws(() => wire.encodeCompress(new Uint8Array()), RangeError)
})
