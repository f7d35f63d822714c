/** Arbitrary messages for property tests. */
import * as fc from 'fast-check'
import type {
  Capability,
  KnownAttributes,
  Message,
  MessageContext,
  Nlri,
  PathAttributes,
  SegmentType,
} from '@typemetal/bgp/wire'

/** Objects as the decoder makes them. */
const PLAIN = { noNullPrototype: true } as const
const uint8 = fc.nat({ max: 0xff })
const uint16 = fc.nat({ max: 0xffff })
const uint32 = fc.nat({ max: 0xffff_ffff })
const octets = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength })

export const anyContext: fc.Arbitrary<MessageContext> = fc.record(
  { fourOctetAs: fc.boolean(), internal: fc.boolean() },
  PLAIN,
)

/** A prefix with its spare bits zero. */
export const anyNlri = (bits: number): fc.Arbitrary<Nlri> =>
  fc
    .tuple(fc.nat({ max: bits }), fc.uint8Array({ minLength: bits / 8, maxLength: bits / 8 }))
    .map(([length, address]) => {
      const prefix = address.slice(0, (length + 7) >>> 3)
      const spare = prefix.length * 8 - length
      if (spare > 0) prefix[prefix.length - 1]! &= 0xff << spare
      return { length, prefix }
    })

const nlriList = (bits: number): fc.Arbitrary<Nlri[]> => fc.array(anyNlri(bits), { maxLength: 8 })

const capability: fc.Arbitrary<Capability> = fc.oneof(
  fc.record({ type: fc.constant('multiprotocol' as const), afi: uint16, safi: uint8 }, PLAIN),
  fc.constant({ type: 'route-refresh' as const }),
  fc.record({ type: fc.constant('four-octet-as' as const), asn: uint32 }, PLAIN),
  fc.record(
    {
      type: fc.constant('unknown' as const),
      code: uint8.filter(code => ![1, 2, 65].includes(code)),
      value: octets(60),
    },
    PLAIN,
  ),
)

const open: fc.Arbitrary<Message> = fc.record(
  {
    type: fc.constant('open' as const),
    version: fc.constant(4 as const),
    asn: fc.integer({ min: 1, max: 0xffff }),
    holdTime: uint16.filter(holdTime => holdTime !== 1 && holdTime !== 2),
    bgpIdentifier: fc.integer({ min: 1, max: 0xffff_ffff }),
    capabilities: fc.array(capability, { maxLength: 12 }),
  },
  PLAIN,
)

const segments = (asn: fc.Arbitrary<number>, types: readonly SegmentType[], minLength: number) =>
  fc.array(fc.record({ type: fc.constantFrom(...types), asns: fc.array(asn, { minLength: 1, maxLength: 6 }) }, PLAIN), {
    minLength,
    maxLength: 3,
  })

/** Values that decode to themselves; external peers may not send all of them. */
function known({ fourOctetAs, internal }: MessageContext): fc.Arbitrary<KnownAttributes> {
  const asn = fourOctetAs ? uint32 : uint16
  const ipv6 = { afi: fc.constant(2), safi: fc.constant(1) }
  const other = { afi: fc.constant(25), safi: fc.constant(65) }
  const nextHop = fc.constantFrom(16, 32).chain(length => fc.uint8Array({ minLength: length, maxLength: length }))
  const large = fc.record({ globalAdministrator: uint32, localData1: uint32, localData2: uint32 }, PLAIN)
  const list = fc.array(uint32, { minLength: 1, maxLength: 90 })
  return fc
    .record(
      {
        multiExitDisc: uint32,
        atomicAggregate: fc.constant(true as const),
        aggregator: fc.record({ asn, bgpIdentifier: uint32 }, PLAIN),
        communities: list,
        mpReachNlri: fc.oneof(
          fc.record({ ...ipv6, nextHop, nlri: nlriList(128) }, PLAIN),
          fc.record({ ...other, nextHop: octets(20), nlri: fc.constant([]), opaque: octets(30) }, PLAIN),
        ),
        mpUnreachNlri: fc.oneof(
          fc.record({ ...ipv6, withdrawnRoutes: nlriList(128) }, PLAIN),
          fc.record({ ...other, withdrawnRoutes: fc.constant([]), opaque: octets(30) }, PLAIN),
        ),
        as4Path: segments(uint32, [1, 2], 1),
        as4Aggregator: fc.record({ asn: uint32, bgpIdentifier: uint32 }, PLAIN),
        largeCommunities: fc.array(large, { minLength: 1, maxLength: 30 }),
        ...(internal && { localPref: uint32, originatorId: uint32, clusterList: list }),
      },
      { requiredKeys: [], noNullPrototype: true },
    )
    .chain(optional =>
      fc
        .record(
          {
            origin: fc.constantFrom(0 as const, 1 as const, 2 as const),
            asPath: segments(asn, [1, 2, 3, 4], 0),
            nextHop: fc.tuple(fc.integer({ min: 1, max: 223 }), uint8, uint8, uint8).map(a => Uint8Array.from(a)),
          },
          PLAIN,
        )
        .map(mandatory => ({ ...mandatory, ...optional })),
    )
}

const unknown = fc.uniqueArray(
  fc.record(
    {
      code: fc.integer({ min: 40, max: 255 }),
      flags: fc.constantFrom(0x80, 0xc0, 0xe0),
      value: fc.oneof(octets(20), octets(400)),
    },
    PLAIN,
  ),
  { selector: ({ code }) => code, minLength: 1, maxLength: 3 },
)

const attributes = (context: MessageContext): fc.Arbitrary<PathAttributes> =>
  fc.tuple(known(context), fc.option(unknown)).map(([values, others]) => ({
    ...values,
    ...(others && { unknown: others.toSorted((a, b) => a.code - b.code) }),
    ...('communities' in values && values.multiExitDisc !== undefined && { partial: [8] }),
  }))

const update = (context: MessageContext): fc.Arbitrary<Message> =>
  fc.record(
    {
      type: fc.constant('update' as const),
      withdrawnRoutes: nlriList(32),
      pathAttributes: attributes(context),
      nlri: nlriList(32),
    },
    PLAIN,
  )

/** A message that the session with this context can carry. */
export const anyMessage = (context: MessageContext): fc.Arbitrary<Message> =>
  fc.oneof(
    { weight: 2, arbitrary: open },
    { weight: 6, arbitrary: update(context) },
    fc.constant({ type: 'keepalive' as const }),
    fc.record(
      {
        type: fc.constant('notification' as const),
        errorCode: uint8,
        errorSubcode: uint8,
        data: octets(300),
      },
      PLAIN,
    ),
    fc.record({ type: fc.constant('route-refresh' as const), afi: uint16, subtype: uint8, safi: uint8 }, PLAIN),
  )
