import t from 'tap'
import { endOfRibFamily, updateChanges, type MessageContext } from '@typemetal/bgp/wire'
import {
  AS_PATH,
  decoded,
  errorOf,
  EXTERNAL,
  GOOD,
  hex,
  MP_REACH,
  NEXT_HOP,
  ORIGIN,
  PREFIX,
  toHex,
  update,
} from './octets.js'

const INTERNAL: MessageContext = { fourOctetAs: true, internal: true }
const CONFEDERATION: MessageContext = { fourOctetAs: true, internal: false, confederation: true }
const withdraws = { withdrawnRoutes: [{ length: 24 }], nlri: [] }
/** MP_UNREACH_NLRI of 2001:db8::/32. */
const MP_UNREACH = '800f0800020120 20010db8'

interface Case {
  readonly name: string
  readonly ref: string
  readonly attributes: string
  readonly context?: MessageContext
}

const withdrawn: readonly (Case & { readonly subcode: number })[] = [
  { name: 'ORIGIN 3', ref: 'RFC 7606 7.1', attributes: `40010103${AS_PATH}${NEXT_HOP}`, subcode: 6 },
  { name: 'ORIGIN of 2 octets', ref: 'RFC 7606 7.1', attributes: `4001020000${AS_PATH}${NEXT_HOP}`, subcode: 5 },
  { name: 'ORIGIN of no octet', ref: 'RFC 7606 4', attributes: `400100${AS_PATH}${NEXT_HOP}`, subcode: 5 },
  { name: 'segment type 5', ref: 'RFC 7606 7.2', attributes: `${ORIGIN}40020605010000fde8${NEXT_HOP}`, subcode: 11 },
  { name: 'segment type 0', ref: 'RFC 7606 7.2', attributes: `${ORIGIN}40020600010000fde8${NEXT_HOP}`, subcode: 11 },
  { name: 'segment overrun', ref: 'RFC 7606 7.2', attributes: `${ORIGIN}40020602020000fde8${NEXT_HOP}`, subcode: 11 },
  {
    name: 'segment underrun',
    ref: 'RFC 7606 7.2',
    attributes: `${ORIGIN}40020702010000fde802${NEXT_HOP}`,
    subcode: 11,
  },
  { name: 'empty segment', ref: 'RFC 7606 7.2', attributes: `${ORIGIN}4002020200${NEXT_HOP}`, subcode: 11 },
  { name: 'AS 0 in AS_PATH', ref: 'RFC 7607 2', attributes: `${ORIGIN}4002060201 00000000${NEXT_HOP}`, subcode: 11 },
  {
    name: 'confederation segment from outside of it',
    ref: 'RFC 5065 5',
    attributes: `${ORIGIN}40020603010000fde8${NEXT_HOP}`,
    subcode: 11,
  },
  {
    name: 'confederation set from outside of it',
    ref: 'RFC 5065 5',
    attributes: `${ORIGIN}40020c 02010000fde8 04010000fde9${NEXT_HOP}`,
    subcode: 11,
  },
  { name: 'no AS_CONFED_SEQUENCE', ref: 'RFC 5065 5', attributes: GOOD, subcode: 11, context: CONFEDERATION },
  {
    name: 'an empty path from another member AS',
    ref: 'RFC 5065 5',
    attributes: `${ORIGIN}400200${NEXT_HOP}`,
    subcode: 11,
    context: CONFEDERATION,
  },
  { name: 'NEXT_HOP of 3 octets', ref: 'RFC 7606 7.3', attributes: `${ORIGIN}${AS_PATH}4003030a0000`, subcode: 5 },
  { name: 'NEXT_HOP of no octet', ref: 'RFC 7606 4', attributes: `${ORIGIN}${AS_PATH}400300`, subcode: 5 },
  { name: 'NEXT_HOP 0.0.0.0', ref: 'RFC 4271 6.3', attributes: `${ORIGIN}${AS_PATH}40030400000000`, subcode: 8 },
  { name: 'NEXT_HOP 224.0.0.1', ref: 'RFC 4271 6.3', attributes: `${ORIGIN}${AS_PATH}400304e0000001`, subcode: 8 },
  { name: 'MULTI_EXIT_DISC of 3 octets', ref: 'RFC 7606 7.4', attributes: `${GOOD}800403000000`, subcode: 5 },
  { name: 'MULTI_EXIT_DISC of no octet', ref: 'RFC 7606 4', attributes: `${GOOD}800400`, subcode: 5 },
  {
    name: 'LOCAL_PREF of 5 octets within the AS',
    ref: 'RFC 7606 7.5',
    attributes: `${GOOD}4005050000000064`,
    subcode: 5,
    context: INTERNAL,
  },
  { name: 'COMMUNITIES of 5 octets', ref: 'RFC 7606 7.8', attributes: `${GOOD}c008050000000000`, subcode: 9 },
  { name: 'COMMUNITIES of none', ref: 'RFC 7606 7.8', attributes: `${GOOD}c00800`, subcode: 9 },
  {
    name: 'ORIGINATOR_ID of 3 octets within the AS',
    ref: 'RFC 7606 7.9',
    attributes: `${GOOD}800903000064`,
    subcode: 5,
    context: INTERNAL,
  },
  {
    name: 'CLUSTER_LIST of 6 octets within the AS',
    ref: 'RFC 7606 7.10',
    attributes: `${GOOD}800a06000000640000`,
    subcode: 9,
    context: INTERNAL,
  },
  {
    name: 'CLUSTER_LIST of none within the AS',
    ref: 'RFC 7606 7.10',
    attributes: `${GOOD}800a00`,
    subcode: 9,
    context: INTERNAL,
  },
  {
    name: 'EXTENDED_COMMUNITIES of 12 octets',
    ref: 'RFC 7606 7.14',
    attributes: `${GOOD}c0100c${'00'.repeat(12)}`,
    subcode: 9,
  },
  { name: 'EXTENDED_COMMUNITIES of none', ref: 'RFC 7606 7.14', attributes: `${GOOD}c01000`, subcode: 9 },
  {
    name: 'IPV6_EXTENDED_COMMUNITIES of 8 octets',
    ref: 'RFC 7606 7.15',
    attributes: `${GOOD}c01908${'00'.repeat(8)}`,
    subcode: 9,
  },
  {
    name: 'LARGE_COMMUNITY of 11 octets',
    ref: 'RFC 8092 5',
    attributes: `${GOOD}c0200b${'00'.repeat(11)}`,
    subcode: 9,
  },
  { name: 'LARGE_COMMUNITY of none', ref: 'RFC 8092 5', attributes: `${GOOD}c02000`, subcode: 9 },
  { name: 'OTC of 2 octets', ref: 'RFC 9234 5', attributes: `${GOOD}c02302fde8`, subcode: 5 },
  { name: 'ORIGIN flagged optional', ref: 'RFC 7606 3 (c)', attributes: `c0010100${AS_PATH}${NEXT_HOP}`, subcode: 4 },
  { name: 'ORIGIN not transitive', ref: 'RFC 7606 3 (c)', attributes: `00010100${AS_PATH}${NEXT_HOP}`, subcode: 4 },
  { name: 'COMMUNITIES not optional', ref: 'RFC 7606 3 (c)', attributes: `${GOOD}400804fde80064`, subcode: 4 },
  { name: 'MULTI_EXIT_DISC transitive', ref: 'RFC 7606 3 (c)', attributes: `${GOOD}c0040400000001`, subcode: 4 },
  { name: 'AGGREGATOR not optional', ref: 'RFC 7606 3 (c)', attributes: `${GOOD}4007080000fde80a000001`, subcode: 4 },
  { name: 'no ORIGIN', ref: 'RFC 7606 3 (d)', attributes: `${AS_PATH}${NEXT_HOP}`, subcode: 3 },
  { name: 'no AS_PATH', ref: 'RFC 7606 3 (d)', attributes: `${ORIGIN}${NEXT_HOP}`, subcode: 3 },
  { name: 'no NEXT_HOP', ref: 'RFC 7606 3 (d)', attributes: `${ORIGIN}${AS_PATH}`, subcode: 3 },
  { name: 'an attribute longer than all', ref: 'RFC 7606 4', attributes: `${GOOD}c008ff00000000`, subcode: 1 },
  { name: 'a lone octet behind', ref: 'RFC 7606 4', attributes: `${GOOD}c0`, subcode: 1 },
  { name: 'two octets behind', ref: 'RFC 7606 4', attributes: `${GOOD}c008`, subcode: 1 },
  { name: 'three octets of an extended length', ref: 'RFC 7606 4', attributes: `${GOOD}d00800`, subcode: 1 },
]
for (const { name, ref, attributes, subcode, context = EXTERNAL } of withdrawn) {
  t.test(`${ref}: ${name} is treated as withdraw`, async t => {
    const found = decoded(update(attributes), context)
    t.match(found, withdraws)
    t.same(found.pathAttributes, {})
    t.match(found.faults, [{ disposition: 'treat-as-withdraw', notification: [3, subcode] }])
    t.equal(found.faults?.length, 1)
  })
}

