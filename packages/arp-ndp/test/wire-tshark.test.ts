/** A second implementation reads what the codecs write: the same values, and nothing malformed. */
import { Address6 } from 'ip-address'
import * as fc from 'fast-check'
import t from 'tap'
import * as wire from '@typemetal/arp-ndp/wire'
import {
  anyArp,
  anyEthernet,
  anyNeighborAdvertisement,
  anyNeighborSolicitation,
  anyOption,
  anyRedirect,
  anyRouterAdvertisement,
  anyRouterSolicitation,
} from './wire-arbitraries.js'
import { mac } from './wire-samples.js'
import { COMPLAINTS, dissect, NO_TSHARK, type Dissection } from './wire-tshark.js'

const SEED = 4861
const COUNT = 150
const sample = <T>(any: fc.Arbitrary<T>): T[] => fc.sample(any, { seed: SEED, numRuns: COUNT })

const ipv6 = (octets: Uint8Array): string =>
  Address6.fromByteArray([...octets, ...new Uint8Array(16 - octets.length)]).correctForm()
const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex')
/** Fields and the values that they are to have, in the order of the frame. */
type Expected = readonly (readonly [field: string, value: string | number | boolean])[]

/** tshark writes numbers as 5, 0x05 or 0x0005, and truths as 1 or True. */
function normal(value: string | number | boolean): string {
  if (typeof value === 'boolean') return value ? '1' : '0'
  if (typeof value === 'number') return String(value)
  if (value === 'True' || value === 'False') return value === 'True' ? '1' : '0'
  // Ten digits at most: longer ones are octets.
  return /^(0x[0-9a-f]{1,8}|\d{1,10})$/.test(value) ? String(Number(value)) : value
}

/** Compares one dissection with what was written. */
function compare(t: Tap, dissection: Dissection, expected: Expected, fields: readonly string[]): void {
  const seen = Object.fromEntries(fields.map(field => [field, (dissection.get(field) ?? []).map(normal)]))
  const wanted = Object.fromEntries(
    fields.map(field => [field, expected.filter(([name]) => name === field).map(([, value]) => normal(value))]),
  )
  const complaints = COMPLAINTS.flatMap(name => dissection.get(name) ?? [])
  if (complaints.length > 0) t.fail(`${complaints.join(', ')}: ${JSON.stringify(expected)}`)
  t.same(seen, wanted)
}
type Tap = Pick<typeof t, 'same' | 'fail'>

/** An option in which Wireshark looks no further than we do. */
const readableOption = anyOption.map((option): wire.NdpOption => {
  switch (option.kind) {
    case 'source-link-layer-address':
    case 'target-link-layer-address':
      return { ...option, address: option.address.slice(0, 6) }
    case 'redirected-header':
      return { kind: 'redirected-header', packet: DATAGRAM }
    case 'flags-expansion':
      return { ...option, flags: option.flags.slice(0, 6) }
    case 'dns-search-list':
      return { ...option, domains: ['example.com', 'a.b.example.net'].slice(option.lifetime & 1) }
    case 'unknown':
      // RFC 6275 section 7.3: we carry it, Wireshark reads it.
      return { ...option, type: 7, body: option.body.slice(0, 6).fill(0, 0, 2) }
    case 'pref64':
      // Wireshark shows no bits behind the prefix length.
      return { ...option, prefix: option.prefix.slice().fill(0, option.prefixLength / 8) }
    default:
      return option
  }
})
/** An empty UDP datagram over IPv6, 48 octets. */
const DATAGRAM = wire.encodeIpv6({
  trafficClass: 0,
  flowLabel: 0,
  nextHeader: 17,
  hopLimit: 64,
  source: wire.solicitedNodeMulticast(new Uint8Array(16)).fill(0x20, 0, 2),
  destination: wire.solicitedNodeMulticast(new Uint8Array(16)).fill(0x21, 0, 2),
  payload: Uint8Array.of(0x9c, 0x40, 0x82, 0x35, 0, 8, 0, 1),
})

const PREFERENCE = { high: 1, medium: 0, low: 3 } as const
const PLC = { 96: 0, 64: 1, 56: 2, 48: 3, 40: 4, 32: 5 } as const

