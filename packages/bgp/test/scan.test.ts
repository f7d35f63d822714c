import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import {
  Afi,
  asPathLength,
  decodeMessage,
  decodeNlri,
  nlriFormat,
  type MessageContext,
  type UpdateMessage,
} from '@typemetal/bgp/wire'
import { FactFlag, NO_RULES, createFacts, scanAttributes } from '../dist/wire/scan-attributes.js'
import { createUpdateScan, scanUpdate, type UpdateScan, type UpdateScanRules } from '../dist/wire/scan-update.js'
import { AS_PATH, GOOD, hex, NEXT_HOP, ORIGIN, toHex, update, VECTORS, contextOf } from './octets.js'
import { anyScannedContext, anyScannedOctets } from './scan-updates.js'

const FAMILIES = ['ipv4-unicast', 'ipv6-unicast'] as const

const rulesOf = (context: MessageContext, other: Partial<UpdateScanRules> = {}): UpdateScanRules => ({
  internal: context.internal,
  asn: 64_512,
  bgpIdentifier: 0x0a000001,
  clusterId: 0x0a000002,
  ipv4: true,
  ipv6: true,
  ipv4AddPath: context.addPath?.includes('ipv4-unicast') ?? false,
  ipv6AddPath: context.addPath?.includes('ipv6-unicast') ?? false,
  ...other,
})

const INTERNAL: MessageContext = { fourOctetAs: true, internal: true }
const scanned = (octets: Uint8Array, rules = rulesOf(INTERNAL)): UpdateScan | undefined => {
  const scan = createUpdateScan()
  return scanUpdate(octets, 0, octets.length, rules, scan) ? scan : undefined
}

/** The scan says what the decoder says. */
function assertSame(
  octets: Uint8Array,
  scan: UpdateScan,
  said: UpdateMessage,
  context: MessageContext,
  rules: UpdateScanRules,
): void {
  const { facts } = scan
  const {
    mpReachNlri: reach,
    mpUnreachNlri: unreach,
    asPath = [],
    communities = [],
    clusterList = [],
    extendedCommunities = [],
    ...rest
  } = said.pathAttributes
  const prefixes = (from: number, to: number, family: (typeof FAMILIES)[number]) =>
    decodeNlri(octets.subarray(from, to), nlriFormat(family, context))
  assert.deepEqual(prefixes(scan.withdrawnAt, scan.withdrawnEnd, 'ipv4-unicast'), said.withdrawnRoutes)
  assert.deepEqual(prefixes(scan.nlriAt, scan.nlriEnd, 'ipv4-unicast'), said.nlri)
  assert.equal(scan.reachAfi, reach?.afi ?? 0)
  if (reach) {
    assert.deepEqual(prefixes(scan.reachNlriAt, scan.reachNlriEnd, 'ipv6-unicast'), reach.nlri)
    assert.deepEqual(octets.subarray(scan.reachNextHopAt, scan.reachNextHopAt + scan.reachNextHopLength), reach.nextHop)
  }
  assert.equal(scan.unreachAfi, unreach?.afi ?? 0)
  if (unreach) {
    const family = unreach.afi === Afi.IPv4 ? 'ipv4-unicast' : 'ipv6-unicast'
    assert.deepEqual(prefixes(scan.unreachNlriAt, scan.unreachNlriEnd, family), unreach.withdrawnRoutes)
  }
  const first = asPath[0]
  assert.equal(facts.asPathLength, asPathLength(asPath))
  assert.equal(facts.neighborAs, first?.type === 2 ? first.asns[0] : 0)
  assert.equal(facts.ownAs, asPath.flatMap(({ asns }) => asns).filter(asn => asn === rules.asn).length)
  assert.equal(facts.clusterLength, clusterList.length)
  assert.equal(facts.reflected, rest.originatorId === rules.bgpIdentifier || clusterList.includes(rules.clusterId))
  assert.equal(facts.origin, rest.origin ?? 2)
  assert.equal(facts.localPref, rest.localPref ?? 0)
  assert.equal(facts.multiExitDisc, rest.multiExitDisc ?? 0)
  assert.equal(facts.originatorId, rest.originatorId ?? 0)
  const { nextHop } = rest
  if (nextHop)
    assert.deepEqual(
      octets.subarray(scan.attributesAt + facts.nextHopAt, scan.attributesAt + facts.nextHopAt + 4),
      nextHop,
    )
  else assert.equal(facts.nextHopAt, -1)
  const flags =
    (rest.localPref === undefined ? 0 : FactFlag.LocalPref) |
    (rest.multiExitDisc === undefined ? 0 : FactFlag.MultiExitDisc) |
    (rest.originatorId === undefined ? 0 : FactFlag.OriginatorId) |
    (communities.includes(0xffff_0000) ? FactFlag.GracefulShutdown : 0) |
    (communities.includes(0xffff_0006) ? FactFlag.LongLivedStale : 0) |
    (communities.includes(0xffff_0007) ? FactFlag.NoLongLived : 0) |
    (communities.includes(0xffff_ff01) ? FactFlag.NoExport : 0) |
    (communities.includes(0xffff_ff02) ? FactFlag.NoAdvertise : 0) |
    (communities.includes(0xffff_ff03) ? FactFlag.NoExportSubconfed : 0) |
    (extendedCommunities.some(({ type }) => type & 0x40) ? FactFlag.NonTransitive : 0)
  assert.equal(facts.flags, flags)
}