const discarded: readonly (Case & { readonly kept?: string })[] = [
  { name: 'ATOMIC_AGGREGATE with a value', ref: 'RFC 7606 7.6', attributes: `${GOOD}40060100` },
  { name: 'AGGREGATOR of 6 octets', ref: 'RFC 7606 7.7', attributes: `${GOOD}c0070600000000fde8` },
  {
    name: 'AGGREGATOR of 8 octets with 2-octet AS numbers',
    ref: 'RFC 7606 7.7',
    attributes: `${ORIGIN}4002040201fde8${NEXT_HOP}c0070800000000fde80000`,
    context: { fourOctetAs: false, internal: false },
  },
  { name: 'AGGREGATOR with AS 0', ref: 'RFC 7607 2', attributes: `${GOOD}c00708000000000a000001` },
  { name: 'LOCAL_PREF from outside', ref: 'RFC 7606 7.5', attributes: `${GOOD}40050400000064` },
  { name: 'a malformed LOCAL_PREF from outside', ref: 'RFC 7606 7.5', attributes: `${GOOD}400500` },
  { name: 'ORIGINATOR_ID from outside', ref: 'RFC 7606 7.9', attributes: `${GOOD}80090400000064` },
  { name: 'CLUSTER_LIST from outside', ref: 'RFC 7606 7.10', attributes: `${GOOD}800a0400000064` },
  {
    name: 'the second of two MEDs',
    ref: 'RFC 7606 3 (g)',
    attributes: `${GOOD}8004040000000180040400000002`,
    kept: 'multiExitDisc',
  },
  {
    name: 'the second of two unknown attributes',
    ref: 'RFC 7606 3 (g)',
    attributes: `${GOOD}c0c80101c0c80102`,
    kept: 'unknown',
  },
  { name: 'AS4_PATH cut off', ref: 'RFC 6793 6', attributes: `${GOOD}c011030201fd` },
  { name: 'AS4_PATH of nothing', ref: 'RFC 6793 6', attributes: `${GOOD}c01100` },
  { name: 'AS 0 in AS4_PATH', ref: 'RFC 7607 2', attributes: `${GOOD}c01106020100000000` },
  { name: 'AS4_AGGREGATOR of 6 octets', ref: 'RFC 6793 6', attributes: `${GOOD}c0120600000000fde8` },
  { name: 'AS4_AGGREGATOR with AS 0', ref: 'RFC 7607 2', attributes: `${GOOD}c01208000000000a000001` },
]
for (const { name, ref, attributes, kept = 'origin', context = EXTERNAL } of discarded) {
  t.test(`${ref}: ${name} is discarded, the route stays`, async t => {
    const found = decoded(update(attributes), context)
    t.match(found, { nlri: [{ length: 24 }], faults: [{ disposition: 'attribute-discard' }] })
    t.equal(found.faults?.length, 1)
    t.equal(Object.keys(found.pathAttributes).length, kept === 'origin' ? 3 : 4, 'nothing else is there')
    t.ok(kept in found.pathAttributes)
  })
}

