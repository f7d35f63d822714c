import type { ParsedRoute } from './route.js'
import { Origin, SegmentType, type FamilyName, type PathAttributes } from './wire/index.js'

/** What of a session decides how a route is announced on it. */
export interface ExportSession {
  /** Our AS number towards the peer. */
  readonly asn: number
  readonly internal: boolean
  readonly fourOctetAs: boolean
  /** Our address of a family, for next hop self; `undefined` when there is none. */
  nextHopSelf(family: FamilyName): Uint8Array | undefined
}

/** A route as a peer is told of it. */
export interface ExportedRoute {
  readonly attributes: PathAttributes
  readonly nextHop: Uint8Array
}

/** LOCAL_PREF to internal peers when the route has none. */
const DEFAULT_LOCAL_PREF = 100

/** RFC 4271 section 5.1.2 (b) and (a): our AS to external peers, an empty path to internal ones. */
function pathOf({ asn, internal, fourOctetAs }: ExportSession): Pick<PathAttributes, 'asPath' | 'as4Path'> {
  if (internal) return { asPath: [] }
  const asPath = [{ type: SegmentType.AsSequence, asns: [asn] }]
  // RFC 6793 section 4.2.2: AS_PATH says AS_TRANS then, and AS4_PATH the truth.
  return !fourOctetAs && asn > 0xffff ? { asPath, as4Path: asPath } : { asPath }
}

/** Path attributes and next hop of one of our routes towards a peer; `undefined` when we have no next hop of its family. */
export function exportRoute(route: ParsedRoute, session: ExportSession): ExportedRoute | undefined {
  const nextHop = route.nextHop === 'self' ? session.nextHopSelf(route.family) : route.nextHop
  if (!nextHop) return undefined
  const { multiExitDisc, localPref, communities, largeCommunities } = route
  const attributes: PathAttributes = {
    origin: Origin.Igp,
    ...pathOf(session),
    ...(multiExitDisc !== undefined && { multiExitDisc }),
    // RFC 4271 section 5.1.5: never to external peers.
    ...(session.internal && { localPref: localPref || DEFAULT_LOCAL_PREF }),
    ...(communities.length && { communities }),
    ...(largeCommunities.length && { largeCommunities }),
  }
  return { attributes, nextHop }
}
