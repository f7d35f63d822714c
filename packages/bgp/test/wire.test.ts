import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import {
  createCease,
  createEndOfRib,
  decodeMessage,
  encodeMessage,
  endOfRibFamily,
  familyOf,
  Framer,
  mergeAs4Path,
  openAsn,
  shutdownCommunication,
  updateChanges,
  WireError,
  type Message,
  type MessageContext,
  type NotificationMessage,
  type OpenMessage,
  type UpdateMessage,
} from '@typemetal/bgp/wire'
import { hex, message, toHex, VECTORS } from './octets.js'
import { anyContext, anyMessage } from './messages.js'

const EXTERNAL: MessageContext = { fourOctetAs: true, internal: false }

for (const vector of VECTORS) {
  t.test(`${vector.ref}: ${vector.name}`, async t => {
    const octets = hex(vector.hex)
    const decoded = decodeMessage(octets)
    t.match(decoded, vector.message)
    if (vector.reencodes !== false) t.equal(toHex(encodeMessage(decoded)), toHex(octets), 'encodes back')
    t.same(decodeMessage(encodeMessage(decoded)), decoded, 'what is encoded says the same')
  })
}

/** What decoding ends in: the error, or `undefined`. */
function errorOf(octets: Uint8Array, context: MessageContext = EXTERNAL): WireError | undefined {
  try {
    decodeMessage(octets, context)
    return undefined
  } catch (error) {
    assert.ok(error instanceof WireError, String(error))
    return error
  }
}

