/** Arbitrary messages for property tests: what a session with a given context can carry, and what a peer might send instead. */
import * as fc from 'fast-check'
import {
  nlriFormat,
  type Capability,
  type FamilyName,
  type KnownAttributes,
  type Message,
  type MessageContext,
  type Nlri,
  type PathAttributes,
  type SegmentType,
} from '@typemetal/bgp/wire'
import { hex, message, toHex, VECTORS } from './octets.js'

/** Objects as the decoder makes them. */
const PLAIN = { noNullPrototype: true } as const
const uint8 = fc.nat({ max: 0xff })
const uint16 = fc.nat({ max: 0xffff })
const uint32 = fc.nat({ max: 0xffff_ffff })
const octets = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength })
const octetsOf = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })
const family = { afi: uint16, safi: uint8 }
const families = fc.subarray<FamilyName>(['ipv4-unicast', 'ipv6-unicast'])

/** What a session may have negotiated. */
export const anyContext: fc.Arbitrary<MessageContext> = fc.record(
  {
    fourOctetAs: fc.boolean(),
    internal: fc.boolean(),
    confederation: fc.boolean(),
    addPath: families,
    extendedMessage: fc.boolean(),
    extendedNextHop: families,
    aigpSession: fc.boolean(),
  },
  { requiredKeys: ['fourOctetAs', 'internal'], noNullPrototype: true },
)

/** A prefix with its spare bits zero. */
export const anyNlri = (bits: number): fc.Arbitrary<Nlri> =>
  fc.tuple(fc.nat({ max: bits }), octetsOf(bits / 8)).map(([length, address]) => {
    const prefix = address.slice(0, (length + 7) >>> 3)
    const spare = prefix.length * 8 - length
    if (spare > 0) prefix[prefix.length - 1]! &= 0xff << spare
    return { length, prefix }
  })

/** A prefix as the session carries it, with a Path Identifier where that was negotiated. */
export function anyFamilyNlri(name: FamilyName, context: MessageContext): fc.Arbitrary<Nlri> {
  const { bits, pathIds } = nlriFormat(name, context)
  if (!pathIds) return anyNlri(bits)
  return fc.tuple(anyNlri(bits), uint32).map(([nlri, pathId]) => ({ ...nlri, pathId }))
}

const nlriList = (name: FamilyName, context: MessageContext): fc.Arbitrary<Nlri[]> =>
  fc.array(anyFamilyNlri(name, context), { maxLength: 8 })

const name = fc.string({ unit: 'binary', maxLength: 12 })
const listOf = <T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(item, { maxLength: 5 })
const KNOWN_CAPABILITIES = [1, 2, 5, 6, 9, 64, 65, 69, 70, 71, 73, 74]

/** A capability that decodes to itself. */
export const anyCapability: fc.Arbitrary<Capability> = fc.oneof(
  fc.record({ type: fc.constant('multiprotocol' as const), ...family }, PLAIN),
  fc.constantFrom<Capability>(
    { type: 'route-refresh' },
    { type: 'extended-message' },
    { type: 'enhanced-route-refresh' },
    { type: 'bfd-strict-mode' },
  ),
  fc.record(
    {
      type: fc.constant('extended-next-hop' as const),
      families: listOf(fc.record({ afi: uint16, safi: uint16, nextHopAfi: uint16 }, PLAIN)),
    },
    PLAIN,
  ),
  fc.record({ type: fc.constant('role' as const), role: uint8 }, PLAIN),
  fc.record(
    {
      type: fc.constant('graceful-restart' as const),
      restarting: fc.boolean(),
      notification: fc.boolean(),
      restartTime: fc.nat({ max: 4095 }),
      families: listOf(fc.record({ ...family, forwardingPreserved: fc.boolean() }, PLAIN)),
    },
    PLAIN,
  ),
  fc.record({ type: fc.constant('four-octet-as' as const), asn: uint32 }, PLAIN),
  fc.record(
    {
      type: fc.constant('add-path' as const),
      families: listOf(
        fc
          .tuple(uint16, uint8, fc.integer({ min: 1, max: 3 }))
          .map(([afi, safi, way]) => ({ afi, safi, send: way > 1, receive: way !== 2 })),
      ),
    },
    PLAIN,
  ),
  fc.record(
    {
      type: fc.constant('long-lived-graceful-restart' as const),
      families: listOf(
        fc.record({ ...family, forwardingPreserved: fc.boolean(), staleTime: fc.nat({ max: 0xff_ffff }) }, PLAIN),
      ),
    },
    PLAIN,
  ),
  fc.record({ type: fc.constant('fqdn' as const), hostName: name, domainName: name }, PLAIN),
  fc.record(
    {
      type: fc.constant('unknown' as const),
      code: uint8.filter(code => !KNOWN_CAPABILITIES.includes(code)),
      value: octets(60),
    },
    PLAIN,
  ),
)

