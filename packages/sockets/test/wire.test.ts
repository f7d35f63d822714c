import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { Address6 } from 'ip-address'
import t from 'tap'
import * as wire from '@typemetal/sockets/wire'

const vector = (name: string): Uint8Array[] =>
  readFileSync(new URL(`../test/vectors/${name}`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map(line => Uint8Array.from(Buffer.from(line, 'hex')))
const messages = (name: string): wire.NetlinkMessage[] => vector(name).flatMap(datagram => wire.decodeNetlink(datagram))
// The vectors were captured on a little-endian machine.
const capture = { skip: new Uint8Array(new Uint16Array([1]).buffer)[0] ? false : 'big endian' } as const

t.test('rtnetlink: a dump of interfaces captured from Linux 6.18', capture, async t => {
  const all = messages('link-dump.hex')
  t.equal(all.at(-1)?.type, wire.NetlinkType.done)
  t.ok(all.slice(0, -1).every(({ type, sequence }) => type === wire.NetlinkType.newLink && sequence === 1))
  const links = new Map(
    all.slice(0, -1).map(({ payload }) => [wire.decodeLink(payload)?.name, wire.decodeLink(payload)]),
  )
  t.same([...links.keys()], ['lo', 'br0', 'vb', 'va', 'tun0'])
  t.match(links.get('lo'), { index: 1, mac: '00:00:00:00:00:00', mtu: 65536, operstate: 'unknown' })
  t.match(links.get('br0'), { index: 2, mac: '02:00:00:00:00:01', mtu: 1400, operstate: 'up' })
  t.match(links.get('va'), { index: 4, mac: '02:00:00:00:00:0a', master: 2, mtu: 1400 })
  t.equal(links.get('br0')?.master, undefined)
  const { up, noarp, pointToPoint, multicast } = wire.InterfaceFlag
  t.match(links.get('tun0'), { mac: '', operstate: 'down', flags: up | noarp | pointToPoint | multicast })
})

t.test('rtnetlink: a dump of addresses captured from Linux 6.18', capture, async t => {
  const addresses = messages('address-dump.hex').flatMap(({ payload }) => wire.decodeInterfaceAddress(payload) ?? [])
  const find = (address: string): wire.AddressMessage | undefined => addresses.find(known => known.address === address)
  t.same(find('127.0.0.1'), {
    interfaceIndex: 1,
    address: '127.0.0.1',
    prefixLength: 8,
    family: 4,
    peer: '',
    scope: 'host',
    tentative: false,
    dadFailed: false,
    deprecated: false,
    secondary: false,
    validLifetime: Infinity,
    preferredLifetime: Infinity,
  })
  t.match(
    find('10.9.9.1'),
    { interfaceIndex: 3, prefixLength: 32, peer: '10.9.9.2' },
    "a point-to-point link's own end",
  )
  t.equal(find('10.9.9.2'), undefined, "not the other's")
  t.match(find('10.0.7.1'), { scope: 'link', prefixLength: 16 })
  t.match(find('fd00::1'), { family: 6, prefixLength: 64, scope: 'global', tentative: false })
  t.match(find('fd00:1::5'), { tentative: true, dadFailed: false })
  t.match(find('fe80::ff:fe00:b'), { scope: 'link', interfaceIndex: 3 })
})

t.test('rtnetlink: messages of another kind, and cut ones', async t => {
  const payload = messages('link-dump.hex')[0]?.payload ?? new Uint8Array()
  t.equal(wire.decodeLink(payload.with(0, 7)), undefined, 'AF_BRIDGE tells of a port')
  t.equal(wire.decodeLink(payload.subarray(0, 15)), undefined)
  t.match(wire.decodeLink(payload.subarray(0, 16)), { name: '', mac: '', mtu: 0 }, 'without attributes')
  t.equal(wire.decodeInterfaceAddress(new Uint8Array(7)), undefined)
  t.equal(wire.decodeInterfaceAddress(Uint8Array.of(2, 24, 0, 0, 1, 0, 0, 0)), undefined, 'without an address')
  t.equal(
    wire.decodeInterfaceAddress(Uint8Array.of(9, 24, 0, 0, 1, 0, 0, 0, 8, 0, 1, 0, 1, 2, 3, 4)),
    undefined,
    'family 9',
  )
  t.equal(wire.decodeNetlinkError(Uint8Array.of(1)), 0)
  t.same(wire.encodeLinkRequest(), new Uint8Array(16))
  t.same(wire.encodeAddressRequest(), new Uint8Array(8))
})

t.test('property: netlink decode inverts encode; no octets make a decoder throw or loop', async () => {
  const word = fc.nat({ max: 0xffff })
  const message = fc.record(
    { type: word, flags: word, sequence: fc.nat(), payload: fc.uint8Array() },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(message, value => {
      assert.deepEqual(wire.decodeNetlink(wire.encodeNetlink(value)), [value])
    }),
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), octets => {
      for (const { payload } of wire.decodeNetlink(octets)) wire.decodeAttributes(payload)
      wire.decodeLink(octets)
      wire.decodeInterfaceAddress(octets)
      wire.decodePacketInfo(octets)
      wire.decodeInternetAddress(octets)
      wire.decodeNetlinkError(octets)
    }),
  )
})