function expectedOption(option: wire.NdpOption): Expected {
  switch (option.kind) {
    case 'source-link-layer-address':
    case 'target-link-layer-address':
      return [
        ['icmpv6.opt.type', option.kind.startsWith('source') ? 1 : 2],
        ['icmpv6.opt.linkaddr', wire.formatMac(option.address)],
      ]
    case 'prefix-information':
      return [
        ['icmpv6.opt.type', 3],
        ['icmpv6.opt.prefix.length', option.prefixLength],
        ['icmpv6.opt.prefix.flag.l', option.onLink],
        ['icmpv6.opt.prefix.flag.a', option.autonomous],
        ['icmpv6.opt.prefix.flag.r', option.routerAddress],
        // Wireshark 4.0 counts the P flag among the reserved bits.
        ['icmpv6.opt.prefix.flag.reserved', option.dhcpv6PdPreferred ? 16 : 0],
        ['icmpv6.opt.prefix.valid_lifetime', option.validLifetime],
        ['icmpv6.opt.prefix.preferred_lifetime', option.preferredLifetime],
        ['icmpv6.opt.prefix', ipv6(option.prefix)],
      ]
    case 'redirected-header':
      return [['icmpv6.opt.type', 4]]
    case 'mtu':
      return [
        ['icmpv6.opt.type', 5],
        ['icmpv6.opt.mtu', option.mtu],
      ]
    case 'nonce':
      return [
        ['icmpv6.opt.type', 14],
        ['icmpv6.opt.nonce', hex(option.nonce)],
      ]
    case 'route-information':
      return [
        ['icmpv6.opt.type', 24],
        ['icmpv6.opt.prefix.length', option.prefixLength],
        ['icmpv6.opt.route_info.flag.route_preference', PREFERENCE[option.preference]],
        ['icmpv6.opt.route_lifetime', option.lifetime],
        ...(option.prefix.length > 0 ? ([['icmpv6.opt.prefix', ipv6(option.prefix)]] as const) : []),
      ]
    case 'recursive-dns-server':
      return [
        ['icmpv6.opt.type', 25],
        ['icmpv6.opt.rdnss.lifetime', option.lifetime],
        ...option.servers.map(server => ['icmpv6.opt.rdnss', ipv6(server)] as const),
      ]
    case 'flags-expansion':
      return [
        ['icmpv6.opt.type', 26],
        ['icmpv6.opt.efo', (option.flags[0]! << 8) | option.flags[1]!],
      ]
    case 'dns-search-list':
      return [
        ['icmpv6.opt.type', 31],
        ['icmpv6.opt.dnssl.lifetime', option.lifetime],
        ...option.domains.map(domain => ['icmpv6.opt.dnssl', domain] as const),
      ]
    case 'pref64':
      return [
        ['icmpv6.opt.type', 38],
        ['icmpv6.opt.pref64.scaled_lifetime', option.lifetime / 8],
        ['icmpv6.opt.pref64.plc', PLC[option.prefixLength]],
        ['icmpv6.opt.pref64.prefix', ipv6(option.prefix)],
      ]
    default:
      return [
        ['icmpv6.opt.type', option.type],
        ['icmpv6.opt.advertisement_interval', Number.parseInt(hex(option.body.subarray(2)), 16)],
      ]
  }
}

const FIELDS = [
  'icmpv6.type',
  'icmpv6.code',
  'icmpv6.checksum.status',
  'icmpv6.nd.ra.cur_hop_limit',
  'icmpv6.nd.ra.flag.m',
  'icmpv6.nd.ra.flag.o',
  'icmpv6.nd.ra.flag.h',
  'icmpv6.nd.ra.flag.prf',
  'icmpv6.nd.ra.flag.p',
  'icmpv6.nd.ra.flag.rsv',
  'icmpv6.nd.ra.router_lifetime',
  'icmpv6.nd.ra.reachable_time',
  'icmpv6.nd.ra.retrans_timer',
  'icmpv6.nd.ns.target_address',
  'icmpv6.nd.na.flag.r',
  'icmpv6.nd.na.flag.s',
  'icmpv6.nd.na.flag.o',
  'icmpv6.nd.na.target_address',
  'icmpv6.nd.rd.target_address',
  'icmpv6.rd.na.destination_address',
  'icmpv6.opt.type',
  'icmpv6.opt.linkaddr',
  'icmpv6.opt.prefix.length',
  'icmpv6.opt.prefix.flag.l',
  'icmpv6.opt.prefix.flag.a',
  'icmpv6.opt.prefix.flag.r',
  'icmpv6.opt.prefix.flag.reserved',
  'icmpv6.opt.prefix.valid_lifetime',
  'icmpv6.opt.prefix.preferred_lifetime',
  'icmpv6.opt.prefix',
  'icmpv6.opt.mtu',
  'icmpv6.opt.advertisement_interval',
  'icmpv6.opt.nonce',
  'icmpv6.opt.route_info.flag.route_preference',
  'icmpv6.opt.route_lifetime',
  'icmpv6.opt.rdnss.lifetime',
  'icmpv6.opt.rdnss',
  'icmpv6.opt.efo',
  'icmpv6.opt.dnssl.lifetime',
  'icmpv6.opt.dnssl',
  'icmpv6.opt.pref64.scaled_lifetime',
  'icmpv6.opt.pref64.plc',
  'icmpv6.opt.pref64.prefix',
] as const