t.test('property: whatever the scan accepts the decoder accepts without a fault, and both say the same', async t => {
  let all = 0
  let accepted = 0
  const scan = createUpdateScan()
  const any = anyScannedContext.chain(context =>
    fc.tuple(fc.constant(context), anyScannedOctets(context), fc.nat({ max: 30 }), fc.nat({ max: 30 })),
  )
  fc.assert(
    fc.property(any, ([context, octets, asAt, idAt]) => {
      all++
      let said: UpdateMessage | undefined
      let asns: readonly number[] = []
      let ids: readonly number[] = []
      try {
        said = decodeMessage(octets, context) as UpdateMessage
        asns = said.pathAttributes.asPath?.flatMap(segment => segment.asns) ?? []
        ids = said.pathAttributes.clusterList ?? []
      } catch {
        // It resets the session; then the scan must not take it.
      }
      // Our own AS and cluster are often among those of the message.
      const rules = rulesOf(context, { asn: asns[asAt] ?? 64_512, clusterId: ids[idAt] || 7 })
      // Not at the start of the octets, and with others behind.
      const shifted = new Uint8Array(octets.length + 8).fill(0x55)
      shifted.set(octets, 3)
      if (!scanUpdate(shifted, 3, 3 + octets.length, rules, scan)) return
      accepted++
      assert.ok(said && !said.faults, `accepted: ${toHex(octets)}`)
      assertSame(shifted, scan, said, context, rules)
    }),
    { numRuns: 5000 },
  )
  t.ok(accepted > all * 0.3, `${accepted} of ${all} accepted`)
})

t.test('property: an UPDATE that was cut off is refused, unless what is left is whole', async t => {
  const any = anyScannedContext.chain(context => fc.tuple(fc.constant(context), anyScannedOctets(context), fc.nat()))
  fc.assert(
    fc.property(any, ([context, octets, cut]) => {
      const rules = rulesOf(context)
      if (!scanned(octets, rules)) return
      const length = 19 + (cut % (octets.length - 19))
      const short = octets.slice(0, length)
      const scan = scanned(short, rules)
      // Cut between two prefixes it is a whole message again.
      if (scan) assertSame(short, scan, decodeMessage(withLength(short), context) as UpdateMessage, context, rules)
    }),
  )
  t.ok(scanned(update(GOOD)))
})

function withLength(octets: Uint8Array): Uint8Array {
  const copy = octets.slice()
  copy[16] = copy.length >> 8
  copy[17] = copy.length
  return copy
}

