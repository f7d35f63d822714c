import type { RoleName } from './fsm/index.js'
import type { AsPath, ExtendedCommunity, FamilyName, PathAttributes, UnknownAttribute } from './wire/index.js'
import { AttributeFlag, isConfederationSegment, SegmentType, WellKnownCommunity } from './wire/index.js'

/** What of a session decides how a route is announced on it. */
export interface ExportSession {
  /** Our AS number towards the peer. */
  readonly asn: number
  readonly peerAsn: number
  readonly bgpIdentifier: number
  /** The peer is in our AS. */
  readonly internal: boolean
  /** The peer is in another member AS of our confederation (RFC 5065). */
  readonly confederation: boolean
  /** The AS number by which others know our confederation; `undefined` when we are in none. */
  readonly confederationIdentifier?: number | undefined
  readonly fourOctetAs: boolean
  /** Pass on what was learned from other peers. */
  readonly propagate: boolean
  /** The peer is a client of this route reflector, RFC 4456. */
  readonly reflectorClient: boolean
  readonly clusterId: number
  /** The peer is a client of this route server, RFC 7947: it is told AS_PATH, next hop and MED as they came. */
  readonly routeServerClient: boolean
  /** `self` towards internal peers too, or the next hop as it came towards external ones. */
  readonly nextHop?: 'self' | 'unchanged' | undefined
  /** Private AS numbers (RFC 6996) are taken off paths towards external peers. */
  readonly removePrivateAs: boolean
  /** Ours, RFC 9234. */
  readonly role?: RoleName | undefined
  /** The peer may be told AIGP, RFC 7311 section 3.4. */
  readonly aigp: boolean
  /** Everything is announced with GRACEFUL_SHUTDOWN, and LOCAL_PREF 0 to internal peers (RFC 8326). */
  readonly gracefulShutdown: boolean
  /** The peer knows long-lived stale routes, RFC 9494. */
  readonly longLived: boolean
  /** Our address of a family, for next hop self; `undefined` when there is none. */
  nextHopSelf(family: FamilyName): Uint8Array | undefined
}

/** Where a route comes from, as far as it matters for who is told of it. */
export interface ExportSource {
  readonly local?: boolean
  readonly internal: boolean
  readonly confederation?: boolean
  /** Learned from a client of this route reflector. */
  readonly reflectorClient?: boolean
  readonly bgpIdentifier: number
}

/** LOCAL_PREF to internal peers when the route has none. */
const DEFAULT_LOCAL_PREF = 100
const MAX_SEGMENT = 255

/** Private AS numbers, RFC 6996. */
const isPrivate = (asn: number): boolean =>
  (asn >= 64_512 && asn <= 65_534) || (asn >= 4_200_000_000 && asn < 4_294_967_295)

/** RFC 4271 section 5.1.2 and RFC 5065 section 4: our AS in front of the path. */
export function prepend(path: AsPath, asn: number, type: SegmentType = SegmentType.AsSequence): AsPath {
  const [first, ...rest] = path
  if (first?.type === type && first.asns.length < MAX_SEGMENT) {
    return [{ type, asns: [asn, ...first.asns] }, ...rest]
  }
  return [{ type, asns: [asn] }, ...path]
}

/** RFC 5065 section 4.1 (c): outside of the confederation nobody sees it. */
const withoutConfederation = (path: AsPath): AsPath => path.filter(segment => !isConfederationSegment(segment))

function withoutPrivate(path: AsPath): AsPath {
  const kept = path.map(({ type, asns }) => ({ type, asns: asns.filter(asn => !isPrivate(asn)) }))
  return kept.filter(({ asns }) => asns.length > 0)
}

function pathTo(session: ExportSession, path: AsPath): AsPath {
  const { internal, confederation, routeServerClient } = session
  if (internal || (routeServerClient && confederation)) return path
  if (confederation) return prepend(path, session.asn, SegmentType.AsConfedSequence)
  const outside = withoutConfederation(path)
  if (routeServerClient) return outside
  const own = session.confederationIdentifier ?? session.asn
  return prepend(session.removePrivateAs ? withoutPrivate(outside) : outside, own)
}

/**
 * Whether a peer is told of a route at all: RFC 4271 section 9.1.3, RFC 1997, RFC 4456 section 6, RFC 9234 section 5 and RFC 9494 section
 * 4.6. Policy is not looked at.
 */
export function isExportable(attributes: PathAttributes, source: ExportSource, session: ExportSession): boolean {
  const { communities } = attributes
  // What we attach ourselves is for the receiver to heed.
  if (communities?.length && !source.local) {
    const outside = !session.internal && !session.confederation
    if (communities.includes(WellKnownCommunity.NoAdvertise)) return false
    if (outside && communities.includes(WellKnownCommunity.NoExport)) return false
    if (!session.internal && communities.includes(WellKnownCommunity.NoExportSubconfed)) return false
    if (!session.longLived && communities.includes(WellKnownCommunity.LlgrStale)) return false
  }
  // RFC 9234 section 5: what a provider, a peer or a route server has told us is for our customers only.
  const { role } = session
  const upwards = role === 'customer' || role === 'peer' || role === 'rs-client'
  if (upwards && attributes.onlyToCustomer !== undefined) return false
  return isPassedOn(source, session)
}