const SOURCE = Uint8Array.from([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 0, 0, 1])

function ndpFrame(payload: Uint8Array): Uint8Array {
  const header = { trafficClass: 0, flowLabel: 0, nextHeader: 58, hopLimit: 255, source: SOURCE }
  wire.writeChecksum(SOURCE, wire.ALL_NODES, payload)
  const packet = wire.encodeIpv6({ ...header, destination: wire.ALL_NODES, payload })
  const ethernet = { destination: wire.multicastMac(wire.ALL_NODES), source: mac(1), tags: [] }
  return wire.encodeEthernet({ ...ethernet, etherType: wire.EtherType.IPv6, payload: packet })
}

/** Messages of one type, with options that are readable, and what Wireshark is to say of each. */
function readsBack<T extends { readonly options: readonly wire.NdpOption[] }>(
  type: number,
  any: fc.Arbitrary<T>,
  encode: (message: T) => Uint8Array,
  expected: (message: T) => Expected,
): void {
  t.test(
    `RFC 4861 section 4: tshark reads messages of type ${type} as they were meant`,
    { skip: NO_TSHARK },
    async t => {
      const options = fc.array(readableOption, { maxLength: 4 })
      const messages = sample(fc.tuple(any, options).map(([message, options]) => ({ ...message, options })))
      const dissections = dissect(
        messages.map(message => ndpFrame(encode(message))),
        FIELDS,
      )
      t.equal(dissections.length, messages.length)
      for (const [i, message] of messages.entries()) {
        const common = [
          ['icmpv6.type', type],
          ['icmpv6.code', 0],
          ['icmpv6.checksum.status', 1],
        ] as const
        compare(
          t,
          dissections[i]!,
          [...common, ...expected(message), ...message.options.flatMap(expectedOption)],
          FIELDS,
        )
      }
    },
  )
}

readsBack(133, anyRouterSolicitation, wire.encodeRouterSolicitation, () => [])
readsBack(134, anyRouterAdvertisement, wire.encodeRouterAdvertisement, message => [
  ['icmpv6.nd.ra.cur_hop_limit', message.currentHopLimit],
  ['icmpv6.nd.ra.flag.m', message.managed],
  ['icmpv6.nd.ra.flag.o', message.other],
  ['icmpv6.nd.ra.flag.h', message.homeAgent],
  ['icmpv6.nd.ra.flag.prf', PREFERENCE[message.preference]],
  ['icmpv6.nd.ra.flag.p', message.proxy],
  ['icmpv6.nd.ra.flag.rsv', 0],
  ['icmpv6.nd.ra.router_lifetime', message.routerLifetime],
  ['icmpv6.nd.ra.reachable_time', message.reachableTime],
  ['icmpv6.nd.ra.retrans_timer', message.retransTimer],
])
readsBack(135, anyNeighborSolicitation, wire.encodeNeighborSolicitation, message => [
  ['icmpv6.nd.ns.target_address', ipv6(message.targetAddress)],
])
readsBack(136, anyNeighborAdvertisement, wire.encodeNeighborAdvertisement, message => [
  ['icmpv6.nd.na.flag.r', message.router],
  ['icmpv6.nd.na.flag.s', message.solicited],
  ['icmpv6.nd.na.flag.o', message.override],
  ['icmpv6.nd.na.target_address', ipv6(message.targetAddress)],
])
readsBack(137, anyRedirect, wire.encodeRedirect, message => [
  ['icmpv6.nd.rd.target_address', ipv6(message.targetAddress)],
  ['icmpv6.rd.na.destination_address', ipv6(message.destinationAddress)],
])

const ARP_FIELDS = [
  'eth.dst',
  'eth.src',
  'arp.hw.type',
  'arp.proto.type',
  'arp.hw.size',
  'arp.proto.size',
  'arp.opcode',
  'arp.src.hw_mac',
  'arp.src.proto_ipv4',
  'arp.dst.hw_mac',
  'arp.dst.proto_ipv4',
  'arp.isprobe',
  'arp.isannouncement',
] as const

