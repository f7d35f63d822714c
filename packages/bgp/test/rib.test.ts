import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import {
  AdjRibIn,
  AdjRibOut,
  AttributeTable,
  keyFamily,
  keyNlri,
  LocRib,
  neighborAs,
  prefixKey,
  selectPaths,
  type AttributeSet,
  type Path,
  type PathSource,
  type PrefixKey,
} from '@typemetal/bgp/rib'
import {
  decodeMessage,
  familyName,
  updateChanges,
  type FamilyName,
  type PathAttributes,
  type UpdateMessage,
} from '@typemetal/bgp/wire'
import { anyNlri } from './messages.js'
import { hex, toHex } from './octets.js'

const CONTEXT = { fourOctetAs: true, internal: true }
const HOP4 = hex('0a000001')
const HOP6 = hex('20010db8000000000000000000000001')
const attributes = (localPref: number): PathAttributes => ({ origin: 0, asPath: [], localPref })

const key4 = (i: number): PrefixKey =>
  prefixKey('ipv4-unicast', { length: 32, prefix: Uint8Array.of(10, i >> 16, i >> 8, i) })
const key6 = (i: number): PrefixKey =>
  prefixKey('ipv6-unicast', { length: 48, prefix: Uint8Array.of(32, 1, 13, 184, i >> 8, i) })

t.test('property: a prefix key holds family and prefix', async () => {
  const any = fc.oneof(
    fc.tuple(fc.constant<FamilyName>('ipv4-unicast'), anyNlri(32)),
    fc.tuple(fc.constant<FamilyName>('ipv6-unicast'), anyNlri(128)),
  )
  fc.assert(
    fc.property(any, ([family, nlri]) => {
      const key = prefixKey(family, nlri)
      assert.equal(keyFamily(key), family)
      assert.deepEqual(keyNlri(key), nlri)
    }),
  )
})

t.test('AttributeTable: equal attributes are one object, for as long as somebody has it', async t => {
  const table = new AttributeTable()
  const one = table.intern({ ...attributes(100), communities: [1, 2] }, HOP4)
  const two = table.intern({ communities: [1, 2], ...attributes(100) }, HOP4.slice())
  t.equal(one, two)
  t.not(table.intern(attributes(100), HOP4), one)
  t.not(table.intern({ ...attributes(100), communities: [1, 2] }, HOP6), one, 'another next hop')
  t.equal(table.size, 3)
  table.release(one)
  table.retain(two)
  table.release(two)
  t.equal(table.size, 3)
  table.release(two)
  t.equal(table.size, 2)
})

t.test('AttributeTable: what it keeps is its own', async t => {
  const chunk = new Uint8Array(65_536)
  chunk.set(HOP4)
  const value = chunk.subarray(100, 104)
  const set = new AttributeTable().intern({ unknown: [{ code: 99, flags: 0xc0, value }] }, chunk.subarray(0, 4))
  t.same(set.nextHop, HOP4)
  t.ok(set.nextHop.buffer.byteLength < 100)
  t.ok((set.attributes.unknown?.[0]?.value.buffer.byteLength ?? 0) < 100)
})

t.test('RFC 4271 3.2: Adj-RIB-In replaces and withdraws', async t => {
  const rib = new AdjRibIn()
  const first = rib.announce([key4(1), key4(2)], attributes(1), HOP4)
  t.equal(rib.get(key4(1)), first)
  const second = rib.announce([key4(1)], attributes(2), HOP4)
  t.equal(rib.get(key4(1)), second)
  t.equal(rib.size, 2)
  t.ok(rib.withdraw(key4(1)))
  t.notOk(rib.withdraw(key4(1)))
  t.same([...rib], [[key4(2), first]])
  t.same([...rib.keys()], [key4(2)])
})

/** All that waits, decoded. */
function drain(out: AdjRibOut): UpdateMessage[] {
  const updates: UpdateMessage[] = []
  for (let octets = out.next(); octets; octets = out.next()) {
    assert.ok(octets.length <= 4096)
    updates.push(decodeMessage(octets, CONTEXT) as UpdateMessage)
  }
  return updates
}

