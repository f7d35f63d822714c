import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import {
  canonicalAddress,
  formatAddress,
  formatPrefix,
  parseAddress,
  parseIdentifier,
  parsePrefix,
} from '../address.js'
import { RestartingSpeaker, type Negotiated, type RestartAction, type Seconds, type State } from '../fsm/index.js'
import { AdjRibIn, LocRib, UpdatePacker, type MultipathOptions, type Row } from '../rib/index.js'
import { parseRoute, type Route } from '../route.js'
import { LOCAL_SOURCE, type RouteSource } from '../route-source.js'
import { CeaseSubcode, createCease, encodeMessage, type FamilyName, type PathAttributes } from '../wire/index.js'
import { systemClock, type Clock } from './clock.js'
import { DynamicPeers, type DynamicRange } from './dynamic-peers.js'
import { Listener, type ListenerOptions, type ListenKey } from './listener.js'
import { SILENT, type Logger } from './logger.js'
import { Peer, type CloseOptions } from './peer.js'
import { checkPeerOptions, type DynamicPeerOptions, type PeerOptions, type SpeakerDefaults } from './peer-options.js'

/** Options of a {@link BgpSpeaker}. */
export interface BgpSpeakerOptions {
  /** Our AS number, 1 to 4294967295. */
  readonly asn: number
  /** Our BGP Identifier, such as `10.0.0.1`. */
  readonly bgpIdentifier: string
  /** Listen for peers that connect to us; {@link BgpSpeaker.start} does it. @default do not listen */
  readonly listen?: ListenerOptions
  /** Paths used side by side. @default up to 64, all through the same neighbour AS */
  readonly multipath?: Partial<MultipathOptions>
  /** CLUSTER_ID as a route reflector, RFC 4456. @default the BGP Identifier */
  readonly clusterId?: string
  /**
   * This process comes back after a restart while packets were forwarded on: peers with graceful restart are told so, and nothing is
   * announced before they have told us all (RFC 4724 section 4.1). @default false
   */
  readonly restarting?: boolean
  /** Selection_Deferral_Timer of such a restart. @default 360 */
  readonly selectionDeferralTime?: Seconds
  /** @default silent */
  readonly log?: Logger
  /** Ends the speaker when aborted. */
  readonly signal?: AbortSignal
  /** @default the machine's */
  readonly clock?: Clock
  /** 0 up to 1, for jitter. @default Math.random */
  readonly random?: () => number
}

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

/** Says Cease, Connection Rejected (RFC 4486 section 4) to a connection that no peer takes. */
function refuse(socket: Socket): void {
  socket.on('error', () => socket.destroy())
  socket.end(encodeMessage(createCease(CeaseSubcode.ConnectionRejected)))
  socket.resume()
  socket.setTimeout(2000, () => socket.destroy())
}

const FAMILIES: readonly FamilyName[] = ['ipv4-unicast', 'ipv6-unicast']

/**
 * A BGP speaker, RFC 4271: peers, a listener for those that connect to us, and the Loc-RIB of what they announce and what we do. What is
 * learned from a peer is passed on to those that are to `propagate` it to.
 */
export class BgpSpeaker extends EventEmitter<BgpSpeakerEvents> implements AsyncDisposable {
  readonly #defaults: SpeakerDefaults
  readonly #clock: Clock
  readonly #log: Logger
  readonly #signal: AbortSignal | undefined
  readonly #listener: Listener | undefined
  readonly #peers = new Set<Peer>()
  readonly #keys = new Map<Peer | DynamicRange, ListenKey>()
  readonly #dynamic = new DynamicPeers()
  readonly #locRib: LocRib<RouteSource>
  readonly #own: AdjRibIn<RouteSource>
  readonly #bySource = new Map<number, Peer>()
  readonly #packer = new UpdatePacker()
  readonly #clusterId: number
  readonly #restart: RestartingSpeaker<Peer> | undefined
  #cancelRestart = (): void => {}
  readonly #onAbort = (): void => void this.close()
  #listening: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | undefined

