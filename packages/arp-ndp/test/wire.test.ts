/** Ethernet, ARP, IPv6 and ICMPv6: what RFC 826, 5227, 8200, 4443, 4291, 2464 and IEEE 802.1Q say of octets. */
import t from 'tap'
import * as wire from '@typemetal/arp-ndp/wire'
import { hex, METALLB } from './octets.js'
import { fault, mac } from './wire-samples.js'

t.test('RFC 826: an ARP request decodes to its fields and encodes back', async t => {
  const packet = hex('0001 0800 06 04 0001 020000000099 c000024d 000000000000 c0000201')
  const decoded = wire.decodeArp(packet)
  t.equal(decoded.operation, wire.ArpOperation.Request)
  t.same(decoded.senderHardwareAddress, mac(0x99))
  t.same(decoded.senderProtocolAddress, Uint8Array.of(192, 0, 2, 77))
  t.same(decoded.targetHardwareAddress, wire.ZERO_MAC)
  t.same(decoded.targetProtocolAddress, Uint8Array.of(192, 0, 2, 1))
  t.same(wire.encodeArp(decoded), packet)
  t.equal(wire.arpLength(decoded), wire.ARP_LENGTH)
})

for (const [offset, value] of [
  [0, 6],
  [2, 0x86],
  [4, 8],
  [5, 16],
] as const) {
  t.test(`RFC 826: other than IPv4 over Ethernet is refused at octet ${offset}`, async t => {
    const packet = hex(METALLB.reply).slice(14)
    packet[offset] = value
    t.throws(() => wire.decodeArp(packet), fault('bad-field', offset))
  })
}

t.test('RFC 5227 section 1.1: probe and announcement are told apart', async t => {
  const base = wire.decodeArp(hex(METALLB.gratuitousRequest).subarray(14))
  t.ok(wire.isArpAnnouncement(base))
  t.notOk(wire.isArpProbe(base))
  const probe = { ...base, senderProtocolAddress: new Uint8Array(4) }
  t.ok(wire.isArpProbe(probe))
  t.notOk(wire.isArpAnnouncement(probe))
  t.notOk(wire.isArpAnnouncement({ ...probe, targetProtocolAddress: new Uint8Array(4) }), 'of nothing at all')
  const reply = wire.decodeArp(hex(METALLB.gratuitousReply).subarray(14))
  t.notOk(wire.isArpAnnouncement(reply) || wire.isArpProbe(reply), 'a reply is neither')
})

t.test('every cut of an ARP frame is refused where it was cut', async t => {
  const frame = hex(METALLB.reply)
  for (let n = 0; n < 14; n++) {
    t.throws(() => wire.decodeEthernet(frame.subarray(0, n)), fault('truncated', n))
  }
  for (let n = 0; n < 28; n++) {
    t.throws(() => wire.decodeArp(frame.subarray(14, 14 + n)), fault('truncated', n))
  }
})

t.test('IEEE 802.1Q and 802.1ad: tags are decoded, outermost first', async t => {
  const frame = hex('ffffffffffff 020000000001 88a8 e064 8100 1fff 0806') // and no payload
  const decoded = wire.decodeEthernet(frame)
  t.same(decoded.tags, [
    { tpid: 0x88a8, priority: 7, dropEligible: false, vlanId: 100 },
    { tpid: 0x8100, priority: 0, dropEligible: true, vlanId: 4095 },
  ])
  t.equal(decoded.etherType, wire.EtherType.ARP)
  t.equal(decoded.payload.length, 0)
  for (let n = 14; n < frame.length; n++) {
    t.throws(() => wire.decodeEthernet(frame.subarray(0, n)), fault('truncated', n))
  }
  t.throws(() => wire.decodeEthernet(hex('ffffffffffff 020000000001 002e 00')), fault('bad-field', 12))
  t.same(wire.encodeEthernet(decoded).subarray(0, frame.length), frame)
})

t.test('IEEE 802.1Q: a frame of nothing but tags is refused where it ends', async t => {
  const frame = new Uint8Array(1514)
  for (let at = 12; at + 4 <= frame.length; at += 4) frame.set([0x81, 0, 0, 1], at)
  t.throws(() => wire.decodeEthernet(frame), fault('bad-field', 1512), '375 whole tags, then no EtherType')
  frame.set([0x81, 0], 1512)
  t.throws(() => wire.decodeEthernet(frame), fault('truncated', frame.length), 'and half a tag')
})

