import { parseAddress } from '../address.js'
import { sendContext, type Negotiated, type Seconds, type SessionEnd } from '../fsm/index.js'
import type { ExportSession } from '../export.js'
import type { ImportSession } from '../import.js'
import { OwnRoutes } from '../own-routes.js'
import { AdjRibIn, type LocRib, type UpdatePacker } from '../rib/index.js'
import type { ParsedRoute } from '../route.js'
import type { RouteSource } from '../route-source.js'
import type { FamilyName, Nlri, UpdateMessage, WireError } from '../wire/index.js'
import type { Clock } from './clock.js'
import type { Connection } from './connection.js'
import { Inbound } from './inbound.js'
import type { Logger } from './logger.js'
import { selfNextHops, type Interfaces } from './next-hop.js'
import { Outbound, type OutboundSession, type UpdateSink } from './outbound.js'
import type { CheckedPeerOptions } from './peer-options.js'
import { StaleRoutes } from './stale-routes.js'

/** What the routes of a peer need of the speaker. */
export interface RouteSurroundings {
  readonly rib: LocRib<RouteSource>
  readonly packer: UpdatePacker
  readonly clock: Clock
  readonly random: () => number
  /** CLUSTER_ID of this route reflector, RFC 4456. */
  readonly clusterId: number
  /** The machine's interfaces and their addresses. */
  readonly interfaces: () => Interfaces
  /** Routes of the family are not selected yet, RFC 4724 section 4.1. */
  defers(family: FamilyName): boolean
}

/** What the peer is told of its routes. */
export interface PeerRoutesHandlers {
  wantsUpdates(): boolean
  update(update: UpdateMessage): void
  endOfRib(family: FamilyName): void
  /** There are more prefixes than allowed. */
  tooMany(family: FamilyName | 'all', limit: number): void
}

/** The session that stands, as its routes see it. */
interface RoutesSession {
  readonly localAddress: string
  readonly remoteAddress: string
  readonly negotiated: Negotiated
  /** Next hop self by family. */
  readonly hops: ReadonlyMap<FamilyName, Uint8Array>
  readonly policyFailed: (error: unknown) => void
}

const NO_ADDRESS = new Uint8Array(0)

/** The three RIBs' side of one peer: what it has announced, what it is told, over all its sessions. */
export class PeerRoutes {
  readonly adjRibIn: AdjRibIn<RouteSource>
  readonly own: OwnRoutes<RouteSource>
  readonly outbound: Outbound
  readonly #surroundings: RouteSurroundings
  readonly #handlers: PeerRoutesHandlers
  readonly #log: Logger
  readonly #stale: StaleRoutes
  #options: CheckedPeerOptions
  #inbound: Inbound | undefined
  #session: RoutesSession | undefined
  /** Ends the wait for EoRR of families that the peer sends again, RFC 7313. */
  readonly #refreshing = new Map<FamilyName, () => void>()
  #known: RouteSource | undefined
  #saidTooMany = false

