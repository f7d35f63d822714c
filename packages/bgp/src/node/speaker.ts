import { EventEmitter } from 'node:events'
import { formatAddress, formatPrefix, parseIdentifier } from '../address.js'
import type { State } from '../fsm/index.js'
import { AdjRibIn, LocRib, UpdatePacker, type Row } from '../rib/index.js'
import { parseRoute, parseWithdrawn, type Route } from '../route.js'
import { LOCAL_SOURCE, type RouteSource } from '../route-source.js'
import { CeaseSubcode, type FamilyName, type PathAttributes } from '../wire/index.js'
import { systemClock, type Clock } from './clock.js'
import { LinkWatch } from './link-watch.js'
import type { ListenTerms } from './listening-socket.js'
import { SILENT, type Logger } from './logger.js'
import { cachedInterfaces } from './next-hop.js'
import { checkCloseOptions, type CloseOptions } from './parting.js'
import { Peer } from './peer.js'
import type { BfdMeeting } from './peer-bfd.js'
import type { DynamicPeerOptions, PeerOptions, SpeakerDefaults } from './peer-options.js'
import { PeerRanges, type DynamicPeerRange, type PeerRange } from './peer-ranges.js'
import type { PeerSurroundings } from './peer-surroundings.js'
import { PeerTable } from './peer-table.js'
import { checkProtocolOptions } from './protocol-options.js'
import { Reception, type Incoming } from './reception.js'
import { Refusals } from './refusals.js'
import { rehearse } from './rehearsal.js'
import { checkSpeakerOptions, type BgpSpeakerOptions } from './speaker-options.js'
import { SpeakerRestart } from './speaker-restart.js'

export type { BgpSpeakerOptions } from './speaker-options.js'

/** A path of the Loc-RIB. */
export interface RoutePath {
  /** Canonical text; of a global and a link-local IPv6 address the global one. `self` for our own. */
  readonly nextHop: string
  /** Where it comes from; `undefined` for a route of our own. */
  readonly peer: Peer | undefined
  /** AS_PATH, communities and so on; without NEXT_HOP and the MP_ attributes. */
  readonly attributes: PathAttributes
}

/** The selected paths to a prefix, best first; none when it has become unreachable. */
export interface RouteChange {
  readonly prefix: string
  readonly paths: readonly RoutePath[]
}

/** Events of a {@link BgpSpeaker}. */
export interface BgpSpeakerEvents {
  /** A peer has changed its state. */
  state: [peer: Peer, to: State, from: State, cause: string]
  /** The selected paths of a prefix have changed. */
  route: [change: RouteChange]
  /** A dynamic peer has connected. */
  peer: [peer: Peer]
  /** Routes of all families are selected and announced again: the restart is over (RFC 4724 section 4.1). */
  restarted: []
}

const FAMILIES: readonly FamilyName[] = ['ipv4-unicast', 'ipv6-unicast']

/**
 * A BGP speaker, RFC 4271: peers, a listener for those that connect to us, and the Loc-RIB of what they announce and what we do. What is
 * learned from a peer is passed on to those that are to `propagate` it to.
 *
 * @example
 * ```ts
 * // Two speakers in one process: what one announces the other learns.
 * import { BgpSpeaker, type RouteChange } from '@typemetal/bgp'
 *
 * const router = new BgpSpeaker({ asn: 64513, bgpIdentifier: '10.0.0.254', listen: { address: '127.0.0.1', port: 0 } })
 * router.addDynamicPeers({ prefix: '127.0.0.0/8', asn: 64512 })
 * const learned = new Promise<RouteChange>(resolve => router.once('route', resolve))
 * await router.start()
 *
 * const node = new BgpSpeaker({ asn: 64512, bgpIdentifier: '10.0.0.1' })
 * node.announce({ prefix: '192.0.2.0/24', communities: ['64512:100'] })
 * node.addPeer({ address: '127.0.0.1', port: router.port!, asn: 64513 })
 *
 * const { prefix, paths } = await learned
 * console.log(prefix, paths.map(path => path.nextHop)) // 192.0.2.0/24 [ '127.0.0.1' ]
 * await Promise.all([node.close(), router.close()])
 * ```
 */
export class BgpSpeaker extends EventEmitter<BgpSpeakerEvents> implements AsyncDisposable {
  readonly #defaults: SpeakerDefaults
  readonly #log: Logger
  readonly #signal: AbortSignal | undefined
  readonly #reception: Reception
  readonly #ranges: PeerRanges
  readonly #refusals: Refusals
  readonly #peers = new PeerTable()
  readonly #surroundings: PeerSurroundings
  readonly #locRib: LocRib<RouteSource>
  readonly #own: AdjRibIn<RouteSource>
  readonly #restart: SpeakerRestart | undefined
  readonly #onAbort = (): void => void this.close()
  /** In the first idle moment, long before a session can stand. */
  readonly #rehearsal = setImmediate(rehearse).unref()
  #closing: Promise<void> | undefined
  #unsubscribe: (() => void) | undefined