t.test(
  'IEEE 802.3 section 3.2.7: short payloads are padded with zeros, behind tags too, whatever the buffer held',
  async t => {
    const frame = {
      destination: mac(2),
      source: mac(1),
      tags: [{ tpid: 0x8100, priority: 0, dropEligible: false, vlanId: 5 }],
      etherType: 0x0806,
      payload: new Uint8Array(28).fill(1),
    }
    const encoded = wire.encodeEthernet(frame, new Uint8Array(100).fill(0xee))
    t.equal(encoded.length, 18 + 46)
    t.ok(encoded.subarray(18 + 28).every(octet => octet === 0))
    t.same(wire.decodeEthernet(encoded), { ...frame, payload: encoded.subarray(18) })
  },
)

t.test('MAC addresses as text', async t => {
  t.same(wire.parseMac('02:00:0a:BC:00:01'), Uint8Array.of(2, 0, 10, 0xbc, 0, 1))
  t.same(wire.parseMac('02-00-00-00-00-01'), mac(1))
  t.equal(wire.formatMac(mac(0xab)), '02:00:00:00:00:ab')
  for (const bad of [
    '',
    '02:00:00:00:00',
    '02:00:00:00:00:1',
    '02:00-00:00:00:01',
    '02:00:00:00:00:0g',
    ' 02:00:00:00:00:01',
  ]) {
    t.throws(() => wire.parseMac(bad), TypeError, JSON.stringify(bad))
  }
  t.ok(wire.isGroupMac(wire.BROADCAST_MAC))
  t.same([mac(1), wire.ZERO_MAC, wire.BROADCAST_MAC, mac(1).subarray(1)].map(wire.isStationMac), [
    true,
    false,
    false,
    false,
  ])
})

t.test('RFC 4291 section 2.7.1, RFC 2464 section 7: solicited-node group and its MAC', async t => {
  const group = wire.solicitedNodeMulticast(hex('20010db8000000000000000000000001'))
  t.same(group, hex('ff0200000000000000000001ff000001'))
  t.same(wire.multicastMac(group), hex('3333ff000001'))
  t.same(wire.multicastMac(wire.ALL_NODES), hex('333300000001'))
  t.ok(wire.isMulticast(group) && wire.isMulticast(wire.ALL_ROUTERS))
  t.ok(
    wire.isLinkLocal(hex('fe80000000000000000000000000000a')) &&
      wire.isLinkLocal(hex('febf0000000000000000000000000001')),
  )
  t.notOk(wire.isLinkLocal(hex('fec00000000000000000000000000001')))
  t.ok(wire.isSolicitedNodeMulticast(group) && wire.isSolicitedNodeMulticast(hex('ff0200000000000000000001ffabcdef')))
  for (const other of [
    'ff0200000000000000000001fe000001',
    'ff0500000000000000000001ff000001',
    'ff0200000000000000000001ff0001',
  ]) {
    t.notOk(wire.isSolicitedNodeMulticast(hex(other)), other)
  }
  t.notOk(wire.isSolicitedNodeMulticast(wire.ALL_NODES))
})

t.test('RFC 4443 section 2.3: the checksum of a captured solicitation', async t => {
  // From a Linux host: fe80::42:acff:fe11:2 asks for fe80::42:acff:fe11:3.
  const source = hex('fe80000000000000004200acfffe1102')
  const destination = hex('ff0200000000000000000001ff110003')
  const message = hex('87000000 00000000 fe80000000000000004200acfffe1103 0101 0242ac110002')
  wire.writeChecksum(source, destination, message)
  t.ok(wire.hasValidChecksum(source, destination, message))
  t.equal(
    wire.icmpv6Checksum(source, destination, message),
    (message[2]! << 8) | message[3]!,
    'whatever the field holds',
  )
  for (let i = 0; i < message.length; i++) {
    const bad = message.slice()
    bad[i]! ^= 0x10
    t.notOk(wire.hasValidChecksum(source, destination, bad))
  }
  t.notOk(wire.hasValidChecksum(source, destination, message.subarray(0, 3)))
  t.throws(() => wire.icmpv6Checksum(source, destination, message.subarray(0, 3)), fault('truncated'))
  t.equal(wire.icmpv6Type(message), 135)
  t.equal(wire.icmpv6Type(new Uint8Array()), undefined)
})

