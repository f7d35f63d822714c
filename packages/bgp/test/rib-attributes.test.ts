import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { AttributeTable, PAGE_MASK, type Row } from '@typemetal/bgp/rib'
import { asPathLength, type MessageContext, type PathAttributes } from '@typemetal/bgp/wire'
import { TABLE_CONTEXT, withoutNextHops } from '../dist/rib/attribute-table.js'
import { OctetArena } from '../dist/rib/octet-arena.js'
import { FactFlag } from '../dist/wire/scan-attributes.js'
import { anyAttributes } from './messages.js'
import { hex, toHex } from './octets.js'
import { HOP4, HOP6, sequence } from './rib-scene.js'

const NONE = new Uint8Array(0)
const BASE: PathAttributes = { origin: 0, asPath: [] }
/** Sessions of which the table takes attributes, once AS4_PATH is resolved. */
const CONTEXT: MessageContext = { ...TABLE_CONTEXT, confederation: false }

const anySet: fc.Arbitrary<PathAttributes> = anyAttributes(CONTEXT).map(withoutNextHops)
const anyNextHop = fc.constantFrom(NONE, HOP4, HOP6, new Uint8Array(32).fill(0xfe))

t.test('AttributeTable: equal attributes are one set, for as long as somebody has it', async t => {
  const table = new AttributeTable()
  const one = table.internValues({ ...BASE, communities: [1, 2] }, HOP4)
  t.ok(one > 0, '0 stands for none')
  t.equal(table.internValues({ communities: [1, 2], ...BASE }, HOP4.slice()), one)
  table.retain(one)
  const others = [
    table.internValues(BASE, HOP4),
    table.internValues({ ...BASE, communities: [1, 2] }, HOP6),
    table.internValues({ ...BASE, communities: [1, 2] }),
    table.internValues({ ...BASE, communities: [2, 1] }, HOP4),
  ]
  t.equal(new Set([one, ...others]).size, 5)
  t.equal(table.size, 5)
  for (const set of others) table.sweep(set)
  t.equal(table.size, 1, 'what nobody has is swept')
  table.sweep(one)
  t.equal(table.size, 1, 'and what somebody has is not')
  table.retain(one)
  table.release(one)
  t.equal(table.size, 1)
  t.same(table.attributes(one).communities, [1, 2])
  table.release(one)
  t.equal(table.size, 0)
  const next = table.internValues(sequence(7))
  t.equal(next, one, 'the row is used again')
  t.same(table.attributes(next), { asPath: [{ type: 2, asns: [7] }] }, 'and what was read of the old set is forgotten')
})

t.test('AttributeTable: next hops of 4, 16 and 32 octets, and none for our own address', async t => {
  const table = new AttributeTable()
  for (const nextHop of [NONE, HOP4, HOP6, hex(`fe80${'11'.repeat(30)}`)]) {
    const set = table.internValues({ ...BASE, multiExitDisc: 5 }, nextHop)
    t.equal(toHex(table.nextHop(set)), toHex(nextHop))
    t.same(table.attributes(set), { ...BASE, multiExitDisc: 5 }, 'next hops stand apart')
    const octets = toHex(table.octets(set))
    t.equal(octets.includes('400304'), nextHop.length === 4, 'NEXT_HOP is among the octets when it has 4')
    t.notOk(nextHop.length > 4 && octets.includes(toHex(nextHop)))
  }
  t.equal(table.size, 4)
  const given = { ...BASE, nextHop: HOP4, mpReachNlri: { afi: 2, safi: 1, nextHop: HOP6, nlri: [] } }
  t.equal(table.internValues(given), table.internValues(BASE), 'those among the values do not count')
})

t.test('AttributeTable: what it keeps is its own', async t => {
  const table = new AttributeTable()
  const value = hex('01020304')
  const nextHop = HOP6.slice()
  const set = table.internValues({ ...BASE, unknown: [{ code: 99, flags: 0xc0, value }] }, nextHop)
  value.fill(0xff)
  nextHop.fill(0xff)
  t.equal(toHex(table.attributes(set).unknown?.[0]?.value ?? NONE), '01020304')
  t.same(table.nextHop(set), HOP6)
  table.nextHop(set).fill(0)
  t.same(table.nextHop(set), HOP6, 'and a next hop that was handed out the taker’s')
})

