import assert from 'node:assert/strict'
import t from 'tap'
import { UpdatePacker } from '@typemetal/bgp/rib'
import { toHex } from './octets.js'
import { assertEmpty, HOP4, HOP6 } from './rib-scene.js'
import { known, Wanted, withPref } from './rib-wanted.js'

const key4 = (i: number): string => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}/32`
const key6 = (i: number): string => `2001:db8:${i.toString(16)}::/48`

t.test('RFC 4271 9.2, RFC 4760: packed by shared attributes, IPv6 in MP_REACH_NLRI', async t => {
  const wanted = new Wanted()
  for (let i = 0; i < 3; i++) wanted.set(key4(i), withPref(100))
  wanted.set(key4(9), withPref(200))
  for (let i = 0; i < 2; i++) wanted.set(key6(i), withPref(100))
  t.equal(wanted.out.size, 0)
  t.equal(wanted.out.wantedSize, 6)
  t.ok(wanted.out.isPending)
  const updates = wanted.drain()
  t.equal(updates.length, 3)
  const [first, second, third] = updates
  t.match(first, { pathAttributes: { localPref: 100, asPath: [], origin: 0 }, nlri: { length: 3 } })
  t.equal(toHex(first?.pathAttributes.nextHop ?? HOP6), toHex(HOP4))
  t.match(second, { pathAttributes: { localPref: 200 }, nlri: { length: 1 } })
  t.match(third, { pathAttributes: { mpReachNlri: { afi: 2, safi: 1, nlri: { length: 2 } } }, nlri: { length: 0 } })
  t.equal(toHex(third?.pathAttributes.mpReachNlri?.nextHop ?? HOP4), toHex(HOP6))
  t.equal(third?.pathAttributes.nextHop, undefined)
  t.equal(wanted.out.size, 6)
  t.equal(wanted.out.wantedSize, 6)
  t.notOk(wanted.out.isPending)
  t.notOk(
    wanted.out.next(() => t.fail()),
    'nothing twice',
  )
})

t.test('RFC 4271 9.2: withdrawals first, and only of what was told', async t => {
  const wanted = new Wanted()
  wanted.drain()
  wanted.set(key4(1), withPref(1))
  wanted.set(key6(1), withPref(1))
  wanted.delete(key4(1))
  t.equal(wanted.drain().length, 1, 'never sent, never withdrawn')
  wanted.set(key4(1), withPref(1))
  wanted.drain()
  wanted.set(key4(2), withPref(1))
  wanted.delete(key4(1))
  wanted.delete(key6(1))
  t.equal(wanted.out.wantedSize, 1)
  const updates = wanted.drain()
  t.equal(updates.length, 3)
  t.match(updates, [
    { withdrawnRoutes: { length: 1 }, nlri: { length: 0 } },
    { pathAttributes: { mpUnreachNlri: { withdrawnRoutes: { length: 1 } } } },
    { nlri: { length: 1 } },
  ])
})

t.test('RFC 4271 9.2: what changes back before it was sent is not sent', async t => {
  const wanted = new Wanted()
  wanted.set(key4(1), withPref(1))
  wanted.drain()
  wanted.set(key4(1), withPref(2))
  wanted.set(key4(1), withPref(1))
  wanted.delete(key4(1))
  wanted.set(key4(1), withPref(1))
  t.same(wanted.drain(), [])
  wanted.set(key4(1), withPref(2))
  t.match(wanted.drain(), [{ pathAttributes: { localPref: 2 } }], 'one UPDATE replaces, without a withdrawal')
  wanted.delete(key4(1))
  wanted.set(key4(1), withPref(3))
  t.match(wanted.drain(), [{ withdrawnRoutes: { length: 0 }, nlri: { length: 1 } }], 'gone and back')
})

for (const { ref, limit, most } of [
  // 4 octets a prefix of 32 bits and its length, 6 of 48; ORIGIN, AS_PATH, NEXT_HOP, LOCAL_PREF; MP_REACH_NLRI with 16 octets of next hop.
  { ref: 'RFC 4271 4.1', limit: 4096, most: { announce4: 810, withdraw4: 814, announce6: 576, withdraw6: 580 } },
  {
    ref: 'RFC 8654 3',
    limit: 65_535,
    most: { announce4: 13_098, withdraw4: 13_102, announce6: 9353, withdraw6: 9357 },
  },
]) {
  t.test(`${ref}: no message is above ${limit} octets, and full ones are full`, async t => {
    const count = 30_000
    const wanted = new Wanted({ limit })
    // A few first: rounds begin small, so that the first UPDATE goes out at once.
    for (let i = 0; i < count; i++) {
      wanted.set(key4(i), withPref(100))
      wanted.set(key6(i), withPref(100))
    }
    const announced = wanted.drain()
    const full = (what: string, list: readonly number[], room: number): void => {
      assert.ok(Math.max(...list) <= room, `${what}: ${Math.max(...list)} of ${room}`)
      assert.ok(Math.max(...list) >= Math.min(room, 4096), `${what}: only ${Math.max(...list)} of ${room}`)
    }
    full(
      'announced IPv4',
      announced.map(({ nlri }) => nlri.length),
      most.announce4,
    )
    full(
      'announced IPv6',
      announced.map(({ pathAttributes }) => pathAttributes.mpReachNlri?.nlri.length ?? 0),
      most.announce6,
    )
    t.equal(wanted.mirror.routes.size, 2 * count)
    wanted.clear()
    const withdrawn = wanted.drain()
    full(
      'withdrawn IPv4',
      withdrawn.map(({ withdrawnRoutes }) => withdrawnRoutes.length),
      most.withdraw4,
    )
    full(
      'withdrawn IPv6',
      withdrawn.map(({ pathAttributes }) => pathAttributes.mpUnreachNlri?.withdrawnRoutes.length ?? 0),
      most.withdraw6,
    )
    t.ok(Math.max(...wanted.mirror.lengths) <= limit)
    t.equal(wanted.mirror.routes.size, 0)
    t.equal(wanted.out.size, 0)
    wanted.out.close()
    assertEmpty(wanted.rib)
  })
}

t.test('Adj-RIB-Out: one packer writes for sessions with short and with long messages in turn', async t => {
  const packer = new UpdatePacker()
  const [short, long] = [new Wanted({ packer }), new Wanted({ packer, limit: 65_535 })]
  for (let i = 0; i < 5000; i++) for (const wanted of [short, long]) wanted.set(key4(i), withPref(i % 3))
  for (let more = true; more;) {
    more = false
    for (const wanted of [short, long]) {
      if (wanted.out.next((octets, count) => wanted.mirror.take(octets, count))) more = true
    }
  }
  t.same(short.mirror.routes, long.mirror.routes)
  t.equal(long.mirror.routes.size, 5000)
  t.ok(Math.max(...short.mirror.lengths) <= 4096)
})

t.test('Adj-RIB-Out: the octets that were handed over stay as they are', async t => {
  const wanted = new Wanted()
  for (let i = 0; i < 9000; i++) wanted.set(key4(i), withPref(i % 5))
  const kept: { octets: Uint8Array; text: string }[] = []
  while (wanted.out.next(octets => kept.push({ octets, text: toHex(octets) }))) continue
  t.ok(kept.length > 3)
  for (const { octets, text } of kept) assert.equal(toHex(octets), text)
})

/** So many communities that an UPDATE of 4,096 octets has room for them and ORIGIN, AS_PATH, NEXT_HOP, LOCAL_PREF, and `left` octets. */
const filled = (left: number): object => ({
  communities: Array.from({ length: 1008 }, (_, i) => i),
  unknown: [{ code: 99, flags: 0xc0, value: new Uint8Array(4096 - 19 - 4 - (4 + 3 + 7 + 7) - (4 + 4032) - 3 - left) }],
})

t.test(
  'RFC 4271 4.1: attributes that leave no room for a prefix are not told, and what was told before is taken back',
  async t => {
    const wanted = new Wanted()
    wanted.set('10.0.0.0/24', withPref(1, filled(4)))
    wanted.set('10.0.1.0/24', withPref(1))
    wanted.drain()
    t.same(wanted.oversized, [], 'exactly enough room')
    t.equal(Math.max(...wanted.mirror.lengths), 4096)
    wanted.set('10.0.0.0/24', withPref(1, filled(3)))
    wanted.set('10.0.1.0/24', withPref(2))
    wanted.drain()
    t.same(wanted.oversized, ['10.0.0.0/24'])
    t.same([...known(wanted)], [['10.0.1.0/24 0', 2]], 'the others are told all the same')
    t.equal(wanted.out.size, 1)
    wanted.set('10.0.0.0/24', withPref(3))
    wanted.drain()
    t.equal(known(wanted).get('10.0.0.0/24 0'), 3, 'and it is told once it fits again')
    wanted.clear()
    wanted.drain()
    wanted.out.close()
    assertEmpty(wanted.rib)
  },
)

t.test('RFC 2918 4: a refresh sends a family again, the other one not', async t => {
  const wanted = new Wanted()
  wanted.set(key4(1), withPref(1))
  wanted.set(key6(1), withPref(1))
  wanted.drain()
  t.ok(wanted.out.isDone('ipv6-unicast'))
  wanted.out.start('ipv6-unicast', true)
  t.notOk(wanted.out.isDone('ipv6-unicast'))
  t.ok(wanted.out.isDone('ipv4-unicast'))
  t.equal(wanted.out.wantedSize, 2)
  const updates = wanted.drain()
  t.equal(updates.length, 1)
  t.match(updates, [{ pathAttributes: { mpReachNlri: {} } }])
  t.same(wanted.drain(), [])
  wanted.out.start('ipv4-unicast')
  t.same(wanted.drain(), [], 'without being asked for it nothing is told twice')
  t.equal(wanted.out.size, 2)
})

t.test('RFC 2918 4: what changes while a refresh goes on is told as it is then', async t => {
  const wanted = new Wanted()
  for (let i = 0; i < 3000; i++) wanted.set(key4(i), withPref(1))
  wanted.drain()
  wanted.out.start('ipv4-unicast', true)
  wanted.out.next((octets, count) => wanted.mirror.take(octets, count))
  wanted.set(key4(0), withPref(2))
  wanted.set(key4(2999), withPref(2))
  wanted.delete(key4(1))
  wanted.delete(key4(2998))
  wanted.drain()
  const found = known(wanted)
  t.equal(found.size, 2998)
  t.same([found.get(`${key4(0)} 0`), found.get(`${key4(2999)} 0`)], [2, 2])
})

t.test('RFC 4724 4.1: a family that is held back is not told before it is started', async t => {
  const wanted = new Wanted({ started: ['ipv6-unicast'] })
  wanted.set(key4(1), withPref(1))
  wanted.set(key6(1), withPref(1))
  t.equal(wanted.drain().length, 1)
  t.notOk(wanted.out.isDone('ipv4-unicast'))
  t.ok(wanted.out.isDone('ipv6-unicast'))
  wanted.delete(key4(1))
  wanted.set(key4(2), withPref(1))
  t.same(wanted.drain(), [])
  wanted.out.start('ipv4-unicast')
  t.match(wanted.drain(), [{ nlri: { length: 1 } }])
  t.ok(wanted.out.isDone('ipv4-unicast'))
})

t.test('RFC 7911 3: each path with its Path Identifier, of the families that have them', async t => {
  const wanted = new Wanted({ addPath: ['ipv4-unicast'] })
  for (const pathId of [1, 2, 0xffff_ffff]) {
    wanted.set('10.0.0.0/24', withPref(pathId % 7), pathId)
    wanted.set('2001:db8::/32', withPref(pathId % 7), pathId)
  }
  wanted.drain()
  t.same(
    known(wanted),
    new Map([
      ['10.0.0.0/24 1', 1],
      ['10.0.0.0/24 2', 2],
      ['10.0.0.0/24 4294967295', 0xffff_ffff % 7],
      ['2001:db8::/32 0', 1],
    ]),
  )
  t.equal(wanted.out.size, 4)
  t.same(
    [...wanted.out.entries()].map(([family, , pathId]) => `${family} ${pathId}`),
    ['ipv4-unicast 1', 'ipv4-unicast 2', 'ipv4-unicast 4294967295', 'ipv6-unicast 0'],
  )
  wanted.delete('10.0.0.0/24', 2)
  wanted.set('10.0.0.0/24', withPref(9), 1)
  const updates = wanted.drain()
  t.equal(updates.length, 2, 'the third path is not told again')
  t.same([...known(wanted).keys()].toSorted(), ['10.0.0.0/24 1', '10.0.0.0/24 4294967295', '2001:db8::/32 0'])
  wanted.out.start('ipv4-unicast', true)
  t.equal(wanted.drain().flatMap(({ nlri }) => nlri).length, 2)
  wanted.clear()
  wanted.drain()
  wanted.out.close()
  assertEmpty(wanted.rib)
})

t.test('Adj-RIB-Out: closed in the midst of everything it gives all references back', async t => {
  for (const addPath of [[], ['ipv4-unicast', 'ipv6-unicast']] as const) {
    const wanted = new Wanted({ addPath })
    for (let i = 0; i < 3000; i++) wanted.set(i % 2 ? key4(i) : key6(i), withPref(i % 50), i % 3)
    for (let i = 0; i < 4; i++) wanted.out.next((octets, count) => wanted.mirror.take(octets, count))
    for (let i = 0; i < 3000; i += 2) wanted.delete(key6(i), i % 3)
    wanted.set(key4(1), withPref(77), 1)
    wanted.out.start('ipv4-unicast', true)
    wanted.out.close()
    wanted.out.close()
    t.notOk(wanted.out.next(() => t.fail()))
    t.notOk(wanted.out.isPending)
    wanted.clear()
    assertEmpty(wanted.rib)
  }
})

t.test('RFC 7911: thousands of paths to one prefix, each with attributes of its own', async t => {
  const wanted = new Wanted({ addPath: ['ipv4-unicast'] })
  for (let pathId = 1; pathId <= 9000; pathId++) wanted.set(key4(1), withPref(pathId), pathId)
  t.equal(wanted.drain().length, 9000)
  t.same(new Set(known(wanted).values()).size, 9000)
  wanted.clear()
  wanted.drain()
  t.equal(known(wanted).size, 0)
})

t.test('RFC 4271 9.2: what one peer has left when it failed is not told to the next', async t => {
  const packer = new UpdatePacker()
  const broken = new Wanted({ packer })
  const next = new Wanted({ packer })
  broken.set(key4(1), withPref(1))
  next.set(key4(2), withPref(2))
  broken.write = () => {
    throw new Error('broken')
  }
  t.throws(() => broken.drain(), /broken/)
  t.equal(next.drain().length, 1)
  t.same([...known(next).values()], [2])
})
