import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { LocRib, PathFlag } from '@typemetal/bgp/rib'
import type { RouteSource } from '../dist/route-source.js'
import { parseAddress } from '../dist/address.js'
import { anyPaths, few, reference, type Given } from './rib-reference.js'
import { Announcer, rowOf, sequence, source } from './rib-scene.js'

const PREFIX = '192.0.2.0/24'

/** Numbers of the given paths that are used, in the order in which they arrive by `order`. */
function select(given: readonly Given[], order: readonly number[], options = {}): number[] {
  const rib = new LocRib<RouteSource>(options)
  const announcers = new Map<number, number>()
  for (const index of order) {
    const { from, stale = false, ...attributes } = given[index]!
    const announcer = new Announcer(rib, source(1, from))
    announcers.set(announcer.adjRibIn.source, index)
    announcer.announce(PREFIX, { ...sequence(1), ...attributes })
    if (!stale) continue
    announcer.adjRibIn.markStale('ipv4-unicast')
    announcer.adjRibIn.markLongLivedStale('ipv4-unicast')
  }
  const { paths, prefix } = rowOf(rib, PREFIX)
  const used = paths.selected(prefix)
  assert.equal(used[0] ?? 0, paths.best(prefix))
  return used.map(path => announcers.get(paths.sourceNumber(path))!)
}

const STRICT = { maximumPaths: 64 }

/** Steps that leave one path, even where several may be used. */
for (const { ref, name, best, worse } of [
  {
    ref: 'RFC 4271 9.1.1',
    name: 'ours before all others',
    best: { from: { local: true }, localPref: 1 },
    worse: { localPref: 9 },
  },
  { ref: 'RFC 4271 9.1.1', name: 'higher LOCAL_PREF', best: { localPref: 101, ...sequence(1, 2, 3) }, worse: {} },
  { ref: 'RFC 4271 9.1.1', name: 'LOCAL_PREF 100 where there is none', best: {}, worse: { localPref: 99 } },
  {
    ref: 'RFC 4271 9.1.1',
    name: 'LOCAL_PREF has 32 bits',
    best: { localPref: 0xffff_ffff },
    worse: { localPref: 0x7fff_ffff },
  },
  { ref: 'RFC 4271 9.1.2.2 (a)', name: 'shorter AS_PATH', best: { ...sequence(1), origin: 2 }, worse: sequence(1, 2) },
  {
    ref: 'RFC 4271 9.1.2.2 (a)',
    name: 'a set counts 1',
    best: {
      asPath: [
        { type: 2, asns: [1] },
        { type: 1, asns: [2, 3, 4] },
      ],
    },
    worse: sequence(1, 2, 3),
  },
  {
    ref: 'RFC 5065 5.3',
    name: 'confederation segments count 0',
    best: {
      asPath: [
        { type: 3, asns: [7, 8, 9] },
        { type: 4, asns: [5] },
        { type: 2, asns: [1] },
      ],
      multiExitDisc: 0,
    },
    worse: sequence(1, 2),
  },
  { ref: 'RFC 4271 9.1.2.2 (b)', name: 'lower ORIGIN', best: { origin: 0, multiExitDisc: 9 }, worse: { origin: 1 } },
  { ref: 'RFC 4271 9.1.2.2 (b)', name: 'EGP before INCOMPLETE', best: { origin: 1 }, worse: { origin: 2 } },
  {
    ref: 'RFC 4271 9.1.2.2 (c)',
    name: 'lower MULTI_EXIT_DISC',
    best: { multiExitDisc: 1, from: { internal: true } },
    worse: { multiExitDisc: 2 },
  },
  { ref: 'RFC 4271 9.1.2.2 (c)', name: 'no MULTI_EXIT_DISC is the lowest', best: {}, worse: { multiExitDisc: 1 } },
  {
    ref: 'RFC 4271 9.1.2.2 (d)',
    name: 'external before internal',
    best: { from: { bgpIdentifier: 9 } },
    worse: { from: { internal: true } },
  },
  {
    ref: 'RFC 5065 5.3',
    name: 'another member of the confederation counts as internal',
    best: { from: { bgpIdentifier: 9 } },
    worse: { from: { confederation: true } },
  },
  {
    ref: 'RFC 7311 4.1',
    name: 'with AIGP before without, whatever the AS_PATH',
    best: { aigp: 9n, ...sequence(1, 2, 3) },
    worse: sequence(1),
  },
  {
    ref: 'RFC 7311 4.1',
    name: 'lower AIGP',
    best: { aigp: 1n, ...sequence(1, 2, 3) },
    worse: { aigp: 2n, ...sequence(1) },
  },
  {
    ref: 'RFC 7311 4.1',
    name: 'AIGP has 64 bits',
    best: { aigp: 0x7fff_ffff_ffff_fffen },
    worse: { aigp: 0x7fff_ffff_ffff_ffffn },
  },
  { ref: 'RFC 7311 4.1', name: 'LOCAL_PREF before AIGP', best: { localPref: 200 }, worse: { aigp: 1n } },
  {
    ref: 'RFC 9494 4.3',
    name: 'anything before a long-lived stale path',
    best: { localPref: 1 },
    worse: { localPref: 900, stale: true },
  },
  {
    ref: 'RFC 9494 4.3',
    name: 'and before one that came with LLGR_STALE',
    best: { localPref: 1 },
    worse: { localPref: 900, communities: [0xffff_0006] },
  },
  {
    ref: 'RFC 9494 4.3',
    name: 'the usual steps among stale ones',
    best: { localPref: 9, stale: true },
    worse: { localPref: 8, stale: true },
  },
] as const satisfies readonly { ref: string; name: string; best: Given; worse: Given }[]) {
  t.test(`${ref}: ${name}`, async t => {
    t.same(select([best, worse], [0, 1], STRICT), [0])
    t.same(select([best, worse], [1, 0], STRICT), [0])
  })
}

