import t from 'tap'
import {
  createEndOfRib,
  encodeMessage,
  endOfRibFamily,
  familyOf,
  mergeAs4Path,
  updateChanges,
  type MessageContext,
} from '@typemetal/bgp/wire'
import { decoded, errorOf, EXTERNAL, GOOD, hex, message, MP_REACH, ORIGIN, AS_PATH, toHex, update } from './octets.js'

for (const { name, octets, offset } of [
  { name: 'withdrawn routes longer than the message', octets: message(2, '00090000'), offset: 19 },
  { name: 'withdrawn routes over the next length', octets: message(2, '00010000'), offset: 19 },
  { name: 'attributes longer than the message', octets: message(2, '00000009'), offset: 21 },
]) {
  t.test(`RFC 4271 6.3: ${name} reset the session`, async t => {
    t.match(errorOf(octets), { disposition: 'session-reset', notification: [3, 1], offset })
  })
}

t.test('RFC 4271 4.3: bits behind a prefix are irrelevant and come out zero', async t => {
  const found = decoded(update(GOOD, '19c00002ff'))
  t.same([...(found.nlri[0]?.prefix ?? [])], [192, 0, 2, 128])
})

t.test('RFC 4271 9, RFC 7606: unknown attributes are carried, with the Partial bit they came with', async t => {
  const octets = update(`${GOOD}e0c802abcd`)
  t.match(decoded(octets).pathAttributes.unknown, [{ code: 200, flags: 0xe0 }])
  t.equal(toHex(encodeMessage(decoded(octets), EXTERNAL)), toHex(octets))
  const partial = update(`${GOOD}e00804fde80064`)
  t.match(decoded(partial).pathAttributes, { partial: [8] })
  t.equal(toHex(encodeMessage(decoded(partial), EXTERNAL)), toHex(partial))
})

t.test('RFC 7606 5.1: MP_REACH_NLRI is written first and read anywhere', async t => {
  const octets = update(`${ORIGIN}${AS_PATH}c0c80101${MP_REACH}`, '')
  const found = decoded(octets)
  t.match(found.pathAttributes, { mpReachNlri: { nlri: [{ length: 64 }] }, unknown: [{ code: 200 }] })
  t.equal(toHex(encodeMessage(found, EXTERNAL)), toHex(update(`${MP_REACH}${ORIGIN}${AS_PATH}c0c80101`, '')))
})

t.test('RFC 4760 3, 4: families we do not know are carried as octets', async t => {
  const octets = update('800e0a 0019 41 00 00 1122334455 800f05 0019 41 6677', '')
  const found = decoded(octets)
  t.match(found.pathAttributes, { mpReachNlri: { afi: 25, safi: 65, nlri: [] }, mpUnreachNlri: { afi: 25 } })
  t.equal(toHex(encodeMessage(found, EXTERNAL)), toHex(octets))
  t.same(updateChanges(found), [])
})

t.test('RFC 7911 3: Path Identifiers are read where they were negotiated, family by family', async t => {
  const context: MessageContext = { ...EXTERNAL, addPath: ['ipv6-unicast'] }
  const reach = `800e1b00020110 ${'20'.repeat(16)} 00 00000009 08 20`
  const found = decoded(update(`${reach}${GOOD}`), context)
  t.same(found.pathAttributes.mpReachNlri?.nlri, [{ length: 8, prefix: hex('20'), pathId: 9 }])
  t.same(found.nlri, [{ length: 24, prefix: hex('c00002') }], 'IPv4 has none here')
  const both: MessageContext = { ...EXTERNAL, addPath: ['ipv4-unicast', 'ipv6-unicast'] }
  t.match(errorOf(update(GOOD), both), { notification: [3, 10] }, 'and the prefix alone is cut off')
  const nlri = [{ length: 24, prefix: hex('c00002') }]
  const plain = { type: 'update', withdrawnRoutes: [], pathAttributes: {}, nlri } as const
  t.throws(() => encodeMessage(plain, both), RangeError)
  t.equal(toHex(encodeMessage({ ...plain, nlri: [{ ...nlri[0]!, pathId: 1 }] }, both)).slice(46), '0000000118c00002')
})

t.test('RFC 8950 3, 4: next hops of the other family where they were negotiated', async t => {
  const context: MessageContext = { ...EXTERNAL, extendedNextHop: ['ipv4-unicast', 'ipv6-unicast'] }
  for (const [nextHop, family] of [
    ['04 0a000002', '000101'],
    [`10 ${'20'.repeat(16)}`, '000101'],
    [`20 ${'20'.repeat(32)}`, '000101'],
    ['04 0a000002', '000201'],
    [`10 ${'20'.repeat(16)}`, '000201'],
  ] as const) {
    const value = `${family}${nextHop}00 08 0a`
    const attribute = `800e${hex(value).length.toString(16).padStart(2, '0')}${value}`
    const octets = update(`${attribute}${ORIGIN}${AS_PATH}`, '')
    const found = decoded(octets, context)
    t.equal(found.faults, undefined)
    t.equal(found.pathAttributes.mpReachNlri?.nextHop.length, hex(nextHop).length - 1)
    t.equal(toHex(encodeMessage(found, context)), toHex(octets))
    t.match(updateChanges(found), [{ nextHop: hex(nextHop).subarray(1), reachable: [{ length: 8 }] }])
  }
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
  const found = decoded(octets, context)
  t.same(found.pathAttributes.asPath, [{ type: 2, asns: [23_456, 65_000] }])
  t.same(found.pathAttributes.aggregator, { asn: 23_456, bgpIdentifier: 1 })
  t.same(found.pathAttributes.as4Path, asPath)
  t.same(found.pathAttributes.as4Aggregator, aggregator)
})

t.test('RFC 6793 6: confederation segments in AS4_PATH are dropped, the rest is used', async t => {
  const found = decoded(update(`${GOOD}c0110c 03010000fde9 02010000fde8`))
  t.same(found.pathAttributes.as4Path, [{ type: 2, asns: [65_000] }])
  const none = decoded(update(`${GOOD}c01106 03010000fde9`))
  t.equal(none.faults, undefined)
  t.notOk('as4Path' in none.pathAttributes)
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
  t.equal(endOfRibFamily(decoded(update(GOOD))), undefined)
  t.equal(endOfRibFamily(decoded(update(GOOD, ''))), undefined)
  t.same(endOfRibFamily(decoded(update('800f03001941', ''))), { afi: 25, safi: 65 }, 'of a family we do not know')
  const discarded = decoded(update('40060100', ''))
  t.same(discarded.pathAttributes, {})
  t.equal(endOfRibFamily(discarded), undefined, 'what a fault has left empty is none')
})

t.test('RFC 4271 4.3: what one message withdraws and announces is announced', async t => {
  const [first, second] = updateChanges(decoded(update(`800f0700010118c00002${GOOD}`, '18c00002')))
  t.match(first, { withdrawn: [{ length: 24 }], reachable: [] })
  t.match(second, { withdrawn: [], reachable: [{ length: 24 }] })
})