t.test('cmsg(3): encode and decode, and what Linux tells about packets', async t => {
  const values = [
    { level: 41, type: 52, data: Uint8Array.of(255, 0, 0, 0) },
    { level: 41, type: 50, data: new Uint8Array(20).with(0, 0xfd).with(15, 1).with(16, 3) },
  ]
  const octets = wire.encodeControl(values)
  t.equal(octets.length, wire.controlSpace(4) + wire.controlSpace(20))
  t.same(wire.decodeControl(octets), values)
  t.same(wire.decodeControl(octets.subarray(0, octets.length - 5)), values.slice(0, 1), 'ends where one is cut')
  t.same(wire.decodePacketInfo(octets), { hopLimit: 255, destination: 'fd00::1', interfaceIndex: 3 }, capture)
  const v4 = wire.encodeControl([
    { level: 0, type: 2, data: Uint8Array.of(64, 0, 0, 0) },
    { level: 0, type: 8, data: Uint8Array.of(2, 0, 0, 0, 10, 0, 0, 9, 224, 0, 0, 1) },
    { level: 1, type: 1, data: Uint8Array.of() },
  ])
  t.same(wire.decodePacketInfo(v4), { hopLimit: 64, destination: '224.0.0.1', interfaceIndex: 2 }, capture)
  t.same(wire.decodePacketInfo(new Uint8Array()), { hopLimit: -1, destination: '', interfaceIndex: 0 })
})

t.test('socket addresses', async t => {
  const v4 = wire.encodeInternetAddress(Uint8Array.of(10, 0, 0, 1), 179)
  t.equal(v4.length, 16)
  t.same(wire.decodeInternetAddress(v4), { family: 4, address: '10.0.0.1', port: 179, scopeId: 0 })
  const octets = wire.parseAddress('fe80::1').octets
  const v6 = wire.encodeInternetAddress(octets, 65535, 7)
  t.equal(v6.length, 28)
  t.same(wire.decodeInternetAddress(v6), { family: 6, address: 'fe80::1', port: 65535, scopeId: 7 })
  t.equal(wire.decodeInternetAddress(v6.subarray(0, 27)), undefined)
  t.equal(wire.decodeInternetAddress(v4.subarray(0, 15)), undefined)
  t.equal(wire.decodeInternetAddress(new Uint8Array(28)), undefined)
  t.throws(() => wire.encodeInternetAddress(Uint8Array.of(1), 1), RangeError)
  t.throws(() => wire.encodeInternetAddress(octets, 65536), RangeError)
  t.throws(() => wire.encodeInternetAddress(octets, 1.5), RangeError)
  t.equal(wire.encodeLinkLayerAddress(3, 0x806).length, 20)
  t.same(wire.encodeLinkLayerAddress(3, 0x806).subarray(2, 4), Uint8Array.of(8, 6), 'the EtherType is in network order')
  t.equal(wire.encodeNetlinkAddress(0x111).length, 12)
})

