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
import type { State } from '../fsm/index.js'
import {
  keyFamily,
  keyNlri,
  LocRib,
  prefixKey,
  type MultipathOptions,
  type Path,
  type PrefixKey,
} from '../rib/index.js'
import { parseRoute, type ParsedRoute, type Route } from '../route.js'
import { CeaseSubcode, createCease, encodeMessage, type PathAttributes } from '../wire/index.js'
import { systemClock, type Clock } from './clock.js'
import { DynamicPeers, type DynamicRange } from './dynamic-peers.js'
import type { PeerSource } from './inbound.js'
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
  /** Canonical text; of a global and a link-local IPv6 address the global one. */
  readonly nextHop: string
  readonly peer: Peer
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
}

type SourcePath = Path<PeerSource<Peer>>

const toRoutePath = ({ source, attributes: { attributes, nextHop } }: SourcePath): RoutePath => ({
  nextHop: formatAddress(nextHop),
  peer: source.peer,
  attributes,
})

const toRouteChange = (key: PrefixKey, paths: readonly SourcePath[]): RouteChange => ({
  prefix: formatPrefix(keyFamily(key), keyNlri(key)),
  paths: paths.map(toRoutePath),
})

/** Says Cease, Connection Rejected (RFC 4486 section 4) to a connection that no peer takes. */
function refuse(socket: Socket): void {
  socket.on('error', () => socket.destroy())
  socket.end(encodeMessage(createCease(CeaseSubcode.ConnectionRejected)))
  socket.resume()
  socket.setTimeout(2000, () => socket.destroy())
}

/**
 * A BGP speaker, RFC 4271: peers, a listener for those that connect to us, and the Loc-RIB of what they announce. It announces
 * only routes of its own; what it learns from a peer is not passed on.
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
  readonly #shared = new Map<PrefixKey, ParsedRoute>()
  readonly #locRib: LocRib<PeerSource<Peer>>
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
    this.#locRib = new LocRib({ maximumPaths: 64, relax: false, ...multipath })
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
    const parsed = parseRoute(route)
    if (this.#shared.get(parsed.key)?.fingerprint === parsed.fingerprint) return
    this.#shared.set(parsed.key, parsed)
    for (const peer of this.#peers) peer.sharedChanged(parsed.key)
  }

  /** Takes back what {@link announce} announced. @throws {RangeError} not a prefix */
  withdraw(prefix: string): void {
    const { family, nlri } = parsePrefix(prefix)
    const key = prefixKey(family, nlri)
    if (!this.#shared.delete(key)) return
    for (const peer of this.#peers) peer.sharedChanged(key)
  }

  /** The Loc-RIB: each prefix with its selected paths. */
  *locRib(): IterableIterator<RouteChange> {
    for (const [key, paths] of this.#locRib) yield toRouteChange(key, paths)
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
      locRib: this.#locRib,
      shared: this.#shared,
      changed: key => this.#routeChanged(key),
      closed: closed => this.#forget(closed),
    })
    this.#peers.add(peer)
    peer.on('state', (to, from, cause) => this.emit('state', peer, to, from, cause))
    return peer
  }

  #forget(peer: Peer): void {
    this.#peers.delete(peer)
    this.#removeKey(peer)
  }

  #routeChanged(key: PrefixKey): void {
    if (this.listenerCount('route') > 0) this.emit('route', toRouteChange(key, this.#locRib.select(key)))
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