for (const { name, ref, octets, notification } of [
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
    octets: update(`${MP_REACH}${MP_REACH}${ORIGIN}${AS_PATH}`, ''),
    notification: [3, 1],
  },
  {
    name: 'MP_UNREACH_NLRI twice, behind a milder fault',
    ref: 'RFC 7606 3 (h)',
    octets: update(`40010103${MP_UNREACH}${MP_UNREACH}`),
    notification: [3, 1],
  },
  {
    name: 'MP_UNREACH_NLRI twice, the second cut off',
    ref: 'RFC 7606 3 (g)',
    octets: update(`${MP_UNREACH}800fff000201`),
    notification: [3, 1],
  },
  {
    name: 'a malformed ORIGIN and no prefix',
    ref: 'RFC 7606 5.2',
    octets: update('40010103', ''),
    notification: [3, 6],
  },
  {
    name: 'a malformed ORIGIN beside withdrawals',
    ref: 'RFC 7606 5.2',
    octets: update(`${MP_UNREACH}40010103`, '', PREFIX),
    notification: [3, 6],
  },
  { name: 'MP_REACH_NLRI of 2 octets', ref: 'RFC 7606 7.11', octets: update('800e020002', ''), notification: [3, 9] },
  { name: 'MP_UNREACH_NLRI of 2 octets', ref: 'RFC 7606 7.12', octets: update('800f020002', ''), notification: [3, 9] },
  {
    name: 'MP_REACH_NLRI cut off before its family',
    ref: 'RFC 7606 3 (j)',
    octets: update('800e1e0002'),
    notification: [3, 1],
  },
]) {
  t.test(`${ref}: ${name} resets the session`, async t => {
    t.match(errorOf(octets), { disposition: 'session-reset', notification })
  })
}