  /** @throws {RangeError} an option that cannot work */
  constructor(options: BgpSpeakerOptions) {
    super()
    const { asn, bgpIdentifier, listen, multipath, log, signal, clock, random } = options
    if (!Number.isInteger(asn) || asn < 1 || asn > 0xffff_ffff) throw new RangeError(`not an AS number: ${asn}`)
    parseIdentifier(bgpIdentifier)
    this.#defaults = { asn, bgpIdentifier, random: random ?? Math.random }
    this.#clock = clock ?? systemClock
    this.#log = log ?? SILENT
    this.#listener =
      listen &&
      new Listener(
        listen,
        socket => this.#incoming(socket),
        error => this.#log.error({ error: error.message }, 'listening failed'),
      )
    const seed = Math.floor(this.#defaults.random() * 0x1_0000_0000)
    this.#locRib = new LocRib({ maximumPaths: 64, relax: false, ...multipath, seed })
    this.#locRib.subscribe((family, prefix) => this.#routeChanged(family, prefix))
    this.#own = new AdjRibIn(this.#locRib, LOCAL_SOURCE)
    this.#clusterId = options.clusterId === undefined ? 0 : parseIdentifier(options.clusterId)
    if (options.restarting) {
      const { selectionDeferralTime } = options
      const deferral = selectionDeferralTime !== undefined && { selectionDeferralTime }
      this.#restart = new RestartingSpeaker({ families: FAMILIES, ...deferral }, this.#clock.now())
    }
    this.#armRestart()
    this.#signal = signal
    signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  get asn(): number {
    return this.#defaults.asn
  }

  get bgpIdentifier(): string {
    return this.#defaults.bgpIdentifier
  }

  /** Port it listens on; `undefined` when it does not. */
  get port(): number | undefined {
    return this.#listener?.port
  }

  /** All peers, dynamic ones included. */
  get peers(): readonly Peer[] {
    return [...this.#peers]
  }

  /**
   * Starts to listen, if the options say so. Peers need not wait for it.
   *
   * @throws {BgpSocketError} the port is taken, or not ours to take; the message says what to do
   */
  async start(): Promise<void> {
    this.#signal?.throwIfAborted()
    await this.#changeListener(listener => listener.open([...this.#keys.values()]))
  }

  /**
   * Adds a peer and starts its session.
   *
   * @throws {RangeError} an option that cannot work
   * @throws {BgpSocketError} an option needs `@typemetal/sockets`, which is not installed
   */
  addPeer(options: PeerOptions): Peer {
    const peer = this.#createPeer(options)
    const { md5Key } = options
    if (md5Key !== undefined) this.#addKey(peer, { address: peer.address, key: md5Key })
    this.#restart?.addPeer(peer)
    peer.start()
    return peer
  }

  /**
   * Lets peers connect from a prefix; each becomes a {@link Peer} for as long as its session lasts. Of several prefixes the
   * longest counts; a peer configured with its address comes first.
   *
   * @returns ends it, and the sessions that came of it
   * @throws {RangeError} an option that cannot work
   */
  addDynamicPeers(options: DynamicPeerOptions): AsyncDisposable {
    const { family, nlri } = parsePrefix(options.prefix)
    const address = formatPrefix(family, nlri).split('/', 1)[0] ?? ''
    const { prefix: _, ...common } = options
    checkPeerOptions({ ...common, address, passive: true }, this.#defaults)
    const range = this.#dynamic.add(family, nlri, common)
    if (options.md5Key !== undefined) {
      this.#addKey(range, { address, prefixLength: nlri.length, key: options.md5Key })
    }
    return { [Symbol.asyncDispose]: () => this.#removeRange(range) }
  }

  /**
   * Announces a route to all peers, in the place of an earlier one with the same prefix.
   *
   * @throws {RangeError} a route that cannot be sent
   */
  announce(route: Route): void {
    const { family, nlri, pathId, nextHop, attributes } = parseRoute(route)
    const paths = this.#locRib.family(family)
    const set = this.#locRib.attributes.internValues(attributes, nextHop)
    this.#own.announce(paths, paths.prefixes.intern(nlri.prefix, 0, nlri.length), pathId, set, set)
  }

  /** Takes back what {@link announce} announced. @throws {RangeError} not a prefix */
  withdraw(prefix: string, pathId = 0): void {
    const { family, nlri } = parsePrefix(prefix)
    const paths = this.#locRib.family(family)
    const row = paths.prefixes.find(nlri)
    if (row !== 0) this.#own.withdraw(paths, row, pathId)
  }

  /** The Loc-RIB: each prefix with its selected paths. */
  *locRib(): IterableIterator<RouteChange> {
    for (const [family, prefix] of this.#locRib.prefixes()) yield this.#toRouteChange(family, prefix)
  }

  /** Ends all sessions with Cease, Administrative Shutdown, and stops listening. Safe to call twice. */
  close({ subcode = CeaseSubcode.AdministrativeShutdown, communication }: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#closeAll({ subcode, ...(communication !== undefined && { communication }) })
    return this.#closing
  }

  /** Same as {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #closeAll(options: CloseOptions): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#cancelRestart()
    const listener = this.#changeListener(open => open.close())
    await Promise.all([listener, ...this.peers.map(peer => peer.close(options))])
  }

  /** Listener changes run one after the other. */
  #changeListener(change: (listener: Listener) => Promise<void>): Promise<void> {
    const listener = this.#listener
    if (!listener) return Promise.resolve()
    const done = this.#listening.then(() => change(listener))
    this.#listening = done.catch(() => {})
    return done
  }

  #addKey(owner: Peer | DynamicRange, key: ListenKey): void {
    this.#keys.set(owner, key)
    this.#changeListener(listener => listener.addKey(key, [...this.#keys.values()])).catch((error: Error) =>
      this.#log.error({ error: error.message, address: key.address }, 'cannot set a TCP-MD5 key for listening'),
    )
  }

  #removeKey(owner: Peer | DynamicRange): void {
    const key = this.#keys.get(owner)
    if (!key) return
    this.#keys.delete(owner)
    this.#changeListener(listener => listener.removeKey(key)).catch((error: Error) =>
      this.#log.warn({ error: error.message, address: key.address }, 'cannot remove a TCP-MD5 key'),
    )
  }

  #createPeer(options: PeerOptions): Peer {
    if (this.#closing) throw new RangeError('the speaker is closed')
    const peer: Peer = new Peer(checkPeerOptions(options, this.#defaults), {
      clock: this.#clock,
      log: this.#log,
      rib: this.#locRib,
      packer: this.#packer,
      random: this.#defaults.random,
      clusterId: this.#clusterId,
      defers: family => this.#restart?.defers(family) ?? false,
      transition: (each, to, negotiated) => this.#transition(each, to, negotiated),
      endOfRib: (each, family) => this.#perform(this.#restart?.endOfRib(each, family)),
      closed: closed => this.#forget(closed),
    })
    this.#peers.add(peer)
    this.#bySource.set(peer.source, peer)
    if (this.#restart?.restarting) peer.restarting = true
    peer.on('state', (to, from, cause) => this.emit('state', peer, to, from, cause))
    return peer
  }

  #forget(peer: Peer): void {
    this.#peers.delete(peer)
    this.#bySource.delete(peer.source)
    this.#perform(this.#restart?.removePeer(peer))
    this.#removeKey(peer)
  }

  #transition(peer: Peer, to: State, negotiated: Negotiated | undefined): void {
    if (!this.#restart) return
    const isUp = to === 'Established' && negotiated !== undefined
    this.#perform(isUp ? this.#restart.sessionUp(peer, negotiated) : this.#restart.sessionDown(peer))
  }

  #perform(actions: readonly RestartAction[] = []): void {
    for (const action of actions) {
      if (action.type === 'select') {
        for (const peer of this.#peers) peer.release(action.family)
        continue
      }
      for (const peer of this.#peers) peer.restarting = false
      this.emit('restarted')
    }
    if (actions.length > 0) this.#armRestart()
  }

  #armRestart(): void {
    this.#cancelRestart()
    const restart = this.#restart
    const next = restart?.nextTimeout
    if (!restart || next === undefined) return
    this.#cancelRestart = this.#clock.after(Math.max(0, Math.ceil(next - this.#clock.now())), () =>
      this.#perform(restart.handleTimeout(this.#clock.now())),
    )
  }

