/** Frames that other implementations sent, recorded on a link between network namespaces: read, understood, and written the same. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import * as wire from '@typemetal/arp-ndp/wire'
import { hex } from './octets.js'
import { MESSAGE_CODECS } from './wire-arbitraries.js'
import { mac } from './wire-samples.js'

type Name =
  | 'arpRequest'
  | 'arpReply'
  | 'arpAnnouncement'
  | 'dadProbe'
  | 'solicitation'
  | 'solicitedAdvertisement'
  | 'unsolicitedAdvertisement'
  | 'unicastProbe'
  | 'answerWithoutOption'
  | 'redirect'
  | 'routerSolicitation'
  | 'bareRouterSolicitation'
  | 'birdAdvertisement'
  | 'frrAdvertisement'

/** By what they show; `by` is who sent them. */
const PEERS = JSON.parse(readFileSync(new URL('../test/vectors/peers.json', import.meta.url), 'utf8')) as Readonly<
  Record<Name, { readonly by: string; readonly frame: string }>
>

const A = Uint8Array.of(192, 0, 2, 1)
const B = Uint8Array.of(192, 0, 2, 2)
const linkLocal = (last: number): Uint8Array =>
  hex(`fe80000000000000000000fffe0000${last.toString(16).padStart(2, '0')}`)
const global = (subnet: number, last: number): Uint8Array =>
  hex(`20010db8000${subnet}000000000000000000${last.toString(16).padStart(2, '0')}`)

const ARP: readonly { readonly name: Name; readonly destination: Uint8Array; readonly packet: wire.ArpPacket }[] = [
  {
    name: 'arpRequest',
    destination: wire.BROADCAST_MAC,
    packet: {
      operation: wire.ArpOperation.Request,
      senderHardwareAddress: mac(1),
      senderProtocolAddress: A,
      targetHardwareAddress: wire.ZERO_MAC,
      targetProtocolAddress: B,
    },
  },
  {
    name: 'arpReply',
    destination: mac(1),
    packet: {
      operation: wire.ArpOperation.Reply,
      senderHardwareAddress: mac(2),
      senderProtocolAddress: B,
      targetHardwareAddress: mac(1),
      targetProtocolAddress: A,
    },
  },
  {
    name: 'arpAnnouncement',
    destination: wire.BROADCAST_MAC,
    packet: {
      operation: wire.ArpOperation.Request,
      senderHardwareAddress: mac(1),
      senderProtocolAddress: A,
      targetHardwareAddress: wire.BROADCAST_MAC,
      targetProtocolAddress: A,
    },
  },
]

for (const { name, destination, packet } of ARP) {
  const { by, frame } = PEERS[name]
  t.test(`RFC 826: ${name} of ${by}`, async t => {
    const ethernet = wire.decodeEthernet(hex(frame))
    t.match(ethernet, { destination, source: packet.senderHardwareAddress, tags: [], etherType: wire.EtherType.ARP })
    t.same(wire.decodeArp(ethernet.payload), packet)
    t.same(wire.encodeArp(packet), ethernet.payload.subarray(0, wire.ARP_LENGTH))
    t.equal(wire.isArpAnnouncement(packet), name === 'arpAnnouncement')
    t.equal(wire.isArpProbe(packet), false)
  })
}

