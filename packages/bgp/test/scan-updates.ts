/** UPDATEs that the quick scan takes for the most part, some damaged, and what a session has negotiated that carries them. */
import * as fc from 'fast-check'
import {
  encodeMessage,
  type FamilyName,
  type MessageContext,
  type Nlri,
  type PathAttributes,
  type UpdateMessage,
} from '@typemetal/bgp/wire'
import { anyUpdate } from './messages.js'

/** Attributes that the scan leaves to the whole decoder. */
const UNUSUAL = [
  'as4Path',
  'as4Aggregator',
  'ipv6ExtendedCommunities',
  'aigp',
  'onlyToCustomer',
  'unknown',
  'partial',
] as const

const families = fc.subarray<FamilyName>(['ipv4-unicast', 'ipv6-unicast'])

/** Sessions whose UPDATEs are scanned at all. */
export const anyScannedContext: fc.Arbitrary<MessageContext> = fc.record({
  fourOctetAs: fc.constant(true),
  internal: fc.boolean(),
  addPath: families,
  extendedNextHop: families,
  extendedMessage: fc.boolean(),
})

function usual(attributes: PathAttributes, shape: number): PathAttributes {
  const kept: Record<string, unknown> = { ...attributes }
  if (shape > 0) for (const key of UNUSUAL) delete kept[key]
  const { mpReachNlri: reach, mpUnreachNlri: unreach, asPath = [] } = attributes
  if (shape > 0) kept['asPath'] = asPath.filter(({ type }) => type <= 2)
  if (shape > 1 && (reach?.afi !== 2 || reach.nextHop.length === 4)) delete kept['mpReachNlri']
  if (shape > 1 && unreach?.afi === 25) delete kept['mpUnreachNlri']
  return kept
}

/** One of a few prefixes, so that they are announced and withdrawn again. */
function oneOfFew({ length, prefix, pathId }: Nlri): Nlri {
  const few = { length: 16, prefix: Uint8Array.of(0x20, (prefix[0] ?? length) & 3) }
  return pathId === undefined ? few : { ...few, pathId: pathId & 1 }
}

function withFewPrefixes(update: UpdateMessage): UpdateMessage {
  const { mpReachNlri: reach, mpUnreachNlri: unreach, ...rest } = update.pathAttributes
  return {
    ...update,
    withdrawnRoutes: update.withdrawnRoutes.map(oneOfFew),
    nlri: update.nlri.map(oneOfFew),
    pathAttributes: {
      ...rest,
      ...(reach && { mpReachNlri: { ...reach, nlri: reach.nlri.map(oneOfFew) } }),
      ...(unreach && { mpUnreachNlri: { ...unreach, withdrawnRoutes: unreach.withdrawnRoutes.map(oneOfFew) } }),
    },
  }
}

/** What of an UPDATE is there: NLRI, MP_REACH_NLRI, MP_UNREACH_NLRI, Withdrawn Routes. */
const anyParts = fc.record({ nlri: fc.boolean(), reach: fc.boolean(), unreach: fc.boolean(), withdrawn: fc.boolean() })

/** @param few only few different prefixes */
export function anyScannedUpdate(context: MessageContext, few = false): fc.Arbitrary<UpdateMessage> {
  return fc.tuple(anyUpdate(context), fc.nat({ max: 9 }), anyParts).map(([update, shape, parts]) => {
    const attributes: Record<string, unknown> = { ...usual(update.pathAttributes, Math.min(shape, 2)) }
    if (!parts.reach) delete attributes['mpReachNlri']
    else if (shape > 2) delete attributes['nextHop']
    if (!parts.unreach) delete attributes['mpUnreachNlri']
    const nlri = parts.nlri && !(parts.reach && shape > 2) ? update.nlri : []
    const withdrawnRoutes = parts.withdrawn ? update.withdrawnRoutes : []
    const made = { ...update, nlri, withdrawnRoutes, pathAttributes: attributes as PathAttributes }
    return few ? withFewPrefixes(made) : made
  })
}

/** The octets, some with up to three octets behind the header changed. */
export function anyScannedOctets(context: MessageContext, few = false): fc.Arbitrary<Uint8Array> {
  const change = fc.tuple(fc.nat({ max: 4000 }), fc.nat({ max: 255 }))
  const changes = fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(change, { minLength: 1, maxLength: 3 }) },
  )
  return fc.tuple(anyScannedUpdate(context, few), changes).map(([update, list]) => {
    const octets = encodeMessage(update, context)
    // The lengths and the attributes' headers are at the front, so damage falls there more often.
    for (const [at, value] of list) octets[19 + ((at % 2 ? at >> 6 : at) % (octets.length - 19))] = value
    return octets
  })
}