/** Steps that only order what may be used side by side. */
for (const { ref, name, first, second } of [
  { ref: 'RFC 4271 9.1.2.2 (f)', name: 'lower BGP Identifier', first: {}, second: { from: { bgpIdentifier: 2 } } },
  {
    ref: 'RFC 4271 9.1.2.2 (f)',
    name: 'BGP Identifiers have 32 bits',
    first: { from: { bgpIdentifier: 0x7fff_ffff } },
    second: { from: { bgpIdentifier: 0xffff_ffff } },
  },
  {
    ref: 'RFC 4456 9',
    name: 'ORIGINATOR_ID for it',
    first: { originatorId: 0, from: { bgpIdentifier: 9 } },
    second: {},
  },
  { ref: 'RFC 4456 9', name: 'shorter CLUSTER_LIST', first: {}, second: { clusterList: [1] } },
  {
    ref: 'RFC 4456 9',
    name: 'CLUSTER_LIST before the address',
    first: { clusterList: [1], from: { address: parseAddress('10.0.0.9') } },
    second: { clusterList: [1, 2] },
  },
  {
    ref: 'RFC 4271 9.1.2.2 (g)',
    name: 'lower peer address',
    first: {},
    second: { from: { address: parseAddress('10.0.0.2') } },
  },
  {
    ref: 'RFC 4271 9.1.2.2 (g)',
    name: 'IPv4 before IPv6',
    first: {},
    second: { from: { address: parseAddress('::1') } },
  },
] as const satisfies readonly { ref: string; name: string; first: Given; second: Given }[]) {
  t.test(`${ref}: ${name} comes first, the other is used beside it`, async t => {
    t.same(select([first, second], [1, 0], STRICT), [0, 1])
    t.same(select([first, second], [0, 1], STRICT), [0, 1])
    t.same(select([first, second], [1, 0]), [0])
  })
}

t.test('multipath: through one neighbour AS, or through several when relaxed', async t => {
  const given: Given[] = [
    { ...sequence(1, 9), from: { bgpIdentifier: 1 } },
    { ...sequence(2, 9), from: { bgpIdentifier: 2 } },
    { ...sequence(1, 8), from: { bgpIdentifier: 3 } },
  ]
  t.same(select(given, [1, 2, 0], { maximumPaths: 64 }), [0, 2])
  t.same(select(given, [1, 2, 0], { maximumPaths: 64, relax: true }), [0, 1, 2])
  t.same(select(given, [1, 2, 0], { maximumPaths: 2, relax: true }), [0, 1])
  t.same(select(given, [2, 1, 0]), [0])
})

t.test('RFC 4271 9.1.2.2 (c): MED is compared within a neighbour AS only', async t => {
  const one: Given = { ...sequence(1), multiExitDisc: 50, from: { bgpIdentifier: 1 } }
  const two: Given = { ...sequence(2), multiExitDisc: 10, from: { bgpIdentifier: 2 } }
  t.same(select([one, two], [1, 0]), [0])
  const set: Given = { asPath: [{ type: 1, asns: [1] }], multiExitDisc: 60, from: { bgpIdentifier: 0 } }
  t.same(select([one, set], [0, 1]), [1], 'a path that begins with a set has no neighbour AS')
  const behind: Given = {
    asPath: [
      { type: 3, asns: [5] },
      { type: 2, asns: [1] },
    ],
    multiExitDisc: 60,
    from: { bgpIdentifier: 0 },
  }
  t.same(select([one, behind], [0, 1]), [0], 'confederation segments in front do not count')
})

t.test('RFC 4271 9.1.2.2 (c): MED is deterministic, though each of three beats another', async t => {
  const given: Given[] = [
    { ...sequence(1), multiExitDisc: 10, from: { bgpIdentifier: 3 } },
    { ...sequence(2), multiExitDisc: 0, from: { bgpIdentifier: 2 } },
    { ...sequence(1), multiExitDisc: 20, from: { bgpIdentifier: 1 } },
  ]
  for (const order of [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ])
    t.same(select(given, order), [1])
})

t.test('property: the order of arrival does not matter, and the RFC’s own order of steps gives the same', async () => {
  fc.assert(
    fc.property(anyPaths, fc.infiniteStream(fc.nat()), few(4), fc.boolean(), (given, random, maximumPaths, relax) => {
      const order = given
        .map((_, index) => ({ index, at: random.next().value ?? 0 }))
        .toSorted((a, b) => a.at - b.at)
        .map(({ index }) => index)
      assert.deepEqual(select(given, order, { maximumPaths, relax }), reference(given, maximumPaths, relax))
    }),
    { numRuns: 2000 },
  )
})

t.test('RFC 4271 9.1.2: paths that must not be used take no part', async t => {
  const rib = new LocRib<RouteSource>()
  const [one, two] = [new Announcer(rib, source(1)), new Announcer(rib, source(2))]
  one.announce(PREFIX, { localPref: 900 }, 0, undefined, false)
  const { paths, prefix } = rowOf(rib, PREFIX)
  t.equal(paths.best(prefix), 0)
  t.same(paths.selected(prefix), [])
  two.announce(PREFIX, { localPref: 1 })
  t.equal(paths.sourceNumber(paths.best(prefix)), two.adjRibIn.source)
  t.equal(paths.flags(paths.best(prefix)), PathFlag.Selected)
  t.equal(paths.selected(prefix).length, 1)
})
