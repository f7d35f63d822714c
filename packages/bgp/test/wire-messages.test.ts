import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import {
  decodeHeader,
  decodeMessage,
  encodeMessage,
  Framer,
  MAX_LENGTH,
  messageLimit,
  MessageType,
  type Message,
} from '@typemetal/bgp/wire'
import { anyContext, anyDamaged, anyMessage, anyOctets } from './messages.js'
import { contextOf, errorOf, EXTERNAL, GOOD, hex, message, toHex, update, VECTORS } from './octets.js'

for (const vector of VECTORS) {
  t.test(`${vector.ref}: ${vector.name}`, async t => {
    const octets = hex(vector.hex)
    const context = contextOf(vector)
    const decoded = decodeMessage(octets, context)
    t.match(decoded, vector.message)
    t.notMatch(decoded, { faults: [{}] })
    if (vector.reencodes !== false) t.equal(toHex(encodeMessage(decoded, context)), toHex(octets), 'encodes back')
    t.same(decodeMessage(encodeMessage(decoded, context), context), decoded, 'what is encoded says the same')
  })
}

t.test('RFC 4271 6.1: every cut of every vector is refused, and so is one more octet', async () => {
  for (const vector of VECTORS) {
    const octets = hex(vector.hex)
    const context = contextOf(vector)
    for (let n = 0; n < octets.length; n++) {
      const cut = octets.slice(0, n)
      assert.ok(errorOf(cut, context), `${vector.name} cut at ${n}`)
      if (n < 19) continue
      // The length field says the truth now, so the fault is found where it is.
      cut[16] = n >> 8
      cut[17] = n & 255
      const error = errorOf(cut, context)
      if (error) assert.ok(error.offset <= octets.length && error.notification[0] <= 3, `${vector.name} cut at ${n}`)
    }
    assert.ok(errorOf(Uint8Array.of(...octets, 0), context), `${vector.name} with one octet more`)
  }
})

for (const { name, octets, notification, data, offset } of [
  { name: 'marker', octets: hex(`${'ff'.repeat(15)}fe001304`), notification: [1, 1], offset: 15 },
  { name: 'length below 19', octets: hex(`${'ff'.repeat(16)}001204`), notification: [1, 2], data: '0012', offset: 16 },
  { name: 'length above 4096', octets: hex(`${'ff'.repeat(16)}100102`), notification: [1, 2], data: '1001' },
  { name: 'KEEPALIVE of 20 octets', octets: message(4, '00'), notification: [1, 2], data: '0014' },
  { name: 'OPEN of 28 octets', octets: message(1, '04fde8005a0a0000 01'), notification: [1, 2], data: '001c' },
  { name: 'UPDATE of 22 octets', octets: message(2, '000000'), notification: [1, 2], data: '0016' },
  { name: 'NOTIFICATION of 20 octets', octets: message(3, '06'), notification: [1, 2], data: '0014' },
  { name: 'ROUTE-REFRESH of 22 octets', octets: message(5, '000100'), notification: [1, 2], data: '0016' },
  { name: 'type 6', octets: message(6, ''), notification: [1, 3], data: '06', offset: 18 },
]) {
  t.test(`RFC 4271 6.1: ${name}`, async t => {
    const error = errorOf(octets)
    t.match(error, { code: 'ERR_BGP_WIRE', notification, disposition: 'session-reset' })
    if (data) t.equal(toHex(error?.data ?? new Uint8Array()), data)
    if (offset !== undefined) t.equal(error?.offset, offset)
  })
}

t.test('what the caller does wrong is a RangeError', async t => {
  const nextHop = hex('0a000001')
  const nlri = [{ length: 24, prefix: hex('c00002') }]
  const base = { type: 'update', withdrawnRoutes: [], nlri: [], pathAttributes: {} } as const
  const wrong: Message[] = [
    { ...base, nlri: [{ length: 24, prefix: hex('c0') }] },
    { ...base, nlri: [{ ...nlri[0]!, pathId: 1 }] },
    { ...base, withdrawnRoutes: [{ ...nlri[0]!, pathId: 1 }] },
    { ...base, pathAttributes: { mpUnreachNlri: { afi: 1, safi: 1, withdrawnRoutes: [{ ...nlri[0]!, pathId: 1 }] } } },
    { ...base, pathAttributes: { mpReachNlri: { afi: 1, safi: 1, nextHop: new Uint8Array(16), nlri } } },
    { ...base, pathAttributes: { mpReachNlri: { afi: 2, safi: 1, nextHop, nlri: [] } } },
    { ...base, pathAttributes: { nextHop: nextHop.subarray(1) } },
    { ...base, pathAttributes: { asPath: [{ type: 2, asns: [] }] } },
    { ...base, pathAttributes: { asPath: [{ type: 2, asns: [1, 0] }] } },
    { ...base, pathAttributes: { aigp: -1n } },
    { ...base, pathAttributes: { aigp: 2n ** 64n - 1n } },
    { ...base, pathAttributes: { extendedCommunities: [{ type: 0, subtype: 2, value: nextHop }] } },
    {
      ...base,
      pathAttributes: {
        ipv6ExtendedCommunities: [{ type: 0, subtype: 2, globalAdministrator: nextHop, localAdministrator: 0 }],
      },
    },
    { ...base, pathAttributes: { communities: Array.from({ length: 1020 }, () => 0) } },
    { ...base, pathAttributes: { unknown: [{ code: 200, flags: 0xc0, value: new Uint8Array(65_536) }] } },
    { type: 'notification', errorCode: 6, errorSubcode: 2, data: new Uint8Array(4076) },
    { type: 'route-refresh', afi: 1, subtype: 2, safi: 1, orf: hex('00') },
  ]
  for (const m of wrong) t.throws(() => encodeMessage(m), RangeError)
  t.throws(() => encodeMessage({ type: 'keepalive' }, undefined, new Uint8Array(18)), RangeError)
  const into = new Uint8Array(100)
  const written = encodeMessage({ type: 'keepalive' }, undefined, into)
  t.equal(written.buffer, into.buffer, 'writes into what it is given')
  t.equal(written.length, 19)
})

