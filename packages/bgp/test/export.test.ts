import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { rewriteAttributes } from '@typemetal/bgp/rib'
import {
  decodePathAttributes,
  encodePathAttributes,
  type AsPath,
  type MessageContext,
  type PathAttributes,
} from '@typemetal/bgp/wire'
import {
  exportAttributes,
  exportNextHop,
  isExportable,
  isPassedOn,
  prepend,
  type ExportSession,
  type ExportSource,
} from '../dist/export.js'
import { anyAttributes } from './messages.js'
import { hex } from './octets.js'
import { HOP4, HOP6, SELF, sequence, session, source } from './rib-scene.js'

const LOCAL = source(0, { local: true })
const EXTERNAL = source(1)
const INTERNAL = source(2, { internal: true })
const MEMBER = source(3, { confederation: true })
const CLIENT = source(4, { internal: true, reflectorClient: true })
const TO_INTERNAL = { internal: true, peerAsn: 64_512 }
const DROPPED = { multiExitDisc: false }
const KEPT = { multiExitDisc: true }

const BASE: PathAttributes = { origin: 0, ...sequence(1, 2) }
const told = (
  attributes: PathAttributes,
  to: Partial<ExportSession> = {},
  from: ExportSource = EXTERNAL,
  kept = DROPPED,
): PathAttributes => exportAttributes({ ...BASE, ...attributes }, from, session(to), kept)
const path = (to: Partial<ExportSession>, asPath: AsPath, from: ExportSource = EXTERNAL): AsPath | undefined =>
  told({ asPath }, to, from).asPath
const seq = (...asns: number[]): AsPath => [{ type: 2, asns }]

t.test('RFC 4271 section 5.1.2: our AS in front of the path to external peers, nothing to internal ones', async t => {
  t.same(path({}, seq(1, 2)), seq(64_512, 1, 2))
  t.same(path({}, []), seq(64_512))
  t.same(path(TO_INTERNAL, seq(1, 2)), seq(1, 2))
  t.same(path(TO_INTERNAL, [], LOCAL), [])
  t.same(
    path({}, [{ type: 1, asns: [5] }]),
    [...seq(64_512), { type: 1, asns: [5] }],
    'in front of a set stands a segment of its own',
  )
  const full = Array.from({ length: 255 }, () => 9)
  t.same(path({}, seq(...full)), [...seq(64_512), ...seq(...full)], 'a segment has 255 ASes at most')
  t.equal(path({}, seq(...full.slice(1)))?.length, 1)
  t.same(prepend([], 7), seq(7))
  t.same(exportAttributes({ origin: 0 }, LOCAL, session(), DROPPED).asPath, seq(64_512), 'a route without AS_PATH')
})

t.test('RFC 4271 section 5.1.4: MULTI_EXIT_DISC ends with our AS, unless it is our own', async t => {
  const multiExitDisc = 5
  t.equal(told({ multiExitDisc }).multiExitDisc, undefined)
  t.equal(told({ multiExitDisc }, {}, LOCAL, KEPT).multiExitDisc, 5)
  t.equal(told({ multiExitDisc }, TO_INTERNAL).multiExitDisc, 5)
  t.equal(told({ multiExitDisc: 0 }, TO_INTERNAL).multiExitDisc, 0)
  t.equal(told({ multiExitDisc }, { confederation: true }).multiExitDisc, 5, 'RFC 5065 section 4')
  t.equal(told({ multiExitDisc }, { routeServerClient: true }).multiExitDisc, 5, 'RFC 7947 section 2.2.3')
})

t.test('RFC 4271 section 5.1.5: LOCAL_PREF goes to internal peers always, and to external ones never', async t => {
  t.equal(told({ localPref: 7 }).localPref, undefined)
  t.equal(told({ localPref: 7 }, { routeServerClient: true }).localPref, undefined)
  t.equal(told({ localPref: 7 }, TO_INTERNAL).localPref, 7)
  t.equal(told({ localPref: 0 }, TO_INTERNAL).localPref, 0)
  t.equal(told({}, TO_INTERNAL).localPref, 100)
  t.equal(told({ localPref: 7 }, { confederation: true }).localPref, 7, 'RFC 5065 section 4')
})

