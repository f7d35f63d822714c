import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { LocRib, PathFlag } from '@typemetal/bgp/rib'
import { formatPrefix } from '../dist/address.js'
import type { RouteSource } from '../dist/route-source.js'
import { anyGiven, reference, type Given } from './rib-reference.js'
import { Announcer, assertEmpty, FAMILIES, rowOf, sequence, source } from './rib-scene.js'

const PREFIX = '192.0.2.0/24'
const PREFIX6 = '2001:db8::/32'

/** A Loc-RIB with three peers, and what its listeners are told of selected paths. */
class Scene {
  readonly rib: LocRib<RouteSource>
  readonly peers: readonly Announcer<RouteSource>[]
  readonly #told: string[] = []

  constructor(options = {}) {
    this.rib = new LocRib<RouteSource>(options)
    this.peers = [1, 2, 3].map(number => new Announcer(this.rib, source(number)))
    this.rib.subscribe((family, prefix, selected) => {
      if (selected) this.#told.push(`${family} ${this.rib.family(family).prefixes.length(prefix)}`)
    })
  }

  /** What listeners were told since the last time. */
  told(): string[] {
    return this.#told.splice(0)
  }

  /** Numbers of the peers whose paths are selected. */
  selected(text = PREFIX): number[] {
    const { paths, prefix } = rowOf(this.rib, text)
    const found = paths.selected(prefix).map(path => paths.sourceOf(path).bgpIdentifier)
    paths.prefixes.sweep(prefix)
    return found
  }
}

t.test('RFC 4271 9.1: the Loc-RIB says when the selected paths change, and only then', async t => {
  const scene = new Scene({ maximumPaths: 2 })
  const [a, b, c] = scene.peers as [Announcer<RouteSource>, Announcer<RouteSource>, Announcer<RouteSource>]
  const one = ['ipv4-unicast 24']
  a.announce(PREFIX)
  t.same(scene.told(), one)
  a.announce(PREFIX)
  t.same(scene.told(), [], 'the same again')
  b.withdraw(PREFIX)
  t.same(scene.told(), [], 'never there')
  b.announce(PREFIX, { localPref: 50 })
  t.same(scene.told(), [], 'not selected')
  b.announce(PREFIX, { localPref: 51 })
  t.same(scene.told(), [], 'still not selected')
  t.same(scene.selected(), [1])
  b.announce(PREFIX)
  t.same(scene.told(), one, 'selected beside')
  t.same(scene.selected(), [1, 2])
  c.announce(PREFIX)
  t.same(scene.told(), [], 'one more than may be used')
  a.announce(PREFIX, {}, 0, undefined, false)
  t.same(scene.told(), one, 'rejected from now on')
  t.same(scene.selected(), [2, 3])
  a.withdraw(PREFIX)
  t.same(scene.told(), [], 'which nobody used')
  b.withdraw(PREFIX)
  t.same(scene.told(), one)
  c.announce(PREFIX, { localPref: 7 })
  t.same(scene.told(), one, 'other attributes')
  c.withdraw(PREFIX)
  t.same(scene.told(), one, 'the last one')
  t.same(scene.selected(), [])
  t.equal(scene.rib.size, 0)
  assertEmpty(scene.rib)
})

t.test('Loc-RIB: whoever has unsubscribed is not told', async t => {
  const { rib, peers } = new Scene()
  let count = 0
  const unsubscribe = rib.subscribe(() => count++)
  peers[0]!.announce(PREFIX)
  unsubscribe()
  peers[0]!.withdraw(PREFIX)
  t.equal(count, 1)
})

t.test('RFC 7911 3: several paths of one peer by Path Identifier', async t => {
  const scene = new Scene({ maximumPaths: 4 })
  const [a] = scene.peers as [Announcer<RouteSource>]
  a.announce(PREFIX, { localPref: 1 }, 1)
  a.announce(PREFIX, { localPref: 2 }, 2)
  a.announce(PREFIX, { localPref: 3 }, 0)
  const { paths, prefix } = rowOf(scene.rib, PREFIX)
  t.equal(a.adjRibIn.size(), 3)
  t.equal(paths.size, 3)
  t.equal(paths.pathId(paths.best(prefix)), 0)
  a.withdraw(PREFIX, 0)
  t.equal(paths.pathId(paths.best(prefix)), 2)
  a.withdraw(PREFIX, 7)
  t.equal(a.adjRibIn.size(), 2)
  a.announce(PREFIX, { localPref: 9 }, 1)
  t.equal(paths.pathId(paths.best(prefix)), 1)
  t.equal(a.adjRibIn.size(), 2, 'replaced')
  const path = paths.find(a.adjRibIn.source, prefix, 1)
  t.equal(path, paths.best(prefix))
  t.equal(paths.prefixOf(path), prefix)
  t.equal(paths.sourceNumber(path), a.adjRibIn.source)
  t.equal(paths.received(path), paths.attributes(path))
  a.adjRibIn.clear()
  assertEmpty(scene.rib)
})

