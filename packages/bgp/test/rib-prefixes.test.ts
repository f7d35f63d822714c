import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { formatPrefix, parsePrefix } from '../dist/address.js'
import { PrefixTable } from '@typemetal/bgp/rib'
import { encodeNlri, familyBits, type FamilyName, type Nlri } from '@typemetal/bgp/wire'
import { PAGE_ROWS, Rows, type Page } from '../dist/rib/rows.js'
import { anyNlri } from './messages.js'
import { hex } from './octets.js'
import { FAMILIES } from './rib-scene.js'

/** The `i`th of many distinct prefixes of different lengths. */
function numbered(family: FamilyName, i: number): Nlri {
  const text = family === 'ipv4-unicast' ? `10.${i >> 14}.${(i >> 6) & 255}.${(i & 63) << 2}/30` : undefined
  if (text) return parsePrefix(text).nlri
  const length = 48 + (i % 3) * 40
  return parsePrefix(`2001:db8:${(i >> 12).toString(16)}${(i & 0xfff).toString(16).padStart(3, '0')}::/${length}`).nlri
}

const intern = (table: PrefixTable, { prefix, length }: Nlri): number => table.intern(prefix, 0, length)

for (const family of FAMILIES) {
  t.test(
    `PrefixTable ${family}: through several growings and shrinkings every prefix is read back and found`,
    async () => {
      const count = 40_000
      const table = new PrefixTable(family, 7)
      const rows = new Map<number, number>()
      const check = (): void => {
        assert.equal(table.size, rows.size)
        for (const [i, row] of rows) {
          const wanted = numbered(family, i)
          assert.equal(table.find(wanted), row)
          assert.deepEqual(table.nlri(row), wanted)
        }
      }
      for (let i = 0; i < count; i++) {
        const row = intern(table, numbered(family, i))
        table.retain(row)
        rows.set(i, row)
        // Around the sizes at which it grows.
        if (i < 4 || (i >= 760 && i < 1030 && i % 9 === 0) || i === 6144 || i === 6145 || i === 8192) check()
      }
      assert.equal(new Set(rows.values()).size, count, 'a row each')
      check()
      for (let i = 0; i < count; i++) {
        if (i % 2000 === 1) continue
        table.release(rows.get(i)!)
        rows.delete(i)
        assert.equal(table.find(numbered(family, i)), 0)
      }
      check()
      for (let i = 0; i < count; i += 3) {
        if (rows.has(i)) continue
        const row = intern(table, numbered(family, i))
        table.retain(row)
        rows.set(i, row)
      }
      check()
      for (const row of rows.values()) table.release(row)
      assert.equal(table.size, 0)
      assert.equal(table.nextLive(1), table.limit)
    },
  )

  t.test(`property: PrefixTable ${family} is a Map of texts, whatever is put in and taken out`, async () => {
    const step = fc.tuple(fc.constantFrom('in', 'in', 'out', 'sweep', 'find'), anyNlri(familyBits(family)))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.nat({ max: 0xffff_ffff }), (steps, seed) => {
        const table = new PrefixTable(family, seed)
        const model = new Map<string, { row: number; references: number }>()
        for (const [what, given] of steps) {
          // Few different ones, so that they meet again.
          const nlri = { length: given.length, prefix: given.prefix.map((octet, i) => (i === 0 ? octet & 0x80 : 0)) }
          const text = formatPrefix(family, nlri)
          const known = model.get(text)
          assert.equal(table.find(nlri), known?.row ?? 0)
          if (what === 'in') {
            const row = intern(table, nlri)
            if (known) assert.equal(row, known.row)
            table.retain(row)
            model.set(text, { row, references: (known?.references ?? 0) + 1 })
          } else if (what === 'sweep') {
            table.sweep(intern(table, nlri))
          } else if (what === 'out' && known) {
            table.release(known.row)
            if (--known.references === 0) model.delete(text)
          }
          assert.equal(table.size, model.size)
        }
        const live: string[] = []
        for (let row = table.nextLive(1); row < table.limit; row = table.nextLive(row + 1)) {
          assert.ok(table.isLive(row))
          live.push(formatPrefix(family, table.nlri(row)))
        }
        assert.deepEqual(live.toSorted(), [...model.keys()].toSorted())
      }),
      { numRuns: 300 },
    )
  })

  t.test(`property: PrefixTable ${family} writes a prefix as the codec does`, async () => {
    fc.assert(
      fc.property(anyNlri(familyBits(family)), fc.nat({ max: 9 }), (nlri, at) => {
        const table = new PrefixTable(family, 0)
        const row = intern(table, nlri)
        const wanted = new Uint8Array(40)
        const into = new Uint8Array(40)
        const end = encodeNlri([nlri], wanted, at)
        assert.equal(table.encode(row, into, at), end)
        assert.deepEqual(into, wanted)
        assert.equal(table.encodedLength(row), end - at)
        assert.equal(table.length(row), nlri.length)
        assert.deepEqual(table.nlri(row), nlri)
      }),
    )
  })
}