t.test('RFC 4271 6.1: every cut of every vector is refused, and so is one more octet', async () => {
  for (const vector of VECTORS) {
    const octets = hex(vector.hex)
    for (let n = 0; n < octets.length; n++) {
      const cut = octets.slice(0, n)
      assert.ok(errorOf(cut), `${vector.name} cut at ${n}`)
      if (n < 19) continue
      // The length field says the truth now, so the fault is found where it is.
      cut[16] = n >> 8
      cut[17] = n & 255
      const error = errorOf(cut)
      if (error) assert.ok(error.offset <= octets.length && error.notification[0] <= 3, `${vector.name} cut at ${n}`)
    }
    assert.ok(errorOf(Uint8Array.of(...octets, 0)), `${vector.name} with one octet more`)
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
  { name: 'ROUTE-REFRESH of 24 octets', octets: message(5, '0001000100'), notification: [1, 2] },
  { name: 'type 6', octets: message(6, ''), notification: [1, 3], data: '06', offset: 18 },
]) {
  t.test(`RFC 4271 6.1: ${name}`, async t => {
    const error = errorOf(octets)
    t.match(error, { code: 'ERR_BGP_WIRE', notification, disposition: 'session-reset' })
    if (data) t.equal(toHex(error?.data ?? new Uint8Array()), data)
    if (offset !== undefined) t.equal(error?.offset, offset)
  })
}

for (const { name, ref = 'RFC 4271 6.2', body, notification, data } of [
  { name: 'version 3', body: '03fde8005a0a00000100', notification: [2, 1], data: '0004' },
  { name: 'AS number 0', ref: 'RFC 7607', body: '040000005a0a00000100', notification: [2, 2] },
  { name: 'BGP Identifier 0', ref: 'RFC 6286 2.2', body: '04fde8005a0000000000', notification: [2, 3] },
  { name: 'hold time 1', body: '04fde800010a00000100', notification: [2, 6] },
  { name: 'hold time 2', body: '04fde800020a00000100', notification: [2, 6] },
  { name: 'optional parameter 1', body: '04fde8005a0a00000103 010100', notification: [2, 4] },
  { name: 'optional parameters longer than said', body: '04fde8005a0a00000100 0200', notification: [2, 0] },
  { name: 'optional parameter cut off', body: '04fde8005a0a00000102 0203', notification: [2, 0] },
  { name: 'lone octet of a parameter', body: '04fde8005a0a00000101 02', notification: [2, 0] },
  { name: 'capability cut off', body: '04fde8005a0a00000104 02024104', notification: [2, 0] },
  { name: 'lone octet of a capability', body: '04fde8005a0a00000103 020141', notification: [2, 0] },
  { name: 'capability 65 of 2 octets', body: '04fde8005a0a00000106 0204 4102fde8', notification: [2, 0] },
  {
    name: 'extended length wrong',
    ref: 'RFC 9072 2',
    body: '04fde8005a0a000001ff ff0009 0200020200',
    notification: [2, 0],
  },
  { name: 'extended length cut off', ref: 'RFC 9072 2', body: '04fde8005a0a000001ff ff00', notification: [2, 0] },
  {
    name: 'extended parameter cut off',
    ref: 'RFC 9072 2',
    body: '04fde8005a0a000001ff ff0002 0200',
    notification: [2, 0],
  },
]) {
  t.test(`${ref}: OPEN with ${name}`, async t => {
    const error = errorOf(message(1, body))
    t.match(error, { notification, disposition: 'session-reset' })
    if (data) t.equal(toHex(error?.data ?? new Uint8Array()), data)
  })
}

t.test('RFC 4271 4.2: OPEN without optional parameters', async t => {
  const open = decodeMessage(message(1, '04fde800000a00000100')) as OpenMessage
  t.match(open, { asn: 65000, holdTime: 0, capabilities: [] })
  t.equal(openAsn(open), 65000)
  t.equal(toHex(encodeMessage(open)), toHex(message(1, '04fde800000a00000100')))
})

t.test('RFC 9072 2: more than 255 octets of capabilities take the extended form', async t => {
  const capability = { type: 'unknown', code: 200, value: new Uint8Array(200) } as const
  const fixed = { type: 'open', version: 4, asn: 65000, holdTime: 90, bgpIdentifier: 1 } as const
  const open: OpenMessage = { ...fixed, capabilities: [capability, capability] }
  const octets = encodeMessage(open)
  t.equal(octets[28], 255)
  t.equal(octets[29], 255)
  t.same(decodeMessage(octets), open)
})

/** ORIGIN, AS_PATH 65000 and NEXT_HOP, well formed. */
const ORIGIN = '40010100'
const AS_PATH = '40020602010000fde8'
const NEXT_HOP = '4003040a000002'
const GOOD = ORIGIN + AS_PATH + NEXT_HOP
const PREFIX = '18c00002'

/** An UPDATE of these attributes and prefixes. */
function update(attributes: string, nlri = PREFIX, withdrawn = ''): Uint8Array {
  const length = (text: string): string => hex(text).length.toString(16).padStart(4, '0')
  return message(2, `${length(withdrawn)}${withdrawn}${length(attributes)}${attributes}${nlri}`)
}

const withdraws = { withdrawnRoutes: [{ length: 24 }], nlri: [] }
const MP = '800e1e00020110 20010db8000000000000000000000001 00 402001 0db8 0000 0000'

for (const { name, ref = 'RFC 7606', octets, subcode } of [
  { name: 'ORIGIN 3', ref: 'RFC 7606 7.1', octets: update(`40010103${AS_PATH}${NEXT_HOP}`), subcode: 6 },
  { name: 'ORIGIN of 2 octets', ref: 'RFC 7606 7.1', octets: update(`4001020000${AS_PATH}${NEXT_HOP}`), subcode: 5 },
  {
    name: 'segment type 5',
    ref: 'RFC 7606 7.2',
    octets: update(`${ORIGIN}40020605010000fde8${NEXT_HOP}`),
    subcode: 11,
  },
  {
    name: 'segment overrun',
    ref: 'RFC 7606 7.2',
    octets: update(`${ORIGIN}40020602020000fde8${NEXT_HOP}`),
    subcode: 11,
  },
  {
    name: 'segment underrun',
    ref: 'RFC 7606 7.2',
    octets: update(`${ORIGIN}40020702010000fde802${NEXT_HOP}`),
    subcode: 11,
  },
  { name: 'empty segment', ref: 'RFC 7606 7.2', octets: update(`${ORIGIN}4002020200${NEXT_HOP}`), subcode: 11 },
  { name: 'NEXT_HOP of 3 octets', ref: 'RFC 7606 7.3', octets: update(`${ORIGIN}${AS_PATH}4003030a0000`), subcode: 5 },
  { name: 'NEXT_HOP 0.0.0.0', ref: 'RFC 4271 6.3', octets: update(`${ORIGIN}${AS_PATH}40030400000000`), subcode: 8 },
  { name: 'NEXT_HOP 224.0.0.1', ref: 'RFC 4271 6.3', octets: update(`${ORIGIN}${AS_PATH}400304e0000001`), subcode: 8 },
  { name: 'MULTI_EXIT_DISC of 3 octets', ref: 'RFC 7606 7.4', octets: update(`${GOOD}800403000000`), subcode: 5 },
  { name: 'COMMUNITIES of 5 octets', ref: 'RFC 7606 7.8', octets: update(`${GOOD}c008050000000000`), subcode: 9 },
  { name: 'COMMUNITIES of none', ref: 'RFC 7606 7.8', octets: update(`${GOOD}c00800`), subcode: 9 },
  {
    name: 'LARGE_COMMUNITY of 11 octets',
    ref: 'RFC 8092 6',
    octets: update(`${GOOD}c0200b${'00'.repeat(11)}`),
    subcode: 9,
  },
  {
    name: 'ORIGIN flagged optional',
    ref: 'RFC 7606 3 (c)',
    octets: update(`c0010100${AS_PATH}${NEXT_HOP}`),
    subcode: 4,
  },
  { name: 'no ORIGIN', ref: 'RFC 7606 3 (d)', octets: update(`${AS_PATH}${NEXT_HOP}`), subcode: 3 },
  { name: 'no AS_PATH', ref: 'RFC 7606 3 (d)', octets: update(`${ORIGIN}${NEXT_HOP}`), subcode: 3 },
  { name: 'no NEXT_HOP', ref: 'RFC 7606 3 (d)', octets: update(`${ORIGIN}${AS_PATH}`), subcode: 3 },
  { name: 'an attribute longer than all', ref: 'RFC 7606 4', octets: update(`${GOOD}c008ff00000000`), subcode: 1 },
  { name: 'a lone octet behind', ref: 'RFC 7606 4', octets: update(`${GOOD}c0`), subcode: 1 },
]) {
  t.test(`${ref}: ${name} is treated as withdraw`, async t => {
    const decoded = decodeMessage(octets, EXTERNAL) as UpdateMessage
    t.match(decoded, withdraws)
    t.same(decoded.pathAttributes, {})
    t.match(decoded.faults, [{ disposition: 'treat-as-withdraw', notification: [3, subcode] }])
  })
}

for (const { name, ref, octets, kept, context = EXTERNAL } of [
  { name: 'ATOMIC_AGGREGATE with a value', ref: 'RFC 7606 7.6', octets: update(`${GOOD}40060100`), kept: 'origin' },
  { name: 'AGGREGATOR of 6 octets', ref: 'RFC 7606 7.7', octets: update(`${GOOD}c0070600000000fde8`), kept: 'origin' },
  { name: 'LOCAL_PREF from outside', ref: 'RFC 7606 7.5', octets: update(`${GOOD}40050400000064`), kept: 'origin' },
  { name: 'ORIGINATOR_ID from outside', ref: 'RFC 7606 7.9', octets: update(`${GOOD}80090400000064`), kept: 'origin' },
  { name: 'CLUSTER_LIST from outside', ref: 'RFC 7606 7.10', octets: update(`${GOOD}800a0400000064`), kept: 'origin' },
  {
    name: 'the second of two MEDs',
    ref: 'RFC 7606 3 (g)',
    octets: update(`${GOOD}8004040000000180040400000002`),
    kept: 'multiExitDisc',
  },
  { name: 'AS4_PATH cut off', ref: 'RFC 6793 6', octets: update(`${GOOD}c011030201fd`), kept: 'origin' },
  { name: 'AS4_PATH of nothing', ref: 'RFC 6793 6', octets: update(`${GOOD}c01100`), kept: 'origin' },
  {
    name: 'AS4_AGGREGATOR of 6 octets',
    ref: 'RFC 6793 6',
    octets: update(`${GOOD}c0120600000000fde8`),
    kept: 'origin',
  },
]) {
  t.test(`${ref}: ${name} is discarded, the route stays`, async t => {
    const decoded = decodeMessage(octets, context) as UpdateMessage
    t.match(decoded, { nlri: [{ length: 24 }], faults: [{ disposition: 'attribute-discard' }] })
    t.same(decoded.faults?.length, 1)
    t.ok(kept in decoded.pathAttributes)
  })
}

for (const { name, ref, octets, notification } of [
  {
    name: 'withdrawn routes longer than the message',
    ref: 'RFC 4271 6.3',
    octets: message(2, '00090000'),
    notification: [3, 1],
  },
  {
    name: 'attributes longer than the message',
    ref: 'RFC 4271 6.3',
    octets: message(2, '00000009'),
    notification: [3, 1],
  },
  { name: 'prefix length 33', ref: 'RFC 7606 5.3', octets: update(GOOD, '21c000020100'), notification: [3, 10] },
  { name: 'prefix cut off', ref: 'RFC 7606 5.3', octets: update(GOOD, '18c000'), notification: [3, 10] },
  {
    name: 'withdrawn prefix length 33',
    ref: 'RFC 7606 3 (i)',
    octets: update('', '', '21c000020100'),
    notification: [3, 10],
  },
  {
    name: 'an unknown well-known attribute',
    ref: 'RFC 4271 6.3',
    octets: update(`${GOOD}40c80100`),
    notification: [3, 2],
  },
  {
    name: 'MP_REACH_NLRI twice',
    ref: 'RFC 7606 3 (g)',
    octets: update(`${MP}${MP}${ORIGIN}${AS_PATH}`, ''),
    notification: [3, 1],
  },
  {
    name: 'a malformed ORIGIN and no prefix',
    ref: 'RFC 7606 5.2',
    octets: update('40010103', ''),
    notification: [3, 6],
  },
  {
    name: 'MP_REACH_NLRI of 4 octets',
    ref: 'RFC 7606 7.11',
    octets: update('800e0400020110', ''),
    notification: [3, 9],
  },
  {
    name: 'MP_REACH_NLRI without length',
    ref: 'RFC 7606 7.11',
    octets: update('800e03000201', ''),
    notification: [3, 9],
  },
  {
    name: 'an IPv6 next hop of 4 octets',
    ref: 'RFC 7606 7.11',
    octets: update('800e0900020104 0a000001 00', ''),
    notification: [3, 9],
  },
  {
    name: 'an IPv6 prefix length 129',
    ref: 'RFC 7606 5.3',
    octets: update(`800e2700020110${'20'.repeat(16)}00 81${'00'.repeat(17)}`, ''),
    notification: [3, 9],
  },
  { name: 'MP_UNREACH_NLRI of 2 octets', ref: 'RFC 7606 7.12', octets: update('800f020002', ''), notification: [3, 9] },
]) {
  t.test(`${ref}: ${name} resets the session`, async t => {
    t.match(errorOf(octets), { disposition: 'session-reset', notification })
  })
}

t.test('RFC 7606 2: IPv6 prefixes of a malformed UPDATE are withdrawn', async t => {
  const decoded = decodeMessage(update(`${MP}40010103${AS_PATH}`, ''), EXTERNAL) as UpdateMessage
  t.match(decoded.pathAttributes, { mpUnreachNlri: { afi: 2, safi: 1, withdrawnRoutes: [{ length: 64 }] } })
  t.match(updateChanges(decoded), [{ family: { afi: 2 }, withdrawn: [{ length: 64 }], reachable: [] }])
  const flagged = decodeMessage(update(MP.replace('80', 'c0') + ORIGIN + AS_PATH, ''), EXTERNAL) as UpdateMessage
  t.match(flagged.pathAttributes.mpUnreachNlri?.withdrawnRoutes, [{ length: 64 }], 'wrong flags, prefixes readable')
})

t.test('RFC 7606 2: withdrawals of both families in one malformed UPDATE', async t => {
  const unreach4 = '800f0700010118c63364'
  const unreach6 = '800f0900020128fd00000100'
  const reach4 = '800e0d000101040a0000020018c00002'
  const bad = `40010103${AS_PATH}`
  const six = decodeMessage(update(`${MP}${unreach6}${bad}`, ''), EXTERNAL) as UpdateMessage
  t.equal(six.pathAttributes.mpUnreachNlri?.withdrawnRoutes.length, 2, 'one family in both attributes')
  const mixed = decodeMessage(update(`${MP}${unreach4}${bad}`, ''), EXTERNAL) as UpdateMessage
  t.match(mixed, { withdrawnRoutes: [{ length: 24 }], pathAttributes: { mpUnreachNlri: { afi: 2 } } })
  const other = decodeMessage(update(`${reach4}${unreach6}${bad}`, ''), EXTERNAL) as UpdateMessage
  t.match(other, { withdrawnRoutes: [{ length: 24 }], pathAttributes: { mpUnreachNlri: { afi: 2 } } })
})

t.test('RFC 4271 4.3: bits behind a prefix are irrelevant and come out zero', async t => {
  const decoded = decodeMessage(update(GOOD, '19c00002ff')) as UpdateMessage
  t.same([...(decoded.nlri[0]?.prefix ?? [])], [192, 0, 2, 128])
})

t.test('RFC 4271 9, RFC 7606: unknown attributes are carried, with the Partial bit they came with', async t => {
  const octets = update(`${GOOD}e0c802abcd`)
  const decoded = decodeMessage(octets, EXTERNAL) as UpdateMessage
  t.match(decoded.pathAttributes.unknown, [{ code: 200, flags: 0xe0 }])
  t.equal(toHex(encodeMessage(decoded)), toHex(octets))
  const partial = update(`${GOOD}e00804fde80064`)
  t.match((decodeMessage(partial) as UpdateMessage).pathAttributes, { partial: [8] })
  t.equal(toHex(encodeMessage(decodeMessage(partial))), toHex(partial))
})

t.test('RFC 4760 3, 4: families we do not know are carried as octets', async t => {
  const octets = update('800e0a 0019 41 00 00 1122334455 800f05 0019 41 6677', '')
  const decoded = decodeMessage(octets) as UpdateMessage
  t.match(decoded.pathAttributes, { mpReachNlri: { afi: 25, safi: 65, nlri: [] }, mpUnreachNlri: { afi: 25 } })
  t.equal(toHex(encodeMessage(decoded)), toHex(octets))
  t.same(updateChanges(decoded), [])
  const bad = decodeMessage(update('40010103 800e0a 0019 41 00 00 1122334455', '')) as UpdateMessage
  t.same(bad.pathAttributes, {}, 'nothing to withdraw by')
})

t.test('RFC 6793 4.2.2: towards a 2-octet speaker AS_TRANS stands in AS_PATH and AGGREGATOR', async t => {
  const context = { fourOctetAs: false, internal: false }
  const asPath = [{ type: 2, asns: [4_200_000_000, 65_000] }] as const
  const aggregator = { asn: 4_200_000_000, bgpIdentifier: 1 }
  const pathAttributes = {
    origin: 0,
    asPath,
    nextHop: hex('0a000001'),
    aggregator,
    as4Path: asPath,
    as4Aggregator: aggregator,
  } as const
  const octets = encodeMessage({ type: 'update', withdrawnRoutes: [], pathAttributes, nlri: [] }, context)
  const decoded = decodeMessage(octets, context) as UpdateMessage
  t.same(decoded.pathAttributes.asPath, [{ type: 2, asns: [23_456, 65_000] }])
  t.same(decoded.pathAttributes.aggregator, { asn: 23_456, bgpIdentifier: 1 })
  t.same(decoded.pathAttributes.as4Path, asPath)
  t.same(decoded.pathAttributes.as4Aggregator, aggregator)
})

t.test('RFC 6793 4.2.3: AS4_PATH behind the ASes that AS_PATH has more of', async t => {
  const path = [{ type: 2, asns: [10, 20, 23456, 40] }] as const
  t.same(mergeAs4Path(path, undefined), path)
  t.same(mergeAs4Path(path, [{ type: 2, asns: [70_000, 40] }]), [{ type: 2, asns: [10, 20, 70_000, 40] }])
  t.same(mergeAs4Path(path, [{ type: 2, asns: [1, 2, 3, 4, 5] }]), path, 'longer: ignored')
  t.same(
    mergeAs4Path(
      [
        { type: 2, asns: [10] },
        { type: 1, asns: [20, 30] },
      ],
      [{ type: 1, asns: [70_000] }],
    ),
    [
      { type: 2, asns: [10] },
      { type: 1, asns: [70_000] },
    ],
  )
  t.same(
    mergeAs4Path(
      [
        { type: 3, asns: [64_512] },
        { type: 2, asns: [10, 23_456] },
      ],
      [{ type: 2, asns: [70_000] }],
    ),
    [
      { type: 3, asns: [64_512] },
      { type: 2, asns: [10, 70_000] },
    ],
    'confederation segments stay in front',
  )
  t.same(
    mergeAs4Path(
      [
        { type: 1, asns: [10, 20] },
        { type: 2, asns: [30] },
      ],
      [{ type: 2, asns: [30] }],
    ),
    [
      { type: 1, asns: [10, 20] },
      { type: 2, asns: [30] },
    ],
  )
})

t.test('RFC 4724 2: End-of-RIB is told from other UPDATEs', async t => {
  for (const name of ['ipv4-unicast', 'ipv6-unicast'] as const) {
    t.same(endOfRibFamily(createEndOfRib(familyOf(name))), familyOf(name))
  }
  t.equal(endOfRibFamily(decodeMessage(update(GOOD)) as UpdateMessage), undefined)
  t.equal(endOfRibFamily(decodeMessage(update(GOOD, '')) as UpdateMessage), undefined)
})

t.test('RFC 9003 2: shutdown communication', async t => {
  t.equal(shutdownCommunication(createCease(2, 'maintenance till 12:00')), 'maintenance till 12:00')
  t.equal(shutdownCommunication(createCease(4, 'ä'.repeat(200)))?.length, 127, 'cut between characters')
  t.equal(shutdownCommunication(createCease(2)), undefined)
  t.equal(createCease(3, 'no text with this one').data.length, 0)
  const notification = (data: string): NotificationMessage => ({ ...createCease(2), data: hex(data) })
  t.equal(shutdownCommunication(notification('05 61')), undefined, 'length beyond the data')
  t.equal(shutdownCommunication(notification('01 ff')), undefined, 'not UTF-8')
  t.equal(shutdownCommunication({ ...createCease(2, 'x'), errorCode: 4 }), undefined)
})

t.test('what the caller does wrong is a RangeError', async t => {
  const nextHop = hex('0a000001')
  const base = { type: 'update', withdrawnRoutes: [], nlri: [], pathAttributes: {} } as const
  const wrong: Message[] = [
    { ...base, nlri: [{ length: 24, prefix: hex('c0') }] },
    { ...base, pathAttributes: { nextHop: nextHop.subarray(1) } },
    { ...base, pathAttributes: { asPath: [{ type: 2, asns: [] }] } },
    { ...base, pathAttributes: { communities: Array.from({ length: 1020 }, () => 0) } },
    { type: 'notification', errorCode: 6, errorSubcode: 2, data: new Uint8Array(4076) },
    {
      type: 'open',
      version: 4,
      asn: 1,
      holdTime: 3,
      bgpIdentifier: 1,
      capabilities: [{ type: 'unknown', code: 9, value: new Uint8Array(256) }],
    },
  ]
  for (const m of wrong) t.throws(() => encodeMessage(m), RangeError)
  t.throws(() => encodeMessage({ type: 'keepalive' }, undefined, new Uint8Array(18)), RangeError)
  const into = new Uint8Array(100)
  const written = encodeMessage({ type: 'keepalive' }, undefined, into)
  t.equal(written.buffer, into.buffer, 'writes into what it is given')
  t.equal(written.length, 19)
})

t.test('property: decode inverts encode', async () => {
  const any = anyContext.chain(context => fc.tuple(fc.constant(context), anyMessage(context)))
  fc.assert(
    fc.property(any, ([context, m]) => {
      assert.deepEqual(decodeMessage(encodeMessage(m, context), context), m)
    }),
    { numRuns: 1000 },
  )
})

t.test('property: any octets give a message or a WireError', async () => {
  const framed = fc
    .tuple(fc.constantFrom(1, 2, 3, 4, 5, 2, 2), fc.uint8Array({ maxLength: 120 }))
    .map(([type, body]) => message(type, toHex(body)))
  fc.assert(
    fc.property(fc.oneof(framed, fc.uint8Array({ maxLength: 64 })), anyContext, (octets, context) => {
      errorOf(octets, context)
    }),
    { numRuns: 8_000 },
  )
})

t.test('RFC 7606 7.6: an attribute that is discarded leaves no partial bit behind', async t => {
  // Found by the property below.
  const { pathAttributes } = decodeMessage(update(`${GOOD}60060100`), EXTERNAL) as UpdateMessage
  t.equal(pathAttributes.partial, undefined)
})

t.test(
  'property: a vector with some octets changed gives a message or a WireError, and what it gives can be sent',
  async () => {
    const change = fc.tuple(fc.nat({ max: 200 }), fc.nat({ max: 255 }))
    fc.assert(
      fc.property(fc.constantFrom(...VECTORS), fc.array(change, { minLength: 1, maxLength: 4 }), (vector, changes) => {
        const octets = hex(vector.hex)
        for (const [at, value] of changes) octets[18 + (at % (octets.length - 18))] = value
        if (errorOf(octets)) return
        const { faults: _, ...decoded } = decodeMessage(octets, EXTERNAL) as UpdateMessage
        // Extended lengths may shrink on the way, so it is the values that must survive, not the octets.
        assert.deepEqual(decodeMessage(encodeMessage(decoded, EXTERNAL), EXTERNAL), decoded)
      }),
      { numRuns: 8_000 },
    )
  },
)

t.test('Framer: messages come out whole, however the stream is cut', async () => {
  const stream = Buffer.concat(VECTORS.map(vector => hex(vector.hex)))
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), sizes => {
      const framer = new Framer()
      const found: string[] = []
      for (let at = 0, i = 0; at < stream.length; i++) {
        const size = sizes[i % sizes.length]!
        framer.push(stream.subarray(at, at + size))
        at += size
        for (let octets = framer.next(); octets; octets = framer.next()) found.push(toHex(octets))
      }
      assert.deepEqual(
        found,
        VECTORS.map(vector => toHex(hex(vector.hex))),
      )
    }),
  )
})

t.test('RFC 4271 6.1: Framer stops at a header that is wrong', async t => {
  const framer = new Framer()
  framer.push(hex(`${'ff'.repeat(16)}001304${'00'.repeat(19)}`))
  t.equal(framer.next()?.length, 19)
  t.throws(() => framer.next(), { code: 'ERR_BGP_WIRE', message: 'marker is not all ones (octet 0)' })
})
