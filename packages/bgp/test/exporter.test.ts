import t from 'tap'
import type { AsPath, PathAttributes } from '@typemetal/bgp/wire'
import { parsePrefix } from '../dist/address.js'
import type { PolicyRoute } from '../dist/policy.js'
import { PREFIX, Scene } from './export-scene.js'
import { toHex } from './octets.js'
import { HOP4, HOP6, SELF, sequence } from './rib-scene.js'

const KEY = `${PREFIX} 0`
const seq = (...asns: number[]): AsPath => [{ type: 2, asns }]

t.test('RFC 4271 section 9.1.3: the best path is told, but not to the peer that it came from', async t => {
  const scene = new Scene()
  scene.external.announce(PREFIX, sequence(1, 2))
  t.match(scene.attributes(KEY), { asPath: seq(64_512, 1, 2) })
  scene.second.announce(PREFIX, sequence(7))
  t.match(scene.attributes(KEY), { asPath: seq(64_512, 7) })
  scene.peer.announce(PREFIX, { asPath: [] })
  t.equal(scene.told().size, 0, 'withdrawn, for the peer itself has the best')
  scene.peer.withdraw(PREFIX)
  t.match(scene.attributes(KEY), { asPath: seq(64_512, 7) })
  t.ok(scene.told().get(KEY)?.startsWith(toHex(SELF['ipv4-unicast'])))
  scene.close()
})

t.test('RFC 7911 section 3: all usable paths are told, and each change of any of them', async t => {
  const scene = new Scene({ addPath: ['ipv4-unicast'] })
  const paths = (): unknown[] =>
    [...scene.told()].map(([, value]) => (JSON.parse(value.slice(9)) as PathAttributes).asPath?.[0]?.asns)
  scene.external.announce(PREFIX, sequence(1))
  scene.second.announce(PREFIX, sequence(1, 2))
  scene.peer.announce(PREFIX, sequence(3))
  t.same(paths(), [
    [64_512, 1],
    [64_512, 1, 2],
  ])
  scene.second.announce(PREFIX, sequence(1, 2, 3))
  t.same(
    paths(),
    [
      [64_512, 1],
      [64_512, 1, 2, 3],
    ],
    'one behind the best has changed',
  )
  scene.second.announce(PREFIX, sequence(1, 2, 3), 0, undefined, false)
  t.same(paths(), [[64_512, 1]], 'it must not be used any longer')
  scene.second.announce(PREFIX, sequence(1, 2, 3))
  t.equal(paths().length, 2)
  scene.second.withdraw(PREFIX)
  t.same(paths(), [[64_512, 1]])
  scene.set({ prefix: PREFIX, pathId: 4 }, { prefix: PREFIX, pathId: 5, asPath: [9] })
  t.same([...scene.told().keys()].filter(key => !key.endsWith(' 4') && !key.endsWith(' 5')).length, 1)
  t.same(scene.attributes(`${PREFIX} 5`)?.asPath, seq(64_512, 9))
  scene.local.announce(PREFIX, sequence(77), 5)
  t.same(
    scene.attributes(`${PREFIX} 5`)?.asPath,
    seq(64_512, 9),
    'the peer’s own route hides one with the same Path Identifier',
  )
  scene.told()
  const count = scene.mirror.updates.length
  const { family, nlri } = parsePrefix(PREFIX)
  scene.out.changed(family, scene.rib.family(family).prefixes.find(nlri))
  scene.told()
  t.equal(scene.mirror.updates.length, count, 'and nothing is told twice')
  scene.close()
})

t.test('Routes for one peer alone come before those of all', async t => {
  const scene = new Scene({ to: { internal: true } })
  scene.local.announce(PREFIX, { localPref: 5 })
  scene.set({ prefix: PREFIX, localPref: 6, communities: ['no-export'] })
  t.match(scene.attributes(KEY), { localPref: 6, communities: [0xffff_ff01] })
  scene.own.replace([])
  t.match(scene.attributes(KEY), { localPref: 5 })
  scene.close()
})

