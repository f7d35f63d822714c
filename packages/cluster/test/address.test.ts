import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import * as fc from 'fast-check'
import t from 'tap'
import {
  type AddressBlock,
  ADDRESS_BITS,
  addressOf,
  blockContains,
  blocksOverlap,
  coveringBlocks,
  formatAddress,
  type IPFamily,
  isBuggyAddress,
  parseAddress,
  parseBlocks,
  parseCIDR,
  type Pool,
  poolContains,
  poolOf,
} from '@typemetal/cluster'

const family = fc.constantFrom<IPFamily>('IPv4', 'IPv6')
const valueOf = (of: IPFamily): fc.Arbitrary<bigint> =>
  fc.bigInt({ min: 0n, max: (1n << BigInt(ADDRESS_BITS[of])) - 1n })
const address = family.chain(f => valueOf(f).map(value => addressOf(f, value)))
const cidrs = (item: string): readonly string[] => parseBlocks(item).map(block => block.cidr)

t.test('literals as Go reads and prints them', async t => {
  for (const [text, family, canonical] of [
    ['192.0.2.1', 'IPv4', '192.0.2.1'],
    ['0.0.0.0', 'IPv4', '0.0.0.0'],
    ['255.255.255.255', 'IPv4', '255.255.255.255'],
    ['2001:DB8:0:0:0:0:0:1', 'IPv6', '2001:db8::1'],
    ['::', 'IPv6', '::'],
    ['1:0:0:2:0:0:0:3', 'IPv6', '1:0:0:2::3'],
    ['1:0:0:2:3:0:0:4', 'IPv6', '1::2:3:0:0:4'],
    ['1:2:0:4:5:6:7:8', 'IPv6', '1:2:0:4:5:6:7:8'],
    ['::ffff:192.0.2.1', 'IPv4', '192.0.2.1'],
    ['::FFFF:c000:201', 'IPv4', '192.0.2.1'],
    ['::192.0.2.1', 'IPv6', '::c000:201'],
    ['64:ff9b::192.0.2.1', 'IPv6', '64:ff9b::c000:201'],
  ] as const) {
    t.match(parseAddress(text), { family, text: canonical }, text)
  }
  for (const text of [
    '',
    ' ',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '1.2.3.04',
    '256.0.0.1',
    '1.2.3.4/32',
    ' 1.2.3.4',
    '1.2.3.4 ',
    '0x1.2.3.4',
    '+1.2.3.4',
    '::1%eth0',
    '::1/128',
    '[::1]',
    '00001::',
    '1::2::3',
    ':::',
    '1:2:3:4::5:6:7:8',
    ':1',
    '1:',
    '::ffff:01.2.3.4',
    'g::',
    'web',
  ]) {
    t.equal(parseAddress(text), undefined, JSON.stringify(text))
  }
})

t.test('property: what is parsed prints as RFC 5952 and parses back', async () => {
  fc.assert(
    fc.property(address, a => {
      assert.deepEqual(parseAddress(a.text), a)
      if (a.family === 'IPv6') assert.equal(new URL(`http://[${a.text}]`).hostname, `[${a.text}]`)
    }),
  )
})

t.test('property: any text gives an address or nothing, as Node sees it', async () => {
  const text = fc.stringMatching(/^[0-9a-f.:]{0,24}$/)
  fc.assert(
    fc.property(fc.oneof(text, fc.string()), s =>
      assert.equal(parseAddress(s) !== undefined, isIP(s) !== 0 && !s.includes('%')),
    ),
    { numRuns: 2000 },
  )
})

t.test('formatAddress refuses what is no address', async t => {
  t.throws(() => formatAddress('IPv4', 1n << 32n), RangeError)
  t.throws(() => formatAddress('IPv6', -1n), RangeError)
})

t.test('CIDRs', async t => {
  t.same(cidrs('10.20.30.40/24'), ['10.20.30.0/24'], 'host bits are cleared')
  t.same(cidrs('2001:db8::ff/120'), ['2001:db8::/120'])
  t.same(cidrs('0.0.0.0/0'), ['0.0.0.0/0'])
  t.same(cidrs('1.2.3.4/08'), ['1.0.0.0/8'], 'as net.ParseCIDR')
  t.same(cidrs('::ffff:192.0.2.77/120'), ['192.0.2.0/24'], 'IPv4-mapped')
  t.same(cidrs('::ffff:192.0.2.77/64'), ['::/64'], 'shorter than the mapped prefix: plain IPv6')
  t.match(parseCIDR('192.0.2.0/30'), { first: 0xc0000200n, last: 0xc0000203n, prefixLength: 30, family: 'IPv4' })
  for (const item of [
    '1.2.3.4',
    '1.2.3.4/',
    '1.2.3.4/33',
    '::/129',
    '1.2.3.4/24/24',
    ' 1.2.3.4/24',
    '1.2.3.4/24 ',
    '1.2.3.4/+4',
    '',
    'web/24',
    '1.2.3.4/-1',
  ]) {
    t.throws(
      () => parseBlocks(item),
      item.includes('-') ? { message: /invalid IP range/ } : { message: `invalid CIDR "${item}"` },
      JSON.stringify(item),
    )
  }
})