t.test('property: decode inverts encode, whatever was negotiated', async () => {
  const any = anyContext.chain(context => fc.tuple(fc.constant(context), anyMessage(context)))
  fc.assert(
    fc.property(any, ([context, m]) => {
      const octets = encodeMessage(m, context)
      assert.ok(octets.length <= (m.type === 'open' ? MAX_LENGTH : messageLimit(context)))
      assert.deepEqual(decodeMessage(octets, context), m)
    }),
    { numRuns: 2_000 },
  )
})

t.test('property: any octets give a message or a WireError', async () => {
  fc.assert(
    fc.property(anyOctets, anyContext, (octets, context) => {
      errorOf(octets, context)
    }),
    { numRuns: 8_000 },
  )
})

t.test(
  'property: a vector with some octets changed gives a message or a WireError, what is read can be sent',
  async () => {
    fc.assert(
      fc.property(anyDamaged, fc.oneof(fc.constant(EXTERNAL), anyContext), (octets, context) => {
        if (errorOf(octets, context)) return
        const decoded: Message & { faults?: unknown } = decodeMessage(octets, context)
        delete decoded.faults
        // Extended lengths may shrink on the way, so it is the values that must survive, not the octets.
        assert.deepEqual(decodeMessage(encodeMessage(decoded, context), context), decoded)
      }),
      { numRuns: 12_000 },
    )
  },
)

t.test('property: every cut of any UPDATE gives a message or a WireError', async () => {
  const any = anyContext.chain(context => fc.tuple(fc.constant(context), anyMessage(context), fc.nat()))
  fc.assert(
    fc.property(any, ([context, m, where]) => {
      const octets = encodeMessage(m, context)
      const cut = octets.slice(0, 19 + (where % Math.max(1, octets.length - 19)))
      cut[16] = cut.length >> 8
      cut[17] = cut.length & 255
      errorOf(cut, context)
    }),
    { numRuns: 2_000 },
  )
})

t.test('Framer: messages come out whole, however the stream is cut', async () => {
  const vectors = VECTORS.map(vector => hex(vector.hex))
  const stream = Buffer.concat(vectors)
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), fc.boolean(), (sizes, late) => {
      const framer = new Framer()
      const found: string[] = []
      const drain = (): void => {
        for (let octets = framer.next(); octets; octets = framer.next()) found.push(toHex(octets))
      }
      for (let at = 0, i = 0; at < stream.length; i++) {
        const size = sizes[i % sizes.length]!
        framer.push(stream.subarray(at, at + size))
        at += size
        if (!late) drain()
      }
      drain()
      assert.deepEqual(found, vectors.map(toHex))
    }),
  )
})

t.test('Framer: runs of UPDATEs are whole messages back to back, and the others come one by one', async () => {
  const vectors = fc.array(fc.constantFrom(...VECTORS.map(vector => hex(vector.hex))), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(vectors, fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }), (sent, sizes) => {
      const stream = Buffer.concat(sent)
      const framer = new Framer()
      const found: Uint8Array[] = []
      for (let at = 0, i = 0; at < stream.length; at += sizes[i++ % sizes.length]!) {
        framer.push(stream.subarray(at, at + sizes[i % sizes.length]!))
        for (;;) {
          const run = framer.nextRun(MessageType.Update)
          if (run)
            for (let from = 0; from < run.length;) {
              const { length, type } = decodeHeader(run, from)
              assert.equal(type, MessageType.Update)
              found.push(run.subarray(from, from + length))
              from += length
            }
          const message = framer.next()
          if (!message) break
          found.push(message)
        }
      }
      assert.deepEqual(found.map(toHex), sent.map(toHex))
    }),
  )
})

t.test('RFC 4271 6.1: Framer: a run ends before a header that is wrong', async t => {
  const good = update(GOOD)
  for (const bad of ['00'.repeat(23), `${'ff'.repeat(16)}001602000000`, `${'ff'.repeat(16)}100102000000`]) {
    const framer = new Framer()
    framer.push(Buffer.concat([good, good, hex(bad)]))
    t.equal(framer.nextRun(MessageType.Update)?.length, 2 * good.length, bad)
    t.throws(() => framer.next(), { code: 'ERR_BGP_WIRE' })
  }
})

t.test('RFC 4271 6.1: Framer stops at a header that is wrong, whole or in pieces', async t => {
  const octets = hex(`${'ff'.repeat(16)}001304${'00'.repeat(19)}`)
  for (const size of [octets.length, 7]) {
    const framer = new Framer()
    for (let at = 0; at < octets.length; at += size) framer.push(octets.subarray(at, at + size))
    t.equal(framer.next()?.length, 19)
    t.throws(() => framer.next(), { code: 'ERR_BGP_WIRE', message: 'marker is not all ones (octet 0)' })
  }
})