  /** @throws {RangeError} the speaker has 65,535 peers */
  constructor(options: CheckedPeerOptions, surroundings: RouteSurroundings, handlers: PeerRoutesHandlers, log: Logger) {
    this.#options = options
    this.#surroundings = surroundings
    this.#handlers = handlers
    this.#log = log
    const { rib, clock } = surroundings
    this.adjRibIn = new AdjRibIn(rib, this.#source())
    this.own = new OwnRoutes(rib, (family, prefix) => this.outbound.changed(family, prefix))
    this.outbound = new Outbound(this.own, { ...surroundings, log })
    this.#stale = new StaleRoutes(this.adjRibIn, clock, log, options.receivingSpeaker)
  }

  /** Replaces the routes for this peer alone. */
  setRoutes(routes: readonly ParsedRoute[]): void {
    this.own.replace(routes)
  }

  withdraw(family: FamilyName, nlri: Nlri, pathId: number): void {
    const prefix = this.#surroundings.rib.family(family).prefixes.find(nlri)
    if (prefix !== 0) this.own.delete(family, prefix, pathId)
  }

  /** A session is Established. @param on the interface that the peer is on, where its address does not tell */
  up(connection: Connection, negotiated: Negotiated, on: string | undefined, sink: UpdateSink): void {
    const { localAddress, remoteAddress } = connection
    const { families, extendedNextHop } = negotiated
    const where = { localAddress, remoteAddress, ...(on !== undefined && { interface: on }) }
    const hops = selfNextHops({ ...where, families, extendedNextHop }, this.#surroundings.interfaces)
    const session: RoutesSession = { localAddress, remoteAddress, negotiated, hops, policyFailed: this.#policyFailed() }
    this.#session = session
    this.#saidTooMany = false
    this.adjRibIn.identify(this.#source())
    this.#stale.up(negotiated)
    this.#inbound = this.#createInbound(session)
    this.outbound.up({
      ...this.#rules(session),
      context: sendContext(negotiated),
      families,
      source: this.adjRibIn.source,
      policyFailed: session.policyFailed,
      defers: family => this.#surroundings.defers(family),
      sink,
    })
  }

  /** Its routes are kept for it: it is away, or back and has not said all again (RFC 4724 section 4.2). */
  get isPeerRestarting(): boolean {
    return this.#stale.isKeeping
  }

  /** The session has ended; or, after that, the peer is given up with `hard-reset`. */
  down(how: SessionEnd): void {
    this.outbound.down()
    this.#inbound = undefined
    for (const cancel of this.#refreshing.values()) cancel()
    this.#refreshing.clear()
    this.#stale.down(how, this.#session?.negotiated)
    this.#session = undefined
  }

  /**
   * UPDATEs, whole and back to back.
   *
   * @returns how many
   * @throws {WireError} a fault that resets the session
   */
  receive(octets: Uint8Array): number {
    const count = this.#inbound?.receive(octets) ?? 0
    this.#checkLimits()
    return count
  }

  /** The peer sends a family again (BoRR), or has sent it (EoRR): RFC 7313 section 4.2. */
  refreshed(family: FamilyName, isEnd: boolean, patience: Seconds): void {
    this.#refreshing.get(family)?.()
    this.#refreshing.delete(family)
    if (isEnd) {
      this.adjRibIn.deleteStale(family)
      return
    }
    // While the peer restarts its End-of-RIB decides what goes.
    if (this.#stale.keeps(family)) return
    this.adjRibIn.markStale(family)
    const cancel = this.#surroundings.clock.after(patience * 1000, () => {
      this.#refreshing.delete(family)
      this.adjRibIn.deleteStale(family)
    })
    this.#refreshing.set(family, cancel)
  }

  /**
   * Other options. What of them is about routes holds at once: those of the Adj-RIB-In are looked at anew, and the peer is told what
   * differs for it.
   *
   * @returns whether the peer has to be asked for its routes, for they were not kept
   */
  change(options: CheckedPeerOptions): boolean {
    const before = this.#options.routing
    const { routing, receivingSpeaker } = options
    this.#options = options
    this.#stale.change(receivingSpeaker)
    this.adjRibIn.identify(this.#source())
    if (routing.importPolicy === 'reject') this.adjRibIn.clear()
    if (this.#session) this.outbound.change(this.#rules(this.#session))
    // Others are told of the peer's routes or not by what it is to us.
    if (before.routeReflectorClient !== routing.routeReflectorClient) this.#touchRoutes()
    this.#saidTooMany = false
    this.#checkLimits()
    const sameImport = before.importPolicy === routing.importPolicy && before.allowOwnAs === routing.allowOwnAs
    if (!this.#inbound || !this.#session || sameImport) return false
    this.#inbound.change(this.#importSession(this.#session), routing.importPolicy !== 'reject')
    if (before.importPolicy === 'reject') return true
    this.#inbound.reconsider()
    return false
  }

  /** The peer is gone for good. */
  close(): void {
    this.outbound.down()
    this.#stale.close()
    for (const cancel of this.#refreshing.values()) cancel()
    this.adjRibIn.close()
    this.own.replace([])
  }

  /** Says once a session what a policy has thrown: it may do so for every route. */
  #policyFailed(): (error: unknown) => void {
    let said = false
    return error => {
      if (said) return
      said = true
      this.#log.error({ error: String(error) }, 'a policy has thrown: such routes are rejected')
    }
  }

  #touchRoutes(): void {
    const { rib } = this.#surroundings
    for (const family of ['ipv4-unicast', 'ipv6-unicast'] as const) {
      const paths = rib.family(family)
      for (const path of this.adjRibIn.paths(family)) rib.touch(family, paths.prefixOf(path))
    }
  }

  /** What is known of the peer is kept from its last session on, as its routes may be. */
  #source(): RouteSource {
    const { name, address, session, routing } = this.#options
    const { negotiated, remoteAddress = address } = this.#session ?? {}
    const before = this.#known
    const asn = negotiated?.peerAsn ?? (typeof session.remoteAs === 'number' ? session.remoteAs : 0)
    const internal = negotiated?.internal ?? before?.internal ?? false
    const known: RouteSource = {
      internal,
      confederation: negotiated?.confederation ?? before?.confederation ?? false,
      bgpIdentifier: negotiated?.peerBgpIdentifier ?? before?.bgpIdentifier ?? 0,
      address: remoteAddress === '' ? (before?.address ?? NO_ADDRESS) : parseAddress(remoteAddress),
      policyPeer: { name, address: remoteAddress, asn, internal },
      reflectorClient: routing.routeReflectorClient,
    }
    this.#known = known
    return known
  }

  #importSession({ remoteAddress, negotiated, policyFailed }: RoutesSession): ImportSession {
    const { name, session, routing } = this.#options
    const { peerAsn, internal, role } = negotiated
    return {
      asn: session.asn,
      peerAsn,
      bgpIdentifier: session.bgpIdentifier,
      clusterId: this.#surroundings.clusterId || session.bgpIdentifier,
      internal,
      confederationIdentifier: session.confederation?.identifier,
      allowOwnAs: routing.allowOwnAs,
      role,
      policy: routing.importPolicy,
      policyPeer: { name, address: remoteAddress, asn: peerAsn, internal },
      policyFailed,
    }
  }

  #createInbound(session: RoutesSession): Inbound {
    const { localAddress, remoteAddress, negotiated } = session
    return new Inbound({
      address: remoteAddress,
      localAddress,
      negotiated,
      rib: this.#surroundings.rib,
      adjRibIn: this.adjRibIn,
      keeps: this.#options.routing.importPolicy !== 'reject',
      session: this.#importSession(session),
      handlers: {
        wantsUpdates: () => this.#handlers.wantsUpdates(),
        update: update => this.#handlers.update(update),
        fault: fault => this.#fault(fault),
        endOfRib: family => this.#endOfRib(family),
        disabled: family =>
          this.#log.error({ family }, 'malformed UPDATE: the family is not carried on this session any longer'),
      },
    })
  }

  #fault({ message, disposition }: WireError): void {
    this.#log.warn({ fault: message, disposition }, 'malformed UPDATE')
  }

  #endOfRib(family: FamilyName): void {
    this.#stale.endOfRib(family)
    this.#handlers.endOfRib(family)
  }

  /** RFC 4486 section 4. */
  #checkLimits(): void {
    const { maximumPrefixes } = this.#options.routing
    if (this.#saidTooMany) return
    for (const [family, limit] of Object.entries(maximumPrefixes) as [FamilyName | 'all', number][]) {
      if (this.adjRibIn.size(family === 'all' ? undefined : family) <= limit) continue
      this.#saidTooMany = true
      this.#handlers.tooMany(family, limit)
      return
    }
  }

  #rules(session: RoutesSession): Pick<OutboundSession, 'session' | 'policy' | 'minRouteAdvertisementInterval'> {
    const { exportPolicy: policy, minRouteAdvertisementInterval } = this.#options.routing
    return { session: this.#exportSession(session), policy, minRouteAdvertisementInterval }
  }

  #exportSession({ negotiated, hops }: RoutesSession): ExportSession {
    const { session, routing } = this.#options
    const { internal, confederation, fourOctetAs, role } = negotiated
    return {
      asn: session.asn,
      peerAsn: negotiated.peerAsn,
      bgpIdentifier: session.bgpIdentifier,
      internal,
      confederation,
      confederationIdentifier: session.confederation?.identifier,
      fourOctetAs,
      propagate: routing.propagate,
      reflectorClient: routing.routeReflectorClient,
      clusterId: this.#surroundings.clusterId || session.bgpIdentifier,
      routeServerClient: routing.routeServerClient,
      nextHop: routing.nextHop,
      removePrivateAs: routing.removePrivateAs,
      role,
      aigp: negotiated.aigp,
      gracefulShutdown: routing.gracefulShutdown,
      longLived: negotiated.longLivedGracefulRestart !== undefined,
      nextHopSelf: family => hops.get(family),
    }
  }
}
