import {
  checkOptions,
  listOf,
  oneOf,
  optional,
  text,
  whole,
  wrongType,
  wrongValue,
  type Kind,
  type Kinds,
  type Synonyms,
} from '@typemetal/options'
import { checkAttributeValues } from './attribute-values.js'
import { addressFamily, isHost, parseAddress, parsePrefix, type ParsedPrefix } from './address.js'
import { asNumber } from './bgp-kinds.js'
import { parseCommunities, type Communities } from './community.js'
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
const ORIGINS = { igp: Origin.Igp, egp: Origin.Egp, incomplete: Origin.Incomplete } as const
const SELF = new Uint8Array(0)
/** Of one segment, RFC 4271 section 4.3. */
const MAX_PATH = 255

const MAX_UINT32 = 0xffff_ffff
const uint32 = whole(0, MAX_UINT32)
const attributeValues: Kind<PathAttributes> = (name, value) => {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw wrongType(name, 'an object', value)
}

const KINDS: Kinds<Route> = {
  prefix: text,
  pathId: optional(uint32),
  nextHop: optional(text),
  origin: optional(oneOf('igp', 'egp', 'incomplete')),
  asPath: optional(listOf(asNumber)),
  localPref: optional(uint32),
  multiExitDisc: optional(uint32),
  communities: optional(listOf(text)),
  attributes: optional(attributeValues),
}

/** As other speakers have it. */
const SYNONYMS: Synonyms<Route> = {
  network: 'prefix',
  nlri: 'prefix',
  med: 'multiExitDisc',
  metric: 'multiExitDisc',
  localPreference: 'localPref',
  community: 'communities',
}

/** Whether a route is one of the many of which nothing need be said: what {@link KINDS} says takes longer than to read the route. */
function isPlain(route: Route): boolean {
  if (typeof route !== 'object' || route === null || typeof route.prefix !== 'string') return false
  for (const name in route) {
    if (name === 'prefix') continue
    if (name === 'communities') {
      if (!Array.isArray(route.communities) || !route.communities.every(each => typeof each === 'string')) return false
    } else if (name === 'nextHop') {
      if (typeof route.nextHop !== 'string') return false
    } else if (name === 'localPref') {
      if (!Number.isInteger(route.localPref) || route.localPref! < 0 || route.localPref! > MAX_UINT32) return false
    } else return false
  }
  return true
}

function readPrefix(value: string): ParsedPrefix {
  try {
    return parsePrefix(value)
  } catch {
    throw wrongValue('prefix', "a prefix such as '192.0.2.0/24'", value)
  }
}

/** What a route to take back is known by. @throws {TypeError | RangeError} not a prefix, or not a Path Identifier */
export function parseWithdrawn(prefix: string, pathId: number): ParsedPrefix {
  text('prefix', prefix)
  uint32('pathId', pathId)
  return readPrefix(prefix)
}

function parseNextHop(value: string, family: FamilyName): Uint8Array {
  if (value === 'self') return SELF
  const address = readAddress(value)
  if (address === undefined || !isHost(address)) throw wrongValue('nextHop', "'self' or the address of a host", value)
  if (addressFamily(address) !== family && family === 'ipv6-unicast') {
    throw wrongValue('nextHop', "of the prefix's family", value)
  }
  return address
}

function readAddress(value: string): Uint8Array | undefined {
  try {
    return parseAddress(value)
  } catch {
    return undefined
  }
}

function parsePath(asns: readonly number[] = []): AsPath {
  if (asns.length > MAX_PATH)
    throw new RangeError(`asPath must have at most ${MAX_PATH} AS numbers, not ${asns.length}`)
  return asns.length === 0 ? [] : [{ type: SegmentType.AsSequence, asns }]
}

function readCommunities(texts: readonly string[]): Communities {
  try {
    return parseCommunities(texts)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const at = texts.findIndex(each => !isCommunity(each))
    throw wrongValue(`communities[${at}]`, "a community such as '64512:100'", texts[at])
  }
}

function isCommunity(value: string): boolean {
  try {
    return parseCommunities([value]) !== undefined
  } catch {
    return false
  }
}

function parseAttributes(route: Route): PathAttributes {
  const { localPref, multiExitDisc, communities: texts = [] } = route
  if (route.attributes) checkAttributeValues(route.attributes)
  const { communities, largeCommunities, extendedCommunities, ipv6ExtendedCommunities } = readCommunities(texts)
  const extended = 8 * extendedCommunities.length + 20 * ipv6ExtendedCommunities.length
  if (4 * communities.length + 12 * largeCommunities.length + extended > MAX_COMMUNITY_OCTETS) {
    throw new RangeError(
      `communities must fit an UPDATE, in ${MAX_COMMUNITY_OCTETS} octets, which ${texts.length} do not`,
    )
  }
  return {
    ...route.attributes,
    origin: ORIGINS[route.origin ?? 'igp'],
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
  if (!isPlain(route)) checkOptions(route, KINDS, SYNONYMS, 'route')
  const { prefix, nextHop = 'self', pathId = 0 } = route
  const { family, nlri } = readPrefix(prefix)
  return { family, nlri, pathId, nextHop: parseNextHop(nextHop, family), attributes: attributesOf(route) }
}

/** @throws {TypeError | RangeError} a field that cannot be sent, or that there is none of; the message begins with its name */
export const parseRoute = (route: Route): ParsedRoute => parseWith(route, parseAttributes)

/** Equal for routes that have equal attributes. */
const attributesKey = ({ origin, asPath, localPref, multiExitDisc, communities }: Route): string =>
  JSON.stringify([origin, asPath, localPref, multiExitDisc, communities])

/**
 * {@link parseRoute} of many, which are seldom told apart by anything but their prefixes: those with equal attributes share one object.
 *
 * @throws {TypeError | RangeError} a field that cannot be sent; the message begins with its place and name
 */
export function parseRoutes(routes: readonly Route[]): readonly ParsedRoute[] {
  if (!Array.isArray(routes)) throw wrongType('routes', 'an array', routes)
  const known = new Map<string, PathAttributes>()
  const attributesOf = (route: Route): PathAttributes => {
    if (route.attributes !== undefined) return parseAttributes(route)
    const key = attributesKey(route)
    const attributes = known.get(key) ?? parseAttributes(route)
    known.set(key, attributes)
    return attributes
  }
  return routes.map((route: Route, index) => {
    try {
      return parseWith(route, attributesOf)
    } catch (error) {
      throw placed(error, index)
    }
  })
}

function placed(error: unknown, index: number): unknown {
  if (!(error instanceof TypeError || error instanceof RangeError)) return error
  const name = error.message.startsWith('route ') ? `routes[${index}]` : `routes[${index}].`
  const message = `${name}${error.message.replace(/^route(?= )/, '')}`
  return error instanceof TypeError
    ? new TypeError(message, { cause: error })
    : new RangeError(message, { cause: error })
}
