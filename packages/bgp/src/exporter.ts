import { exportAttributes, exportNextHop, isExportable, isPassedOn, type ExportSession } from './export.js'
import type { OwnRoutes } from './own-routes.js'
import { changeRoute, LazyRoute, type ChangedRoute, type ExportPolicy } from './policy.js'
import {
  PAGE_MASK,
  PathFlag,
  rewriteAttributes,
  type Exporter,
  type LocRib,
  type PackedAttributes,
  type PathTaker,
  type Rewrite,
  type Row,
} from './rib/index.js'
import { LOCAL_SOURCE, type RouteSource } from './route-source.js'
import {
  encodePathAttributes,
  familyBits,
  SegmentType,
  WellKnownCommunity,
  type AsPath,
  type FamilyName,
  type PathAttributes,
} from './wire/index.js'
import { EMPTY } from './wire/octets.js'
import { FactFlag } from './wire/scan-attributes.js'

/** How a set is written: {@link Told.how}. */
const How = {
  /** With MULTI_EXIT_DISC also towards an external peer. */
  KeepMed: 1,
  /** With the next hop that it has. */
  KeepNextHop: 2,
  /** As it is: everything has been done to it. */
  Final: 4,
} as const

/** Flags of sets that the quick way does not do. */
const UNUSUAL = FactFlag.Unusual | FactFlag.Aigp | FactFlag.OnlyToCustomer | FactFlag.Confederation
/** Communities that decide whether a learned route is told, or are not told along with it. */
const DECISIVE = FactFlag.NoExport | FactFlag.NoAdvertise | FactFlag.NoExportSubconfed | FactFlag.LongLivedStale
/** Path Identifiers of learned paths, apart from those that our own routes may have. */
const LEARNED = 0x8000_0000
/** More than the octets that {@link rewriteAttributes} adds. */
const MARGIN = 64

export interface SessionExporterOptions {
  readonly rib: LocRib<RouteSource>
  readonly session: ExportSession
  /** Routes for this peer alone. */
  readonly own: OwnRoutes<RouteSource>
  readonly policy: ExportPolicy
  /** The peer's number among the sources: it is not told what it has told us. */
  readonly source: number
  /** Families whose prefixes may have a next hop of the other family, RFC 8950. */
  readonly extendedNextHop: readonly FamilyName[]
  /** The attributes have become more than one message can hold; the route is not told. */
  readonly oversized: (family: FamilyName) => void
  /** There is no next hop of our own to tell a family's prefixes with. */
  readonly noNextHop: (family: FamilyName) => void
  /** The policy has thrown; the route is not told. */
  readonly policyFailed: (error: unknown) => void
}

/** A route on its way to a peer. */
interface Candidate {
  readonly family: FamilyName
  readonly prefix: Row
  readonly pathId: number
  readonly set: Row
  readonly source: RouteSource
  /** Its peer has been gone for long, RFC 9494. */
  readonly stale: boolean
}

/** AS_PATH, and AS4_PATH where it does not fit 2-octet AS numbers, RFC 6793 section 4.2.2. */
function asPathsOf(path: AsPath): Pick<PathAttributes, 'asPath' | 'as4Path'> {
  const asPath = path.filter(({ type }) => type === SegmentType.AsSequence || type === SegmentType.AsSet)
  return asPath.some(({ asns }) => asns.some(asn => asn > 0xffff))
    ? { asPath: path, as4Path: asPath }
    : { asPath: path }
}

function isUsual({ session, policy }: SessionExporterOptions): boolean {
  const { role, removePrivateAs, gracefulShutdown, confederation, confederationIdentifier, fourOctetAs } = session
  return (
    policy === 'accept' &&
    role === undefined &&
    fourOctetAs &&
    !removePrivateAs &&
    !gracefulShutdown &&
    !confederation &&
    !session.routeServerClient &&
    confederationIdentifier === undefined
  )
}

/** Decides for one session what of the Loc-RIB and of the peer's own routes it is told. */
export class SessionExporter implements Exporter {
  #options: SessionExporterOptions
  /** Nothing about the session needs more than {@link rewriteAttributes} does. */
  #isUsual: boolean
  /** Made when it is first needed: most sessions never do. */
  #scratch: Uint8Array = EMPTY
  #rewrites: (Rewrite | undefined)[] = []
  /** The last decision: neighbours in the table often have the same attributes from the same peer. */
  #lastSet: Row = 0
  #lastSource = -1
  /** -1: not told. */
  #lastHow = -1

  constructor(options: SessionExporterOptions) {
    this.#options = options
    this.#isUsual = isUsual(options)
  }

  /** Other rules from now on; what was told under the ones before has to be decided anew. */
  change(session: ExportSession, policy: ExportPolicy): void {
    this.#options = { ...this.#options, session, policy }
    this.#rewrites = []
    this.#isUsual = isUsual(this.#options)
  }

  begin(): void {
    this.#lastSet = 0
  }

