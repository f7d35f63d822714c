/** Routes for one peer alone: a whole list does what its routes one by one would do, and nothing is left behind. */
import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { LocRib } from '@typemetal/bgp/rib'
import { OwnRoutes } from '../dist/own-routes.js'
import { parseRoute, parseRoutes, type Route } from '../dist/route.js'
import type { RouteSource } from '../dist/route-source.js'

const createRib = (): LocRib<RouteSource> => new LocRib<RouteSource>({ maximumPaths: 1, relax: false })

/** Prefix and Path Identifier → the set of attributes. */
function held(rib: LocRib<RouteSource>, own: OwnRoutes<RouteSource>): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  for (const family of ['ipv4-unicast', 'ipv6-unicast'] as const) {
    for (const prefix of own.prefixes(family)) {
      for (const [pathId, set] of own.get(family, prefix) ?? []) found.set(`${family} ${prefix} ${pathId}`, set)
    }
  }
  assert.equal(found.size, own.size)
  assert.ok(rib.attributes.size <= Math.max(1, found.size))
  return found
}

const route: fc.Arbitrary<Route> = fc.record(
  {
    prefix: fc.constantFrom('192.0.2.0/24', '192.0.3.0/24', '192.0.4.0/24', '2001:db8::/32'),
    pathId: fc.constantFrom(0, 1),
    nextHop: fc.constantFrom('self', '10.0.0.1', '2001:db8::1'),
    localPref: fc.constantFrom(100, 200),
    communities: fc.constantFrom([], ['64512:1'], ['64512:1', 'large:1:2:3'], ['large:1:2:3', '64512:1']),
    asPath: fc.constantFrom([], [64999]),
    attributes: fc.constantFrom(undefined, { atomicAggregate: true as const }),
  },
  { requiredKeys: ['prefix'] },
) as fc.Arbitrary<Route>

const isSendable = ({ prefix, nextHop = 'self' }: Route): boolean => !prefix.includes(':') || nextHop !== '10.0.0.1'

t.test('property: a list is as good as its routes one by one', async () => {
  const lists = fc.array(fc.array(route.filter(isSendable), { maxLength: 6 }), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(lists, all => {
      const rib = createRib()
      const changes: string[] = []
      const own = new OwnRoutes(rib, (family, prefix) => changes.push(`${family} ${prefix}`))
      const single = new OwnRoutes(rib, () => {})
      for (const list of all) {
        own.replace(parseRoutes(list))
        single.replace([])
        for (const one of list) single.set(parseRoute(one))
        assert.deepEqual(held(rib, own), held(rib, single))
        changes.length = 0
        const last = new Map(list.map(one => [`${one.prefix} ${one.pathId ?? 0}`, one]))
        own.replace(parseRoutes([...last.values()]))
        assert.deepEqual(changes, [], 'what is there already is no change')
      }
      own.replace([])
      single.replace([])
      assert.equal(rib.attributes.size, 0, 'no reference is left')
    }),
    { numRuns: 1000 },
  )
})

t.test('a list with a route that cannot be sent is refused before anything is changed', async t => {
  const rib = createRib()
  const own = new OwnRoutes(rib, () => {})
  own.replace(parseRoutes([{ prefix: '192.0.2.0/24' }]))
  t.throws(() => parseRoutes([{ prefix: '192.0.3.0/24' }, { prefix: '192.0.4.0/24', localPref: -1 }]), RangeError)
  t.equal(own.size, 1)
})