/** An OPEN that breaks no rule. */
export const anyOpen = fc.record(
  {
    type: fc.constant('open' as const),
    version: fc.constant(4 as const),
    asn: fc.integer({ min: 1, max: 0xffff }),
    holdTime: uint16.filter(holdTime => holdTime !== 1 && holdTime !== 2),
    bgpIdentifier: fc.integer({ min: 1, max: 0xffff_ffff }),
    capabilities: fc.array(anyCapability, { maxLength: 12 }),
  },
  PLAIN,
)

const segments = (asn: fc.Arbitrary<number>, types: readonly SegmentType[], minLength: number) =>
  fc.array(fc.record({ type: fc.constantFrom(...types), asns: fc.array(asn, { minLength: 1, maxLength: 6 }) }, PLAIN), {
    minLength,
    maxLength: 3,
  })

/** RFC 5065 section 5: which segments may come from whom. */
function asPath(asn: fc.Arbitrary<number>, { internal, confederation = false }: MessageContext) {
  const anywhere = segments(asn, [1, 2, 3, 4], 0)
  if (internal) return anywhere
  if (!confederation) return segments(asn, [1, 2], 0)
  const first = fc.record({ type: fc.constant(3 as const), asns: fc.array(asn, { minLength: 1, maxLength: 6 }) }, PLAIN)
  return fc.tuple(first, anywhere).map(([head, tail]) => [head, ...tail])
}

/** Families that this package does not know are carried as octets. */
const other = { afi: fc.constant(25), safi: fc.constant(65) }

function mpReachNlri(context: MessageContext) {
  const known = (name: FamilyName, afi: number, lengths: readonly number[]) => {
    const all = context.extendedNextHop?.includes(name) ? [4, 16, 32] : lengths
    const nextHop = fc.constantFrom(...all).chain(octetsOf)
    return fc.record({ afi: fc.constant(afi), safi: fc.constant(1), nextHop, nlri: nlriList(name, context) }, PLAIN)
  }
  return fc.oneof(
    known('ipv4-unicast', 1, [4]),
    known('ipv6-unicast', 2, [16, 32]),
    fc.record({ ...other, nextHop: octets(20), nlri: fc.constant([]), opaque: octets(30) }, PLAIN),
  )
}

function mpUnreachNlri(context: MessageContext) {
  const known = (name: FamilyName, afi: number) =>
    fc.record({ afi: fc.constant(afi), safi: fc.constant(1), withdrawnRoutes: nlriList(name, context) }, PLAIN)
  return fc.oneof(
    known('ipv4-unicast', 1),
    known('ipv6-unicast', 2),
    fc.record({ ...other, withdrawnRoutes: fc.constant([]), opaque: octets(30) }, PLAIN),
  )
}

const large = fc.record({ globalAdministrator: uint32, localData1: uint32, localData2: uint32 }, PLAIN)

/** Communities of all kinds, as attributes. */
export const anyCommunities: fc.Arbitrary<PathAttributes> = fc.record(
  {
    communities: fc.array(
      fc.oneof(
        uint32,
        uint16.map(low => 0xffff_0000 + low),
      ),
      { minLength: 1, maxLength: 90 },
    ),
    extendedCommunities: fc.array(
      fc.record(
        {
          type: fc.oneof(fc.constantFrom(0x00, 0x01, 0x02, 0x40), uint8),
          subtype: fc.oneof(fc.constantFrom(2, 3, 4), uint8),
          value: octetsOf(6),
        },
        PLAIN,
      ),
      { minLength: 1, maxLength: 12 },
    ),
    ipv6ExtendedCommunities: fc.array(
      fc.record(
        {
          type: fc.oneof(fc.constant(0), uint8),
          subtype: fc.oneof(fc.constantFrom(2, 3), uint8),
          globalAdministrator: octetsOf(16),
          localAdministrator: uint16,
        },
        PLAIN,
      ),
      { minLength: 1, maxLength: 5 },
    ),
    largeCommunities: fc.uniqueArray(large, {
      selector: ({ globalAdministrator, localData1, localData2 }) =>
        `${globalAdministrator} ${localData1} ${localData2}`,
      minLength: 1,
      maxLength: 30,
    }),
  },
  { requiredKeys: [], noNullPrototype: true },
)