t.test('RFC 4271 9.2, 4760: Adj-RIB-Out packs by shared attributes, IPv6 in MP_REACH_NLRI', async t => {
  const out = new AdjRibOut(CONTEXT)
  for (let i = 0; i < 3; i++) out.set(key4(i), attributes(100), HOP4)
  out.set(key4(9), attributes(200), HOP4)
  for (let i = 0; i < 2; i++) out.set(key6(i), attributes(100), HOP6)
  t.equal(out.size, 0)
  t.equal(out.wantedSize, 6)
  const updates = drain(out)
  t.equal(updates.length, 3)
  t.match(updates[0], { pathAttributes: { localPref: 100, asPath: [], origin: 0 }, nlri: { length: 3 } })
  t.equal(toHex(updates[0]?.pathAttributes.nextHop ?? HOP6), toHex(HOP4))
  t.match(updates[1], { pathAttributes: { localPref: 200 }, nlri: { length: 1 } })
  t.match(updates[2], {
    pathAttributes: { mpReachNlri: { afi: 2, safi: 1, nlri: { length: 2 } } },
    nlri: { length: 0 },
  })
  t.equal(updates[2]?.pathAttributes.nextHop, undefined)
  t.equal(out.size, 6)
  t.equal(out.next(), undefined)
})

t.test('Adj-RIB-Out: withdrawals first, and only of what was told', async t => {
  const out = new AdjRibOut(CONTEXT)
  out.set(key4(1), attributes(1), HOP4)
  out.set(key6(1), attributes(1), HOP6)
  out.delete(key4(1))
  t.equal(drain(out).length, 1, 'never sent, never withdrawn')
  out.set(key4(1), attributes(1), HOP4)
  drain(out)
  out.set(key4(2), attributes(1), HOP4)
  out.delete(key4(1))
  out.delete(key6(1))
  out.delete(key4(77))
  const updates = drain(out)
  t.match(updates, [
    { withdrawnRoutes: { length: 1 }, nlri: { length: 0 } },
    { pathAttributes: { mpUnreachNlri: { withdrawnRoutes: { length: 1 } } } },
    { nlri: { length: 1 } },
  ])
  t.equal(updates.length, 3)
})

t.test('Adj-RIB-Out: what changes back before it was sent is not sent', async t => {
  const out = new AdjRibOut(CONTEXT)
  out.set(key4(1), attributes(1), HOP4)
  drain(out)
  out.set(key4(1), attributes(2), HOP4)
  out.set(key4(1), attributes(1), HOP4)
  out.delete(key4(1))
  out.set(key4(1), attributes(1), HOP4)
  t.same(drain(out), [])
  out.set(key4(1), attributes(2), HOP4)
  t.match(drain(out), [{ pathAttributes: { localPref: 2 } }], 'one UPDATE replaces, no withdrawal')
})

t.test('RFC 4271 4: no message is above 4096 octets, and full ones are full', async t => {
  const out = new AdjRibOut(CONTEXT)
  for (let i = 0; i < 5000; i++) {
    out.set(key4(i), attributes(100), HOP4)
    out.set(key6(i), attributes(100), HOP6)
  }
  const count = drain(out).length
  t.ok(count <= Math.ceil(5000 / 806) + Math.ceil(5000 / 574), `${count} messages`)
  for (let i = 0; i < 5000; i++) {
    out.delete(key4(i))
    out.delete(key6(i))
  }
  t.ok(drain(out).length <= Math.ceil(5000 / 813) + Math.ceil(5000 / 580))
  t.equal(out.size, 0)
})

t.test('Adj-RIB-Out: attributes that leave no room for a prefix are refused', async t => {
  const out = new AdjRibOut(CONTEXT)
  const communities = Array.from({ length: 1012 }, (_, i) => i)
  t.throws(() => out.set(key4(1), { ...attributes(1), communities }, HOP4), RangeError)
  t.equal(out.next(), undefined)
})

t.test('RFC 2918 4: a refresh sends a family again', async t => {
  const out = new AdjRibOut(CONTEXT)
  out.set(key4(1), attributes(1), HOP4)
  out.set(key6(1), attributes(1), HOP6)
  drain(out)
  out.refresh('ipv6-unicast')
  t.match(drain(out), [{ pathAttributes: { mpReachNlri: {} } }])
  t.same(drain(out), [])
})

/** A peer that does what UPDATEs say. */
class Mirror {
  readonly routes = new Map<PrefixKey, number>()

  take(update: UpdateMessage): void {
    for (const { family, withdrawn, reachable } of updateChanges(update)) {
      const name = familyName(family)!
      for (const nlri of withdrawn)
        assert.ok(this.routes.delete(prefixKey(name, nlri)), 'withdrawn only what was there')
      for (const nlri of reachable) this.routes.set(prefixKey(name, nlri), update.pathAttributes.localPref!)
    }
  }
}

