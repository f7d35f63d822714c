import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import * as wire from '@typemetal/arp-ndp/wire'
import { hex, METALLB } from './octets.js'

/** Ordinary objects, which deepEqual tells from those without a prototype. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true })

const mac = (last: number): Uint8Array => Uint8Array.of(2, 0, 0, 0, 0, last)
const octets = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })
/** What a WireError looks like. */
const fault = (fault: string, offset?: number) => ({
  code: 'ERR_L2_WIRE',
  fault,
  ...(offset !== undefined && { offset }),
})
const octet = fc.nat({ max: 255 })
const word = fc.nat({ max: 0xffff })
const longWord = fc.nat({ max: 0xffff_ffff })
/** A target or destination that RFC 4861 allows. */
const unicast = octets(16).map(address => (address[0] === 0xff ? address.fill(0x20, 0, 1) : address))

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

t.test('RFC 5227 §1.1: probe and announcement are told apart', async t => {
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
  t.throws(() => wire.encodeEthernet({ ...decoded, tags: [{ ...decoded.tags[0]!, tpid: 0x0806 }] }), RangeError)
  t.throws(() => wire.encodeEthernet({ ...decoded, tags: [{ ...decoded.tags[0]!, priority: 8 }] }), RangeError)
  t.throws(() => wire.encodeEthernet({ ...decoded, tags: [{ ...decoded.tags[0]!, vlanId: 4096 }] }), RangeError)
})

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

t.test('RFC 4291 §2.7.1, RFC 2464 §7: solicited-node group and its MAC', async t => {
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
  t.throws(() => wire.solicitedNodeMulticast(Uint8Array.of(1, 2, 3, 4)), RangeError)
})

