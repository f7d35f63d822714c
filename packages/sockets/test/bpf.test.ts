import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { arpRequests, assemble, bpf, encodeProgram, neighborSolicitations } from '@typemetal/sockets/bpf'
import { run } from './bpf-interpreter.js'
import { arpFrame, solicitationFrame } from './frame-samples.js'

const PACKET_TYPE = 4
const VLAN_TAG_PRESENT = 48
const OTHERHOST = 3
const FD00_1 = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]

t.test('assemble: the kernel document of socket filters, ARP example', async t => {
  const program = assemble([
    bpf.load('half', 12),
    bpf.jump('equal', 0x806, { ifFalse: 'drop' }),
    bpf.accept(0xffffffff),
    bpf.label('drop'),
    bpf.drop(),
  ])
  // { 0x28, 0, 0, 0x0000000c }, { 0x15, 0, 1, 0x00000806 }, { 0x06, 0, 0, 0xffffffff }, { 0x06, 0, 0, 0 }
  t.same(program, [
    { code: 0x28, jt: 0, jf: 0, k: 12 },
    { code: 0x15, jt: 0, jf: 1, k: 0x806 },
    { code: 0x06, jt: 0, jf: 0, k: 0xffffffff },
    { code: 0x06, jt: 0, jf: 0, k: 0 },
  ])
  const octets = Buffer.from(encodeProgram(program))
  t.equal(octets.length, 32)
  const little = '28000000 0c000000 15000001 06080000 06000000 ffffffff 06000000 00000000'.replaceAll(' ', '')
  t.equal(octets.toString('hex'), little, {
    skip: new Uint8Array(new Uint16Array([1]).buffer)[0] ? false : 'big endian',
  })
})

t.test('assemble: every test, mask and jump does what its name says', async t => {
  const verdict = (test: 'equal' | 'greater' | 'greaterOrEqual' | 'set', value: number, octet: number): number =>
    run(
      assemble([
        bpf.load('byte', 0),
        bpf.and(0x7f),
        bpf.jump(test, value, { ifTrue: 'yes' }),
        bpf.goto('no'),
        bpf.label('yes'),
        bpf.accept(7),
        bpf.label('no'),
        bpf.drop(),
      ]),
      Uint8Array.of(octet),
    )
  t.equal(verdict('equal', 5, 0x85), 7, 'masked')
  t.equal(verdict('equal', 5, 4), 0)
  t.equal(verdict('greater', 5, 5), 0)
  t.equal(verdict('greater', 5, 6), 7)
  t.equal(verdict('greaterOrEqual', 5, 5), 7)
  t.equal(verdict('set', 6, 4), 7)
  t.equal(verdict('set', 6, 1), 0)
})

t.test('assemble: refuses what the kernel would refuse', async t => {
  t.throws(() => assemble([]), RangeError, 'empty')
  t.throws(() => assemble([bpf.load('byte', 0)]), RangeError, 'no end')
  t.throws(() => assemble([bpf.jump('equal', 1, { ifTrue: 'nowhere' }), bpf.drop()]), /no BPF label "nowhere"/)
  t.throws(() => assemble([bpf.label('back'), bpf.load('byte', 0), bpf.goto('back'), bpf.drop()]), /lies behind/)
  const far = Array.from({ length: 256 }, () => bpf.load('byte', 0))
  t.throws(
    () => assemble([bpf.jump('equal', 1, { ifTrue: 'far' }), ...far, bpf.label('far'), bpf.drop()]),
    /out of reach/,
  )
  t.equal(assemble([bpf.goto('far'), ...far, bpf.label('far'), bpf.drop()])[0]?.k, 256, 'a goto has no limit')
  t.throws(() => assemble([...Array.from({ length: 4096 }, () => bpf.load('byte', 0)), bpf.drop()]), /too many/)
})