t.test('property: however changes and sending interleave, the peer ends up with what is wanted', async () => {
  const key = fc.oneof(fc.nat({ max: 5 }).map(key4), fc.nat({ max: 5 }).map(key6))
  const step = fc.oneof(
    fc.record({ do: fc.constant('set' as const), key, pref: fc.nat({ max: 2 }) }),
    fc.record({ do: fc.constant('delete' as const), key }),
    fc.record({ do: fc.constant('next' as const) }),
    fc.record({ do: fc.constant('refresh' as const) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const out = new AdjRibOut(CONTEXT)
      const wanted = new Map<PrefixKey, number>()
      const mirror = new Mirror()
      for (const s of steps) {
        if (s.do === 'set') {
          wanted.set(s.key, s.pref)
          out.set(s.key, attributes(s.pref), keyFamily(s.key) === 'ipv4-unicast' ? HOP4 : HOP6)
        } else if (s.do === 'delete') {
          wanted.delete(s.key)
          out.delete(s.key)
        } else if (s.do === 'refresh') out.refresh('ipv4-unicast')
        else {
          const octets = out.next()
          if (octets) mirror.take(decodeMessage(octets, CONTEXT) as UpdateMessage)
          assert.equal(out.size, mirror.routes.size)
        }
      }
      for (const update of drain(out)) mirror.take(update)
      assert.deepEqual(mirror.routes, wanted)
      assert.equal(out.wantedSize, wanted.size)
    }),
    { numRuns: 2000 },
  )
})

const table = new AttributeTable()

/** A path of an external peer, unless told otherwise. */
function path(of: PathAttributes & { source?: Partial<PathSource> }): Path {
  const { source, ...given } = of
  const set: AttributeSet = table.intern({ origin: 0, asPath: [{ type: 2, asns: [1] }], ...given }, HOP4)
  return { source: { internal: false, bgpIdentifier: 1, address: HOP4, ...source }, attributes: set }
}

const STRICT = { maximumPaths: 64, relax: false }
const sequence = (...asns: number[]): PathAttributes => ({ asPath: [{ type: 2, asns }] })

for (const { ref, name, best, worse } of [
  { ref: '9.1.1', name: 'higher LOCAL_PREF', best: path({ localPref: 101, ...sequence(1, 2, 3) }), worse: path({}) },
  { ref: '9.1.1', name: 'LOCAL_PREF 100 where there is none', best: path({}), worse: path({ localPref: 99 }) },
  {
    ref: '9.1.2.2 (a)',
    name: 'shorter AS_PATH',
    best: path({ ...sequence(1), origin: 2 }),
    worse: path(sequence(1, 2)),
  },
  {
    ref: '9.1.2.2 (a)',
    name: 'a set counts 1',
    best: path({
      asPath: [
        { type: 2, asns: [1] },
        { type: 1, asns: [2, 3, 4] },
      ],
    }),
    worse: path(sequence(1, 2, 3)),
  },
  { ref: '9.1.2.2 (b)', name: 'lower ORIGIN', best: path({ origin: 0, multiExitDisc: 9 }), worse: path({ origin: 1 }) },
  {
    ref: '9.1.2.2 (c)',
    name: 'lower MULTI_EXIT_DISC',
    best: path({ multiExitDisc: 1 }),
    worse: path({ multiExitDisc: 2 }),
  },
  { ref: '9.1.2.2 (c)', name: 'no MULTI_EXIT_DISC is the lowest', best: path({}), worse: path({ multiExitDisc: 1 }) },
  {
    ref: '9.1.2.2 (d)',
    name: 'external before internal',
    best: path({ source: { bgpIdentifier: 9 } }),
    worse: path({ source: { internal: true } }),
  },
]) {
  t.test(`RFC 4271 ${ref}: ${name}`, async t => {
    t.same(selectPaths([worse, best], STRICT), [best])
    t.same(selectPaths([best, worse], STRICT), [best])
  })
}

for (const { ref, name, first, second } of [
  {
    ref: 'RFC 4271 9.1.2.2 (f)',
    name: 'lower BGP Identifier',
    first: path({}),
    second: path({ source: { bgpIdentifier: 2 } }),
  },
  {
    ref: 'RFC 4456 9',
    name: 'ORIGINATOR_ID for it',
    first: path({ originatorId: 0, source: { bgpIdentifier: 9 } }),
    second: path({}),
  },
  { ref: 'RFC 4456 9', name: 'shorter CLUSTER_LIST', first: path({}), second: path({ clusterList: [1] }) },
  {
    ref: 'RFC 4271 9.1.2.2 (g)',
    name: 'lower peer address',
    first: path({}),
    second: path({ source: { address: hex('0a000002') } }),
  },
  {
    ref: 'RFC 4271 9.1.2.2 (g)',
    name: 'IPv4 before IPv6',
    first: path({}),
    second: path({ source: { address: HOP6 } }),
  },
]) {
  t.test(`${ref}: ${name} comes first, the other is used beside it`, async t => {
    t.same(selectPaths([second, first], STRICT), [first, second])
    t.same(selectPaths([first, second], { maximumPaths: 1, relax: false }), [first])
  })
}

