import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import {
  decodeMrtRecord,
  decodeRibAttributes,
  encodeMrtRecord,
  encodeRibAttributes,
  MrtError,
  readMrt,
  type MrtRecord,
  type MrtRib,
} from '@typemetal/bgp/mrt'
import { decodeMessage, type PathAttributes } from '@typemetal/bgp/wire'
import { anyMrtRecord, FILES, readFile } from './mrt-records.js'
import { hex, toHex } from './octets.js'

const IPV6 = { afi: 2, safi: 1 }

/** Records of a file, with what each was made of. */
function* recordsOf(file: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < file.length;) {
    const length = 12 + new DataView(file.buffer, file.byteOffset + at).getUint32(8)
    yield file.subarray(at, at + length)
    at += length
  }
}

async function readAll(source: Iterable<Uint8Array>, maxLength = 1 << 20): Promise<MrtRecord[]> {
  const records: MrtRecord[] = []
  for await (const record of readMrt(source, { maxLength })) records.push(record)
  return records
}

const withLength = (octets: Uint8Array): Uint8Array => {
  const copy = octets.slice()
  new DataView(copy.buffer).setUint32(8, copy.length - 12)
  return copy
}

/** What decoding ends in: the error, or `undefined`. */
function errorOf(octets: Uint8Array): MrtError | undefined {
  try {
    decodeMrtRecord(octets)
    return undefined
  } catch (error) {
    assert.ok(error instanceof MrtError, String(error))
    assert.equal(error.code, 'ERR_BGP_MRT')
    return error
  }
}

t.test('RFC 6396 section 4: every record decodes to what was encoded, and back', async () => {
  fc.assert(
    fc.property(anyMrtRecord, record => {
      const octets = encodeMrtRecord(record)
      const decoded = decodeMrtRecord(octets)
      assert.deepEqual(decoded, record)
      assert.equal(toHex(encodeMrtRecord(decoded)), toHex(octets))
    }),
    { numRuns: 1000 },
  )
})

for (const name of FILES) {
  t.test(`RFC 6396: what ${name} holds encodes back, and every cut of it is refused`, async t => {
    const records = [...recordsOf(readFile(name))]
    t.ok(records.length > 3)
    for (const octets of records) {
      const record = decodeMrtRecord(octets)
      assert.equal(toHex(encodeMrtRecord(record)), toHex(octets))
      for (let n = 0; n < octets.length; n++) {
        assert.ok(errorOf(octets.subarray(0, n)), `cut at ${n}`)
        if (n < 12) continue
        // The length field says the truth now, so the fault is found where it is, if there is still one.
        const honest = errorOf(withLength(octets.subarray(0, n)))
        if (honest) assert.ok(honest.offset <= n)
        else assert.ok(record.type === 'bgp4mp-message' || record.type === 'unknown', `${record.type} cut at ${n}`)
      }
    }
  })
}

t.test('RFC 6396 section 4.4: messages and states as BIRD and FRR recorded them', async t => {
  const bird = await readAll([readFile('bird-messages')])
  const states = bird.flatMap(record => (record.type === 'bgp4mp-state-change' ? [record.newState] : []))
  t.ok(states.includes(6), 'Established')
  for (const name of ['bird-messages', 'frr-all'] as const) {
    const types = new Set<string>()
    for (const record of await readAll([readFile(name)])) {
      if (record.type !== 'bgp4mp-message') continue
      const { fourOctetAs, addPath } = record
      const context = { fourOctetAs, internal: true, addPath: addPath ? (['ipv4-unicast'] as const) : [] }
      types.add(decodeMessage(record.message, context).type)
    }
    t.ok(types.has('update'), `${name}: UPDATE messages that can be read`)
  }
})

t.test('RFC 8050 section 4: routes with and without Path Identifiers', async t => {
  const bird = (await readAll([readFile('bird-dump')])).filter(record => record.type === 'rib')
  t.equal(bird.length, 4)
  t.same(
    bird.map(({ addPath }) => addPath),
    [false, true, true, false],
    'static ones have none',
  )
  t.ok(bird.every(({ addPath, entries }) => entries.every(({ pathId }) => (pathId !== undefined) === addPath)))
})

