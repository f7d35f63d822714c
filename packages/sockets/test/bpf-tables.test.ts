/** Named programs with tables of addresses: exactly those while they fit, never fewer, never too long for the kernel. */
import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import {
  arpRequests,
  arpRequestsOrClaims,
  neighborSolicitations,
  neighborSolicitationsOrAdvertisements,
} from '@typemetal/sockets/bpf'
import { run } from './bpf-interpreter.js'
import { arpFrame, ipv4, ipv6, numbers, solicitationFrame } from './frame-samples.js'

const PACKET_TYPE = 4
const VLAN_TAG_PRESENT = 48
const OUTGOING = 4
const LONGEST = 4096

t.test('RFC 5227 section 2.4: requests for an address, and whatever has it as sender', async t => {
  const program = arpRequestsOrClaims(['10.0.0.1', '10.0.0.3'])
  const passes = (sender: string, target: string, operation = 1): boolean =>
    run(program, arpFrame(target, operation, sender)) > 0
  t.ok(passes('10.0.0.9', '10.0.0.1'), 'a request')
  t.ok(passes('0.0.0.0', '10.0.0.3'), 'a probe')
  t.ok(passes('10.0.0.1', '10.0.0.1'), 'an announcement')
  t.ok(passes('10.0.0.3', '10.0.0.3', 2), 'a gratuitous reply')
  t.ok(passes('10.0.0.3', '10.0.0.9', 2), 'a reply to us')
  t.ok(passes('10.0.0.1', '10.0.0.2'), 'its own question')
  t.ok(passes('10.0.0.1', '10.0.0.2', 9), 'of any operation')
  t.notOk(passes('10.0.0.2', '10.0.0.9'), 'others among themselves')
  t.notOk(passes('10.0.0.2', '10.0.0.1', 2), 'a reply that has it as target: no request, no claim')
  t.notOk(passes('0.0.0.0', '10.0.0.2'))
  t.notOk(run(arpRequestsOrClaims([]), arpFrame('10.0.0.1')), 'an empty table takes nothing')
})

t.test('requests or claims: all of them without a table', async t => {
  for (const operation of [1, 2, 9]) t.ok(run(arpRequestsOrClaims(), arpFrame('10.0.0.1', operation)))
  t.notOk(run(arpRequestsOrClaims(), arpFrame('10.0.0.1').with(15, 6)), 'another hardware type')
  t.notOk(run(arpRequestsOrClaims(), arpFrame('10.0.0.1').subarray(0, 19)), 'cut short')
  const target = ipv6(0xfd00_0000, 0, 0, 1)
  for (const type of [135, 136]) t.ok(run(neighborSolicitationsOrAdvertisements(), solicitationFrame(target, { type })))
  for (const type of [133, 134, 137])
    t.notOk(run(neighborSolicitationsOrAdvertisements(), solicitationFrame(target, { type })))
})

t.test('RFC 4861 section 7.2.5: solicitations and advertisements for an address', async t => {
  const target = ipv6(0xfd00_0000, 0, 0, 1)
  const program = neighborSolicitationsOrAdvertisements([target, 'fd00::7'])
  for (const type of [135, 136]) {
    t.ok(run(program, solicitationFrame(target, { type })), `${type}`)
    t.notOk(run(program, solicitationFrame(target, { type, hopLimit: 254 })), 'section 7.1: hop limit 255')
    t.notOk(run(program, solicitationFrame(target, { type, code: 1 })), 'section 7.1: code 0')
    t.notOk(run(program, solicitationFrame(target.with(15, 2), { type })), 'another address')
  }
  t.notOk(run(program, solicitationFrame(target, { type: 137 })))
  t.throws(() => neighborSolicitationsOrAdvertisements(['10.0.0.1']), TypeError)
  t.throws(() => neighborSolicitationsOrAdvertisements([ipv4(1)]), TypeError)
  t.throws(() => arpRequestsOrClaims([target]), TypeError)
})

t.test('frames that this host sends, and tagged ones, do not pass', async t => {
  const target = ipv6(0xfd00_0000, 0, 0, 1)
  for (const [program, frame] of [
    [arpRequestsOrClaims(), arpFrame('10.0.0.1')],
    [arpRequests(), arpFrame('10.0.0.1')],
    [neighborSolicitationsOrAdvertisements(), solicitationFrame(target)],
    [neighborSolicitations(), solicitationFrame(target)],
  ] as const) {
    t.ok(run(program, frame))
    t.notOk(run(program, frame, { [PACKET_TYPE]: OUTGOING }))
    t.notOk(run(program, frame, { [VLAN_TAG_PRESENT]: 1 }))
  }
})

t.test('a pool is one run, however large', async t => {
  const pool = Array.from({ length: 60_000 }, (_, i) => ipv4(0xc0a8_0100 + i))
  const program = arpRequestsOrClaims(pool.toReversed())
  t.ok(program.length < 40, `${program.length}`)
  for (const [value, passes] of [
    [0xc0a8_00ff, false],
    [0xc0a8_0100, true],
    [0xc0a8_0100 + 59_999, true],
    [0xc0a8_0100 + 60_000, false],
  ] as const) {
    t.equal(run(program, arpFrame(ipv4(value).join('.'))) > 0, passes)
  }
  const wide = Array.from({ length: 5000 }, (_, i) => ipv6(0x2001_0db8, 0, 0, i))
  t.ok(neighborSolicitations(wide).length < 40)
})