t.test('multipath: through one neighbour AS, or through several when relaxed', async t => {
  const one = path({ ...sequence(1, 9), source: { bgpIdentifier: 1 } })
  const two = path({ ...sequence(2, 9), source: { bgpIdentifier: 2 } })
  const three = path({ ...sequence(1, 8), source: { bgpIdentifier: 3 } })
  t.same(selectPaths([two, three, one], STRICT), [one, three])
  t.same(selectPaths([two, three, one], { maximumPaths: 64, relax: true }), [one, two, three])
  t.same(selectPaths([two, three, one], { maximumPaths: 2, relax: true }), [one, two])
  t.same(selectPaths([], STRICT), [])
})

t.test('RFC 4271 9.1.2.2 (c): MED is compared within a neighbour AS only', async t => {
  const one = path({ ...sequence(1), multiExitDisc: 50, source: { bgpIdentifier: 1 } })
  const two = path({ ...sequence(2), multiExitDisc: 10, source: { bgpIdentifier: 2 } })
  t.same(selectPaths([two, one], { maximumPaths: 1, relax: false }), [one])
  t.equal(neighborAs([]), 0)
  t.equal(neighborAs([{ type: 1, asns: [5, 6] }]), 0)
  t.equal(
    neighborAs([
      { type: 3, asns: [5] },
      { type: 2, asns: [6] },
    ]),
    6,
  )
})

t.test('property: the order of arrival does not matter', async () => {
  const any = fc
    .record({
      med: fc.nat({ max: 2 }),
      as: fc.integer({ min: 1, max: 3 }),
      pref: fc.constantFrom(100, 100, 200),
      internal: fc.boolean(),
    })
    .map(({ med, as, pref, internal }) => ({ ...sequence(as), multiExitDisc: med, localPref: pref, internal }))
  fc.assert(
    fc.property(
      fc.array(any, { minLength: 1, maxLength: 6 }),
      fc.infiniteStream(fc.nat()),
      fc.boolean(),
      (all, order, relax) => {
        const paths = all.map(({ internal, ...given }, bgpIdentifier) =>
          path({ ...given, source: { internal, bgpIdentifier } }),
        )
        const shuffled = paths
          .map(one => ({ one, at: order.next().value ?? 0 }))
          .toSorted((a, b) => a.at - b.at)
          .map(({ one }) => one)
        const options = { maximumPaths: 4, relax }
        assert.deepEqual(selectPaths(shuffled, options), selectPaths(paths, options))
        assert.ok(selectPaths(paths, options).length > 0)
      },
    ),
  )
})

t.test('RFC 4271 9.1: the Loc-RIB says when the selected paths change', async t => {
  const rib = new LocRib(STRICT)
  const of = (bgpIdentifier: number, localPref = 100): Path => path({ localPref, source: { bgpIdentifier } })
  const [a, b] = [of(1), of(2)]
  const again = { source: a.source, attributes: a.attributes }
  const worse = { source: b.source, attributes: of(2, 50).attributes }
  t.ok(rib.update(key4(1), a.source, a))
  t.notOk(rib.update(key4(1), a.source, again), 'the same again')
  t.notOk(rib.update(key4(1), b.source, undefined), 'never there')
  t.notOk(rib.update(key4(1), b.source, worse), 'not selected')
  t.notOk(rib.update(key4(1), b.source, { ...worse }), 'the same again')
  t.ok(rib.update(key4(1), b.source, b), 'selected beside')
  t.same(rib.select(key4(1)), [a, b])
  t.same([...rib], [[key4(1), [a, b]]])
  t.ok(rib.update(key4(1), a.source, undefined))
  t.notOk(rib.update(key4(1), a.source, undefined))
  t.same([...rib], [[key4(1), [b]]])
  t.ok(rib.update(key4(1), b.source, worse), 'replaced')
  t.ok(rib.update(key4(1), b.source, undefined))
  t.equal(rib.size, 0)
  t.same(rib.select(key4(1)), [])
})
