import { checkAttributeValues } from './attribute-values.js'
import { addressFamily, isHost, parseAddress, parsePrefix } from './address.js'
import { parseCommunities } from './community.js'
import { Origin, SegmentType, type AsPath, type FamilyName, type Nlri, type PathAttributes } from './wire/index.js'

/** A route to announce. */
export interface Route {
  /** `192.0.2.0/24` or `2001:db8::/32`; bits behind the length are ignored. */
  readonly prefix: string
  /** Path Identifier (RFC 7911), so that one prefix can have several routes; peers without are told the first. @default none */
  readonly pathId?: number
  /** Our address on the session, or an address; one of the other family is for peers of RFC 8950 only. @default 'self' */
  readonly nextHop?: 'self' | (string & {})
  /** ORIGIN. @default 'igp' */
  readonly origin?: 'igp' | 'egp' | 'incomplete'
  /** AS_PATH before ours is put in front of it: a sequence. @default empty */
  readonly asPath?: readonly number[]
  /** LOCAL_PREF; internal peers only. @default 100 (0 counts as unset) */
  readonly localPref?: number
  /** MULTI_EXIT_DISC. @default none */
  readonly multiExitDisc?: number
  /** `a:b`, `large:a:b:c`, `rt:a:b` and other extended ones, or a well-known name such as `no-export`; order and repetition do not matter. */
  readonly communities?: readonly string[]
  /** Any other attributes, as values; those that have a field of their own here are taken from there. */
  readonly attributes?: PathAttributes
}

/** A route with its text read. */
export interface ParsedRoute {
  readonly family: FamilyName
  readonly nlri: Nlri
  /** 0 for none. */
  readonly pathId: number
  /** None for our own address. */
  readonly nextHop: Uint8Array
  readonly attributes: PathAttributes
}

/** Octets of communities that surely fit into an UPDATE with a prefix and everything else we send. */
const MAX_COMMUNITY_OCTETS = 3800
const MAX_UINT32 = 0xffff_ffff
const ORIGINS = { igp: Origin.Igp, egp: Origin.Egp, incomplete: Origin.Incomplete } as const
const SELF = new Uint8Array(0)

function checkUint32(name: string, value: number | undefined, least = 0): void {
  if (value === undefined || (Number.isInteger(value) && value >= least && value <= MAX_UINT32)) return
  throw new RangeError(`${name} must be a whole number below 2^32, not ${value}`)
}

function parseNextHop(text: string, family: FamilyName): Uint8Array {
  if (text === 'self') return SELF
  const address = parseAddress(text)
  if (!isHost(address)) throw new RangeError(`next hop ${text} is not the address of a host`)
  if (addressFamily(address) !== family && family === 'ipv6-unicast') {
    throw new RangeError(`next hop ${text} is not of the prefix's family`)
  }
  return address
}

function parseOrigin(origin: Route['origin'] = 'igp'): Origin {
  if (!Object.hasOwn(ORIGINS, origin)) throw new RangeError(`origin must be igp, egp or incomplete, not ${origin}`)
  return ORIGINS[origin]
}

function parsePath(asns: readonly number[] = []): AsPath {
  for (const asn of asns) checkUint32('AS number', asn, 1)
  if (asns.length > 255) throw new RangeError(`AS path of ${asns.length} ASes`)
  return asns.length === 0 ? [] : [{ type: SegmentType.AsSequence, asns }]
}

function parseAttributes(route: Route): PathAttributes {
  const { localPref, multiExitDisc, communities: texts = [] } = route
  checkUint32('localPref', localPref)
  checkUint32('multiExitDisc', multiExitDisc)
  if (route.attributes) checkAttributeValues(route.attributes)
  const { communities, largeCommunities, extendedCommunities, ipv6ExtendedCommunities } = parseCommunities(texts)
  const extended = 8 * extendedCommunities.length + 20 * ipv6ExtendedCommunities.length
  if (4 * communities.length + 12 * largeCommunities.length + extended > MAX_COMMUNITY_OCTETS) {
    throw new RangeError(`too many communities for one route: ${texts.length}`)
  }
  return {
    ...route.attributes,
    origin: parseOrigin(route.origin),
    asPath: route.asPath === undefined && route.attributes?.asPath ? route.attributes.asPath : parsePath(route.asPath),
    ...(localPref && { localPref }),
    ...(multiExitDisc !== undefined && { multiExitDisc }),
    ...(communities.length && { communities }),
    ...(extendedCommunities.length && { extendedCommunities }),
    ...(ipv6ExtendedCommunities.length && { ipv6ExtendedCommunities }),
    ...(largeCommunities.length && { largeCommunities }),
  }
}

function parseWith(route: Route, attributesOf: (route: Route) => PathAttributes): ParsedRoute {
  const { prefix, nextHop = 'self', pathId = 0 } = route
  const { family, nlri } = parsePrefix(prefix)
  checkUint32('pathId', pathId)
  return { family, nlri, pathId, nextHop: parseNextHop(nextHop, family), attributes: attributesOf(route) }
}

/** @throws {RangeError} a field that cannot be sent */
export const parseRoute = (route: Route): ParsedRoute => parseWith(route, parseAttributes)

/** Equal for routes that have equal attributes. */
const attributesKey = ({ origin, asPath, localPref, multiExitDisc, communities }: Route): string =>
  JSON.stringify([origin, asPath, localPref, multiExitDisc, communities])

/**
 * {@link parseRoute} of many, which are seldom told apart by anything but their prefixes: those with equal attributes share one object.
 *
 * @throws {RangeError} a field that cannot be sent
 */
export function parseRoutes(routes: readonly Route[]): readonly ParsedRoute[] {
  const known = new Map<string, PathAttributes>()
  return routes.map(route =>
    parseWith(route, () => {
      if (route.attributes !== undefined) return parseAttributes(route)
      const key = attributesKey(route)
      const attributes = known.get(key) ?? parseAttributes(route)
      known.set(key, attributes)
      return attributes
    }),
  )
}