t.test('RFC 6793 section 4.2.2: AS_TRANS, AS4_PATH and AS4_AGGREGATOR to a peer with 2-octet AS numbers', async t => {
  const scene = new Scene({ to: { fourOctetAs: false, asn: 200_000 } })
  scene.external.announce(PREFIX, { ...sequence(5, 100_000), aggregator: { asn: 300_000, bgpIdentifier: 1 } })
  t.match(scene.attributes(KEY), {
    asPath: seq(23_456, 5, 23_456),
    as4Path: seq(200_000, 5, 100_000),
    aggregator: { asn: 23_456, bgpIdentifier: 1 },
    as4Aggregator: { asn: 300_000, bgpIdentifier: 1 },
  })
  scene.close()
  const short = new Scene({ to: { fourOctetAs: false } })
  short.external.announce(PREFIX, { ...sequence(5, 6), aggregator: { asn: 7, bgpIdentifier: 1 } })
  const told = short.attributes(KEY)
  t.same(told?.asPath, seq(64_512, 5, 6))
  t.match([told?.as4Path, told?.as4Aggregator], [undefined, undefined], 'only where they are needed')
  short.close()
  const member = new Scene({ to: { fourOctetAs: false, confederation: true, confederationIdentifier: 65_000 } })
  member.external.announce(PREFIX, sequence(100_000))
  t.match(
    member.attributes(KEY),
    {
      asPath: [
        { type: 3, asns: [64_512] },
        { type: 2, asns: [23_456] },
      ],
      as4Path: seq(100_000),
    },
    'section 3: no confederation segments in AS4_PATH',
  )
  member.close()
})

t.test('RFC 9494 section 4.3: a long-lived stale path has LLGR_STALE, and goes to those who know it', async t => {
  for (const longLived of [true, false]) {
    const scene = new Scene({ to: { longLived } })
    scene.external.announce(PREFIX)
    t.equal(scene.attributes(KEY)?.communities, undefined)
    scene.external.adjRibIn.markStale('ipv4-unicast')
    t.equal(scene.attributes(KEY)?.communities, undefined)
    scene.external.adjRibIn.markLongLivedStale('ipv4-unicast')
    t.same(scene.attributes(KEY)?.communities, longLived ? [0xffff_0006] : undefined)
    t.equal(scene.told().size, longLived ? 1 : 0)
    scene.external.announce(PREFIX)
    t.ok(scene.told().has(KEY))
    t.equal(scene.attributes(KEY)?.communities, undefined, 'said again')
    scene.close()
  }
})

t.test('RFC 8950 section 4: a next hop of the other family goes to those who take it', async t => {
  const extended = new Scene({ to: { nextHop: 'unchanged' }, extendedNextHop: ['ipv4-unicast'] })
  extended.external.announce(PREFIX, {}, 0, HOP6)
  t.ok(extended.told().get(KEY)?.startsWith(toHex(HOP6)))
  extended.close()
  const plain = new Scene({ to: { nextHop: 'unchanged' } })
  plain.external.announce(PREFIX, {}, 0, HOP6)
  plain.external.announce('198.51.100.0/24')
  t.same([...plain.told().keys()], ['198.51.100.0/24 0'])
  plain.close()
})

t.test('RFC 1997: what is remembered of a set does not outlive it', async t => {
  const scene = new Scene()
  scene.external.announce(PREFIX, { communities: [1] })
  t.equal(scene.told().size, 1)
  scene.external.withdraw(PREFIX)
  t.equal(scene.told().size, 0)
  scene.external.announce(PREFIX, { communities: [0xffff_ff01] })
  t.equal(scene.told().size, 0, 'NO_EXPORT, in the row of the set before')
  scene.external.announce(PREFIX, { communities: [2] })
  t.equal(scene.told().size, 1)
  scene.close()
})

t.test(
  'RFC 4271 section 5.1.3: without an address of our own nothing of the family is told, and that is said',
  async t => {
    const scene = new Scene({ to: { nextHopSelf: family => (family === 'ipv4-unicast' ? SELF[family] : undefined) } })
    scene.external.announce('2001:db8::/32')
    scene.external.announce(PREFIX)
    t.same([...scene.told().keys()], [KEY])
    t.same([...new Set(scene.noNextHop)], ['ipv6-unicast'])
    scene.close()
  },
)

