/** Arbitrary BMP messages for property tests. */
import * as fc from 'fast-check'
import { encodeMessage } from '@typemetal/bgp/wire'
import {
  BmpPeerFlag,
  BmpPeerType,
  type BmpMessage,
  type BmpMirrored,
  type BmpPeerDownReason,
  type BmpPeerHeader,
  type BmpStatistic,
} from '@typemetal/bgp/bmp'

const PLAIN = { noNullPrototype: true } as const
const uint8 = fc.nat({ max: 0xff })
const uint16 = fc.nat({ max: 0xffff })
const uint32 = fc.nat({ max: 0xffff_ffff })
const uint64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })
const octets = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength })
const exactly = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })

/** Address octets that a header with these flags has. */
const width = (peerType: number, flags: number): number =>
  peerType === BmpPeerType.LocRib || flags & BmpPeerFlag.Ipv6 ? 16 : 4

const peerHeader: fc.Arbitrary<BmpPeerHeader> = fc
  .record({ peerType: fc.oneof(fc.nat({ max: 3 }), uint8), flags: uint8 }, PLAIN)
  .chain(({ peerType, flags }) =>
    fc.record(
      {
        peerType: fc.constant(peerType),
        flags: fc.constant(flags),
        distinguisher: uint64,
        address: exactly(width(peerType, flags)),
        asn: uint32,
        bgpIdentifier: uint32,
        timestamp: fc.nat({ max: 0xffff_ffff * 1_000_000 + 999_999 }),
      },
      PLAIN,
    ),
  )

/** A whole BGP message of a type, whatever is in it. */
const pdu = (type: number, maxLength: number): fc.Arbitrary<Uint8Array> =>
  octets(maxLength).map(body => {
    const length = 19 + body.length
    return Uint8Array.of(...Array.from({ length: 16 }, () => 255), length >> 8, length & 255, type, ...body)
  })

const tlvs = fc.array(fc.record({ code: uint16, value: octets(40) }, PLAIN), { maxLength: 5 })

const COUNTERS = [0, 1, 2, 3, 4, 5, 6, 11, 12, 13]
const statistic: fc.Arbitrary<BmpStatistic> = fc.oneof(
  fc.record({ type: fc.constant('counter' as const), statistic: fc.constantFrom(...COUNTERS), value: uint32 }, PLAIN),
  fc.record({ type: fc.constant('gauge' as const), statistic: fc.constantFrom(7, 8, 14, 15), value: uint64 }, PLAIN),
  fc.record(
    {
      type: fc.constant('family-gauge' as const),
      statistic: fc.constantFrom(9, 10, 16, 17),
      afi: uint16,
      safi: uint8,
      value: uint64,
    },
    PLAIN,
  ),
  fc.record(
    { type: fc.constant('unknown' as const), statistic: fc.integer({ min: 18, max: 0xffff }), value: octets(20) },
    PLAIN,
  ),
)

const mirrored: fc.Arbitrary<BmpMirrored> = fc.oneof(
  fc.record({ type: fc.constant('bgp-message' as const), message: octets(60) }, PLAIN),
  fc.record({ type: fc.constant('information' as const), information: uint16 }, PLAIN),
  fc.record(
    { type: fc.constant('unknown' as const), code: fc.integer({ min: 2, max: 0xffff }), value: octets(20) },
    PLAIN,
  ),
)

const reason: fc.Arbitrary<BmpPeerDownReason> = fc.oneof(
  fc.record({ type: fc.constant('local-notification' as const), notification: pdu(3, 40) }, PLAIN),
  fc.record({ type: fc.constant('local-event' as const), event: uint16 }, PLAIN),
  fc.record({ type: fc.constant('remote-notification' as const), notification: pdu(3, 40) }, PLAIN),
  fc.constant({ type: 'remote-closed' as const }),
  fc.constant({ type: 'de-configured' as const }),
  fc.record({ type: fc.constant('loc-rib-closed' as const), information: tlvs }, PLAIN),
  fc.record({ type: fc.constant('unknown' as const), code: fc.integer({ min: 7, max: 255 }), data: octets(20) }, PLAIN),
)

const ofPeer = (peer: BmpPeerHeader): fc.Arbitrary<BmpMessage> => {
  const fixed = fc.constant(peer)
  return fc.oneof(
    fc.record({ type: fc.constant('route-monitoring' as const), peer: fixed, update: pdu(2, 200) }, PLAIN),
    fc.record(
      {
        type: fc.constant('statistics-report' as const),
        peer: fixed,
        statistics: fc.array(statistic, { maxLength: 20 }),
      },
      PLAIN,
    ),
    fc.record({ type: fc.constant('peer-down' as const), peer: fixed, reason }, PLAIN),
    fc.record(
      {
        type: fc.constant('peer-up' as const),
        peer: fixed,
        localAddress: exactly(peer.address.length),
        localPort: uint16,
        remotePort: uint16,
        sentOpen: pdu(1, 60),
        receivedOpen: pdu(1, 60),
        information: tlvs,
      },
      PLAIN,
    ),
    fc.record(
      { type: fc.constant('route-mirroring' as const), peer: fixed, mirrored: fc.array(mirrored, { maxLength: 4 }) },
      PLAIN,
    ),
  )
}