t.test('RFC 4271 4.3: bits behind a prefix do not matter', async t => {
  const ipv4 = new PrefixTable('ipv4-unicast', 0)
  for (const [length, clean, dirty] of [
    [0, '', ''],
    [1, '80', 'ff'],
    [8, '0a', '0a'],
    [20, '0a0110', '0a011f'],
    [24, '0a0111', '0a0111'],
    [25, '0a011180', '0a0111ff'],
    [31, '0a0111fe', '0a0111ff'],
    [32, '0a0111ff', '0a0111ff'],
  ] as const) {
    const row = ipv4.intern(hex(`ff${clean}`), 1, length)
    t.equal(ipv4.lookUp(hex(dirty), 0, length), row, `/${length}`)
    t.equal(ipv4.intern(hex(`${dirty}ffff`), 0, length), row)
    t.same(ipv4.nlri(row), { length, prefix: hex(clean) })
  }
  t.equal(ipv4.size, 8)
  const ipv6 = new PrefixTable('ipv6-unicast', 0)
  for (const [length, clean, dirty] of [
    [33, '20010db880', '20010db8ff'],
    [64, '20010db800000001', '20010db800000001'],
    [65, '20010db80000000180', '20010db800000001ff'],
    [127, `20010db8${'00'.repeat(11)}fe`, `20010db8${'00'.repeat(11)}ff`],
  ] as const) {
    const row = ipv6.intern(hex(clean), 0, length)
    t.equal(ipv6.lookUp(hex(`${dirty}ff`), 0, length), row, `/${length}`)
    t.same(ipv6.nlri(row), { length, prefix: hex(clean) })
  }
})

t.test('PrefixTable: one address with several lengths is several prefixes', async t => {
  const table = new PrefixTable('ipv4-unicast', 0)
  const rows = Array.from({ length: 33 }, (_, length) => table.intern(new Uint8Array(4), 0, length))
  t.equal(new Set(rows).size, 33)
  t.same(
    rows.map(row => table.length(row)),
    rows.map((_, i) => i),
  )
})

t.test('PrefixTable: a row lives as long as its references, is used again then, and starts without paths', async t => {
  const table = new PrefixTable('ipv4-unicast', 0)
  const one = table.intern(hex('0a01'), 0, 16)
  t.ok(one > 0, '0 stands for none')
  t.notOk(table.isLive(one), 'nobody has it yet')
  table.retain(one)
  table.retain(one)
  table.setFirst(one, 99)
  table.release(one)
  t.ok(table.isLive(one))
  t.equal(table.first(one), 99)
  table.sweep(one)
  t.ok(table.isLive(one), 'a sweep takes only what nobody has')
  table.release(one)
  t.notOk(table.isLive(one))
  t.equal(table.find({ length: 16, prefix: hex('0a01') }), 0)
  const two = table.intern(hex('0a02'), 0, 16)
  t.equal(two, one)
  t.equal(table.first(two), 0)
  table.sweep(two)
  t.equal(table.size, 0)
})

class TestPage implements Page {
  used = 0
  fresh = 0
  free = 0
  readonly link = new Uint32Array(PAGE_ROWS)
}

t.test('Rows: dense, each once, and a page without rows is dropped and made anew', async () => {
  let made = 0
  const rows = new Rows(() => {
    made++
    return new TestPage()
  })
  assert.equal(rows.size, 0)
  const taken = Array.from({ length: PAGE_ROWS * 3 }, () => rows.take())
  assert.deepEqual(
    taken,
    taken.map((_, i) => i + 1),
    'row 0 is nobody’s',
  )
  assert.equal(made, 4)
  assert.equal(rows.size, taken.length)
  for (const row of taken) if (row >= PAGE_ROWS && row < 2 * PAGE_ROWS) rows.give(row)
  assert.equal(rows.pages[1], undefined)
  assert.ok(rows.pages[2])
  assert.equal(rows.size, PAGE_ROWS * 2)
  const held = new Set(taken.filter(row => row < PAGE_ROWS || row >= 2 * PAGE_ROWS))
  for (let i = 0; i < PAGE_ROWS * 2 - 1; i++) {
    const row = rows.take()
    assert.ok(!held.has(row), `row ${row} twice`)
    held.add(row)
  }
  assert.equal(rows.pages.length, 4, 'no page more than needed')
  assert.ok(rows.pages[1])
})

t.test('property: Rows gives no row twice', async () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 3 }), { maxLength: 400 }), steps => {
      const rows = new Rows(() => new TestPage())
      const held: number[] = []
      for (const step of steps) {
        if (step > 0) {
          const row = rows.take()
          assert.ok(row > 0 && !held.includes(row))
          held.push(row)
        } else if (held.length > 0) rows.give(held.splice(held.length >> 1, 1)[0]!)
        assert.equal(rows.size, held.length)
      }
    }),
  )
})