t.test('RFC 4271 section 5: unknown attributes go on when they are transitive, with the Partial bit', async t => {
  const value = hex('01')
  const unknown = [
    { code: 99, flags: 0x80, value },
    { code: 100, flags: 0xc0, value },
    { code: 101, flags: 0xe0, value },
  ]
  for (const to of [{}, TO_INTERNAL]) {
    t.same(told({ unknown }, to).unknown, [
      { code: 100, flags: 0xe0, value },
      { code: 101, flags: 0xe0, value },
    ])
    t.equal(told({ unknown: unknown.slice(0, 1) }, to).unknown, undefined)
    t.same(told({ unknown }, to, LOCAL).unknown, unknown, 'our own are as we want them')
  }
  t.same(told({ communities: [1], partial: [8] }).partial, [8])
  t.match(told({ atomicAggregate: true, aggregator: { asn: 1, bgpIdentifier: 2 } }), {
    atomicAggregate: true,
    aggregator: { asn: 1 },
  })
})

t.test('RFC 1997: well-known communities say who is told of a learned route', async t => {
  const may = (community: number, to: Partial<ExportSession>, from: ExportSource = EXTERNAL): boolean =>
    isExportable({ ...BASE, communities: [1, community] }, from, session(to))
  const confederation = { confederation: true, confederationIdentifier: 65_000 }
  for (const { community, external, member, internal } of [
    { community: 0xffff_ff01, external: false, member: true, internal: true },
    { community: 0xffff_ff02, external: false, member: false, internal: false },
    { community: 0xffff_ff03, external: false, member: false, internal: true },
    { community: 0xffff_ff04, external: true, member: true, internal: true },
  ]) {
    const name = (community >>> 0).toString(16)
    t.equal(may(community, {}), external, `${name} external`)
    t.equal(may(community, confederation), member, `${name} confederation`)
    t.equal(may(community, TO_INTERNAL), internal, `${name} internal`)
    t.ok(may(community, {}, LOCAL), 'on our own routes it is for the peer to heed')
  }
})

t.test('RFC 4360 section 6: non-transitive extended communities end with our AS', async t => {
  const value = hex('fde800000001')
  const [stays, goes] = [
    { type: 0x40, subtype: 4, value },
    { type: 0x00, subtype: 2, value },
  ]
  const extendedCommunities = [stays, goes]
  t.same(told({ extendedCommunities }).extendedCommunities, [goes])
  t.equal(told({ extendedCommunities: [stays] }).extendedCommunities, undefined)
  t.same(told({ extendedCommunities }, TO_INTERNAL).extendedCommunities, extendedCommunities)
  t.same(told({ extendedCommunities }, { confederation: true }).extendedCommunities, extendedCommunities)
  t.same(
    told({ extendedCommunities }, {}, LOCAL).extendedCommunities,
    extendedCommunities,
    'what we attach is for the receiver',
  )
})

t.test('RFC 4271 section 9.2: who is told of what was learned', async t => {
  t.ok(isPassedOn(EXTERNAL, session()))
  t.ok(isPassedOn(EXTERNAL, session(TO_INTERNAL)))
  t.ok(isPassedOn(INTERNAL, session()))
  t.notOk(isPassedOn(INTERNAL, session(TO_INTERNAL)), 'internal peers hear it from each other')
  t.ok(isPassedOn(MEMBER, session({ confederation: true })), 'RFC 5065')
  t.notOk(isPassedOn(EXTERNAL, session({ propagate: false })))
  t.ok(isPassedOn(LOCAL, session({ propagate: false })))
})

t.test('RFC 4456 section 6: a route reflector tells clients of all, others of its clients', async t => {
  t.ok(isPassedOn(INTERNAL, session({ ...TO_INTERNAL, reflectorClient: true })))
  t.ok(isPassedOn(CLIENT, session(TO_INTERNAL)))
  t.ok(isPassedOn(CLIENT, session({ ...TO_INTERNAL, reflectorClient: true })))
})

t.test('RFC 4456 section 8: ORIGINATOR_ID and CLUSTER_LIST', async t => {
  const to = { ...TO_INTERNAL, reflectorClient: true, clusterId: 77 }
  t.match(told({}, to, CLIENT), { originatorId: 4, clusterList: [77] })
  t.match(told({ originatorId: 9, clusterList: [1, 2] }, to, CLIENT), { originatorId: 9, clusterList: [77, 1, 2] })
  for (const from of [EXTERNAL, LOCAL]) {
    t.equal(told({}, to, from).originatorId, undefined, 'not reflected')
    t.equal(told({}, to, from).clusterList, undefined)
  }
  const outside = told({ originatorId: 9, clusterList: [1] }, {}, CLIENT)
  t.same([outside.originatorId, outside.clusterList], [undefined, undefined], 'they end with the AS')
  t.match(
    told({ localPref: 7, multiExitDisc: 8 }, to, CLIENT),
    { localPref: 7, multiExitDisc: 8, asPath: seq(1, 2) },
    'section 10',
  )
  t.same(exportNextHop('ipv4-unicast', HOP4, CLIENT, session(to)), HOP4)
})