  #routeChanged(family: FamilyName, prefix: Row): void {
    if (this.listenerCount('route') > 0) this.emit('route', this.#toRouteChange(family, prefix))
  }

  #toRouteChange(family: FamilyName, prefix: Row): RouteChange {
    const paths = this.#locRib.family(family)
    const { attributes } = this.#locRib
    const toRoutePath = (path: Row): RoutePath => {
      const set = paths.attributes(path)
      const nextHop = attributes.nextHop(set)
      return {
        nextHop: nextHop.length === 0 ? 'self' : formatAddress(nextHop),
        peer: this.#bySource.get(paths.sourceNumber(path)),
        attributes: attributes.attributes(set),
      }
    }
    return { prefix: formatPrefix(family, paths.prefixes.nlri(prefix)), paths: paths.selected(prefix).map(toRoutePath) }
  }

  async #removeRange(range: DynamicRange): Promise<void> {
    this.#dynamic.delete(range)
    this.#removeKey(range)
    await Promise.all([...range.peers].map(peer => peer.close()))
  }

  #incoming(socket: Socket): void {
    if (socket.remoteAddress === undefined || socket.localAddress === undefined) {
      socket.destroy()
      return
    }
    const remote = canonicalAddress(socket.remoteAddress)
    const peer = this.#configured(remote, canonicalAddress(socket.localAddress)) ?? this.#createDynamic(remote)
    if (peer) peer.accept(socket, refuse)
    else {
      this.#log.info({ address: remote }, 'connection from an address that no peer has: rejected')
      refuse(socket)
    }
  }

  /** Of several peers with one address, one that can still take a connection. */
  #configured(remote: string, local: string): Peer | undefined {
    const fitting = this.peers.filter(
      peer => peer.address === remote && (peer.sourceAddress === undefined || peer.sourceAddress === local),
    )
    return fitting.find(peer => peer.state !== 'Established') ?? fitting[0]
  }

  #createDynamic(remote: string): Peer | undefined {
    const range = this.#dynamic.find(parseAddress(remote))
    if (!range || this.#closing) return undefined
    const peer = this.#createPeer({ ...range.options, address: remote, passive: true })
    range.peers.add(peer)
    peer.on('state', to => {
      if (to !== 'Idle') return
      range.peers.delete(peer)
      void peer.close()
    })
    peer.start()
    this.emit('peer', peer)
    return peer
  }
}