const IPV6 = { afi: 2, safi: 1 }
const NEXT_HOP6 = '20010db8000000000000000000000001'
for (const { name, ref, attribute, family = IPV6, context = EXTERNAL } of [
  { name: 'MP_REACH_NLRI of 3 octets', ref: 'RFC 7606 7.11', attribute: '800e03000201' },
  { name: 'MP_REACH_NLRI of 4 octets', ref: 'RFC 7606 7.11', attribute: '800e0400020110' },
  { name: 'MP_REACH_NLRI without the reserved octet', ref: 'RFC 7606 7.11', attribute: `800e1400020110${NEXT_HOP6}` },
  { name: 'an IPv6 next hop of 4 octets', ref: 'RFC 7606 7.11', attribute: '800e0900020104 0a000001 00' },
  { name: 'an IPv6 next hop of 24 octets', ref: 'RFC 2545 3', attribute: `800e1d00020118${'20'.repeat(24)}00` },
  {
    name: 'an IPv6 prefix length 129',
    ref: 'RFC 7606 5.3',
    attribute: `800e2700020110${NEXT_HOP6}00 81${'00'.repeat(17)}`,
  },
  { name: 'an IPv6 prefix cut off', ref: 'RFC 7606 5.3', attribute: `800e1700020110${NEXT_HOP6}00 2020` },
  { name: 'a withdrawn IPv6 prefix length 129', ref: 'RFC 7606 5.3', attribute: `800f15000201 81${'00'.repeat(17)}` },
  { name: 'a withdrawn IPv6 prefix cut off', ref: 'RFC 7606 7.12', attribute: '800f05000201 2020' },
  {
    name: 'an IPv4 prefix length 33 in MP_REACH_NLRI',
    ref: 'RFC 7606 5.3',
    attribute: '800e0f000101040a00000200 21c000020100',
    family: { afi: 1, safi: 1 },
  },
  {
    name: 'an IPv4 prefix with an IPv6 next hop that was not negotiated',
    ref: 'RFC 8950 4',
    attribute: `800e1900010110${NEXT_HOP6}00 18c00002`,
    family: { afi: 1, safi: 1 },
    context: { ...EXTERNAL, extendedNextHop: ['ipv6-unicast'] } as const,
  },
  {
    name: 'an unknown family with a next hop beyond the attribute',
    ref: 'RFC 4760 7',
    attribute: '800e0600194110 0000',
    family: { afi: 25, safi: 65 },
  },
  {
    name: 'a Path Identifier cut off',
    ref: 'RFC 7911 3',
    attribute: '800f06000201 000001',
    context: { ...EXTERNAL, addPath: ['ipv6-unicast'] } as const,
  },
]) {
  t.test(`${ref}: ${name} disables the family, the rest is delivered`, async t => {
    const found = decoded(update(`${attribute}${GOOD}`), context)
    t.match(found, { nlri: [{ length: 24 }], pathAttributes: { origin: 0 } })
    t.equal(found.pathAttributes.mpReachNlri, undefined)
    t.equal(found.pathAttributes.mpUnreachNlri, undefined)
    t.equal(found.faults?.length, 1)
    const [fault] = found.faults!
    t.match(fault, { disposition: 'afi-safi-disable', notification: [3, 9], family })
    t.equal(toHex(fault!.data), toHex(hex(attribute)), 'the data of a NOTIFICATION is the attribute')
    const alone = decoded(update(attribute, ''), context)
    t.match(alone, { withdrawnRoutes: [], nlri: [], pathAttributes: {}, faults: [{ family }] })
    t.equal(endOfRibFamily(alone), undefined, 'and is no End-of-RIB')
  })
}

