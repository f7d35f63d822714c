import t from 'tap'
import { encodeMessage, encodePathAttributes, type MessageContext } from '@typemetal/bgp/wire'
import { AS_PATH, decoded, EXTERNAL, GOOD, NEXT_HOP, ORIGIN, toHex, update } from './octets.js'

const INTERNAL: MessageContext = { fourOctetAs: true, internal: true }
const CONFEDERATION: MessageContext = { fourOctetAs: true, internal: false, confederation: true }

t.test('RFC 4360 2, RFC 7606 7.14: extended communities, types we do not know too', async t => {
  const octets = update(`${GOOD}c01010 0002fde800000064 83ff010203040506`)
  const { pathAttributes } = decoded(octets)
  t.match(pathAttributes.extendedCommunities, [
    { type: 0, subtype: 2 },
    { type: 0x83, subtype: 0xff },
  ])
  t.same([...pathAttributes.extendedCommunities![1]!.value], [1, 2, 3, 4, 5, 6])
  t.equal(toHex(encodeMessage(decoded(octets), EXTERNAL)), toHex(octets))
})

t.test('RFC 5065 3: confederation segments within the confederation', async t => {
  const path = '40020c 03010000fde9 02010000fde8'
  for (const context of [INTERNAL, CONFEDERATION]) {
    const { pathAttributes, faults } = decoded(update(`${ORIGIN}${path}${NEXT_HOP}`), context)
    t.equal(faults, undefined)
    t.same(pathAttributes.asPath, [
      { type: 3, asns: [65_001] },
      { type: 2, asns: [65_000] },
    ])
  }
})

t.test('RFC 5065 5.2: LOCAL_PREF is for the confederation, ORIGINATOR_ID for the AS', async t => {
  const attributes = `${ORIGIN}40020603010000fde9${NEXT_HOP}40050400000064 80090400000001`
  const found = decoded(update(attributes), CONFEDERATION)
  t.equal(found.pathAttributes.localPref, 100)
  t.equal(found.pathAttributes.originatorId, undefined)
  t.match(found.faults, [{ disposition: 'attribute-discard' }])
  t.match(decoded(update(attributes), INTERNAL).pathAttributes, { localPref: 100, originatorId: 1 })
})

t.test('RFC 7311 3: the first AIGP TLV counts, other TLVs do no harm', async t => {
  const tlv = (metric: string): string => `01000b${metric.padStart(16, '0')}`
  const aigp = (value: string, context = INTERNAL) => {
    const length = (value.replaceAll(' ', '').length / 2).toString(16).padStart(2, '0')
    return decoded(update(`${GOOD}801a${length}${value}`), context)
  }
  t.equal(aigp(tlv('64')).pathAttributes.aigp, 100n)
  t.equal(aigp(tlv('fffffffffffffffe')).pathAttributes.aigp, 0xffff_ffff_ffff_fffen)
  t.equal(aigp(tlv('64') + tlv('65')).pathAttributes.aigp, 100n)
  t.equal(aigp(`020004ff${tlv('64')}`).pathAttributes.aigp, 100n)
  const none = aigp('020004ff')
  t.equal(none.pathAttributes.aigp, undefined)
  t.equal(none.faults, undefined, 'no AIGP TLV is no fault')
  for (const [name, value] of [
    ['no TLV', ''],
    ['a header cut off', '0100'],
    ['a length below the header', '010002'],
    ['a value cut off', '01000b00'],
    ['a length of 10', '01000a00000000000064'],
    ['a second TLV of 10', `${tlv('64')}01000a00000000000064`],
    ['the largest metric', tlv('f'.repeat(16))],
  ] as const) {
    const found = aigp(value)
    t.equal(found.pathAttributes.aigp, undefined, name)
    t.match(found, { nlri: [{ length: 24 }], faults: [{ disposition: 'attribute-discard', notification: [3, 9] }] })
  }
  const transitive = decoded(update(`${GOOD}c01a0b${tlv('64')}`), INTERNAL)
  t.equal(transitive.pathAttributes.aigp, undefined, 'transitive')
  t.match(transitive.faults, [{ disposition: 'attribute-discard', notification: [3, 4] }])
})