  hasRoute(family: FamilyName, prefix: Row): boolean {
    const { own, rib, source, session } = this.#options
    if (own.size > 0 && own.get(family, prefix) !== undefined) return true
    const paths = rib.family(family)
    const best = paths.best(prefix)
    if (best === 0) return false
    // What the peer itself is the only one to know.
    if (paths.sourceNumber(best) === source && paths.next(best) === 0) return false
    return session.propagate || paths.sourceOf(best).local === true
  }

  decide(family: FamilyName, prefix: Row, all: boolean, taker: PathTaker): void {
    const own = this.#options.own.size > 0 ? this.#options.own.get(family, prefix) : undefined
    if (own) {
      for (const [pathId, set] of own) {
        this.#tell(family, prefix, pathId, set, LOCAL_SOURCE, false, taker)
        this.#lastSet = 0
        if (!all) return
      }
    }
    const paths = this.#options.rib.family(family)
    if (!all) {
      const best = paths.best(prefix)
      if (best !== 0) this.#tellPath(family, prefix, best, taker)
      return
    }
    for (let path = paths.prefixes.first(prefix); path !== 0; path = paths.next(path)) {
      const isHidden = own !== undefined && paths.sourceOf(path).local === true && own.has(paths.pathId(path))
      if (paths.attributes(path) !== 0 && !isHidden) this.#tellPath(family, prefix, path, taker)
    }
  }