t.test('RFC 4724 4.2: stale paths go unless they are said again', async t => {
  const scene = new Scene()
  const [a, b] = scene.peers as [Announcer<RouteSource>, Announcer<RouteSource>]
  a.announce(PREFIX)
  a.announce('198.51.100.0/25')
  a.announce(PREFIX6)
  b.announce(PREFIX, { localPref: 1 })
  scene.told()
  a.adjRibIn.markStale('ipv4-unicast')
  t.same(scene.told(), [], 'they are used all the same')
  t.same(scene.selected(), [1])
  a.announce(PREFIX)
  t.same(scene.told(), [], 'said again')
  a.adjRibIn.deleteStale('ipv4-unicast')
  t.same(scene.told(), ['ipv4-unicast 25'])
  t.same(scene.selected(), [1])
  t.same(scene.selected('198.51.100.0/25'), [])
  t.equal(a.adjRibIn.size('ipv4-unicast'), 1)
  t.equal(a.adjRibIn.size('ipv6-unicast'), 1, 'the other family is left alone')
  a.adjRibIn.deleteStale('ipv4-unicast')
  t.same(scene.told(), [])
})

t.test('RFC 9494 4.3: long-lived stale paths come last, NO_LLGR ones go, and being said again ends it', async t => {
  const scene = new Scene()
  const [a, b] = scene.peers as [Announcer<RouteSource>, Announcer<RouteSource>]
  a.announce(PREFIX)
  a.announce('198.51.100.0/25', { communities: [0xffff_0007] })
  b.announce(PREFIX, { localPref: 1 })
  scene.told()
  a.adjRibIn.markLongLivedStale('ipv4-unicast')
  t.same(scene.told(), [], 'only what is stale already')
  a.adjRibIn.markStale('ipv4-unicast')
  a.adjRibIn.markLongLivedStale('ipv4-unicast')
  t.same(scene.told(), ['ipv4-unicast 24', 'ipv4-unicast 25'])
  t.same(scene.selected(), [2])
  t.equal(a.adjRibIn.size(), 1)
  b.withdraw(PREFIX)
  t.same(scene.told(), ['ipv4-unicast 24'])
  t.same(scene.selected(), [1], 'better than none')
  const { paths, prefix } = rowOf(scene.rib, PREFIX)
  t.equal(paths.flags(paths.best(prefix)), PathFlag.Selected | PathFlag.Stale | PathFlag.LongLivedStale)
  a.announce(PREFIX)
  t.same(scene.told(), ['ipv4-unicast 24'], 'it is told without LLGR_STALE now')
  t.equal(paths.flags(paths.best(prefix)), PathFlag.Selected)
  a.adjRibIn.deleteStale('ipv4-unicast')
  t.same(scene.selected(), [1])
})

t.test('RFC 4271 9.1.2.2 (c): a path that was not used decides by its MED all the same, and by going', async t => {
  const rib = new LocRib<RouteSource>()
  const far = new Announcer(rib, source(9))
  const between = new Announcer(rib, source(5, { internal: true }))
  const near = new Announcer(rib, source(1))
  far.announce(PREFIX, sequence(2))
  between.announce(PREFIX, { ...sequence(1), multiExitDisc: 0 })
  near.announce(PREFIX, { ...sequence(1), multiExitDisc: 10 })
  const { paths, prefix } = rowOf(rib, PREFIX)
  const best = (): number => paths.sourceNumber(paths.best(prefix))
  t.equal(best(), far.adjRibIn.source)
  between.withdraw(PREFIX)
  t.equal(best(), near.adjRibIn.source)
})

t.test('Adj-RIB-In: sizes, clearing by family, closing; its number is given to the next peer', async t => {
  const { rib, peers } = new Scene()
  const [a, b] = peers as [Announcer<RouteSource>, Announcer<RouteSource>]
  for (let i = 0; i < 300; i++) {
    a.announce(`10.0.${i >> 8}.${i & 255}/32`, sequence(i + 1))
    b.announce(`10.0.${i >> 8}.${i & 255}/32`, sequence(i + 1, 1))
  }
  a.announce(PREFIX6)
  t.equal(rib.size, 301)
  t.same([a.adjRibIn.size(), a.adjRibIn.size('ipv4-unicast'), a.adjRibIn.size('ipv6-unicast')], [301, 300, 1])
  t.equal([...a.adjRibIn.paths('ipv4-unicast')].length, 300)
  a.adjRibIn.clear('ipv4-unicast')
  t.same([a.adjRibIn.size('ipv4-unicast'), a.adjRibIn.size('ipv6-unicast')], [0, 1])
  t.equal(b.adjRibIn.size(), 300)
  t.equal(rib.size, 301, 'the other peer has them all')
  const number = a.adjRibIn.source
  a.adjRibIn.close()
  t.equal(new Announcer(rib, source(7)).adjRibIn.source, number)
  b.adjRibIn.close()
  assertEmpty(rib)
})