t.test('addresses: text to octets', async t => {
  t.same(wire.parseAddress('10.0.0.1'), { family: 4, octets: Uint8Array.of(10, 0, 0, 1), zone: undefined })
  t.same(wire.parseAddress('::ffff:10.0.0.1').octets.subarray(10), Uint8Array.of(255, 255, 10, 0, 0, 1))
  t.match(wire.parseAddress('fe80::1%eth0'), { family: 6, zone: 'eth0' })
  for (const bad of [
    '',
    '10.0.0.0/24',
    'fe80::/10',
    'fe80::1%',
    '10.0.0',
    '10.0.0.1%eth0',
    'node-1',
    '::1::',
    ':',
    '1:2:3',
    'g::',
    '::1/64',
    '%eth0',
    '::%',
  ])
    t.throws(() => wire.parseAddress(bad), { name: 'TypeError', message: /not an IP address/ }, bad)
  t.ok(wire.needsScope(wire.parseAddress('fe80::1').octets))
  t.ok(wire.needsScope(wire.parseAddress('ff02::1').octets))
  t.notOk(wire.needsScope(wire.parseAddress('ff05::2').octets))
  t.notOk(wire.needsScope(wire.parseAddress('fd00::1').octets))
  t.notOk(wire.needsScope(wire.parseAddress('10.0.0.1').octets))
  t.equal(wire.formatMac(Uint8Array.of(2, 0, 0, 0, 0xab, 0xf)), '02:00:00:00:ab:0f')
})

t.test('RFC 4291 section 2.2: what is an IPv6 address, and which, is what ip-address says', async () => {
  const part = fc.oneof(
    fc.constantFrom(
      '',
      '0',
      ':',
      '::',
      '1',
      'ffff',
      '12345',
      'g',
      '1.2.3.4',
      '256.1.1.1',
      '1.2.3',
      '.',
      '-1',
      ' ',
      '0x1',
    ),
    fc.nat({ max: 0xffff }).map(group => group.toString(16)),
  )
  const loose = fc.array(part, { maxLength: 10 }).map(parts => parts.join(':'))
  const groups = fc.array(fc.oneof(fc.constant(0), fc.nat({ max: 0xffff })), { minLength: 8, maxLength: 8 })
  const written = fc.tuple(groups, fc.nat({ max: 8 }), fc.nat({ max: 8 })).map(([groups, from, count]) => {
    const texts = groups.map(group => group.toString(16))
    return `${texts.slice(0, from).join(':')}::${texts.slice(from + count).join(':')}`
  })
  fc.assert(
    fc.property(fc.oneof(loose, written), text => {
      if (!text.includes(':')) return
      let octets: number[] | undefined
      try {
        octets = [...wire.parseAddress(text).octets]
      } catch (error) {
        assert.ok(error instanceof TypeError)
      }
      const expected = Address6.isValid(text)
        ? new Address6(text).parsedAddress.flatMap(group => {
            const value = Number.parseInt(group, 16)
            return [value >> 8, value & 255]
          })
        : undefined
      assert.deepEqual(octets, expected, text)
    }),
    { numRuns: 20_000 },
  )
})

t.test('RFC 5952: octets to text, the same as ip-address', async t => {
  for (const text of ['::', '::1', '1::', 'fd00::1:0:0:1', '1:0:0:2::3', '2001:db8:0:1:1:1:1:1', '1:2:3:4:5:6:7:8'])
    t.equal(wire.formatAddress(wire.parseAddress(text).octets), text)
  const groups = fc.array(fc.oneof(fc.constant(0), fc.nat({ max: 0xffff })), { minLength: 8, maxLength: 8 })
  fc.assert(
    fc.property(groups, groups => {
      const octets = Uint8Array.from(groups.flatMap(group => [group >> 8, group & 255]))
      const text = wire.formatAddress(octets)
      assert.equal(text, new Address6(groups.map(group => group.toString(16)).join(':')).correctForm())
      assert.deepEqual(wire.parseAddress(text).octets, octets)
    }),
  )
})

t.test('tcp(7): struct tcp_md5sig', async t => {
  const name = wire.encodeInternetAddress(Uint8Array.of(10, 0, 0, 1), 0)
  const one = wire.encodeMd5Signature(name, undefined, Uint8Array.of(1, 2))
  t.equal(one.length, 216)
  t.same(one.subarray(128, 130), Uint8Array.of(0, 0))
  t.same(one.subarray(136, 139), Uint8Array.of(1, 2, 0))
  t.same(wire.encodeMd5Signature(name, 24, Uint8Array.of(1)).subarray(128, 130), Uint8Array.of(1, 24))
  t.throws(() => wire.encodeMd5Signature(name, undefined, new Uint8Array(81)), RangeError)
})