  alike(family: FamilyName, prefix: Row, into: Row[], at: number, most: number): number {
    if (this.#lastSet === 0 || this.#lastHow < 0 || this.#options.own.size > 0) return 0
    return this.#options.rib.family(family).alike(prefix, this.#lastSource, this.#lastSet, into, at, most)
  }

  write(family: FamilyName, set: Row, how: number): PackedAttributes {
    const { rib, session } = this.#options
    const { attributes } = rib
    const keeps = (how & (How.KeepNextHop | How.Final)) !== 0
    const own = keeps ? attributes.nextHop(set) : session.nextHopSelf(family)!
    const isInside = family === 'ipv4-unicast' && own.length === 4
    const nextHop = isInside ? undefined : own
    if (how & How.Final) {
      const octets = session.fourOctetAs ? attributes.octets(set) : this.#narrow(set)
      return { octets, length: octets.length, nextHop }
    }
    const start = attributes.start(set)
    const end = start + attributes.length(set)
    if (this.#scratch.length < end - start + MARGIN) this.#scratch = new Uint8Array(2 * (end - start) + MARGIN)
    const hasLocalPref = (attributes.page(set).flags[set & PAGE_MASK]! & FactFlag.LocalPref) !== 0
    const rewrite = this.#rewriteOf(how, hasLocalPref, isInside, own)
    const length = rewriteAttributes(attributes.segment(set), start, end, rewrite, this.#scratch, 0)
    return { octets: this.#scratch, length, nextHop }
  }

  /** There are few of them in a session, and many sets that are written by each. */
  #rewriteOf(how: number, hasLocalPref: boolean, isInside: boolean, own: Uint8Array): Rewrite {
    const key = how | (hasLocalPref ? 8 : 0) | (isInside ? 16 : 0)
    const known = this.#rewrites[key]
    if (known) return known
    const { session } = this.#options
    const rewrite: Rewrite = {
      prepend: session.internal ? 0 : session.asn,
      localPref: session.internal ? (hasLocalPref ? 'keep' : 'add') : 'drop',
      multiExitDisc: session.internal || (how & How.KeepMed) !== 0,
      nextHop: !isInside ? 'drop' : how & How.KeepNextHop ? 'keep' : own,
    }
    this.#rewrites[key] = rewrite
    return rewrite
  }

  /** A final set in 2-octet AS numbers, RFC 6793 section 4.2.2. */
  #narrow(set: Row): Uint8Array {
    const { attributes } = this.#options.rib
    const { asPath = [], aggregator, ...rest } = attributes.attributes(set)
    const nextHop = attributes.nextHop(set)
    const narrow: PathAttributes = {
      ...rest,
      ...asPathsOf(asPath),
      ...(nextHop.length === 4 && { nextHop }),
      ...(aggregator && { aggregator }),
      ...(aggregator && aggregator.asn > 0xffff && { as4Aggregator: aggregator }),
    }
    return encodePathAttributes(narrow, { fourOctetAs: false, internal: this.#options.session.internal })
  }

  #tellPath(family: FamilyName, prefix: Row, path: Row, taker: PathTaker): void {
    const { rib, source: peer, session } = this.#options
    const paths = rib.family(family)
    const number = paths.sourceNumber(path)
    if (number === peer) return
    const source = paths.sourceOf(path)
    const given = source.local ? paths.pathId(path) : 0
    const pathId = given === 0 ? LEARNED + path : given
    const set = paths.attributes(path)
    if (set === this.#lastSet && number === this.#lastSource && paths.flags(path) === PathFlag.Selected) {
      if (this.#lastHow >= 0) taker.tell(pathId, set, this.#lastHow)
      return
    }
    if (!isPassedOn(source, session)) return
    const stale = (paths.flags(path) & PathFlag.LongLivedStale) !== 0
    this.#lastSet = 0
    this.#tell(family, prefix, pathId, set, source, stale, taker)
    this.#lastSource = number
  }

  #tell(
    family: FamilyName,
    prefix: Row,
    pathId: number,
    set: Row,
    source: RouteSource,
    stale: boolean,
    taker: PathTaker,
  ): void {
    const { rib, session } = this.#options
    const page = rib.attributes.page(set)
    const at = set & PAGE_MASK
    const reflects = source.internal && session.internal
    const special = source.local ? UNUSUAL : UNUSUAL | DECISIVE | (session.internal ? 0 : FactFlag.NonTransitive)
    if (!this.#isUsual || stale || reflects || (page.flags[at]! & special) !== 0) {
      try {
        this.#tellUnusual({ family, prefix, pathId, set, source, stale }, taker)
      } catch (error) {
        if (!(error instanceof RangeError)) throw error
        this.#options.oversized(family)
      }
      return
    }
    const isOurs = page.nextHopLength[at] === 0 && page.nextHopAt[at] === 0
    const keeps =
      !isOurs &&
      (source.local === true || session.nextHop === 'unchanged' || (session.internal && session.nextHop !== 'self'))
    const may = keeps ? this.#mayTell(family, page.nextHopLength[at]! || 4) : this.#hasSelf(family)
    this.#lastSet = set
    this.#lastHow = may ? (source.local ? How.KeepMed : 0) | (keeps ? How.KeepNextHop : 0) : -1
    if (may) taker.tell(pathId, set, this.#lastHow)
  }

  /** A next hop of the other family is for those who have agreed on it, RFC 8950. */
  #mayTell(family: FamilyName, nextHopLength: number): boolean {
    return (nextHopLength === 4) === (familyBits(family) === 32) || this.#options.extendedNextHop.includes(family)
  }

  #hasSelf(family: FamilyName): boolean {
    const { session, noNextHop } = this.#options
    const self = session.nextHopSelf(family)
    if (self && this.#mayTell(family, self.length)) return true
    noNextHop(family)
    return false
  }

  /** The whole way, by values. */
  #tellUnusual(candidate: Candidate, taker: PathTaker): void {
    const { family, set, source, stale, pathId } = candidate
    const { rib, session } = this.#options
    const stored = rib.attributes.attributes(set)
    const communities = [...(stored.communities ?? []), WellKnownCommunity.LlgrStale]
    const attributes =
      stale && !stored.communities?.includes(WellKnownCommunity.LlgrStale) ? { ...stored, communities } : stored
    if (!isExportable(attributes, source, session)) return
    const nextHop = rib.attributes.nextHop(set)
    const route = this.#applyPolicy(candidate, attributes, nextHop)
    if (!route) return
    const kept = { multiExitDisc: source.local === true || route.setsMed }
    const said = route.nextHop === nextHop ? exportNextHop(family, nextHop, source, session) : route.nextHop
    const hop = said?.length === 0 ? session.nextHopSelf(family) : said
    if (!hop || !this.#mayTell(family, hop.length)) {
      if (nextHop.length === 0 || said?.length === 0 || !said) this.#options.noNextHop(family)
      return
    }
    const final = this.#intern(exportAttributes(route.attributes, source, session, kept), hop)
    if (final !== 0) taker.tell(pathId, final, How.Final)
  }

  /** 0 for values of a policy that no attribute can hold. */
  #intern(attributes: PathAttributes, nextHop: Uint8Array): Row {
    try {
      return this.#options.rib.attributes.internValues(attributes, nextHop)
    } catch (error) {
      // Without a policy to blame there is just too much of it.
      if (typeof this.#options.policy === 'string') throw error
      this.#options.policyFailed(error)
      return 0
    }
  }

  /** What policy makes of a route; `undefined` for one that is not told. */
  #applyPolicy(
    { family, prefix, pathId, source }: Candidate,
    attributes: PathAttributes,
    nextHop: Uint8Array,
  ): ChangedRoute | undefined {
    const { policy, rib, policyFailed } = this.#options
    if (policy === 'reject') return undefined
    if (policy === 'accept') return { attributes, nextHop, setsMed: false }
    const route = new LazyRoute({
      family,
      pathId: pathId >= LEARNED || pathId === 0 ? undefined : pathId,
      from: source.policyPeer,
      nlri: () => rib.family(family).prefixes.nlri(prefix),
      attributes: () => attributes,
      nextHop: () => nextHop,
    })
    try {
      const result = policy(route)
      return result === false ? undefined : changeRoute(attributes, nextHop, result === true ? {} : result)
    } catch (error) {
      policyFailed(error)
      return undefined
    }
  }
}