const NDP: readonly {
  readonly name: Name
  readonly section: string
  readonly source: Uint8Array
  readonly destination: Uint8Array
  readonly message: object
}[] = [
  {
    name: 'dadProbe',
    section: 'RFC 4862 section 5.4.2, RFC 7527 section 4.1',
    source: new Uint8Array(16),
    destination: wire.solicitedNodeMulticast(linkLocal(2)),
    message: { targetAddress: linkLocal(2), options: [{ kind: 'nonce', nonce: hex('897bb5fc597a') }] },
  },
  {
    name: 'solicitation',
    section: 'RFC 4861 section 7.2.2',
    source: global(1, 1),
    destination: wire.solicitedNodeMulticast(global(1, 2)),
    message: { targetAddress: global(1, 2), options: [{ kind: 'source-link-layer-address', address: mac(1) }] },
  },
  {
    name: 'solicitedAdvertisement',
    section: 'RFC 4861 section 7.2.4',
    source: global(1, 2),
    destination: global(1, 1),
    message: {
      router: true,
      solicited: true,
      override: true,
      targetAddress: global(1, 2),
      options: [{ kind: 'target-link-layer-address', address: mac(2) }],
    },
  },
  {
    name: 'unsolicitedAdvertisement',
    section: 'RFC 4861 section 7.2.6',
    source: linkLocal(1),
    destination: wire.ALL_NODES,
    message: {
      router: false,
      solicited: false,
      override: true,
      targetAddress: linkLocal(1),
      options: [{ kind: 'target-link-layer-address', address: mac(1) }],
    },
  },
  {
    name: 'unicastProbe',
    section: 'RFC 4861 section 7.3.3',
    source: linkLocal(2),
    destination: global(1, 1),
    message: { targetAddress: global(1, 1), options: [{ kind: 'source-link-layer-address', address: mac(2) }] },
  },
  {
    name: 'answerWithoutOption',
    section: 'RFC 4861 section 7.2.4',
    source: global(1, 1),
    destination: linkLocal(2),
    message: { router: false, solicited: true, override: false, targetAddress: global(1, 1), options: [] },
  },
  {
    name: 'redirect',
    section: 'RFC 4861 section 8.2',
    source: linkLocal(2),
    destination: global(1, 1),
    message: {
      targetAddress: global(2, 3),
      destinationAddress: global(2, 3),
      options: [
        { kind: 'target-link-layer-address', address: mac(3) },
        { kind: 'redirected-header', packet: hex(PEERS.redirect.frame).subarray(14 + 40 + 40 + 8 + 8) },
      ],
    },
  },
  {
    name: 'routerSolicitation',
    section: 'RFC 4861 section 6.3.7',
    source: linkLocal(3),
    destination: wire.ALL_ROUTERS,
    message: { options: [{ kind: 'source-link-layer-address', address: mac(3) }] },
  },
  {
    name: 'bareRouterSolicitation',
    section: 'RFC 4861 section 4.1',
    source: linkLocal(3),
    destination: wire.ALL_ROUTERS,
    message: { options: [] },
  },
  {
    name: 'birdAdvertisement',
    section: 'RFC 4861 section 4.2, RFC 4191, RFC 8106',
    source: linkLocal(2),
    destination: wire.ALL_NODES,
    message: {
      currentHopLimit: 63,
      managed: true,
      other: true,
      homeAgent: false,
      preference: 'high',
      proxy: false,
      routerLifetime: 1234,
      reachableTime: 30_000,
      retransTimer: 1000,
      options: [
        { kind: 'mtu', mtu: 1480 },
        {
          kind: 'prefix-information',
          prefixLength: 64,
          onLink: false,
          autonomous: false,
          routerAddress: false,
          dhcpv6PdPreferred: false,
          validLifetime: 86_400,
          preferredLifetime: 14_400,
          prefix: global(2, 0),
        },
        {
          kind: 'prefix-information',
          prefixLength: 64,
          onLink: true,
          autonomous: true,
          routerAddress: false,
          dhcpv6PdPreferred: false,
          validLifetime: 3600,
          preferredLifetime: 1800,
          prefix: global(1, 0),
        },
        { kind: 'recursive-dns-server', lifetime: 600, servers: [global(1, 0x53), global(1, 0x54)] },
        { kind: 'dns-search-list', lifetime: 700, domains: ['example.com', 'corp.example.net'] },
        { kind: 'route-information', prefixLength: 0, preference: 'medium', lifetime: 900, prefix: hex('') },
        {
          kind: 'route-information',
          prefixLength: 65,
          preference: 'low',
          lifetime: 900,
          prefix: hex('20010db8bbbb00018000000000000000'),
        },
        {
          kind: 'route-information',
          prefixLength: 48,
          preference: 'high',
          lifetime: 3600,
          prefix: hex('20010db8aaaa0000'),
        },
      ],
    },
  },
  {
    name: 'frrAdvertisement',
    section: 'RFC 4861 section 4.2, RFC 6275 section 7, RFC 8106',
    source: linkLocal(2),
    destination: wire.ALL_NODES,
    message: {
      currentHopLimit: 64,
      managed: true,
      other: true,
      homeAgent: true,
      preference: 'low',
      proxy: false,
      routerLifetime: 999,
      reachableTime: 12_345,
      retransTimer: 0,
      options: [
        // Home Agent Information and Advertisement Interval, RFC 6275 sections 7.4 and 7.3: carried.
        { kind: 'unknown', type: 8, body: hex('000000070037') },
        { kind: 'unknown', type: 7, body: hex('000000000fa0') },
        {
          kind: 'prefix-information',
          prefixLength: 64,
          onLink: true,
          autonomous: true,
          routerAddress: false,
          dhcpv6PdPreferred: false,
          validLifetime: 7200,
          preferredLifetime: 3600,
          prefix: global(1, 0),
        },
        {
          kind: 'prefix-information',
          prefixLength: 64,
          onLink: true,
          autonomous: true,
          routerAddress: false,
          dhcpv6PdPreferred: false,
          validLifetime: 2_592_000,
          preferredLifetime: 604_800,
          prefix: global(2, 0),
        },
        {
          kind: 'prefix-information',
          prefixLength: 128,
          onLink: true,
          autonomous: true,
          routerAddress: true,
          dhcpv6PdPreferred: false,
          validLifetime: 0xffff_ffff,
          preferredLifetime: 0xffff_ffff,
          prefix: global(1, 2),
        },
        { kind: 'source-link-layer-address', address: mac(2) },
        { kind: 'mtu', mtu: 1400 },
        { kind: 'recursive-dns-server', lifetime: 0xffff_ffff, servers: [global(1, 0x53)] },
        { kind: 'dns-search-list', lifetime: 60, domains: ['lan.example'] },
      ],
    },
  },
]

for (const { name, section, source, destination, message } of NDP) {
  const { by, frame } = PEERS[name]
  t.test(`${section}: ${name} of ${by}`, async t => {
    const ethernet = wire.decodeEthernet(hex(frame))
    t.match(ethernet, { tags: [], etherType: wire.EtherType.IPv6 })
    const packet = wire.decodeIpv6(ethernet.payload)
    t.match(packet, { source, destination, hopLimit: 255, nextHeader: wire.NEXT_HEADER_ICMPV6 })
    if (wire.isMulticast(destination))
      t.same(ethernet.destination, wire.multicastMac(destination), 'RFC 2464 section 7')
    t.equal(wire.ndpFault(packet), undefined, 'its checksum too')
    const codec = MESSAGE_CODECS.find(({ type }) => type === packet.payload[0])!
    t.same(codec.decode(packet.payload), message)
    const payload = codec.encode(message)
    wire.writeChecksum(source, destination, payload)
    t.same(payload, packet.payload, 'written again, octet for octet')
    t.same(
      wire
        .encodeEthernet({ ...ethernet, payload: wire.encodeIpv6({ ...packet, payload }) })
        .subarray(0, frame.length / 2),
      hex(frame),
    )
  })
}