t.test('RFC 7311 3.2: AIGP stays within the AS and the confederation unless told otherwise', async t => {
  const octets = update(`${GOOD}801a0b01000b0000000000000064`)
  t.equal(decoded(octets, EXTERNAL).pathAttributes.aigp, undefined)
  t.match(decoded(octets, EXTERNAL), { nlri: [{}], faults: [{ disposition: 'attribute-discard' }] })
  t.equal(decoded(octets, { ...EXTERNAL, aigpSession: true }).pathAttributes.aigp, 100n)
  t.equal(decoded(octets, { ...INTERNAL, aigpSession: false }).pathAttributes.aigp, undefined)
})

t.test('RFC 9234 5: OTC', async t => {
  const octets = update(`${GOOD}c02304fa56ea00`)
  t.equal(decoded(octets).pathAttributes.onlyToCustomer, 4_200_000_000)
  t.equal(toHex(encodeMessage(decoded(octets), EXTERNAL)), toHex(octets))
})

t.test('RFC 8092 5: large communities come out and go out each once', async t => {
  const [a, b] = ['0000fde80000000100000002', '0000fde80000000100000003']
  const { pathAttributes } = decoded(update(`${GOOD}c02030${b}${a}${b}${a}`))
  const expected = [3, 2].map(localData2 => ({ globalAdministrator: 65_000, localData1: 1, localData2 }))
  t.same(pathAttributes.largeCommunities, expected)
  const twice = { ...pathAttributes, largeCommunities: [...expected, ...expected] }
  const nlri = decoded(update(GOOD)).nlri
  const octets = encodeMessage({ type: 'update', withdrawnRoutes: [], pathAttributes: twice, nlri }, EXTERNAL)
  t.equal(toHex(octets), toHex(update(`${GOOD}c02018${b}${a}`)))
})

t.test('RFC 7606 7: an empty list has no attribute, for one without a member would be malformed', async t => {
  const { pathAttributes, nlri } = decoded(update(GOOD))
  const empty = {
    ...pathAttributes,
    communities: [],
    clusterList: [],
    as4Path: [],
    extendedCommunities: [],
    ipv6ExtendedCommunities: [],
    largeCommunities: [],
  }
  const octets = encodeMessage({ type: 'update', withdrawnRoutes: [], pathAttributes: empty, nlri }, EXTERNAL)
  t.equal(toHex(octets), toHex(update(GOOD)))
  const own = { ...pathAttributes, asPath: [] }
  const written = encodeMessage({ type: 'update', withdrawnRoutes: [], pathAttributes: own, nlri }, INTERNAL)
  t.equal(toHex(written), toHex(update(`${ORIGIN}400200${NEXT_HOP}`)), 'but for AS_PATH')
})

t.test('RFC 7607 2: AS 0 is not sent in AGGREGATOR and AS4_AGGREGATOR', async t => {
  const none = { asn: 0, bgpIdentifier: 1 }
  t.throws(() => encodePathAttributes({ aggregator: none }, EXTERNAL), RangeError)
  t.throws(() => encodePathAttributes({ as4Aggregator: none }, EXTERNAL), RangeError)
})

t.test(
  'RFC 4271 4.3: the Partial bit is for optional transitive attributes, Extended Length for long ones',
  async t => {
    const octets = update(`60010100${AS_PATH}${NEXT_HOP}a0040400000001 e00804fde80001`)
    const { pathAttributes, faults } = decoded(octets)
    t.equal(faults, undefined)
    t.same(pathAttributes.partial, [8])
    const expected = update(`40010100${AS_PATH}${NEXT_HOP}80040400000001 e00804fde80001`)
    t.equal(toHex(encodeMessage(decoded(octets), EXTERNAL)), toHex(expected))
    const unknown = [{ code: 200, flags: 0xdf, value: Uint8Array.of(1) }]
    t.equal(toHex(encodePathAttributes({ unknown }, EXTERNAL)), 'c0c80101')
  },
)
