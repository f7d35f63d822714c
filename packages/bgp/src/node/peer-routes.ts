import { parseAddress } from '../address.js'
import { sendContext, type Negotiated, type Seconds, type SessionEnd } from '../fsm/index.js'
import type { ExportSession } from '../export.js'
import { OwnRoutes } from '../own-routes.js'
import type { PolicyPeer } from '../policy.js'
import { AdjRibIn, type AdjRibOut, type LocRib, type UpdatePacker } from '../rib/index.js'
import type { ParsedRoute } from '../route.js'
import type { RouteSource } from '../route-source.js'
import type { FamilyName, Nlri, UpdateMessage, WireError } from '../wire/index.js'
import type { Clock } from './clock.js'
import type { Connection } from './connection.js'
import { Inbound } from './inbound.js'
import type { Logger } from './logger.js'
import { nextHopSelf } from './next-hop.js'
import { Outbound, type UpdateSink } from './outbound.js'
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
  #negotiated: Negotiated | undefined
  /** Ends the wait for EoRR of families that the peer sends again, RFC 7313. */
  readonly #refreshing = new Map<FamilyName, () => void>()
  #saidTooMany = false

  /** @throws {RangeError} the speaker has 65,535 peers */
  constructor(options: CheckedPeerOptions, surroundings: RouteSurroundings, handlers: PeerRoutesHandlers, log: Logger) {
    this.#options = options
    this.#surroundings = surroundings
    this.#handlers = handlers
    this.#log = log
    const { rib, clock } = surroundings
    this.adjRibIn = new AdjRibIn(rib, this.#source(undefined))
    this.own = new OwnRoutes(rib, (family, prefix) => this.outbound.changed(family, prefix))
    this.outbound = new Outbound(this.own, { ...surroundings, log })
    this.#stale = new StaleRoutes(this.adjRibIn, clock, log)
  }

  /** What the peer was told in this session. */
  get adjRibOut(): AdjRibOut<RouteSource> | undefined {
    return this.outbound.adjRibOut
  }

  /** Replaces the routes for this peer alone. */
  setRoutes(routes: readonly ParsedRoute[]): void {
    this.own.replace(routes)
  }

  withdraw(family: FamilyName, nlri: Nlri, pathId: number): void {
    const prefix = this.#surroundings.rib.family(family).prefixes.find(nlri)
    if (prefix !== 0) this.own.delete(family, prefix, pathId)
  }

  /** A session is Established. */
  up(connection: Connection, negotiated: Negotiated, sink: UpdateSink): void {
    const { routing } = this.#options
    this.#negotiated = negotiated
    this.#saidTooMany = false
    this.adjRibIn.identify(this.#source(negotiated))
    this.#stale.up(negotiated)
    this.#inbound = this.#createInbound(connection, negotiated)
    this.outbound.up({
      session: this.#exportSession(connection, negotiated),
      context: sendContext(negotiated),
      families: negotiated.families,
      policy: routing.exportPolicy,
      source: this.adjRibIn.source,
      minRouteAdvertisementInterval: routing.minRouteAdvertisementInterval,
      defers: family => this.#surroundings.defers(family),
      sink,
    })
  }

  /** The session has ended. */
  down(how: SessionEnd): void {
    this.outbound.down()
    this.#inbound = undefined
    for (const cancel of this.#refreshing.values()) cancel()
    this.#refreshing.clear()
    this.#stale.down(how, this.#negotiated)
    this.#negotiated = undefined
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

  /** Other options, which do not touch the session. */
  change(options: CheckedPeerOptions): void {
    this.#options = options
  }

  /** The peer is gone for good. */
  close(): void {
    this.outbound.down()
    this.#stale.close()
    for (const cancel of this.#refreshing.values()) cancel()
    this.adjRibIn.close()
    this.own.replace([])
  }

  #policyPeer(negotiated: Negotiated | undefined): PolicyPeer {
    const { name, address, session } = this.#options
    const asn = negotiated?.peerAsn ?? (typeof session.remoteAs === 'number' ? session.remoteAs : 0)
    return { name, address, asn, internal: negotiated?.internal ?? false }
  }

  #source(negotiated: Negotiated | undefined): RouteSource {
    const { address, routing } = this.#options
    return {
      internal: negotiated?.internal ?? false,
      confederation: negotiated?.confederation ?? false,
      bgpIdentifier: negotiated?.peerBgpIdentifier ?? 0,
      address: parseAddress(address),
      policyPeer: this.#policyPeer(negotiated),
      reflectorClient: routing.routeReflectorClient,
    }
  }

  #createInbound(connection: Connection, negotiated: Negotiated): Inbound {
    const { rib, clusterId } = this.#surroundings
    const { address, session, routing } = this.#options
    return new Inbound({
      address,
      localAddress: connection.localAddress,
      negotiated,
      rib,
      adjRibIn: this.adjRibIn,
      keeps: routing.importPolicy !== 'reject',
      session: {
        asn: session.asn,
        peerAsn: negotiated.peerAsn,
        bgpIdentifier: session.bgpIdentifier,
        clusterId: clusterId || session.bgpIdentifier,
        internal: negotiated.internal,
        allowOwnAs: routing.allowOwnAs,
        role: negotiated.role,
        policy: routing.importPolicy,
        policyPeer: this.#policyPeer(negotiated),
      },
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

  #exportSession({ localAddress }: Connection, negotiated: Negotiated): ExportSession {
    const { session, routing } = this.#options
    const { internal, confederation, fourOctetAs, families, role } = negotiated
    const hops = new Map(families.map(family => [family, nextHopSelf(family, localAddress)]))
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