t.test('property: a table of IPv4 addresses takes exactly these', async () => {
  // Neighbours, gaps of one, and both ends of the address space.
  const value = fc.oneof(
    fc.integer({ min: 0, max: 40 }),
    fc.integer({ min: 0xffff_ffd8, max: 0xffff_ffff }),
    fc.integer({ min: 0x7fff_fff0, max: 0x8000_0010 }),
    fc.nat(0xffff_ffff),
  )
  fc.assert(
    fc.property(fc.array(value, { maxLength: 60 }), value, value, (table, sender, target) => {
      const targets = table.map(ipv4)
      const frame = arpFrame(ipv4(target).join('.'), 1, ipv4(sender).join('.'))
      assert.equal(run(arpRequests(targets), frame) > 0, table.includes(target))
      const concerns = table.includes(target) || table.includes(sender)
      assert.equal(run(arpRequestsOrClaims(targets), frame) > 0, concerns)
    }),
    { numRuns: 500 },
  )
})

t.test('property: a table of IPv6 addresses takes exactly these', async () => {
  const word = fc.constantFrom(0, 1, 2, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff)
  const address = fc.tuple(word, word, word, word).map(words => ipv6(...words))
  fc.assert(
    fc.property(fc.array(address, { maxLength: 60 }), address, (table, wanted) => {
      const inside = table.some(one => Buffer.compare(one, wanted) === 0)
      assert.equal(run(neighborSolicitations(table), solicitationFrame(wanted)) > 0, inside)
      assert.equal(run(neighborSolicitationsOrAdvertisements(table), solicitationFrame(wanted)) > 0, inside)
    }),
    { numRuns: 500 },
  )
})

t.test('IPv4 at random: exact up to what the documentation says, and the nearest pass together beyond', async t => {
  const probe = (values: readonly number[], program: ReturnType<typeof arpRequests>, strangers: readonly number[]) => {
    const passing = (value: number): boolean => run(program, arpFrame(ipv4(value).join('.'), 1, '0.0.0.0')) > 0
    return { missed: values.filter(value => !passing(value)).length, foreign: strangers.filter(passing).length }
  }
  const strangers = numbers(2000, 99)
  for (const [make, most] of [
    [arpRequests, 1400],
    [arpRequestsOrClaims, 700],
  ] as const) {
    const table = numbers(most, 1)
    const program = make(table.map(ipv4))
    t.ok(program.length <= LONGEST)
    t.same(probe(table, program, strangers), { missed: 0, foreign: 0 }, `${make.name}: ${most}`)
    const many = numbers(20_000, 2)
    const rough = make(many.map(ipv4))
    t.ok(rough.length <= LONGEST)
    const { missed, foreign } = probe(many, rough, strangers)
    t.equal(missed, 0, 'none of ours is lost')
    t.ok(foreign < strangers.length, `of 2000 strangers ${foreign} pass`)
  }
  const sparse = numbers(5000, 3).map(value => 0x0a00_0000 + (value % 0x1_0000))
  const local = numbers(2000, 98).map(value => 0x0a00_0000 + (value % 0x1_0000))
  const { missed, foreign } = probe(sparse, arpRequestsOrClaims(sparse.map(ipv4)), local)
  t.equal(missed, 0)
  t.ok(foreign < 1400, `5000 in a /16: of 2000 addresses there ${foreign} pass`)
})

t.test('the space of a table: more is looked up exactly, less roughly, and never is one of ours lost', async t => {
  const table = numbers(1000, 4)
  const wide = table.map(value => ipv6(0x2001_0db8, 0, value, value))
  let before = 0
  for (const instructions of [100, 400, 1000, 4000]) {
    const arp = arpRequestsOrClaims(table.map(ipv4), { instructions })
    t.ok(arp.length > before && arp.length <= instructions + 40, `${arp.length} of ${instructions}`)
    before = arp.length
    t.ok(table.every(value => run(arp, arpFrame(ipv4(value).join('.'))) > 0))
    const ndp = neighborSolicitations(wide, { instructions })
    t.ok(ndp.length <= instructions + 40, `${ndp.length} of ${instructions}`)
    t.ok(wide.every(address => run(ndp, solicitationFrame(address)) > 0))
  }
  for (const instructions of [99, 4001, NaN]) {
    t.throws(() => arpRequests([], { instructions }), /^instructions/)
    t.throws(() => neighborSolicitations([], { instructions }), RangeError)
  }
})

t.test('IPv6 at random: exact up to what the documentation says, by common words and last words beyond', async t => {
  const random = (count: number, seed: number): Uint8Array[] => {
    const words = numbers(2 * count, seed)
    return Array.from({ length: count }, (_, i) => ipv6(0x2001_0db8, 1, words[2 * i]!, words[2 * i + 1]!))
  }
  const passing = (program: ReturnType<typeof arpRequests>, addresses: readonly Uint8Array[]): number =>
    addresses.filter(address => run(program, solicitationFrame(address)) > 0).length
  const strangers = random(2000, 7)
  const table = random(300, 5)
  const exact = neighborSolicitations(table)
  t.ok(exact.length <= LONGEST)
  t.equal(passing(exact, table), 300)
  t.equal(passing(exact, strangers), 0)
  const mixed = ipv6(
    0x2001_0db8,
    1,
    new DataView(table[0]!.buffer).getUint32(8),
    new DataView(table[1]!.buffer).getUint32(12),
  )
  t.equal(passing(exact, [mixed]), 0, 'the words of two addresses are not a third')
  const many = random(5000, 6)
  const rough = neighborSolicitationsOrAdvertisements(many)
  t.ok(rough.length <= LONGEST)
  t.equal(passing(rough, many), 5000, 'none of ours is lost')
  t.ok(passing(rough, strangers) < 1000, `of 2000 strangers ${passing(rough, strangers)} pass`)
  t.equal(
    passing(
      rough,
      strangers.map(address => address.with(3, 0xb9)),
    ),
    0,
    'another network never',
  )
})