t.test('RFC 4443 §2.3: the checksum of a captured solicitation', async t => {
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

t.test('RFC 8200 §3: IPv6 header', async t => {
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
  t.throws(() => wire.encodeIpv6({ ...decoded, payload: new Uint8Array(0x1_0000) }), RangeError)
})

t.test('RFC 4861 §4.4: Neighbor Advertisements of the reference', async t => {
  for (const [name, solicited] of [
    ['solicitedAdvertisement', true],
    ['unsolicitedAdvertisement', false],
  ] as const) {
    const message = {
      router: false,
      solicited,
      override: !solicited,
      targetAddress: hex('20010db8000000000000000000000001'),
      options: [{ kind: 'target-link-layer-address', address: mac(1) }],
    } as const
    t.same(wire.encodeNeighborAdvertisement(message), hex(METALLB[name]), name)
    t.same(wire.decodeNeighborAdvertisement(hex(METALLB[name])), message, name)
  }
})

const LINK_LAYER = { kind: 'source-link-layer-address', address: mac(9) } as const
const MESSAGES = [
  {
    name: '§4.1 Router Solicitation',
    fixed: 8,
    decode: wire.decodeRouterSolicitation,
    octets: '85 00 0000 00000000 0101 020000000009',
    value: { options: [LINK_LAYER] },
    encode: () => wire.encodeRouterSolicitation({ options: [LINK_LAYER] }),
  },
  {
    name: '§4.2 Router Advertisement',
    fixed: 16,
    decode: wire.decodeRouterAdvertisement,
    octets: `86 00 0000 40 c0 0708 00007530 000003e8 0501 0000 000005dc
      03 04 40 c0 00015180 00003840 00000000 fd000010000000000000000000000000`,
    value: {
      currentHopLimit: 64,
      managed: true,
      other: true,
      routerLifetime: 1800,
      reachableTime: 30_000,
      retransTimer: 1000,
      options: [
        { kind: 'mtu', mtu: 1500 },
        {
          kind: 'prefix-information',
          prefixLength: 64,
          onLink: true,
          autonomous: true,
          validLifetime: 86_400,
          preferredLifetime: 14_400,
          prefix: hex('fd000010000000000000000000000000'),
        },
      ],
    },
    encode: (value: unknown) => wire.encodeRouterAdvertisement(value as wire.RouterAdvertisement),
  },
  {
    name: '§4.3 Neighbor Solicitation',
    fixed: 24,
    decode: wire.decodeNeighborSolicitation,
    octets: '87 00 0000 00000000 20010db8000000000000000000000001 0101 020000000009 0e01 010203040506',
    value: {
      targetAddress: hex('20010db8000000000000000000000001'),
      options: [LINK_LAYER, { kind: 'unknown', type: 14, body: hex('010203040506') }],
    },
    encode: (value: unknown) => wire.encodeNeighborSolicitation(value as wire.NeighborSolicitation),
  },
  {
    name: '§4.4 Neighbor Advertisement',
    fixed: 24,
    decode: wire.decodeNeighborAdvertisement,
    octets: '88 00 0000 e0000000 20010db8000000000000000000000001 0201 020000000009',
    value: {
      router: true,
      solicited: true,
      override: true,
      targetAddress: hex('20010db8000000000000000000000001'),
      options: [{ kind: 'target-link-layer-address', address: mac(9) }],
    },
    encode: (value: unknown) => wire.encodeNeighborAdvertisement(value as wire.NeighborAdvertisement),
  },
  {
    name: '§4.5 Redirect',
    fixed: 40,
    decode: wire.decodeRedirect,
    octets: `89 00 0000 00000000 fe800000000000000000000000000001 20010db8000000000000000000000002
      0402 000000000000 6000000000000000`,
    value: {
      targetAddress: hex('fe800000000000000000000000000001'),
      destinationAddress: hex('20010db8000000000000000000000002'),
      options: [{ kind: 'redirected-header', packet: hex('6000000000000000') }],
    },
    encode: (value: unknown) => wire.encodeRedirect(value as wire.Redirect),
  },
] as const

for (const { name, fixed, decode, octets, value, encode } of MESSAGES) {
  t.test(`RFC 4861 ${name}`, async t => {
    const message = hex(octets)
    t.same(decode(message), value)
    t.same(encode(value), message)
    const whole = new Set<number>([fixed])
    for (let at = fixed; at < message.length; at += message[at + 1]! * 8) whole.add(at)
    for (let n = 0; n < message.length; n++) {
      if (whole.has(n)) t.doesNotThrow(() => decode(message.subarray(0, n)), `${n} octets end between options`)
      else t.throws(() => decode(message.subarray(0, n)), fault('truncated', n), `cut at ${n}`)
    }
    const otherType = message.slice()
    otherType[0] = 1
    t.throws(() => decode(otherType), fault('bad-field', 0))
    const otherCode = message.slice()
    otherCode[1] = 1
    t.throws(() => decode(otherCode), fault('bad-field', 1), 'Code other than 0')
    const zeroLength = message.slice()
    zeroLength[fixed + 1] = 0
    t.throws(() => decode(zeroLength), fault('bad-length', fixed + 1), 'an option of length 0')
  })
}

t.test('RFC 4861 §4.6: options with a length wrong for their type', async t => {
  t.throws(() => wire.decodeOptions(hex('0502 0000 000005dc 0000000000000000'), 0), fault('bad-length', 1))
  t.throws(() => wire.decodeOptions(hex('0301 000000000000'), 0), fault('bad-length', 1))
  const prefix = hex(`0304 81 00 ${'00'.repeat(28)}`)
  t.throws(() => wire.decodeOptions(prefix, 0), fault('bad-field', 2), 'prefix length 129')
  const long = wire.decodeOptions(hex(`0103 ${'ab'.repeat(22)}`), 0)
  t.same(long, [{ kind: 'source-link-layer-address', address: hex('ab'.repeat(22)) }], 'a longer link-layer address')
  t.equal(wire.linkLayerAddress(long, 'target-link-layer-address'), undefined)
})

t.test('RFC 4861 §7.1.1, 7.1.2, 8.1: multicast where it is forbidden', async t => {
  const target = `ff02${'00'.repeat(14)}`
  t.throws(() => wire.decodeNeighborSolicitation(hex(`8700 0000 00000000 ${target}`)), fault('multicast-target'))
  t.throws(() => wire.decodeNeighborAdvertisement(hex(`8800 0000 00000000 ${target}`)), fault('multicast-target'))
  const redirect = hex(`8900 0000 00000000 ${'20'.repeat(16)} ${target}`)
  t.throws(() => wire.decodeRedirect(redirect), fault('bad-field', 24))
})

t.test('wrong use by the caller is a RangeError, never a WireError', async t => {
  const packet = wire.decodeArp(hex(METALLB.reply).subarray(14))
  const small = new Uint8Array(3)
  const address = new Uint8Array(16)
  t.throws(() => wire.encodeArp(packet, small), RangeError)
  t.throws(() => wire.encodeArp({ ...packet, senderProtocolAddress: address }), RangeError)
  t.throws(() => wire.writeEthernetHeader(small, mac(1), mac(2), 0x0806), RangeError)
  t.throws(() => wire.encodeNeighborSolicitation({ targetAddress: small, options: [] }), RangeError)
  t.throws(() => wire.encodeOptions([{ kind: 'mtu', mtu: 1 }], small), RangeError)
  t.throws(
    () =>
      wire.encodeNeighborSolicitation({
        targetAddress: address,
        options: [{ kind: 'unknown', type: 9, body: new Uint8Array(2039) }],
      }),
    RangeError,
  )
  const option = {
    kind: 'prefix-information',
    onLink: true,
    autonomous: true,
    validLifetime: 0,
    preferredLifetime: 0,
  } as const
  t.throws(
    () => wire.encodeRouterSolicitation({ options: [{ ...option, prefix: address, prefixLength: 129 }] }),
    RangeError,
  )
})

// Properties

const vlanTag = record({
  tpid: fc.constantFrom(0x8100, 0x88a8, 0x9100),
  priority: fc.nat({ max: 7 }),
  dropEligible: fc.boolean(),
  vlanId: fc.nat({ max: 4095 }),
})
const etherType = word.filter(type => type >= 0x0600 && !wire.isVlanTag(type))

t.test('property: decodeEthernet inverts encodeEthernet, up to padding', async () => {
  const frame = record({
    destination: octets(6),
    source: octets(6),
    tags: fc.array(vlanTag, { maxLength: 3 }),
    etherType,
    payload: fc.uint8Array({ maxLength: 100 }),
  })
  fc.assert(
    fc.property(frame, frame => {
      const encoded = wire.encodeEthernet(frame, new Uint8Array(200).fill(0xaa))
      assert.equal(encoded.length, wire.ethernetLength(frame))
      const { payload, ...rest } = wire.decodeEthernet(encoded)
      const { payload: sent, ...expected } = frame
      assert.deepEqual(rest, expected)
      assert.deepEqual(payload.subarray(0, sent.length), sent)
      assert.ok(payload.length >= 46 && payload.subarray(sent.length).every(octet => octet === 0))
    }),
  )
})

t.test('property: decodeArp and decodeIpv6 invert their encoders', async () => {
  const packet = record({
    operation: word,
    senderHardwareAddress: octets(6),
    senderProtocolAddress: octets(4),
    targetHardwareAddress: octets(6),
    targetProtocolAddress: octets(4),
  })
  fc.assert(fc.property(packet, packet => assert.deepEqual(wire.decodeArp(wire.encodeArp(packet)), packet)))
  const ipv6 = record({
    trafficClass: octet,
    flowLabel: fc.nat({ max: 0xfffff }),
    nextHeader: octet,
    hopLimit: octet,
    source: octets(16),
    destination: octets(16),
    payload: fc.uint8Array({ maxLength: 100 }),
  })
  fc.assert(fc.property(ipv6, packet => assert.deepEqual(wire.decodeIpv6(wire.encodeIpv6(packet)), packet)))
})

const option: fc.Arbitrary<wire.NdpOption> = fc.oneof(
  record({
    kind: fc.constantFrom('source-link-layer-address' as const, 'target-link-layer-address' as const),
    address: fc.constantFrom(6, 14, 22).chain(octets),
  }),
  record({
    kind: fc.constant('prefix-information' as const),
    prefixLength: fc.nat({ max: 128 }),
    onLink: fc.boolean(),
    autonomous: fc.boolean(),
    validLifetime: longWord,
    preferredLifetime: longWord,
    prefix: octets(16),
  }),
  record({ kind: fc.constant('redirected-header' as const), packet: fc.constantFrom(0, 8, 64).chain(octets) }),
  record({ kind: fc.constant('mtu' as const), mtu: longWord }),
  record({
    kind: fc.constant('unknown' as const),
    type: fc.integer({ min: 6, max: 255 }),
    body: fc.constantFrom(6, 14, 30).chain(octets),
  }),
)
const options = fc.array(option, { maxLength: 4 })

t.test('property: every NDP message comes back, and its length is as said', async () => {
  const both = <T>(
    value: fc.Arbitrary<T>,
    encode: (v: T) => Uint8Array,
    decode: (o: Uint8Array) => T,
    length: (v: T) => number,
  ): void =>
    fc.assert(
      fc.property(value, message => {
        const encoded = encode(message)
        assert.equal(encoded.length, length(message))
        assert.equal(encoded.length % 8, 0)
        assert.deepEqual(decode(encoded), message)
      }),
    )
  both(record({ options }), wire.encodeRouterSolicitation, wire.decodeRouterSolicitation, wire.routerSolicitationLength)
  both(
    record({ targetAddress: unicast, options }),
    wire.encodeNeighborSolicitation,
    wire.decodeNeighborSolicitation,
    wire.neighborSolicitationLength,
  )
  both(
    record({
      router: fc.boolean(),
      solicited: fc.boolean(),
      override: fc.boolean(),
      targetAddress: unicast,
      options,
    }),
    wire.encodeNeighborAdvertisement,
    wire.decodeNeighborAdvertisement,
    wire.neighborAdvertisementLength,
  )
  both(
    record({ targetAddress: octets(16), destinationAddress: unicast, options }),
    wire.encodeRedirect,
    wire.decodeRedirect,
    wire.redirectLength,
  )
  both(
    record({
      currentHopLimit: octet,
      managed: fc.boolean(),
      other: fc.boolean(),
      routerLifetime: word,
      reachableTime: longWord,
      retransTimer: longWord,
      options,
    }),
    wire.encodeRouterAdvertisement,
    wire.decodeRouterAdvertisement,
    wire.routerAdvertisementLength,
  )
})

t.test('property: a written checksum holds, odd lengths included', async () => {
  fc.assert(
    fc.property(
      octets(16),
      octets(16),
      fc.uint8Array({ minLength: 4, maxLength: 101 }),
      (source, destination, message) => {
        wire.writeChecksum(source, destination, message)
        assert.ok(wire.hasValidChecksum(source, destination, message))
      },
    ),
  )
})

t.test('property: any octets give a value or a WireError inside them', async () => {
  const decoders = [
    wire.decodeEthernet,
    wire.decodeArp,
    wire.decodeIpv6,
    wire.decodeNeighborSolicitation,
    wire.decodeNeighborAdvertisement,
    wire.decodeRouterSolicitation,
    wire.decodeRouterAdvertisement,
    wire.decodeRedirect,
    (octets: Uint8Array) => wire.decodeOptions(octets, 0),
  ]
  // Half of them with a right type and Code, so that more than the first check is met.
  const typed = fc.tuple(fc.integer({ min: 133, max: 137 }), fc.uint8Array({ maxLength: 96 })).map(([type, octets]) => {
    if (octets.length > 1) octets.set([type, 0])
    return octets
  })
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 96 }), typed), octets => {
      for (const decode of decoders) {
        try {
          decode(octets)
        } catch (error) {
          assert.ok(error instanceof wire.WireError, String(error))
          assert.ok(error.offset >= 0 && error.offset <= octets.length)
        }
      }
    }),
    { numRuns: 5000 },
  )
})