t.test('RFC 7606 3 (h): a family to disable beside prefixes to withdraw', async t => {
  const found = decoded(update(`800e0400020110 40010103${AS_PATH}${NEXT_HOP}`))
  t.match(found, withdraws)
  t.match(found.faults, [{ disposition: 'afi-safi-disable' }, { disposition: 'treat-as-withdraw' }])
  const alone = decoded(update(`800e0400020110 40010103${AS_PATH}`, ''))
  t.match(alone.faults, [{ disposition: 'afi-safi-disable' }, { disposition: 'treat-as-withdraw' }])
})

t.test('RFC 7606 3 (j): prefixes in an attribute that is cut off disable their family', async t => {
  const found = decoded(update(`${GOOD}800e1e00020110 2001`))
  t.match(found, withdraws)
  t.match(found.faults, [
    { disposition: 'afi-safi-disable', family: IPV6 },
    { disposition: 'treat-as-withdraw', notification: [3, 1] },
  ])
  const unreach = decoded(update('800f0800020120', ''))
  t.match(unreach.faults, [{ disposition: 'afi-safi-disable', family: IPV6 }, { disposition: 'treat-as-withdraw' }])
  t.equal(endOfRibFamily(unreach), undefined)
})

t.test('RFC 7606 5.2: withdrawals with nothing besides stand, whatever their flags', async t => {
  const found = decoded(update(MP_UNREACH.replace('80', 'c0'), ''))
  t.match(found.pathAttributes, { mpUnreachNlri: { withdrawnRoutes: [{ length: 32 }] } })
  t.match(found.faults, [{ disposition: 'treat-as-withdraw', notification: [3, 4] }])
  t.equal(endOfRibFamily(decoded(update('c00f03000201', ''))), undefined, 'nor is a marker with a fault a marker')
})

t.test('RFC 4760 3: NEXT_HOP, right or wrong, does not count where only MP_REACH_NLRI has prefixes', async t => {
  for (const nextHop of ['40030400000000', '4003030a0000', 'c003040a000002']) {
    const found = decoded(update(`${MP_REACH}${ORIGIN}${AS_PATH}${nextHop}`, ''))
    t.match(found.pathAttributes, { mpReachNlri: { nlri: [{ length: 64 }] } }, nextHop)
    t.match(found.faults, [{ disposition: 'attribute-discard' }])
    t.match(decoded(update(`${MP_REACH}${ORIGIN}${AS_PATH}${nextHop}`)).faults, [{ disposition: 'treat-as-withdraw' }])
  }
})