/** Any BMP message that decodes to itself. */
export const anyBmpMessage: fc.Arbitrary<BmpMessage> = fc.oneof(
  { weight: 6, arbitrary: peerHeader.chain(ofPeer) },
  fc.record({ type: fc.constant('initiation' as const), information: tlvs }, PLAIN),
  fc.record({ type: fc.constant('termination' as const), information: tlvs }, PLAIN),
  fc.record(
    { type: fc.constant('unknown' as const), messageType: fc.integer({ min: 7, max: 255 }), body: octets(60) },
    PLAIN,
  ),
)

/** A peer of examples. */
export const PEER: BmpPeerHeader = {
  peerType: BmpPeerType.Global,
  flags: 0,
  distinguisher: 0n,
  address: Uint8Array.of(192, 0, 2, 1),
  asn: 4_200_000_000,
  bgpIdentifier: 0x0a00_0001,
  timestamp: 1_700_000_000_123_456,
}

const open = encodeMessage({
  type: 'open',
  version: 4,
  asn: 23456,
  holdTime: 90,
  bgpIdentifier: 0x0a00_0001,
  capabilities: [
    { type: 'multiprotocol', afi: 1, safi: 1 },
    { type: 'four-octet-as', asn: 4_200_000_000 },
  ],
})
const update = encodeMessage({ type: 'update', withdrawnRoutes: [], pathAttributes: {}, nlri: [] })
const cease = encodeMessage({ type: 'notification', errorCode: 6, errorSubcode: 2, data: new Uint8Array() })
const text = (value: string): Uint8Array => new TextEncoder().encode(value)

/** One message of every type and form. */
export const EXAMPLES: readonly BmpMessage[] = [
  {
    type: 'initiation',
    information: [
      { code: 2, value: text('r1') },
      { code: 1, value: text('Typemetal') },
    ],
  },
  {
    type: 'peer-up',
    peer: PEER,
    localAddress: Uint8Array.of(192, 0, 2, 2),
    localPort: 179,
    remotePort: 40000,
    sentOpen: open,
    receivedOpen: open,
    information: [{ code: 0, value: text('upstream') }],
  },
  { type: 'route-monitoring', peer: PEER, update },
  {
    type: 'route-monitoring',
    peer: {
      ...PEER,
      flags: BmpPeerFlag.Ipv6 | BmpPeerFlag.PostPolicy | BmpPeerFlag.AdjRibOut,
      address: new Uint8Array(16).fill(7),
    },
    update,
  },
  {
    type: 'route-monitoring',
    peer: { ...PEER, peerType: BmpPeerType.LocRib, flags: BmpPeerFlag.Filtered, address: new Uint8Array(16) },
    update,
  },
  {
    type: 'statistics-report',
    peer: PEER,
    statistics: [
      { type: 'counter', statistic: 0, value: 0xffff_ffff },
      { type: 'gauge', statistic: 7, value: (1n << 63n) + 1n },
      { type: 'family-gauge', statistic: 9, afi: 2, safi: 1, value: 12n },
      { type: 'unknown', statistic: 900, value: Uint8Array.of(1, 2, 3) },
    ],
  },
  {
    type: 'route-mirroring',
    peer: PEER,
    mirrored: [
      { type: 'information', information: 1 },
      { type: 'bgp-message', message: update },
    ],
  },
  { type: 'peer-down', peer: PEER, reason: { type: 'local-notification', notification: cease } },
  { type: 'peer-down', peer: PEER, reason: { type: 'local-event', event: 10 } },
  { type: 'peer-down', peer: PEER, reason: { type: 'remote-notification', notification: cease } },
  { type: 'peer-down', peer: PEER, reason: { type: 'remote-closed' } },
  { type: 'peer-down', peer: PEER, reason: { type: 'de-configured' } },
  {
    type: 'peer-down',
    peer: { ...PEER, peerType: BmpPeerType.LocRib, address: new Uint8Array(16) },
    reason: { type: 'loc-rib-closed', information: [{ code: 3, value: text('global') }] },
  },
  { type: 'termination', information: [{ code: 1, value: Uint8Array.of(0, 0) }] },
]