t.test('RFC 4271 section 9.1.3: policy rejects, changes, and sees where a route is from', async t => {
  const seen: PolicyRoute[] = []
  const scene = new Scene({
    to: { internal: true },
    policy: route => {
      seen.push(route)
      if (route.prefix === '10.0.0.0/8') return false
      if (route.prefix === PREFIX) return { localPref: 7, multiExitDisc: 8, communities: [9], nextHop: '10.1.1.1' }
      return route.prefix === '11.0.0.0/8' ? { nextHop: 'self' } : true
    },
  })
  for (const prefix of [PREFIX, '10.0.0.0/8', '11.0.0.0/8', '12.0.0.0/8'])
    scene.external.announce(prefix, { communities: [1] })
  scene.set({ prefix: '13.0.0.0/8', pathId: 3 })
  t.match(scene.attributes(KEY), { localPref: 7, multiExitDisc: 8, communities: [9] })
  const hops = [...scene.told()].map(([key, value]) => `${key.split('/')[0]} ${value.split(' ')[0]}`)
  const self = toHex(SELF['ipv4-unicast'])
  t.same(
    new Set(hops),
    new Set(['192.0.2.0 0a010101', `11.0.0.0 ${self}`, `12.0.0.0 ${toHex(HOP4)}`, `13.0.0.0 ${self}`]),
  )
  t.same(
    [...new Set(seen.map(({ prefix, pathId, nextHop }) => `${prefix} ${pathId} ${nextHop}`))].filter(text =>
      /^1[23]/.test(text),
    ),
    ['12.0.0.0/8 undefined 10.0.0.9', '13.0.0.0/8 3 self'],
  )
  scene.close()
  const external = new Scene({ policy: () => ({ multiExitDisc: 4, localPref: 5 }) })
  external.external.announce(PREFIX, { multiExitDisc: 3 })
  const attributes = external.attributes(KEY)
  t.equal(attributes?.multiExitDisc, 4, 'a MULTI_EXIT_DISC of our policy goes to external peers')
  t.equal(attributes?.localPref, undefined)
  external.close()
  const none = new Scene({ policy: 'reject' })
  none.external.announce(PREFIX)
  none.set({ prefix: '10.0.0.0/8' })
  t.equal(none.told().size, 0)
  none.close()
})

t.test('a policy that throws hides the route, takes back what was told of it, and harms no other', async t => {
  let throws = false
  const scene = new Scene({
    policy: ({ prefix }) => {
      if (throws && prefix === PREFIX) throw new Error('mine')
      return prefix === '10.0.0.0/8' && throws ? { nextHop: 'nowhere' } : true
    },
  })
  const prefixes = [PREFIX, '10.0.0.0/8', '11.0.0.0/8', '2001:db8::/32']
  for (const prefix of prefixes) scene.external.announce(prefix)
  t.equal(scene.told().size, 4)
  throws = true
  for (const prefix of prefixes) scene.external.announce(prefix, sequence(5))
  t.same([...scene.told().keys()].toSorted(), ['11.0.0.0/8 0', '2001:db8::/32 0'])
  t.match(scene.failures, [{ message: 'mine' }, RangeError])
  throws = false
  for (const prefix of prefixes) scene.external.announce(prefix, sequence(6))
  t.equal(scene.told().size, 4)
  scene.close()
})

t.test('RFC 8654: attributes that grow beyond what can be kept are not told', async t => {
  const scene = new Scene({ to: { gracefulShutdown: true } })
  const unknown = [{ code: 99, flags: 0xc0, value: new Uint8Array(65_510) }]
  scene.external.announce(PREFIX)
  t.equal(scene.told().size, 1)
  scene.external.announce(PREFIX, { unknown })
  t.equal(scene.told().size, 0)
  t.ok(scene.oversized > 0)
  scene.close()
})