for (const vector of VECTORS) {
  const context = contextOf(vector)
  const octets = hex(vector.hex)
  if (octets[18] !== 2 || !context.fourOctetAs || context.confederation) continue
  t.test(`${vector.ref}: ${vector.name}: the scan agrees with the decoder or leaves it to it`, async () => {
    const rules = rulesOf(context)
    const scan = scanned(octets, rules)
    if (scan) assertSame(octets, scan, decodeMessage(octets, context) as UpdateMessage, context, rules)
  })
}

const LARGE = 'c0200c 00000001 00000002 00000003'
const REACH = `800e1a 0002 01 10 ${'20010db8'.padEnd(32, '0')} 00 20 20010db8`
for (const { ref, name, octets, rules } of [
  { ref: 'RFC 7606 3 (g)', name: 'ORIGIN twice', octets: update(GOOD + ORIGIN) },
  { ref: 'RFC 7606 3 (g)', name: 'LARGE_COMMUNITY twice', octets: update(GOOD + LARGE + LARGE) },
  { ref: 'RFC 7606 3 (g)', name: 'MP_REACH_NLRI twice', octets: update(REACH + REACH + ORIGIN + AS_PATH, '') },
  {
    ref: 'RFC 8092 5',
    name: 'a large community twice',
    octets: update(`${GOOD}c02018 ${'000000010000000200000003'.repeat(2)}`),
  },
  {
    ref: 'RFC 7606 3 (c)',
    name: 'ORIGIN with flags of an optional attribute',
    octets: update(`c0010100${AS_PATH}${NEXT_HOP}`),
  },
  { ref: 'RFC 7606 3 (d)', name: 'no ORIGIN', octets: update(AS_PATH + NEXT_HOP) },
  { ref: 'RFC 7606 3 (d)', name: 'no AS_PATH', octets: update(ORIGIN + NEXT_HOP) },
  { ref: 'RFC 7606 3 (d)', name: 'no NEXT_HOP', octets: update(ORIGIN + AS_PATH) },
  { ref: 'RFC 7606 4', name: 'an attribute cut off', octets: update(`${GOOD}c00808ffff`) },
  { ref: 'RFC 7606 7.1', name: 'ORIGIN 3', octets: update(`40010103${AS_PATH}${NEXT_HOP}`) },
  { ref: 'RFC 7606 7.2', name: 'an AS_PATH segment without ASes', octets: update(`${ORIGIN}4002020200${NEXT_HOP}`) },
  { ref: 'RFC 7607 2', name: 'AS 0 in AS_PATH', octets: update(`${ORIGIN}400206020100000000${NEXT_HOP}`) },
  { ref: 'RFC 7607 2', name: 'AS 0 in AGGREGATOR', octets: update(`${GOOD}c00708 00000000 0a000001`) },
  { ref: 'RFC 5065 5', name: 'a confederation segment', octets: update(`${ORIGIN}4002060301000000ff${NEXT_HOP}`) },
  { ref: 'RFC 4271 6.3', name: 'NEXT_HOP 0.0.0.1', octets: update(`${ORIGIN}${AS_PATH}40030400000001`) },
  { ref: 'RFC 4271 6.3', name: 'NEXT_HOP 224.0.0.1', octets: update(`${ORIGIN}${AS_PATH}400304e0000001`) },
  {
    ref: 'RFC 7606 7.5',
    name: 'LOCAL_PREF from an external peer',
    octets: update(`${GOOD}40050400000064`),
    rules: rulesOf({ ...INTERNAL, internal: false }),
  },
  {
    ref: 'RFC 7606 7.9',
    name: 'ORIGINATOR_ID from an external peer',
    octets: update(`${GOOD}8009040a000009`),
    rules: rulesOf({ ...INTERNAL, internal: false }),
  },
  {
    ref: 'RFC 7606 7.10',
    name: 'CLUSTER_LIST from an external peer',
    octets: update(`${GOOD}800a040a000009`),
    rules: rulesOf({ ...INTERNAL, internal: false }),
  },
  { ref: 'RFC 7606 7.8', name: 'COMMUNITIES of 6 octets', octets: update(`${GOOD}c00806 ffff00000001`) },
  { ref: 'RFC 4271 6.3', name: 'a prefix of 33 bits', octets: update(GOOD, '210a00000000') },
  {
    ref: 'RFC 4760 8',
    name: 'IPv4 prefixes where the session has none',
    octets: update(GOOD),
    rules: rulesOf(INTERNAL, { ipv4: false }),
  },
  {
    ref: 'RFC 4760 8',
    name: 'IPv6 prefixes where the session has none',
    octets: update(REACH + ORIGIN + AS_PATH, ''),
    rules: rulesOf(INTERNAL, { ipv6: false }),
  },
  {
    ref: 'RFC 7911 3',
    name: 'a prefix without its Path Identifier',
    octets: update(GOOD),
    rules: rulesOf(INTERNAL, { ipv4AddPath: true }),
  },
  { ref: 'RFC 4724 2', name: 'End-of-RIB', octets: update('', '') },
  { ref: 'RFC 4724 2', name: 'End-of-RIB of IPv6', octets: update('800f03000201', '') },
  { ref: 'RFC 9234 5', name: 'OTC', octets: update(`${GOOD}c02304 0000fde8`) },
  { ref: 'RFC 4271 9', name: 'an attribute that nobody knows', octets: update(`${GOOD}c0c800`) },
  { ref: 'RFC 4271 5', name: 'the Partial bit', octets: update(`${GOOD}e00804 fde80001`) },
  {
    ref: 'RFC 8950 3',
    name: 'an IPv4 prefix in MP_REACH_NLRI',
    octets: update(`800e0d 0001 01 04 0a000001 00 18 c00002${ORIGIN}${AS_PATH}`, ''),
  },
]) {
  t.test(`${ref}: ${name} is left to the decoder`, async t => {
    t.equal(scanned(octets, rules), undefined)
  })
}