t.test('Adj-RIB-In: a peer that comes back with another identifier', async t => {
  const { rib, peers } = new Scene()
  peers[0]!.adjRibIn.identify(source(8))
  peers[0]!.announce(PREFIX)
  peers[1]!.announce(PREFIX)
  const { paths, prefix } = rowOf(rib, PREFIX)
  t.equal(paths.sourceOf(paths.best(prefix)).bgpIdentifier, 2)
})

interface ModelPath {
  readonly prefix: string
  given: Given
  readonly used: boolean
  marked: boolean
}

/** What the peers have announced, as values. */
class Model {
  readonly paths = new Map<string, ModelPath>()

  /** The selected paths by prefix, as their attributes and where they come from. */
  selected(options: { maximumPaths: number; relax: boolean }): Map<string, string> {
    const found = new Map<string, string>()
    for (const prefix of new Set([...this.paths.values()].map(path => path.prefix))) {
      const all = [...this.paths].filter(([, path]) => path.prefix === prefix && path.used)
      const numbers = reference(
        all.map(([, { given }]) => given),
        options.maximumPaths,
        options.relax,
      )
      const text = numbers.map(number => `${all[number]![0]} ${describe(all[number]![1].given)}`)
      if (text.length > 0) found.set(prefix, text.join('\n'))
    }
    return found
  }
}

const describe = (given: Given): string =>
  JSON.stringify(given, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))

const PREFIXES = [PREFIX, PREFIX6]
const anyStep = fc.record({
  what: fc.oneof(
    { weight: 6, arbitrary: fc.constant('announce' as const) },
    { weight: 3, arbitrary: fc.constant('withdraw' as const) },
    { weight: 2, arbitrary: fc.constantFrom('reject' as const, 'stale', 'sweep', 'long', 'clear') },
  ),
  peer: fc.constantFrom(0, 0, 1, 1, 2, 3, 3, 4),
  prefix: fc.constantFrom(...PREFIXES),
  given: anyGiven,
})
/** Sources of all kinds; each with an address of its own. */
const SOURCES = [
  source(5),
  source(3, { internal: true }),
  source(2, { confederation: true }),
  source(1),
  source(4, { local: true }),
]

t.test('property: listeners are told exactly when the selected paths change, whatever the peers do', async () => {
  const anyOptions = fc.record({ maximumPaths: fc.constantFrom(1, 1, 2, 64), relax: fc.boolean() })
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 40 }), anyOptions, (steps, options) => {
      const rib = new LocRib<RouteSource>(options)
      const told = new Set<string>()
      rib.subscribe((family, prefix, selected) => {
        if (selected) told.add(formatPrefix(family, rib.family(family).prefixes.nlri(prefix)))
      })
      const peers = SOURCES.map(one => new Announcer(rib, one))
      const model = new Model()
      for (const { what, peer, prefix, given } of steps) {
        const before = model.selected(options)
        told.clear()
        const announcer = peers[peer]!
        const mine = (): [string, ModelPath][] => [...model.paths].filter(([key]) => key.startsWith(`${peer} `))
        // Ties between several paths of one peer are broken by no rule of the RFC.
        const key = `${peer} ${prefix}`
        switch (what) {
          case 'announce':
          case 'reject': {
            const { from: _from, stale: _stale, ...values } = given
            announcer.announce(prefix, values, 0, undefined, what === 'announce')
            model.paths.set(key, {
              prefix,
              given: { ...values, from: SOURCES[peer]! },
              used: what === 'announce',
              marked: false,
            })
            break
          }
          case 'withdraw':
            announcer.withdraw(prefix)
            model.paths.delete(key)
            break
          case 'stale':
            for (const family of FAMILIES) announcer.adjRibIn.markStale(family)
            for (const [, path] of mine()) path.marked = true
            break
          case 'long':
            for (const family of FAMILIES) announcer.adjRibIn.markLongLivedStale(family)
            for (const [, path] of mine()) if (path.marked) path.given = { ...path.given, stale: true }
            break
          case 'sweep':
            for (const family of FAMILIES) announcer.adjRibIn.deleteStale(family)
            for (const [one, path] of mine()) if (path.marked) model.paths.delete(one)
            break
          default:
            announcer.adjRibIn.clear()
            for (const [one] of mine()) model.paths.delete(one)
        }
        const after = model.selected(options)
        for (const one of PREFIXES) {
          assert.equal(told.has(one), before.get(one) !== after.get(one), `${what} of ${peer}: ${one}`)
          const { paths, prefix: row } = rowOf(rib, one)
          const found = paths.selected(row).map(path => paths.sourceNumber(path))
          const wanted = (after.get(one) ?? '')
            .split('\n')
            .filter(Boolean)
            .map(line => peers[Number(line[0])]!.adjRibIn.source)
          assert.deepEqual(found, wanted)
          paths.prefixes.sweep(row)
        }
        assert.equal(rib.size, after.size)
        assert.equal(
          peers.reduce((sum, { adjRibIn }) => sum + adjRibIn.size(), 0),
          model.paths.size,
        )
      }
      for (const { adjRibIn } of peers) adjRibIn.close()
      assertEmpty(rib)
    }),
    { numRuns: 1000 },
  )
})