t.test('AttributeTable: what cannot be written is refused and leaves nothing behind', async t => {
  const table = new AttributeTable()
  const communities = Array.from({ length: 16_300 }, (_, i) => i)
  const bad: PathAttributes[] = [
    { ...BASE, communities, unknown: [{ code: 99, flags: 0xc0, value: new Uint8Array(400) }] },
    { ...BASE, communities: [...communities, ...communities] },
    { ...BASE, asPath: [{ type: 2, asns: [] }] },
    { ...BASE, asPath: [{ type: 2, asns: [0] }] },
    { ...BASE, aggregator: { asn: 0, bgpIdentifier: 1 } },
  ]
  for (const attributes of bad) t.throws(() => table.internValues(attributes, HOP6), RangeError)
  t.equal(table.size, 0)
  t.equal(table.attributes(table.internValues({ ...BASE, communities }, HOP6)).communities?.length, 16_300)
})

t.test('property: what was put in is what is read', async () => {
  fc.assert(
    fc.property(anySet, anyNextHop, (attributes, nextHop) => {
      const table = new AttributeTable()
      const set = table.internValues(attributes, nextHop)
      assert.deepEqual(table.attributes(set), attributes)
      assert.deepEqual(table.nextHop(set), nextHop)
      assert.equal(table.internValues(table.attributes(set), table.nextHop(set)), set)
    }),
    { numRuns: 500 },
  )
})

t.test('property: the columns have the facts that decisions are made by', async () => {
  fc.assert(
    fc.property(anySet, attributes => {
      const table = new AttributeTable()
      const set = table.internValues(attributes, HOP4)
      const page = table.page(set)
      const at = set & PAGE_MASK
      const has = (flag: number): boolean => (page.flags[at]! & flag) !== 0
      const { asPath = [], communities = [], clusterList = [] } = attributes
      const first = asPath.find(({ type }) => type <= 2)
      assert.equal(page.origin[at], attributes.origin)
      assert.equal(page.asPathLength[at], asPathLength(asPath))
      assert.equal(page.neighborAs[at], first?.type === 2 ? first.asns[0] : 0)
      assert.equal(page.clusterLength[at], clusterList.length)
      for (const [key, flag, value] of [
        ['localPref', FactFlag.LocalPref, page.localPref[at]],
        ['multiExitDisc', FactFlag.MultiExitDisc, page.multiExitDisc[at]],
        ['originatorId', FactFlag.OriginatorId, page.originatorId[at]],
      ] as const) {
        assert.equal(has(flag), attributes[key] !== undefined, key)
        assert.equal(value, attributes[key] ?? 0)
      }
      assert.equal(has(FactFlag.Aigp), attributes.aigp !== undefined)
      assert.equal(has(FactFlag.OnlyToCustomer), attributes.onlyToCustomer !== undefined)
      assert.equal(
        has(FactFlag.Confederation),
        asPath.some(({ type }) => type > 2),
      )
      for (const [community, flag] of [
        [0xffff_0000, FactFlag.GracefulShutdown],
        [0xffff_0006, FactFlag.LongLivedStale],
        [0xffff_0007, FactFlag.NoLongLived],
        [0xffff_ff01, FactFlag.NoExport],
        [0xffff_ff02, FactFlag.NoAdvertise],
        [0xffff_ff03, FactFlag.NoExportSubconfed],
      ] as const) {
        assert.equal(has(flag), communities.includes(community))
      }
    }),
    { numRuns: 500 },
  )
})

t.test('AttributeTable: a CLUSTER_LIST beyond 255 counts as 255', async t => {
  const table = new AttributeTable()
  const set = table.internValues({ ...BASE, clusterList: Array.from({ length: 300 }, (_, i) => i) })
  t.equal(table.page(set).clusterLength[set & PAGE_MASK], 255)
})