t.test('RFC 5065 section 4: AS_CONFED_SEQUENCE to other members, none to the outside', async t => {
  const member = { confederation: true, confederationIdentifier: 65_000 }
  const inside: AsPath = [{ type: 3, asns: [5, 6] }, ...seq(1)]
  t.same(path(member, seq(1)), [{ type: 3, asns: [64_512] }, ...seq(1)])
  t.same(path(member, inside), [{ type: 3, asns: [64_512, 5, 6] }, ...seq(1)])
  const outside = { confederationIdentifier: 65_000 }
  t.same(path(outside, inside), seq(65_000, 1))
  t.same(
    path(outside, [
      { type: 4, asns: [5] },
      { type: 3, asns: [6] },
    ]),
    seq(65_000),
  )
  t.same(path({ ...TO_INTERNAL, ...outside }, inside), inside)
})

t.test('RFC 7311 section 3.2: AIGP goes to where it is taken', async t => {
  t.equal(told({ aigp: 5n }).aigp, undefined)
  t.equal(told({ aigp: 5n }, { aigp: true }).aigp, 5n)
  t.equal(told({ aigp: 0n }, { ...TO_INTERNAL, aigp: true }).aigp, 0n)
})

t.test('RFC 7947 section 2.2: a route server is not seen in what it tells', async t => {
  const to = { routeServerClient: true }
  t.same(path(to, seq(1, 2)), seq(1, 2))
  t.same(
    path(to, [{ type: 3, asns: [5] }, ...seq(1, 2)]),
    seq(1, 2),
    'RFC 5065 section 4: but its confederation is not, either',
  )
  t.same(exportNextHop('ipv4-unicast', HOP4, EXTERNAL, session(to)), HOP4)
  t.same(told({ communities: [1, 2] }, to).communities, [1, 2])
})

t.test('RFC 8326 section 4: before a shutdown everything has GRACEFUL_SHUTDOWN, and LOCAL_PREF 0 inside', async t => {
  const to = { gracefulShutdown: true }
  t.same(told({}, to).communities, [0xffff_0000])
  t.same(told({ communities: [5] }, to).communities, [5, 0xffff_0000])
  t.same(told({ communities: [0xffff_0000] }, to).communities, [0xffff_0000], 'once')
  t.equal(told({ localPref: 300 }, { ...TO_INTERNAL, ...to }).localPref, 0)
  t.equal(told({}, to).localPref, undefined)
})

t.test('RFC 9234 section 5: what came from above or aside goes down only, and is marked', async t => {
  for (const { role, upwards, marks } of [
    { role: 'provider', upwards: false, marks: true },
    { role: 'rs', upwards: false, marks: true },
    { role: 'rs-client', upwards: true, marks: false },
    { role: 'customer', upwards: true, marks: false },
    { role: 'peer', upwards: true, marks: true },
  ] as const) {
    t.equal(isExportable({ ...BASE, onlyToCustomer: 9 }, EXTERNAL, session({ role })), !upwards, role)
    t.ok(isExportable(BASE, EXTERNAL, session({ role })))
    t.equal(told({}, { role }).onlyToCustomer, marks ? 64_512 : undefined, role)
    t.equal(told({ onlyToCustomer: 9 }, { role }).onlyToCustomer, 9, 'a mark stays as it is')
  }
  t.equal(told({}).onlyToCustomer, undefined)
  t.equal(told({ onlyToCustomer: 9 }, TO_INTERNAL).onlyToCustomer, 9)
  t.equal(
    told({}, { role: 'provider', confederationIdentifier: 65_000 }).onlyToCustomer,
    65_000,
    'by the AS that others know',
  )
})

t.test('RFC 9494 section 4.6: long-lived stale routes go to those who know them', async t => {
  const stale = { ...BASE, communities: [0xffff_0006] }
  t.notOk(isExportable(stale, EXTERNAL, session()))
  t.ok(isExportable(stale, EXTERNAL, session({ longLived: true })))
})

t.test('RFC 6996: private AS numbers are taken off where that is asked for, never our own', async t => {
  const to = { removePrivateAs: true }
  t.same(path(to, seq(64_513, 1, 65_534, 4_200_000_000, 2, 4_294_967_294)), seq(64_512, 1, 2))
  t.same(path(to, [...seq(65_000), { type: 1, asns: [65_001] }]), seq(64_512))
  t.same(path(to, seq(64_511, 65_535, 4_199_999_999)), seq(64_512, 64_511, 65_535, 4_199_999_999))
  t.same(path({ ...TO_INTERNAL, ...to }, seq(64_513)), seq(64_513))
})