t.test('RFC 826, RFC 5227 section 1.1: tshark reads ARP packets as they were meant', { skip: NO_TSHARK }, async t => {
  // Operations from 10 on are InARP and others, with fields of their own.
  const any = anyArp.map(packet => ({ ...packet, operation: 1 + (packet.operation % 2) }))
  const zero = new Uint8Array(4)
  const packets = sample(any).flatMap((packet, i): wire.ArpPacket[] => {
    if (i % 3 === 0)
      return [{ ...packet, operation: 1, senderProtocolAddress: zero, targetHardwareAddress: wire.ZERO_MAC }]
    if (i % 3 === 1) {
      const announcement = { ...packet, operation: 1, targetHardwareAddress: wire.ZERO_MAC }
      return [{ ...announcement, targetProtocolAddress: packet.senderProtocolAddress }]
    }
    return [packet]
  })
  const frames = packets.map(packet =>
    wire.encodeEthernet({
      destination: wire.BROADCAST_MAC,
      source: mac(1),
      tags: [],
      etherType: wire.EtherType.ARP,
      payload: wire.encodeArp(packet),
    }),
  )
  for (const [i, dissection] of dissect(frames, ARP_FIELDS).entries()) {
    const packet = packets[i]!
    const expected: Expected = [
      ['eth.dst', wire.formatMac(wire.BROADCAST_MAC)],
      ['eth.src', wire.formatMac(mac(1))],
      ['arp.hw.type', 1],
      ['arp.proto.type', 0x0800],
      ['arp.hw.size', 6],
      ['arp.proto.size', 4],
      ['arp.opcode', packet.operation],
      ['arp.src.hw_mac', wire.formatMac(packet.senderHardwareAddress)],
      ['arp.src.proto_ipv4', packet.senderProtocolAddress.join('.')],
      ['arp.dst.hw_mac', wire.formatMac(packet.targetHardwareAddress)],
      ['arp.dst.proto_ipv4', packet.targetProtocolAddress.join('.')],
      ...(wire.isArpProbe(packet) ? ([['arp.isprobe', true]] as const) : []),
      ...(wire.isArpAnnouncement(packet) ? ([['arp.isannouncement', true]] as const) : []),
    ]
    compare(t, dissection, expected, ARP_FIELDS)
  }
})

const TAG_FIELDS = ['vlan.priority', 'vlan.dei', 'vlan.id', 'vlan.etype'] as const

t.test('IEEE 802.1Q and 802.1ad: tshark reads tags as they were meant', { skip: NO_TSHARK }, async t => {
  const inner = (frame: wire.EthernetFrame): wire.EthernetFrame => ({
    ...frame,
    source: mac(1),
    tags: frame.tags.map((tag, i) => ({ ...tag, tpid: i === 0 && frame.tags.length > 1 ? 0x9100 : 0x8100 })),
    etherType: wire.EtherType.ARP,
    payload: wire.encodeArp({ ...fc.sample(anyArp, { seed: SEED, numRuns: 1 })[0]!, operation: 1 }),
  })
  const frames = sample(anyEthernet)
    .map(inner)
    .filter(({ tags }) => tags.length > 0)
  for (const [i, dissection] of dissect(
    frames.map(frame => wire.encodeEthernet(frame)),
    TAG_FIELDS,
  ).entries()) {
    const { tags } = frames[i]!
    const expected = tags.flatMap((tag, i): Expected => [
      ['vlan.priority', tag.priority],
      ['vlan.dei', tag.dropEligible],
      ['vlan.id', tag.vlanId],
      ['vlan.etype', tags[i + 1]?.tpid ?? wire.EtherType.ARP],
    ])
    compare(t, dissection, expected, TAG_FIELDS)
  }
})

const SERVICE_FIELDS = ['ieee8021ad.priority', 'ieee8021ad.dei', 'ieee8021ad.id', 'vlan.id'] as const

t.test('IEEE 802.1ad: tshark reads a service tag outside a customer tag', { skip: NO_TSHARK }, async t => {
  const frame = wire.encodeEthernet({
    destination: wire.BROADCAST_MAC,
    source: mac(1),
    tags: [
      { tpid: wire.EtherType.ServiceVLAN, priority: 5, dropEligible: true, vlanId: 4000 },
      { tpid: wire.EtherType.VLAN, priority: 0, dropEligible: false, vlanId: 7 },
    ],
    etherType: wire.EtherType.ARP,
    payload: wire.encodeArp({ ...fc.sample(anyArp, { seed: SEED, numRuns: 1 })[0]!, operation: 1 }),
  })
  const expected: Expected = [
    ['ieee8021ad.priority', 5],
    ['ieee8021ad.dei', true],
    ['ieee8021ad.id', 4000],
    ['vlan.id', 7],
  ]
  compare(t, dissect([frame], SERVICE_FIELDS)[0]!, expected, SERVICE_FIELDS)
})
