import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { PathFlag } from '@typemetal/bgp/rib'
import { encodePathAttributes, type PathAttributes } from '@typemetal/bgp/wire'
import { formatPrefix } from '../dist/address.js'
import { exportAttributes, exportNextHop, isExportable, type ExportSession } from '../dist/export.js'
import type { RoleName } from '../dist/fsm/index.js'
import { PREFIX, Scene } from './export-scene.js'
import { toHex } from './octets.js'
import { FAMILIES, HOP4, HOP6 } from './rib-scene.js'

const few = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max })
const anyUnusual: fc.Arbitrary<PathAttributes> = fc.record(
  {
    origin: fc.constantFrom(0 as const, 1 as const, 2 as const),
    asPath: fc.array(
      fc.record({
        type: fc.constantFrom(2 as const, 2 as const, 1 as const, 3 as const),
        asns: fc.array(fc.constantFrom(1, 2, 64_999, 100_000), { minLength: 1, maxLength: 3 }),
      }),
      { maxLength: 2 },
    ),
    multiExitDisc: few(3),
    localPref: few(300),
    originatorId: few(9),
    clusterList: fc.array(few(9), { minLength: 1, maxLength: 2 }),
    aigp: fc.constantFrom(1n, 5n),
    onlyToCustomer: few(9),
    communities: fc.array(fc.constantFrom(1, 2, 0xffff_0000, 0xffff_0006, 0xffff_ff01, 0xffff_ff02, 0xffff_ff03), {
      minLength: 1,
      maxLength: 2,
    }),
    extendedCommunities: fc.array(
      fc.constantFrom(0, 0x40, 0x43).map(type => ({ type, subtype: 2, value: new Uint8Array(6).fill(type) })),
      { minLength: 1, maxLength: 2 },
    ),
    unknown: fc.constantFrom(0x80, 0xc0).map(flags => [{ code: 99, flags, value: new Uint8Array([1, 2]) }]),
  },
  { requiredKeys: ['origin', 'asPath'], noNullPrototype: true },
)
/** What goes from octets to octets, for the most part. */
const anyRoute = fc.oneof(
  {
    weight: 2,
    arbitrary: anyUnusual.map(({ origin, multiExitDisc = 1, localPref = 100 }) => ({
      origin: origin!,
      asPath: [],
      multiExitDisc,
      localPref,
    })),
  },
  { weight: 1, arbitrary: anyUnusual },
)
const anySession = fc.record(
  {
    internal: fc.boolean(),
    propagate: fc.constantFrom(true, true, false),
    fourOctetAs: fc.constantFrom(true, true, false),
    reflectorClient: fc.boolean(),
    nextHop: fc.constantFrom('self' as const, 'unchanged' as const),
    longLived: fc.boolean(),
    aigp: fc.boolean(),
    special: fc.constantFrom('none', 'none', 'none', 'removePrivateAs', 'gracefulShutdown', 'routeServerClient'),
    role: fc.constantFrom<RoleName>('provider', 'customer', 'peer', 'rs', 'rs-client'),
  },
  { requiredKeys: ['internal', 'propagate', 'fourOctetAs', 'reflectorClient', 'special', 'longLived', 'aigp'] },
)
const anyStep = fc.record({
  who: fc.constantFrom('peer' as const, 'external', 'external', 'second', 'internal', 'local'),
  what: fc.constantFrom('announce', 'announce', 'announce', 'withdraw', 'drain', 'long'),
  prefix: fc.constantFrom(PREFIX, '10.0.0.0/8', '2001:db8::/32'),
  attributes: anyRoute,
})

/** What the peer of a scene should know, by the functions of export.ts on the paths of its Loc-RIB. */
function expected({ rib, session: to, peer }: Scene): Map<string, string> {
  const wanted = new Map<string, string>()
  for (const [family, prefix] of rib.prefixes()) {
    const paths = rib.family(family)
    const best = paths.best(prefix)
    if (paths.sourceNumber(best) === peer.adjRibIn.source) continue
    const from = paths.sourceOf(best)
    const stored = rib.attributes.attributes(paths.attributes(best))
    const stale = paths.flags(best) & PathFlag.LongLivedStale && !stored.communities?.includes(0xffff_0006)
    const attributes = stale ? { ...stored, communities: [...(stored.communities ?? []), 0xffff_0006] } : stored
    if (!isExportable(attributes, from, to)) continue
    const nextHop = exportNextHop(family, rib.attributes.nextHop(paths.attributes(best)), from, to)!
    const final = exportAttributes(attributes, from, to, { multiExitDisc: from.local === true })
    const octets = encodePathAttributes(final, { fourOctetAs: true, internal: true })
    wanted.set(`${formatPrefix(family, paths.prefixes.nlri(prefix))} 0`, `${toHex(nextHop)} ${toHex(octets)}`)
  }
  return wanted
}

t.test('property: whatever is announced, the peer knows what the rules make of the best paths', async () => {
  fc.assert(
    fc.property(anySession, fc.array(anyStep, { maxLength: 25 }), ({ special, role, ...given }, steps) => {
      const external = !given.internal
      const to: Partial<ExportSession> = {
        ...given,
        ...(special !== 'none' && (external || special !== 'routeServerClient') && { [special]: true }),
        ...(role && external && steps.length % 3 === 0 && { role }),
      }
      const scene = new Scene({ to })
      for (const { who, what, prefix, attributes } of steps) {
        const announcer = scene[who]
        const { originatorId: _o, clusterList: _c, ...outside }: PathAttributes = attributes
        // Only internal peers say who has reflected a route.
        if (what === 'announce')
          announcer.announce(prefix, who === 'internal' ? attributes : outside, 0, prefix.includes(':') ? HOP6 : HOP4)
        else if (what === 'withdraw') announcer.withdraw(prefix)
        else if (what === 'drain') scene.told()
        else {
          for (const family of FAMILIES) announcer.adjRibIn.markStale(family)
          for (const family of FAMILIES) announcer.adjRibIn.markLongLivedStale(family)
        }
      }
      scene.told()
      assert.deepEqual(new Set(scene.mirror.routes.keys()), new Set(expected(scene).keys()))
      if (scene.session.fourOctetAs) assert.deepEqual(scene.mirror.octets(), expected(scene))
      assert.deepEqual(scene.failures, [])
      scene.close()
    }),
    { numRuns: 800 },
  )
})