t.test('AttributeTable: compaction under churn keeps every value', async () => {
  const table = new AttributeTable(0x1234_5678)
  const live = new Map<number, Row>()
  const nextHops = [NONE, HOP4, HOP6]
  const values = (i: number): PathAttributes => ({
    ...BASE,
    ...sequence(i + 1, 65_000),
    ...(i % 50 === 0 && { unknown: [{ code: 200, flags: 0xe0, value: new Uint8Array(3000).fill(i) }] }),
  })
  const hop = (i: number): Uint8Array => nextHops[i % 3]!
  const check = (): void => {
    assert.equal(table.size, live.size)
    for (const [i, set] of live) {
      assert.deepEqual(table.attributes(set), values(i))
      assert.deepEqual(table.nextHop(set), hop(i))
    }
  }
  for (let i = 0; i < 30_000; i++) {
    const set = table.internValues(values(i), hop(i))
    table.retain(set)
    live.set(i, set)
    // Behind the newest ones only every seventh of the first 10,000 stays.
    const old = i - 500
    if (old >= 0 && !(old < 10_000 && old % 7 === 0)) {
      table.release(live.get(old)!)
      live.delete(old)
    }
    if (i % 5000 === 0) check()
  }
  check()
  for (const [i, set] of live) assert.equal(table.internValues(values(i), hop(i)), set, 'found again')
  for (const set of live.values()) table.release(set)
  assert.equal(table.size, 0)
})

t.test('property: AttributeTable is a Map, whatever is put in and taken out', async () => {
  const few = fc.record({ asn: fc.integer({ min: 1, max: 6 }), nextHop: anyNextHop })
  const step = fc.tuple(fc.constantFrom('in', 'in', 'out', 'sweep'), few)
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), fc.nat(), (steps, seed) => {
      const table = new AttributeTable(seed)
      const model = new Map<string, { set: Row; references: number; asn: number; nextHop: Uint8Array }>()
      for (const [what, { asn, nextHop }] of steps) {
        const key = `${asn} ${toHex(nextHop)}`
        const known = model.get(key)
        if (what === 'out') {
          if (!known) continue
          table.release(known.set)
          if (--known.references === 0) model.delete(key)
          continue
        }
        const set = table.internValues({ ...BASE, ...sequence(asn) }, nextHop)
        if (known) assert.equal(set, known.set)
        if (what === 'sweep') table.sweep(set)
        else {
          table.retain(set)
          model.set(key, { set, references: (known?.references ?? 0) + 1, asn, nextHop })
        }
        assert.equal(table.size, model.size)
      }
      for (const { set, asn, nextHop } of model.values()) {
        assert.deepEqual(table.attributes(set), { ...BASE, ...sequence(asn) })
        assert.deepEqual(table.nextHop(set), nextHop)
      }
    }),
    { numRuns: 300 },
  )
})

t.test('OctetArena: what is added is what stands there, across segments and compactions', async t => {
  const arena = new OctetArena()
  const runs: { place: number; octets: Uint8Array }[] = []
  for (let i = 0; i < 400; i++) {
    const octets = new Uint8Array((i * 7919) % 20_000).fill(i)
    const given = new Uint8Array(octets.length + 2).fill(0xee)
    given.set(octets, 1)
    runs.push({ place: arena.add(given, 1, 1 + octets.length), octets })
  }
  const check = (): void => {
    for (const { place, octets } of runs) {
      assert.deepEqual(arena.view(place, octets.length), octets)
      assert.ok(arena.equals(place, octets, 0, octets.length))
      if (octets.length > 0) {
        const other = octets.slice()
        other[octets.length - 1]! ^= 1
        assert.ok(!arena.equals(place, other, 0, other.length))
      }
    }
  }
  check()
  t.notOk(arena.isWasteful)
  const gone = runs.splice(0, 300)
  for (const { octets } of gone) arena.remove(octets.length)
  t.ok(arena.isWasteful)
  arena.compact(move => {
    for (const run of runs) run.place = move(run.place, run.octets.length)
  })
  check()
  t.notOk(arena.isWasteful)
})