/** Whether what comes from there is passed on at all; an internal peer hears of internal ones by a route reflector only. */
export function isPassedOn(source: ExportSource, session: ExportSession): boolean {
  if (source.local) return true
  if (!session.propagate) return false
  if (!source.internal || !session.internal) return true
  return session.reflectorClient || source.reflectorClient === true
}

/** RFC 4456 section 8: who brought the route into the AS, and through which clusters it went. */
function reflect(attributes: PathAttributes, source: ExportSource, session: ExportSession): PathAttributes {
  if (source.local || !source.internal || !session.internal) return attributes
  const { originatorId = source.bgpIdentifier, clusterList = [] } = attributes
  return { ...attributes, originatorId, clusterList: [session.clusterId, ...clusterList] }
}

/** RFC 4271 section 5: non-transitive attributes stay with us, transitive ones go on with the Partial bit. */
function passOnUnknown(unknown: readonly UnknownAttribute[]): readonly UnknownAttribute[] {
  return unknown
    .filter(({ flags }) => flags & AttributeFlag.Transitive)
    .map(({ code, flags, value }) => ({ code, flags: flags | AttributeFlag.Partial, value }))
}

const NON_TRANSITIVE = 0x40

/** RFC 4360 section 6: non-transitive ones end at the border of the AS or confederation; those that we attach are for the receiver. */
function extendedTo(
  { internal, confederation, routeServerClient }: ExportSession,
  { local }: ExportSource,
  list: PathAttributes['extendedCommunities'] = [],
): readonly ExtendedCommunity[] {
  return local || internal || confederation || routeServerClient
    ? list
    : list.filter(({ type }) => (type & NON_TRANSITIVE) === 0)
}

function communitiesTo(session: ExportSession, communities: readonly number[] = []): readonly number[] {
  if (!session.gracefulShutdown || communities.includes(WellKnownCommunity.GracefulShutdown)) return communities
  return [...communities, WellKnownCommunity.GracefulShutdown]
}

/** RFC 9234 section 5: what goes to a customer, a peer or a client of our route server is marked, by the AS that others know. */
function markOf(attributes: PathAttributes, { role, asn, confederationIdentifier }: ExportSession): number | undefined {
  const marks = role === 'provider' || role === 'peer' || role === 'rs'
  return attributes.onlyToCustomer ?? (marks ? (confederationIdentifier ?? asn) : undefined)
}

/** What of a route's attributes is kept that would otherwise end with us. */
export interface Kept {
  /** MULTI_EXIT_DISC: it is our own, or a policy's. */
  readonly multiExitDisc: boolean
}

/**
 * The path attributes of a route as a peer is told them, without next hop: RFC 4271 sections 5 and 9.1.3, RFC 5065, RFC 4456, RFC 7311,
 * RFC 7947, RFC 8326, RFC 9234. AS_PATH is in 4-octet AS numbers.
 */
export function exportAttributes(
  attributes: PathAttributes,
  source: ExportSource,
  session: ExportSession,
  kept: Kept,
): PathAttributes {
  const inside = session.internal || session.confederation
  const {
    localPref,
    multiExitDisc,
    originatorId,
    clusterList,
    aigp,
    onlyToCustomer: _,
    unknown,
    partial,
    extendedCommunities,
    ...rest
  } = reflect(attributes, source, session)
  const communities = communitiesTo(session, attributes.communities)
  const extended = extendedTo(session, source, extendedCommunities)
  const mark = markOf(attributes, session)
  const passed = source.local ? unknown : unknown && passOnUnknown(unknown)
  const keepMed = kept.multiExitDisc || inside || session.routeServerClient
  return {
    ...rest,
    asPath: pathTo(session, attributes.asPath ?? []),
    ...(multiExitDisc !== undefined && keepMed && { multiExitDisc }),
    // RFC 4271 section 5.1.5: never to external peers.
    ...(inside && { localPref: session.gracefulShutdown ? 0 : (localPref ?? DEFAULT_LOCAL_PREF) }),
    ...(communities.length && { communities }),
    ...(extended.length && { extendedCommunities: extended }),
    ...(session.internal && originatorId !== undefined && { originatorId }),
    ...(session.internal && clusterList && { clusterList }),
    ...(session.aigp && aigp !== undefined && { aigp }),
    ...(mark !== undefined && { onlyToCustomer: mark }),
    ...(passed?.length && { unknown: passed }),
    ...(partial && { partial }),
  }
}

/** The next hop that a peer is told, RFC 4271 section 5.1.3; `undefined` when we have none of the family. */
export function exportNextHop(
  family: FamilyName,
  nextHop: Uint8Array,
  source: ExportSource,
  session: ExportSession,
): Uint8Array | undefined {
  if (nextHop.length === 0) return session.nextHopSelf(family)
  if (source.local || session.routeServerClient || session.nextHop === 'unchanged') return nextHop
  const self = session.nextHop === 'self' || (!session.internal && !session.confederation)
  return self ? session.nextHopSelf(family) : nextHop
}