/** Values that decode to themselves; not every peer may send all of them. */
function known(context: MessageContext): fc.Arbitrary<KnownAttributes> {
  const { fourOctetAs, internal, confederation = false, aigpSession = internal || confederation } = context
  const asn = fc.integer({ min: 1, max: fourOctetAs ? 0xffff_ffff : 0xffff })
  const anyAsn = fc.integer({ min: 1, max: 0xffff_ffff })
  const list = fc.array(uint32, { minLength: 1, maxLength: 90 })
  const optional = fc.record(
    {
      multiExitDisc: uint32,
      atomicAggregate: fc.constant(true as const),
      aggregator: fc.record({ asn, bgpIdentifier: uint32 }, PLAIN),
      mpReachNlri: mpReachNlri(context),
      mpUnreachNlri: mpUnreachNlri(context),
      as4Path: segments(anyAsn, [1, 2], 1),
      as4Aggregator: fc.record({ asn: anyAsn, bgpIdentifier: uint32 }, PLAIN),
      onlyToCustomer: uint32,
      ...(aigpSession && { aigp: fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_fffen }) }),
      ...((internal || confederation) && { localPref: uint32 }),
      ...(internal && { originatorId: uint32, clusterList: list }),
    },
    { requiredKeys: [], noNullPrototype: true },
  )
  const mandatory = fc.record(
    {
      origin: fc.constantFrom(0 as const, 1 as const, 2 as const),
      asPath: asPath(asn, context),
      nextHop: fc.tuple(fc.integer({ min: 1, max: 223 }), uint8, uint8, uint8).map(a => Uint8Array.from(a)),
    },
    PLAIN,
  )
  return fc.tuple(mandatory, optional, anyCommunities).map(([a, b, c]) => ({ ...a, ...b, ...c }))
}

/** Attributes that this package does not know; long ones where the session allows. */
function unknown({ extendedMessage = false }: MessageContext) {
  const long = fc.integer({ min: 4096, max: 20_000 }).map(length => new Uint8Array(length).fill(7))
  const value = extendedMessage ? fc.oneof(octets(20), octets(400), long) : fc.oneof(octets(20), octets(400))
  return fc.uniqueArray(
    fc.record({ code: fc.integer({ min: 40, max: 255 }), flags: fc.constantFrom(0x80, 0xc0, 0xe0), value }, PLAIN),
    { selector: ({ code }) => code, minLength: 1, maxLength: 3 },
  )
}

/** Path attributes that the session with this context can carry. */
export const anyAttributes = (context: MessageContext): fc.Arbitrary<PathAttributes> =>
  fc.tuple(known(context), fc.option(unknown(context))).map(([values, others]) => ({
    ...values,
    ...(others && { unknown: others.toSorted((a, b) => a.code - b.code) }),
    ...('communities' in values && values.multiExitDisc !== undefined && { partial: [8] }),
  }))

/** An UPDATE that the session with this context can carry. */
export const anyUpdate = (context: MessageContext) =>
  fc.record(
    {
      type: fc.constant('update' as const),
      withdrawnRoutes: nlriList('ipv4-unicast', context),
      pathAttributes: anyAttributes(context),
      nlri: nlriList('ipv4-unicast', context),
    },
    PLAIN,
  )

const routeRefresh: fc.Arbitrary<Message> = fc
  .tuple(uint16, uint8, uint8, octets(30))
  .map(([afi, subtype, safi, orf]) => ({
    type: 'route-refresh',
    afi,
    subtype,
    safi,
    ...(orf.length > 0 && subtype !== 1 && subtype !== 2 && { orf }),
  }))

/** A message that the session with this context can carry. */
export const anyMessage = (context: MessageContext): fc.Arbitrary<Message> =>
  fc.oneof(
    { weight: 2, arbitrary: anyOpen },
    { weight: 6, arbitrary: anyUpdate(context) },
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
    routeRefresh,
  )

/** Octets without order, some with a good header in front. */
export const anyOctets: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.tuple(fc.constantFrom(1, 2, 3, 4, 5, 2, 2), octets(120)).map(([type, body]) => message(type, toHex(body))),
  octets(64),
)

/** A good message with up to four of its octets changed, header lengths aside: what a peer with a bug sends. */
export const anyDamaged: fc.Arbitrary<Uint8Array> = fc
  .tuple(fc.constantFrom(...VECTORS), fc.array(fc.tuple(fc.nat({ max: 400 }), uint8), { minLength: 1, maxLength: 4 }))
  .map(([vector, changes]) => {
    const damaged = hex(vector.hex)
    for (const [at, value] of changes) damaged[18 + (at % (damaged.length - 18))] = value
    return damaged
  })