t.test('RFC 4271 section 5.1.3: next hops', async t => {
  const none = new Uint8Array(0)
  const hop = (
    nextHop: Uint8Array,
    from: ExportSource,
    to: Partial<ExportSession>,
    family: 'ipv4-unicast' | 'ipv6-unicast' = 'ipv4-unicast',
  ) => exportNextHop(family, nextHop, from, session(to))
  t.same(hop(HOP4, EXTERNAL, {}), SELF['ipv4-unicast'], 'our own to external peers')
  t.same(hop(HOP6, EXTERNAL, {}, 'ipv6-unicast'), SELF['ipv6-unicast'])
  t.same(hop(HOP4, EXTERNAL, TO_INTERNAL), HOP4, 'that of the border to internal ones')
  t.same(hop(HOP4, EXTERNAL, { confederation: true }), HOP4, 'RFC 5065 section 4')
  t.same(hop(HOP4, EXTERNAL, { ...TO_INTERNAL, nextHop: 'self' }), SELF['ipv4-unicast'])
  t.same(hop(HOP4, EXTERNAL, { nextHop: 'unchanged' }), HOP4)
  t.same(hop(HOP4, LOCAL, {}), HOP4, 'one that was given')
  for (const from of [LOCAL, EXTERNAL]) t.same(hop(none, from, TO_INTERNAL), SELF['ipv4-unicast'])
  t.equal(hop(none, LOCAL, { nextHopSelf: () => undefined }), undefined)
})

/** AS numbers of 4 octets, and everything that an internal session carries. */
const TABLE: MessageContext = { fourOctetAs: true, internal: true }
const UNUSUAL = [
  'as4Path',
  'as4Aggregator',
  'ipv6ExtendedCommunities',
  'aigp',
  'onlyToCustomer',
  'unknown',
  'partial',
  'mpReachNlri',
  'mpUnreachNlri',
] as const

t.test('property: from octets to octets comes the same as by values', async () => {
  const usual = anyAttributes(TABLE).map((attributes): PathAttributes => {
    const { asPath = [], extendedCommunities = [], ...rest } = attributes
    const kept: Record<string, unknown> = { ...rest, asPath: asPath.filter(({ type }) => type <= 2) }
    const goes = extendedCommunities.filter(({ type }) => !(type & 0x40))
    if (goes.length > 0) kept['extendedCommunities'] = goes
    for (const key of UNUSUAL) delete kept[key]
    return kept
  })
  const segment = fc.constantFrom(0, 1, 254, 255)
  fc.assert(
    fc.property(
      usual,
      segment,
      fc.boolean(),
      fc.boolean(),
      fc.constantFrom('keep', 'drop', 'self'),
      (given, long, internal, multiExitDisc, hop) => {
        const asPath =
          long > 0 ? [...seq(...Array.from({ length: long }, (_, i) => i + 1)), ...(given.asPath ?? [])] : given.asPath
        const { nextHop, ...attributes } = { ...given, asPath: asPath ?? [] }
        const to = session(internal ? TO_INTERNAL : {})
        const wanted = exportAttributes(attributes, EXTERNAL, to, { multiExitDisc })
        const octets = encodePathAttributes({ ...attributes, ...(nextHop && { nextHop }) }, TABLE)
        const into = new Uint8Array(octets.length + 40).fill(0xaa)
        const rewrite = {
          prepend: internal ? 0 : to.asn,
          localPref: !internal ? 'drop' : attributes.localPref === undefined ? 'add' : 'keep',
          multiExitDisc: internal || multiExitDisc,
          nextHop: hop === 'self' ? SELF['ipv4-unicast'] : hop,
        } as const
        const length = rewriteAttributes(octets, 0, octets.length, rewrite, into, 3) - 3
        const decoded = decodePathAttributes(into.slice(3, 3 + length), { ...TABLE, internal }, 0)
        const wantedHop = hop === 'self' ? SELF['ipv4-unicast'] : hop === 'keep' ? nextHop : undefined
        const { originatorId: _originator, clusterList: _clusters, ...rest } = wanted
        assert.deepEqual(decoded.faults, [])
        assert.deepEqual(decoded.attributes, { ...rest, ...(wantedHop && { nextHop: wantedHop }) })
        assert.deepEqual(
          decoded.codes,
          decoded.codes.toSorted((a, b) => a - b),
          'in the order of Type Codes',
        )
        assert.ok(length <= octets.length + 32, 'no more room than promised')
        assert.ok(into.subarray(3 + length).every(octet => octet === 0xaa) && into[2] === 0xaa, 'and nothing beside')
      },
    ),
    { numRuns: 1500 },
  )
})