t.test('ranges become minimal ascending CIDRs', async t => {
  const lengths = [31, 30, 29, 28, 27, 26, 26, 27, 28, 29, 30, 31, 32]
  t.same(
    parseBlocks('3.3.3.2-3.3.3.254').map(block => block.prefixLength),
    lengths,
  )
  t.same(cidrs(' 10.0.0.1 - 10.0.0.1 '), ['10.0.0.1/32'], 'blanks around the halves; one address')
  t.same(cidrs('0.0.0.0-255.255.255.255'), ['0.0.0.0/0'])
  t.same(cidrs('fd00::1-fd00::4'), ['fd00::1/128', 'fd00::2/127', 'fd00::4/128'])
  t.same(cidrs('::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'), ['::/0'])
  t.same(cidrs('::ffff:10.0.0.1-10.0.0.2'), ['10.0.0.1/32', '10.0.0.2/32'], 'IPv4-mapped counts as IPv4')
  for (const [item, reason] of [
    ['x-10.0.0.1', 'invalid start IP "x"'],
    ['10.0.0.1-y', 'invalid end IP "y"'],
    ['10.0.0.1-10.0.0.2-10.0.0.3', 'invalid end IP "10.0.0.2-10.0.0.3"'],
    ['10.0.0.2-10.0.0.1', 'start IP "10.0.0.2" is after the end IP "10.0.0.1"'],
    ['10.0.0.1-fd00::1', 'start IP and end IP are of different families'],
  ] as const) {
    t.throws(() => parseBlocks(item), { message: `invalid IP range "${item}": ${reason}` })
  }
})

t.test('property: the CIDRs of a range cover exactly it, in order, with no fewer possible', async () => {
  const range = family.chain(f =>
    fc.tuple(valueOf(f), valueOf(f)).map(([a, b]) => ({ f, first: a < b ? a : b, last: a < b ? b : a })),
  )
  fc.assert(
    fc.property(range, ({ f, first, last }) => {
      const blocks = coveringBlocks(f, first, last)
      assert.equal(blocks[0]?.first, first)
      assert.equal(blocks.at(-1)?.last, last)
      for (const [i, block] of blocks.entries()) {
        const size = block.last - block.first + 1n
        assert.equal(size, 1n << BigInt(ADDRESS_BITS[f] - block.prefixLength))
        assert.equal(block.first % size, 0n, 'aligned')
        assert.equal(parseCIDR(block.cidr).first, block.first)
        const previous = blocks[i - 1]
        if (!previous) continue
        assert.equal(previous.last + 1n, block.first, 'no hole and no overlap')
        // Two that could be one would not be minimal.
        const mergeable = previous.prefixLength === block.prefixLength && previous.first % (size * 2n) === 0n
        assert.equal(mergeable, false)
      }
    }),
    { numRuns: 500 },
  )
})

t.test('overlap', async t => {
  const overlap = (a: string, b: string): boolean => blocksOverlap(parseCIDR(a), parseCIDR(b))
  t.ok(overlap('10.0.0.0/24', '10.0.0.128/25'))
  t.ok(overlap('10.0.0.0/24', '10.0.0.0/24'))
  t.notOk(overlap('10.0.0.0/25', '10.0.0.128/25'))
  t.notOk(overlap('0.0.0.0/0', '::/0'), 'families never overlap')
})

const pool = (name: string, items: readonly string[], avoidBuggyIPs = false): [string, Pool] => {
  const blocks: readonly AddressBlock[] = items.flatMap(item => parseBlocks(item))
  return [
    name,
    { name, labels: {}, blocks, autoAssign: true, avoidBuggyIPs, l2Advertisements: [], bgpAdvertisements: [] },
  ]
}

t.test('the pool that owns all of some addresses', async t => {
  const pools = new Map([
    pool('a', ['10.0.0.0/24', 'fd00::/120'], true),
    pool('b', ['10.0.1.0-10.0.1.9']),
    pool('c', ['10.0.2.5/32']),
  ])
  const find = (...texts: readonly string[]): string | undefined =>
    poolOf(
      pools,
      texts.flatMap(text => parseAddress(text) ?? []),
    )?.name
  t.equal(find('10.0.0.7'), 'a')
  t.equal(find('10.0.0.7', 'fd00::7'), 'a')
  t.equal(find('10.0.1.9'), 'b')
  t.equal(find('10.0.1.0'), 'b', '.0 is an address like any other')
  t.equal(find('10.0.2.5'), 'c')
  t.equal(find('10.0.1.10'), undefined)
  t.equal(find('fd00::100'), undefined)
  t.equal(find('10.0.0.7', '10.0.1.7'), undefined, 'two pools')
  t.equal(find('10.0.0.0'), undefined, 'avoidBuggyIPs')
  t.equal(find('10.0.0.255'), undefined, 'avoidBuggyIPs')
  t.equal(find('fd00::ff'), 'a', 'avoidBuggyIPs does not concern IPv6')
  t.equal(find(), undefined, 'no address, no pool')
})

t.test('property: poolOf agrees with looking at every pool', async () => {
  const item = fc
    .tuple(fc.nat({ max: 255 }), fc.integer({ min: 24, max: 32 }))
    .map(([n, length]) => `10.0.${n}.77/${length}`)
  const unique = fc.uniqueArray(item, { maxLength: 30, selector: text => text.split('.')[2] })
  fc.assert(
    fc.property(unique, fc.nat({ max: 0xffff }), fc.boolean(), (items, offset, avoid) => {
      const pools = new Map(items.map((text, i) => pool(`p${i}`, [text], avoid)))
      const at = addressOf('IPv4', 0x0a00_0000n + BigInt(offset))
      const expected = [...pools.values()].find(candidate => poolContains(candidate, at))
      assert.equal(poolOf(pools, [at]), expected)
      assert.equal(expected !== undefined && avoid && isBuggyAddress(at), false)
      if (expected) assert.ok(expected.blocks.some(block => blockContains(block, at)))
    }),
  )
})