t.test('RFC 7606 2: IPv6 prefixes of a malformed UPDATE are withdrawn', async t => {
  const found = decoded(update(`${MP_REACH}40010103${AS_PATH}`, ''))
  t.match(found.pathAttributes, { mpUnreachNlri: { afi: 2, safi: 1, withdrawnRoutes: [{ length: 64 }] } })
  t.match(updateChanges(found), [{ family: { afi: 2 }, withdrawn: [{ length: 64 }], reachable: [] }])
  const flagged = decoded(update(MP_REACH.replace('80', 'c0') + ORIGIN + AS_PATH, ''))
  t.match(flagged.pathAttributes.mpUnreachNlri?.withdrawnRoutes, [{ length: 64 }], 'wrong flags, prefixes readable')
})

t.test('RFC 7606 2: withdrawals of both families in one malformed UPDATE', async t => {
  const unreach4 = '800f0700010118c63364'
  const unreach6 = '800f0900020128fd00000100'
  const reach4 = '800e0d000101040a0000020018c00002'
  const bad = `40010103${AS_PATH}`
  const six = decoded(update(`${MP_REACH}${unreach6}${bad}`, ''))
  t.equal(six.pathAttributes.mpUnreachNlri?.withdrawnRoutes.length, 2, 'one family in both attributes')
  const mixed = decoded(update(`${MP_REACH}${unreach4}${bad}`, ''))
  t.match(mixed, { withdrawnRoutes: [{ length: 24 }], pathAttributes: { mpUnreachNlri: { afi: 2 } } })
  const other = decoded(update(`${reach4}${unreach6}${bad}`, ''))
  t.match(other, { withdrawnRoutes: [{ length: 24 }], pathAttributes: { mpUnreachNlri: { afi: 2 } } })
})

t.test('RFC 7911 3: Path Identifiers stay with the prefixes that are withdrawn', async t => {
  const context: MessageContext = { ...EXTERNAL, addPath: ['ipv4-unicast'] }
  const found = decoded(update(`40010103${AS_PATH}${NEXT_HOP}`, `00000005${PREFIX}`), context)
  t.match(found.withdrawnRoutes, [{ length: 24, pathId: 5 }])
})

t.test('RFC 4760 3: a family that we do not know leaves nothing to withdraw by', async t => {
  t.same(decoded(update('40010103 800e0a 0019 41 00 00 1122334455', '')).pathAttributes, {})
  const known = decoded(update(`40010103 800e0a 0019 41 00 00 1122334455 ${MP_UNREACH}`, ''))
  t.match(known.pathAttributes, { mpUnreachNlri: { afi: 2, withdrawnRoutes: [{ length: 32 }] } })
})

t.test('RFC 7606 7.6: an attribute that is discarded leaves no partial bit behind', async t => {
  // Found by the property over damaged vectors.
  t.equal(decoded(update(`${GOOD}60060100`)).pathAttributes.partial, undefined)
})

t.test('RFC 4271 4.3: the unused flags do not count', async t => {
  const found = decoded(update(`4f010100${AS_PATH.replace('40', '47')}${NEXT_HOP}efc80100`))
  t.equal(found.faults, undefined)
  t.match(found.pathAttributes.unknown, [{ code: 200, flags: 0xe0 }])
})

t.test('RFC 7606 3 (g): an attribute that comes a thousand times is one fault', async t => {
  const found = decoded(update(`${GOOD}${'400600'.repeat(1000)}`))
  t.equal(found.faults?.length, 1)
  t.match(found, { nlri: [{ length: 24 }], faults: [{ disposition: 'attribute-discard', notification: [3, 1] }] })
  const two = decoded(update(`${GOOD}${'400600'.repeat(9)}${'80c800'.repeat(9)}`))
  t.equal(two.faults?.length, 2, 'each Type Code by itself')
})

t.test('RFC 7606 2: 60,000 prefixes are withdrawn as well as one', async t => {
  const count = 60_000
  const reach = `900e${(9 + count).toString(16)}0001 01 04 0a000001 00${'00'.repeat(count)}`
  const octets = update(`40010109${reach}`, '')
  const found = decoded(octets, { ...EXTERNAL, extendedMessage: true })
  t.equal(found.pathAttributes.mpUnreachNlri?.withdrawnRoutes.length, count)
  const two = decoded(update(`40010109 800f03000201${reach}`, ''), { ...EXTERNAL, extendedMessage: true })
  t.equal(two.withdrawnRoutes.length, count, 'beside another family')
})