t.test('RFC 6396 section 4.3.4: attributes of RIB entries', async t => {
  const attributesOf = async (name: (typeof FILES)[number], prefix: string): Promise<PathAttributes> => {
    const ribs = (await readAll([readFile(name)])).filter((record): record is MrtRib => record.type === 'rib')
    const rib = ribs.find(({ nlri }) => toHex(nlri.prefix) === prefix)
    assert.ok(rib?.entries[0], `${name} ${prefix}`)
    return decodeRibAttributes(rib.entries[0].attributes, rib).attributes
  }
  const nextHop = hex('fd09 0000000000000000000000000003')
  for (const name of ['frr-routes', 'gobgp-table'] as const) {
    const { origin, mpReachNlri } = await attributesOf(name, '20010db80003')
    t.match(mpReachNlri, { ...IPV6, nextHop, nlri: [] }, `${name}: the short form`)
    t.type(origin, 'number')
  }
  t.match(
    await attributesOf('bird-dump', 'cb0071'),
    { communities: [0xfdea_0007], largeCommunities: [{ globalAdministrator: 4_200_000_002 }] },
    'BIRD writes no flags',
  )
  const short = hex(`40010100 800e1110${toHex(nextHop)}`)
  const full = hex(`40010100 800e1a00020110${toHex(nextHop)}00 20 20010db8`)
  t.match(decodeRibAttributes(short, IPV6).attributes, { origin: 0, mpReachNlri: { ...IPV6, nextHop, nlri: [] } })
  const whole = decodeRibAttributes(full, IPV6).attributes
  t.match(whole, { origin: 0, mpReachNlri: { ...IPV6, nextHop, nlri: [{ length: 32 }] } }, 'the form of RFC 4760')
  t.same(toHex(encodeRibAttributes(whole)), toHex(hex(`800e1110${toHex(nextHop)} 40010100`)), 'written short')
  t.same(toHex(encodeRibAttributes(whole, { wholeMpReachNlri: true })), toHex(full).slice(8) + '40010100')
  const old = hex('40010100 40020602 02 fde8 fde9')
  t.match(
    decodeRibAttributes(old, IPV6, { fourOctetAs: false }).attributes.asPath,
    [{ asns: [65000, 65001] }],
    'TABLE_DUMP: 2 octets',
  )
  const twice = hex(`${toHex(full)} ${toHex(full).slice(8)}`)
  t.throws(() => decodeRibAttributes(twice, IPV6), MrtError, 'MP_REACH_NLRI twice')
})

t.test('RFC 6396 section 4.3.4: any attributes give values or an MrtError', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), octets => {
      try {
        decodeRibAttributes(octets, IPV6)
      } catch (error) {
        assert.ok(error instanceof MrtError, String(error))
      }
    }),
    { numRuns: 2000 },
  )
})

t.test('RFC 6396 section 2: any octets give records or an MrtError', async () => {
  const types = fc.constantFrom(12, 13, 16, 17)
  const honest = fc
    .tuple(types, fc.nat({ max: 13 }), fc.uint8Array({ maxLength: 120 }))
    .map(([type, subtype, body]) => withLength(Uint8Array.of(0, 0, 0, 0, 0, type, 0, subtype, 0, 0, 0, 0, ...body)))
  const damaged = fc.tuple(anyMrtRecord, fc.nat(), fc.nat({ max: 255 })).map(([record, at, octet]) => {
    const octets = encodeMrtRecord(record).slice()
    octets[at % octets.length] = octet
    return octets
  })
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), honest, damaged), octets => void errorOf(octets)),
    { numRuns: 3000 },
  )
})

t.test('RFC 6396 section 2: a stream in pieces of any size, and one that ends too early', async t => {
  const file = readFile('bird-messages')
  const expected = [...recordsOf(file)].map(decodeMrtRecord)
  for (const size of [1, 7, 100, 5000]) {
    const pieces: Uint8Array[] = []
    for (let at = 0; at < file.length; at += size) pieces.push(file.slice(at, at + size))
    assert.deepEqual(await readAll(pieces), expected)
  }
  const seen: MrtRecord[] = []
  let failure: unknown
  try {
    for await (const record of readMrt([file.subarray(0, file.length - 3)])) seen.push(record)
  } catch (error) {
    failure = error
  }
  assert.ok(failure instanceof MrtError)
  t.equal(failure.offset, file.length - 3)
  t.equal(seen.length, expected.length - 1, 'all before it have come out')
  await t.rejects(readAll([hex('00000000 000d 0001 00ffffff')]), MrtError, 'too long')
  await t.rejects(readAll([hex('00000000 000d 0001 00000002 0000')]), { message: /cut off \(octet 14\)/ })
  const faults: MrtError[] = []
  const source = [hex('00000000 000d 0001 00000002 0000'), ...recordsOf(file)]
  let good = 0
  for await (const _ of readMrt(source, { malformed: error => void faults.push(error) })) good++
  t.equal(good, expected.length)
  t.equal(faults.length, 1)
})

t.test('RFC 6396: what the caller cannot write', async t => {
  const rib: MrtRib = {
    type: 'rib',
    timestamp: 0,
    afi: 1,
    safi: 1,
    addPath: false,
    sequenceNumber: 0,
    nlri: { length: 8, prefix: Uint8Array.of(10) },
    entries: [],
  }
  const entry = { peerIndex: 0, originatedTime: 0, attributes: new Uint8Array() }
  t.throws(() => encodeMrtRecord({ ...rib, safi: 128 }), RangeError)
  t.throws(() => encodeMrtRecord({ ...rib, nlri: { length: 33, prefix: new Uint8Array(5) } }), RangeError)
  t.throws(() => encodeMrtRecord({ ...rib, nlri: { length: 16, prefix: Uint8Array.of(10) } }), RangeError)
  t.throws(() => encodeMrtRecord({ ...rib, addPath: true, entries: [entry] }), RangeError)
  t.throws(() => encodeMrtRecord({ ...rib, entries: [{ ...entry, pathId: 1 }] }), RangeError)
  t.throws(() => encodeMrtRecord({ ...rib, microseconds: 1 }), RangeError)
  t.throws(() => encodeMrtRecord({ ...rib, timestamp: 2 ** 32 }), RangeError)
})