  /** @throws {TypeError | RangeError} an option that cannot work, or an unknown one; the message begins with its name */
  constructor(options: BgpSpeakerOptions) {
    super()
    this.#defaults = checkDefaults(options)
    const { listen, multipath, clusterId, signal, clock = systemClock, log = SILENT } = options
    const { random } = this.#defaults
    this.#log = log
    this.#refusals = new Refusals(clock)
    this.#locRib = new LocRib({ maximumPaths: 64, relax: false, ...multipath, seed: Math.floor(random() * 2 ** 32) })
    this.#followListeners()
    this.#own = new AdjRibIn(this.#locRib, LOCAL_SOURCE)
    const links = new LinkWatch(error => log.error({ error: error.message }, 'cannot follow network interfaces'))
    this.#reception = new Reception({ listen, links, log, accept: incoming => this.#incoming(incoming) })
    this.#surroundings = {
      defaults: this.#defaults,
      clock,
      log,
      links,
      random,
      rib: this.#locRib,
      packer: new UpdatePacker(),
      clusterId: clusterId === undefined ? 0 : parseIdentifier(clusterId),
      interfaces: cachedInterfaces(clock),
      defers: family => this.#restart?.defers(family) ?? false,
      transition: (peer, to, negotiated) => this.#restart?.transition(peer, to, negotiated),
      endOfRib: (peer, family) => this.#restart?.endOfRib(peer, family),
      optionsChanged: (peer, before) => this.#optionsChanged(peer, before),
      closed: peer => this.#forget(peer),
      checkVacant: wanted => this.#peers.checkVacant(wanted),
    }
    this.#ranges = new PeerRanges({
      defaults: this.#defaults,
      reception: this.#reception,
      log,
      create: (peer, met) => this.#createPeer(peer, met),
    })
    this.#restart = options.restarting ? this.#createRestart(options, clock) : undefined
    this.#signal = signal
    signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Our AS number. */
  get asn(): number {
    return this.#defaults.asn
  }

  /** Our BGP Identifier. */
  get bgpIdentifier(): string {
    return this.#defaults.bgpIdentifier
  }

  /** Port it listens on; `undefined` when it does not. */
  get port(): number | undefined {
    return this.#reception.port
  }

  /** All peers, dynamic ones included. */
  get peers(): readonly Peer[] {
    return this.#peers.all
  }

  /**
   * Starts to listen, if the options say so. Peers need not wait for it.
   *
   * @throws {BgpSocketError} the port is taken, or not ours to take; the message says what to do
   */
  async start(): Promise<void> {
    this.#signal?.throwIfAborted()
    await this.#reception.open()
  }

  /**
   * Adds a peer and starts its session.
   *
   * @throws {TypeError | RangeError} an option that cannot work, or an unknown one, or another peer has the address and port; the
   * message begins with the option's name
   * @throws {BgpSocketError} an option needs `@typemetal/sockets`, which is not installed
   */
  addPeer(options: PeerOptions): Peer {
    const peer = this.#createPeer(options)
    this.#reception.add(peer.terms)
    this.#restart?.addPeer(peer)
    peer.start()
    return peer
  }

  /**
   * Lets peers connect from a prefix; each becomes a {@link Peer} for as long as its session lasts. Of several prefixes the
   * longest counts; a peer configured with its address comes first.
   *
   * @returns changes it, or ends it and the sessions that came of it
   * @throws {TypeError | RangeError} an option that cannot work, or an unknown one; the message begins with its name
   */
  addDynamicPeers(options: DynamicPeerOptions): DynamicPeerRange {
    return this.#ranges.add(options)
  }

  /**
   * Announces a route to all peers, in the place of an earlier one with the same prefix.
   *
   * @throws {TypeError | RangeError} a route that cannot be sent; the message begins with the field's name
   */
  announce(route: Route): void {
    const { family, nlri, pathId, nextHop, attributes } = parseRoute(route)
    const paths = this.#locRib.family(family)
    const set = this.#locRib.attributes.internValues(attributes, nextHop)
    this.#own.announce(paths, paths.prefixes.intern(nlri.prefix, 0, nlri.length), pathId, set, set)
  }

  /** Takes back what {@link announce} announced. @throws {TypeError | RangeError} not a prefix, or not a number */
  withdraw(prefix: string, pathId = 0): void {
    const { family, nlri } = parseWithdrawn(prefix, pathId)
    const paths = this.#locRib.family(family)
    const row = paths.prefixes.find(nlri)
    if (row !== 0) this.#own.withdraw(paths, row, pathId)
  }

  /** The Loc-RIB: each prefix with its selected paths. */
  *locRib(): IterableIterator<RouteChange> {
    for (const [family, prefix] of this.#locRib.prefixes()) yield this.#toRouteChange(family, prefix)
  }

  /**
   * Ends all sessions with Cease, Administrative Shutdown, and stops listening. Before a restart that peers are to bridge:
   * `close({ gracefulRestart: true })`, and then a speaker that is `restarting` (RFC 4724). Safe to call twice.
   *
   * @throws {TypeError | RangeError} an option that cannot be; it goes on then
   */
  close(options: CloseOptions = {}): Promise<void> {
    checkCloseOptions(options)
    this.#closing ??= this.#closeAll({ ...options, subcode: options.subcode ?? CeaseSubcode.AdministrativeShutdown })
    return this.#closing
  }

  /** Same as {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #closeAll(options: CloseOptions): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#onAbort)
    clearImmediate(this.#rehearsal)
    this.#restart?.close()
    await Promise.all([this.#reception.close(), ...this.peers.map(peer => peer.close(options))])
  }

  #createRestart({ selectionDeferralTime }: BgpSpeakerOptions, clock: Clock): SpeakerRestart {
    const deferral = selectionDeferralTime !== undefined && { selectionDeferralTime }
    return new SpeakerRestart({ families: FAMILIES, ...deferral }, clock, {
      select: family => {
        for (const peer of this.#peers.all) peer.release(family)
      },
      restarted: () => {
        for (const peer of this.#peers.all) peer.restarting = false
        this.emit('restarted')
      },
    })
  }

  #createPeer(options: PeerOptions, met?: BfdMeeting): Peer {
    if (this.#closing) throw new RangeError('the speaker is closed')
    const peer: Peer = new Peer(options, this.#surroundings, met)
    this.#peers.add(peer)
    if (this.#restart?.restarting) peer.restarting = true
    peer.on('state', (to, from, cause) => this.emit('state', peer, to, from, cause))
    return peer
  }

  #optionsChanged(peer: Peer, before: ListenTerms): void {
    this.#peers.moved(peer)
    this.#reception.change(before, peer.terms)
  }

  #forget(peer: Peer): void {
    this.#peers.delete(peer)
    this.#restart?.removePeer(peer)
    this.#reception.remove(peer.terms)
  }

  /** Also what follows who listens goes with all the others, but has to stay. */
  override removeAllListeners(event?: keyof BgpSpeakerEvents): this {
    if (event !== undefined) return super.removeAllListeners(event)
    super.removeAllListeners()
    this.#followListeners()
    return this
  }

  /** Routes change by the million: the Loc-RIB tells of it only while somebody listens. */
  #followListeners(events: EventEmitter = this): void {
    events.on('newListener', (event: string) => {
      if (event !== 'route') return
      this.#unsubscribe ??= this.#locRib.subscribe((family, prefix, selected) => {
        if (selected) this.emit('route', this.#toRouteChange(family, prefix))
      })
    })
    events.on('removeListener', (event: string) => {
      if (event !== 'route' || this.listenerCount('route') > 0) return
      this.#unsubscribe?.()
      this.#unsubscribe = undefined
    })
  }

  #toRouteChange(family: FamilyName, prefix: Row): RouteChange {
    const paths = this.#locRib.family(family)
    const { attributes } = this.#locRib
    const toRoutePath = (path: Row): RoutePath => {
      const set = paths.attributes(path)
      const nextHop = attributes.nextHop(set)
      return {
        nextHop: nextHop.length === 0 ? 'self' : formatAddress(nextHop),
        peer: this.#peers.bySource(paths.sourceNumber(path)),
        attributes: attributes.attributes(set),
      }
    }
    return { prefix: formatPrefix(family, paths.prefixes.nlri(prefix)), paths: paths.selected(prefix).map(toRoutePath) }
  }

  #incoming(incoming: Incoming): void {
    const { socket, remote: address } = incoming
    const known = this.#peers.find(incoming)
    const range = known || this.#closing ? undefined : this.#ranges.find(incoming)
    const terms = known?.terms ?? range?.options.terms
    const objection = terms && this.#reception.admit(socket, terms)
    if (objection !== undefined) {
      // RFC 5082: not even a NOTIFICATION for who may be anybody.
      this.#log.warn({ address, reason: objection }, 'connection dropped')
      socket.resetAndDestroy()
      return
    }
    const peer = known ?? (range && this.#welcome(range, incoming))
    if (peer) {
      peer.accept(incoming, refused => this.#refusals.refuse(refused))
      return
    }
    this.#log.info({ address }, range ? 'connection rejected' : 'connection from an address that no peer has: rejected')
    this.#refusals.refuse(socket)
  }

  #welcome(range: PeerRange, incoming: Incoming): Peer | undefined {
    const peer = this.#ranges.createPeer(range, incoming)
    if (!peer) return undefined
    peer.start()
    this.emit('peer', peer)
    return peer
  }
}

/** @throws {TypeError | RangeError} an option that cannot work, or that there is none of */
function checkDefaults(options: BgpSpeakerOptions): SpeakerDefaults {
  checkSpeakerOptions(options)
  const { asn, bgpIdentifier, confederation, fqdn, bfd, random = Math.random } = options
  const defaults = {
    asn,
    bgpIdentifier,
    random,
    ...(confederation && { confederation }),
    ...(fqdn && { fqdn }),
    ...(bfd && { bfd }),
  }
  checkProtocolOptions({ asn: 'external' }, defaults, { passive: false, unnumbered: false })
  return defaults
}