t.test('RFC 8092: up to 64 different large communities are scanned', async t => {
  const list = (count: number): string => {
    const value = Array.from({ length: count }, (_, i) => `0000fde800000000${i.toString(16).padStart(8, '0')}`).join('')
    return `d020${(12 * count).toString(16).padStart(4, '0')}${value}`
  }
  t.ok(scanned(update(GOOD + list(64))))
  t.notOk(scanned(update(GOOD + list(65))))
})

t.test('RFC 4456 8: our own ORIGINATOR_ID and CLUSTER_ID are noticed', async t => {
  t.equal(scanned(update(`${GOOD}8009040a000001`))?.facts.reflected, true)
  t.equal(scanned(update(`${GOOD}8009040a000002`))?.facts.reflected, false)
  t.equal(scanned(update(`${GOOD}800a080a0000090a000002`))?.facts.reflected, true)
})

t.test('scanAttributes of octets of our own passes over what it does not know, and marks it', async t => {
  const facts = createFacts()
  const scan = (text: string, trusted = true): boolean => {
    const octets = hex(text)
    return scanAttributes(octets, 0, octets.length, NO_RULES, facts, trusted)
  }
  t.ok(scan(`${GOOD}801a0b01000b0000000000000007`))
  t.equal(facts.flags, FactFlag.Unusual | FactFlag.Aigp)
  t.ok(scan(`${GOOD}c02304 0000fde8`))
  t.equal(facts.flags, FactFlag.Unusual | FactFlag.OnlyToCustomer)
  t.ok(scan(`${GOOD}e00804 ffffff01`))
  t.equal(facts.flags, FactFlag.Unusual | FactFlag.NoExport, 'communities with the Partial bit count all the same')
  t.ok(scan(`${ORIGIN}4002060301000000ff${NEXT_HOP}`))
  t.equal(facts.flags, FactFlag.Confederation)
  t.equal(facts.asPathLength, 0)
  t.notOk(scan(`${GOOD}c0c800`, false))
})