t.test('RFC 826: ARP requests', async t => {
  const program = arpRequests()
  const changed = (at: number, value: number): Uint8Array => arpFrame('10.0.0.1').with(at, value)
  t.ok(run(program, arpFrame('10.0.0.1')) >= 1514)
  t.equal(run(program, arpFrame('10.0.0.1', 2)), 0, 'a reply')
  t.equal(run(program, changed(15, 6)), 0, 'another hardware type')
  t.equal(run(program, changed(16, 0x86)), 0, 'another protocol type')
  t.equal(run(program, changed(18, 8)), 0, 'another address length')
  t.equal(run(program, changed(13, 0)), 0, 'another EtherType')
  t.equal(run(program, arpFrame('10.0.0.1').subarray(0, 21)), 0, 'cut short')
  t.equal(run(program, arpFrame('10.0.0.1'), { [PACKET_TYPE]: OTHERHOST }), 0, 'for another host')
  t.equal(run(program, arpFrame('10.0.0.1'), { [VLAN_TAG_PRESENT]: 1 }), 0, 'with a VLAN tag')
})

t.test('ARP requests for a table of addresses', async t => {
  const few = arpRequests(['10.0.0.1', '10.0.0.3'])
  t.ok(run(few, arpFrame('10.0.0.1')))
  t.notOk(run(few, arpFrame('10.0.0.2')))
  t.ok(run(few, arpFrame('10.0.0.3')))
  t.notOk(run(few, arpFrame('10.0.0.3', 2)))
  t.notOk(run(arpRequests([]), arpFrame('10.0.0.1')), 'an empty table takes nothing')
  const many = Array.from({ length: 2000 }, (_, i) => `10.1.${i >> 8}.${i & 255}`)
  t.ok(run(arpRequests(many), arpFrame('10.1.7.207')), 'the last of 2000')
  t.throws(() => arpRequests(['fd00::1']), TypeError)
})

t.test('RFC 4861 section 4.3: neighbour solicitations', async t => {
  const program = neighborSolicitations()
  t.ok(run(program, solicitationFrame(FD00_1)) >= 1514)
  t.equal(run(program, solicitationFrame(FD00_1, { hopLimit: 254 })), 0, 'section 7.1.1: hop limit 255')
  t.equal(run(program, solicitationFrame(FD00_1, { code: 1 })), 0, 'section 7.1.1: code 0')
  t.equal(run(program, solicitationFrame(FD00_1, { nextHeader: 17 })), 0, 'UDP')
  t.equal(run(program, solicitationFrame(FD00_1).with(54, 136)), 0, 'an advertisement')
  t.equal(run(program, arpFrame('10.0.0.1')), 0)
  const table = neighborSolicitations(['fd00::2', 'fd00::1'])
  t.ok(run(table, solicitationFrame(FD00_1)))
  t.notOk(run(table, solicitationFrame(FD00_1.with(15, 3))), 'another last word')
  t.notOk(run(table, solicitationFrame(FD00_1.with(0, 0xfc))), 'another first word')
  t.ok(run(neighborSolicitations(Array.from({ length: 450 }, (_, i) => `fd00::${i}`)), solicitationFrame(FD00_1)))
  t.throws(() => neighborSolicitations(['10.0.0.1']), TypeError)
})

t.test('property: a table takes exactly its addresses, and no octets make a program run off its end', async () => {
  const octet = fc.integer({ min: 0, max: 3 })
  const address = fc.tuple(octet, octet).map(([c, d]) => `10.0.${c}.${d}`)
  fc.assert(
    fc.property(fc.uniqueArray(address), address, (table, wanted) => {
      assert.equal(run(arpRequests(table), arpFrame(wanted)) > 0, table.includes(wanted))
    }),
  )
  const programs = [arpRequests(), arpRequests(['10.0.0.1']), neighborSolicitations(), neighborSolicitations(['::1'])]
  fc.assert(
    fc.property(fc.constantFrom(...programs), fc.uint8Array({ maxLength: 100 }), (program, frame) => {
      run(program, frame)
    }),
  )
})
