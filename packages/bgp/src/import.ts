import { changeRoute, LazyRoute, type ImportPolicy, type PolicyPeer } from './policy.js'
import type { FamilyPaths, LocRib, Row } from './rib/index.js'
import { PAGE_MASK } from './rib/index.js'
import type { RouteSource } from './route-source.js'
import type { RoleName } from './fsm/index.js'
import { AS_TRANS, mergeAs4Path, WellKnownCommunity, type PathAttributes } from './wire/index.js'
import { FactFlag } from './wire/scan-attributes.js'

/** What of a session decides how a received route is taken. */
export interface ImportSession {
  /** Our AS number towards the peer. */
  readonly asn: number
  readonly peerAsn: number
  readonly bgpIdentifier: number
  readonly clusterId: number
  readonly internal: boolean
  /** AS Confederation Identifier: our AS number to those outside (RFC 5065). */
  readonly confederationIdentifier?: number | undefined
  /** Times our own AS may stand in AS_PATH. */
  readonly allowOwnAs: number
  /** Ours, RFC 9234. */
  readonly role: RoleName | undefined
  readonly policy: ImportPolicy
  readonly policyPeer: PolicyPeer
  /** The policy has thrown; the route is not used. */
  readonly policyFailed: (error: unknown) => void
}

/**
 * The attributes with AS_PATH and AGGREGATOR in 4-octet AS numbers, and without AS4_PATH and AS4_AGGREGATOR, RFC 6793 section
 * 4.2.3. A peer that knows 4-octet AS numbers must not send those two; they are ignored then (section 4.1).
 */
export function resolveAs4(attributes: PathAttributes, fourOctetAs: boolean): PathAttributes {
  const { as4Path, as4Aggregator, ...rest } = attributes
  const { asPath, aggregator } = rest
  if (fourOctetAs || (!as4Path && !as4Aggregator)) return rest
  // Of both, an AGGREGATOR that fits 2 octets is newer than the AS4 attributes.
  if (aggregator && as4Aggregator && aggregator.asn !== AS_TRANS) return rest
  return {
    ...rest,
    ...(asPath && { asPath: mergeAs4Path(asPath, as4Path) }),
    ...(aggregator && as4Aggregator && { aggregator: as4Aggregator }),
  }
}

/** RFC 4271 section 9.1.2, RFC 4456 section 8 and RFC 5065 section 4: a path that has been here before must not be used. */
export function isFeasible(attributes: PathAttributes, session: ImportSession): boolean {
  const { asn, confederationIdentifier, bgpIdentifier, clusterId, allowOwnAs } = session
  if (attributes.originatorId === bgpIdentifier || attributes.clusterList?.includes(clusterId)) return false
  let own = 0
  for (const { asns } of attributes.asPath ?? [])
    for (const member of asns) if (member === asn || member === confederationIdentifier) own++
  return own <= allowOwnAs
}

/** Flags of sets that need more than the policy's word. */
const MARKED = FactFlag.OnlyToCustomer | FactFlag.GracefulShutdown

/** RFC 9234 section 5: a route that went down to a customer must not come up again, and what comes from above is marked. */
function applyRole(attributes: PathAttributes, { role, peerAsn }: ImportSession): PathAttributes | undefined {
  const { onlyToCustomer } = attributes
  const fromBelow = role === 'provider' || role === 'rs'
  const fromAside = role === 'peer'
  if (onlyToCustomer !== undefined) {
    if (fromBelow || (fromAside && onlyToCustomer !== peerAsn)) return undefined
    return attributes
  }
  return role === undefined || fromBelow ? attributes : { ...attributes, onlyToCustomer: peerAsn }
}

/** RFC 8326 section 4: what the other side is about to take away comes last. */
function applyGracefulShutdown(attributes: PathAttributes, { internal }: ImportSession): PathAttributes {
  return internal || !attributes.communities?.includes(WellKnownCommunity.GracefulShutdown)
    ? attributes
    : { ...attributes, localPref: 0 }
}

/** The way of a peer's routes into the Loc-RIB, RFC 4271 section 9.1.1: roles, graceful shutdown, policy. */
export class Importer {
  readonly #rib: LocRib<RouteSource>
  readonly #session: ImportSession
  #lastReceived: Row = 0
  #lastAttributes: Row = 0

  constructor(rib: LocRib<RouteSource>, session: ImportSession) {
    this.#rib = rib
    this.#session = session
  }

  /** The attributes to use for a prefix; 0 for a route that is not to be used. Without a reference. */
  import(paths: FamilyPaths<RouteSource>, prefix: Row, pathId: number, received: Row): Row {
    const { policy, role } = this.#session
    if (policy === 'reject') return 0
    const flags = this.#rib.attributes.page(received).flags[received & PAGE_MASK]!
    if (policy === 'accept') return role === undefined && !(flags & MARKED) ? received : this.#builtIn(received)
    return this.#byPolicy(policy, paths, prefix, pathId, received)
  }

  /** Forgets what it remembers between the prefixes of one UPDATE. */
  forget(): void {
    this.#lastReceived = 0
  }

  #builtIn(received: Row): Row {
    if (received === this.#lastReceived) return this.#lastAttributes
    const { attributes } = this.#rib
    const before = attributes.attributes(received)
    const after = this.#settle(before)
    this.#lastReceived = received
    this.#lastAttributes = !after ? 0 : after === before ? received : this.#intern(after, attributes.nextHop(received))
    return this.#lastAttributes
  }

  /** What has become too long by what was added to it is not used. */
  #intern(attributes: PathAttributes, nextHop: Uint8Array): Row {
    try {
      return this.#rib.attributes.internValues(attributes, nextHop)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      return 0
    }
  }

  #settle(attributes: PathAttributes): PathAttributes | undefined {
    const settled = applyRole(attributes, this.#session)
    return settled && applyGracefulShutdown(settled, this.#session)
  }

  #byPolicy(
    policy: Exclude<ImportPolicy, string>,
    paths: FamilyPaths<RouteSource>,
    prefix: Row,
    pathId: number,
    received: Row,
  ): Row {
    const { attributes } = this.#rib
    const before = attributes.attributes(received)
    const settled = this.#settle(before)
    if (!settled) return 0
    const { prefixes } = paths
    const route = new LazyRoute({
      family: prefixes.family,
      pathId: pathId || undefined,
      from: this.#session.policyPeer,
      nlri: () => prefixes.nlri(prefix),
      attributes: () => settled,
      nextHop: () => attributes.nextHop(received),
    })
    try {
      const result = policy(route)
      if (result === false) return 0
      if (result === true && settled === before) return received
      const changed = changeRoute(settled, attributes.nextHop(received), result === true ? {} : result)
      return attributes.internValues(changed.attributes, changed.nextHop)
    } catch (error) {
      this.#session.policyFailed(error)
      return 0
    }
  }
}