t.test('RFC 8200 section 3: IPv6 header', async t => {
  const packet = hex(`6 ab 12345 0002 3a ff ${'20'.repeat(16)} ${'ff'.repeat(16)} 8700 0000`)
  const decoded = wire.decodeIpv6(packet)
  t.match(decoded, { trafficClass: 0xab, flowLabel: 0x12345, nextHeader: 58, hopLimit: 255 })
  t.same(decoded.payload, hex('8700'), 'padding is left out')
  t.same(wire.encodeIpv6(decoded), packet.subarray(0, 42))
  for (let n = 0; n < 42; n++) {
    t.throws(() => wire.decodeIpv6(packet.subarray(0, n)), fault('truncated', n))
  }
  packet[0] = 0x45
  t.throws(() => wire.decodeIpv6(packet), fault('bad-field', 0))
})

t.test('wrong use by the caller is a RangeError that begins with the field, never a WireError', async t => {
  const refused = (action: () => unknown, field: string): void => {
    t.throws(action, RangeError, field)
    t.throws(action, { message: new RegExp(`^${field} `) }, field)
  }
  const packet = wire.decodeArp(hex(METALLB.reply).subarray(14))
  const small = new Uint8Array(3)
  refused(() => wire.encodeArp(packet, small), 'into')
  refused(() => wire.encodeArp({ ...packet, operation: 0x1_0000 }), 'operation')
  for (const field of [
    'senderHardwareAddress',
    'senderProtocolAddress',
    'targetHardwareAddress',
    'targetProtocolAddress',
  ]) {
    refused(() => wire.encodeArp({ ...packet, [field]: new Uint8Array(16) }), field)
  }
  refused(() => wire.writeEthernetHeader(small, mac(1), mac(2), 0x0806), 'into')
  refused(() => wire.writeEthernetHeader(new Uint8Array(14), small, mac(2), 0x0806), 'destination')
  refused(() => wire.writeEthernetHeader(new Uint8Array(14), mac(1), small, 0x0806), 'source')
  const tag = { tpid: 0x8100, priority: 0, dropEligible: false, vlanId: 1 }
  const frame = { destination: mac(1), source: mac(2), tags: [tag], etherType: 0x0806, payload: small }
  refused(() => wire.encodeEthernet(frame, new Uint8Array(63)), 'into')
  refused(() => wire.encodeEthernet({ ...frame, etherType: 0x05ff }), 'etherType')
  refused(() => wire.encodeEthernet({ ...frame, etherType: 0x8100 }), 'etherType')
  refused(() => wire.encodeEthernet({ ...frame, etherType: 0x1_0800 }), 'etherType')
  refused(() => wire.encodeEthernet({ ...frame, tags: [{ ...tag, tpid: 0x0806 }] }), 'tpid')
  refused(() => wire.encodeEthernet({ ...frame, tags: [{ ...tag, priority: 8 }] }), 'priority')
  refused(() => wire.encodeEthernet({ ...frame, tags: [{ ...tag, vlanId: 4096 }] }), 'vlanId')
  refused(() => wire.encodeEthernet({ ...frame, tags: [{ ...tag, vlanId: 1.5 }] }), 'vlanId')
  const ipv6 = wire.decodeIpv6(hex(`60000000 0000 3a ff ${'20'.repeat(32)}`))
  refused(() => wire.encodeIpv6(ipv6, small), 'into')
  for (const field of ['trafficClass', 'nextHeader', 'hopLimit']) {
    refused(() => wire.encodeIpv6({ ...ipv6, [field]: 256 }), field)
    refused(() => wire.encodeIpv6({ ...ipv6, [field]: -1 }), field)
  }
  refused(() => wire.encodeIpv6({ ...ipv6, flowLabel: 0x10_0000 }), 'flowLabel')
  refused(() => wire.encodeIpv6({ ...ipv6, source: small }), 'source')
  refused(() => wire.encodeIpv6({ ...ipv6, destination: small }), 'destination')
  refused(() => wire.encodeIpv6({ ...ipv6, payload: new Uint8Array(0x1_0000) }), 'payload')
  refused(() => wire.solicitedNodeMulticast(small), 'address')
})
