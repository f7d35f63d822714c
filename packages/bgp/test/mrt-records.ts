/** Arbitrary MRT records for property tests, and files that others wrote. */
import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import type { MrtRecord, MrtRibEntry } from '@typemetal/bgp/mrt'
import { anyNlri } from './messages.js'

const PLAIN = { noNullPrototype: true } as const
const uint8 = fc.nat({ max: 0xff })
const uint16 = fc.nat({ max: 0xffff })
const uint32 = fc.nat({ max: 0xffff_ffff })
const octets = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength })
const exactly = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })
const width = fc.constantFrom(4, 16)

const time = { timestamp: uint32 }
/** Plain, or with microseconds. */
const times = fc.oneof(fc.record(time, PLAIN), fc.record({ ...time, microseconds: uint32 }, PLAIN))

const session = fc.tuple(fc.boolean(), width).chain(([fourOctetAs, length]) => {
  const asn = fourOctetAs ? uint32 : uint16
  return fc.record(
    {
      peerAsn: asn,
      localAsn: asn,
      interfaceIndex: uint16,
      peerAddress: exactly(length),
      localAddress: exactly(length),
      fourOctetAs: fc.constant(fourOctetAs),
    },
    PLAIN,
  )
})

const bgpMessage = fc.record(
  { type: fc.constant('bgp4mp-message' as const), local: fc.boolean(), addPath: fc.boolean(), message: octets(80) },
  PLAIN,
)
const stateChange = fc.record(
  { type: fc.constant('bgp4mp-state-change' as const), oldState: uint16, newState: uint16 },
  PLAIN,
)
const bgp4mp: fc.Arbitrary<MrtRecord> = fc
  .tuple(times, session, fc.oneof(bgpMessage, stateChange))
  .map(([at, between, what]) => ({ ...at, ...between, ...what }))

const peer = fc.tuple(fc.boolean(), width).chain(([fourOctetAs, length]) =>
  fc.record(
    {
      bgpIdentifier: uint32,
      address: exactly(length),
      asn: fourOctetAs ? uint32 : uint16,
      fourOctetAs: fc.constant(fourOctetAs),
    },
    PLAIN,
  ),
)

const peerIndexTable: fc.Arbitrary<MrtRecord> = fc.record(
  {
    type: fc.constant('peer-index-table' as const),
    ...time,
    collectorBgpIdentifier: uint32,
    viewName: octets(20),
    peers: fc.array(peer, { maxLength: 5 }),
  },
  PLAIN,
)

const entries = (addPath: boolean): fc.Arbitrary<MrtRibEntry[]> =>
  fc.array(
    fc.record(
      { peerIndex: uint16, originatedTime: uint32, ...(addPath && { pathId: uint32 }), attributes: octets(40) },
      PLAIN,
    ),
    { maxLength: 4 },
  )

const rib: fc.Arbitrary<MrtRecord> = fc
  .tuple(fc.boolean(), fc.constantFrom(1, 2), fc.constantFrom(1, 2))
  .chain(([addPath, afi, safi]) =>
    fc.record(
      {
        type: fc.constant('rib' as const),
        ...time,
        afi: fc.constant(afi),
        safi: fc.constant(safi),
        addPath: fc.constant(addPath),
        sequenceNumber: uint32,
        nlri: anyNlri(afi === 1 ? 32 : 128),
        entries: entries(addPath),
      },
      PLAIN,
    ),
  )

/** A family whose NLRI begin with their length in bits, and one of which nothing is known. */
const ribGeneric: fc.Arbitrary<MrtRecord> = fc.boolean().chain(addPath => {
  const common = { type: fc.constant('rib-generic' as const), ...time, sequenceNumber: uint32 }
  const nlri = fc
    .tuple(exactly(addPath ? 4 : 0), octets(24))
    .map(([path, body]) => Uint8Array.of(...path, 8 * body.length, ...body))
  const known = { afi: fc.constant(1), safi: fc.constantFrom(4, 128), nlri, entries: entries(false) }
  const opaque = { afi: fc.constant(25), safi: uint8, nlri: exactly(0), entries: fc.constant([]), opaque: octets(60) }
  return fc.oneof(
    fc.record({ ...common, addPath: fc.constant(addPath), ...known }, PLAIN),
    fc.record({ ...common, addPath: fc.constant(addPath), ...opaque }, PLAIN),
  )
})

const tableDump: fc.Arbitrary<MrtRecord> = width.chain(length =>
  fc.record(
    {
      type: fc.constant('table-dump' as const),
      ...time,
      viewNumber: uint16,
      sequenceNumber: uint16,
      prefix: exactly(length),
      prefixLength: fc.nat({ max: 8 * length }),
      status: uint8,
      originatedTime: uint32,
      peerAddress: exactly(length),
      peerAsn: uint16,
      attributes: octets(40),
    },
    PLAIN,
  ),
)

const unknown: fc.Arbitrary<MrtRecord> = fc.oneof(
  fc.record(
    {
      type: fc.constant('unknown' as const),
      ...time,
      mrtType: fc.constantFrom(11, 32, 48),
      subtype: uint16,
      body: octets(40),
    },
    PLAIN,
  ),
  fc.record(
    {
      type: fc.constant('unknown' as const),
      ...time,
      microseconds: uint32,
      mrtType: fc.constantFrom(33, 49),
      subtype: uint16,
      body: octets(40),
    },
    PLAIN,
  ),
  fc.record(
    {
      type: fc.constant('unknown' as const),
      ...time,
      mrtType: fc.constant(13),
      subtype: fc.constantFrom(0, 7, 13, 99),
      body: octets(40),
    },
    PLAIN,
  ),
)

/** Any MRT record that decodes to itself. */
export const anyMrtRecord: fc.Arbitrary<MrtRecord> = fc.oneof(
  bgp4mp,
  peerIndexTable,
  rib,
  ribGeneric,
  tableDump,
  unknown,
)

/** Files that routers wrote: BIRD 2.0.12, FRR 8.4.4, GoBGP 3.10. */
export const FILES = ['bird-dump', 'bird-table', 'bird-messages', 'frr-routes', 'frr-all', 'gobgp-table'] as const

/** Octets of such a file. */
export const readFile = (name: (typeof FILES)[number]): Uint8Array =>
  Uint8Array.from(readFileSync(new URL(`../test/vectors/mrt-${name}.mrt`, import.meta.url)))
