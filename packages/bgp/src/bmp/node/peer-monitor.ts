import { parseAddress, parseIdentifier } from '../../address.js'
import type { MonitoredPeer, MonitoredRoute, MonitoredSession, ToldRoute } from '../../monitored-speaker.js'
import { splitMessages, typeOf } from '../../split-messages.js'
import { createEndOfRib, encodeMessage, familyOf, MessageType, type MessageContext } from '../../wire/index.js'
import type { BmpMessage } from '../wire/message.js'
import type { BmpPeerDownReason } from '../wire/peer-down.js'
import { BmpPeerFlag, BmpPeerType, type BmpPeerHeader } from '../wire/peer-header.js'
import { BmpStatisticType, type BmpStatistic } from '../wire/statistics-report.js'
import { causeReason } from './cause.js'
import { rebuiltOpens } from './opens.js'
import { routeUpdates } from './route-updates.js'
import type { Subject } from './subject.js'

/** What of a peer is shown. */
export type PeerRib = 'adj-rib-in-pre-policy' | 'adj-rib-out-post-policy'

export interface PeerMonitorOptions {
  readonly peer: MonitoredPeer
  /** Ours, for OPEN messages that have to be made anew. */
  readonly asn: number
  readonly bgpIdentifier: string
  readonly ribs: readonly PeerRib[]
  /** Microseconds since 1970 UTC. */
  readonly now: () => number
  /** Calls `fn` in a later turn of the event loop. */
  readonly defer: (fn: () => void) => unknown
  /** The session has begun or ended. */
  readonly changed: (subject: Subject) => void
  /** An UPDATE to show. */
  readonly follow: (subject: Subject, message: BmpMessage) => void
}

/** Peer Flags of what is shown. */
const FLAGS: { readonly [R in PeerRib]: number } = {
  'adj-rib-in-pre-policy': 0,
  'adj-rib-out-post-policy': BmpPeerFlag.AdjRibOut | BmpPeerFlag.PostPolicy,
}

/** The session that stands, or the one that stood last. */
interface Session {
  readonly number: number
  readonly negotiated: MonitoredSession
  readonly header: BmpPeerHeader
  readonly localAddress: Uint8Array
  readonly ports: { readonly localPort: number; readonly remotePort: number }
  readonly opens: { readonly sent: Uint8Array; readonly received: Uint8Array }
  ended: BmpPeerDownReason | undefined
}

/** Watches one peer: keeps the OPEN messages and the last NOTIFICATION, and turns the rest into BMP messages. */
export class PeerMonitor implements Subject {
  readonly #options: PeerMonitorOptions
  readonly #listener = (direction: 'sent' | 'received', octets: Uint8Array): void => this.#messages(direction, octets)
  readonly #opens: { sent?: Uint8Array; received?: Uint8Array } = {}
  #notification: BmpPeerDownReason | undefined
  #current: Session | undefined
  #sessions = 0

  constructor(options: PeerMonitorOptions) {
    this.#options = options
    options.peer.on('message', this.#listener)
    if (options.peer.state === 'Established') this.#up()
  }

  get session(): number | undefined {
    return this.#current?.ended ? undefined : this.#current?.number
  }

  /** The peer's state has changed. */
  stateChanged(to: string, cause: string): void {
    if (to === 'Established') this.#up()
    else if (this.session !== undefined && this.#current) {
      this.#current.ended = this.#notification ?? causeReason(cause)
      this.#options.changed(this)
    }
    // The OPEN messages of a next session will be others.
    if (to === 'Idle') {
      delete this.#opens.sent
      delete this.#opens.received
    }
  }

  /** Watches no more; a session that the station knows of is told to be of no more interest. */
  end(): void {
    this.#options.peer.off('message', this.#listener)
    if (this.session !== undefined && this.#current) {
      this.#current.ended = { type: 'de-configured' }
      this.#options.changed(this)
    }
  }

  up(): BmpMessage {
    const { header, localAddress, ports, opens } = this.#shown()
    const { sent: sentOpen, received: receivedOpen } = opens
    return { type: 'peer-up', peer: header, localAddress, ...ports, sentOpen, receivedOpen, information: [] }
  }

  down(resync: boolean): BmpMessage {
    const { header, ended } = this.#shown()
    const peer = { ...header, timestamp: this.#options.now() }
    // The session that is over may have been followed by another by now, and its end is not known any more.
    const reason = resync || !ended ? ({ type: 'de-configured' } as const) : ended
    return { type: 'peer-down', peer, reason }
  }

  *dump(): Generator<BmpMessage> {
    for (const rib of this.#options.ribs) yield* this.#table(rib)
  }

  statistics(): BmpMessage {
    const { prefixesReceived, prefixesAnnounced } = this.#options.peer.counters
    const gauge = (statistic: number, value: number): BmpStatistic => ({
      type: 'gauge',
      statistic,
      value: BigInt(value),
    })
    const peer = { ...this.#shown().header, timestamp: this.#options.now() }
    const statistics = [
      gauge(BmpStatisticType.AdjRibInRoutes, prefixesReceived),
      gauge(BmpStatisticType.AdjRibOutPostPolicyRoutes, prefixesAnnounced),
    ]
    return { type: 'statistics-report', peer, statistics }
  }

  *#table(rib: PeerRib): Generator<BmpMessage> {
    const { negotiated } = this.#shown()
    const { peer, now } = this.#options
    const incoming = rib === 'adj-rib-in-pre-policy'
    const context = dumpContext(negotiated, incoming)
    let whole = true
    const told = withNextHop(peer.adjRibOut(), () => (whole = false))
    for (const update of routeUpdates(incoming ? peer.adjRibIn() : told, context)) {
      yield this.#monitoring(rib, update, 0, true)
    }
    // End-of-RIB says that this was all.
    if (!whole) return
    for (const family of negotiated.families) {
      const endOfRib = encodeMessage(createEndOfRib(familyOf(family)), context)
      yield this.#monitoring(rib, endOfRib, now(), true)
    }
  }

  #shown(): Session {
    if (!this.#current) throw new Error('no session')
    return this.#current
  }

  #monitoring(rib: PeerRib, update: Uint8Array, timestamp: number, fourOctetAs: boolean): BmpMessage {
    const { header } = this.#shown()
    const flags = header.flags | FLAGS[rib] | (fourOctetAs ? 0 : BmpPeerFlag.TwoOctetAsPath)
    return { type: 'route-monitoring', peer: { ...header, flags, timestamp }, update }
  }

  #up(): void {
    const { peer, asn, bgpIdentifier, now, changed } = this.#options
    const { negotiated, localAddress, localPort = 0, remotePort = 0 } = peer
    if (!negotiated || localAddress === undefined) return
    const address = parseAddress(peer.address)
    const rebuilt = rebuiltOpens(negotiated, asn, parseIdentifier(bgpIdentifier))
    this.#notification = undefined
    this.#current = {
      number: ++this.#sessions,
      negotiated,
      header: {
        peerType: BmpPeerType.Global,
        flags: address.length === 16 ? BmpPeerFlag.Ipv6 : 0,
        distinguisher: 0n,
        address,
        asn: negotiated.peerAsn,
        bgpIdentifier: negotiated.peerBgpIdentifier,
        timestamp: now(),
      },
      localAddress: parseAddress(localAddress),
      ports: { localPort, remotePort },
      opens: { ...rebuilt, ...this.#opens },
      ended: undefined,
    }
    changed(this)
  }

  #messages(direction: 'sent' | 'received', octets: Uint8Array): void {
    for (const message of splitMessages(octets)) this.#message(direction, message)
  }

  #message(direction: 'sent' | 'received', message: Uint8Array): void {
    switch (typeOf(message)) {
      case MessageType.Open:
        this.#opens[direction] = message.slice()
        break
      case MessageType.Update:
        this.#update(direction, message)
        break
      case MessageType.Notification: {
        const type = direction === 'sent' ? 'local-notification' : 'remote-notification'
        this.#notification ??= { type, notification: message.slice() }
        // One that ends no session in this turn was for another connection of the peer.
        this.#options.defer(() => (this.#notification = undefined))
        // It may come in the same turn after the change of state that it goes with.
        if (this.#current?.ended?.type === 'local-event') this.#current.ended = this.#notification
        break
      }
      default:
        break
    }
  }

  #update(direction: 'sent' | 'received', update: Uint8Array): void {
    const rib = direction === 'received' ? 'adj-rib-in-pre-policy' : 'adj-rib-out-post-policy'
    if (this.session === undefined || !this.#options.ribs.includes(rib)) return
    const { fourOctetAs } = this.#shown().negotiated
    this.#options.follow(this, this.#monitoring(rib, update, this.#options.now(), fourOctetAs))
  }
}

/** @param without called for each route that has none */
function* withNextHop(routes: Iterable<ToldRoute>, without: () => void): Generator<MonitoredRoute> {
  for (const { nextHop, ...route } of routes) {
    if (nextHop === undefined) without()
    else yield { nextHop, ...route }
  }
}

/** How a table is shown: with 4-octet AS numbers whatever the session has, and else as the session writes its updates. */
function dumpContext({ addPath, extendedMessage }: MonitoredSession, incoming: boolean): MessageContext {
  return {
    fourOctetAs: true,
    internal: true,
    addPath: (incoming ? addPath?.receive : addPath?.send) ?? [],
    extendedMessage: extendedMessage ?? false,
    extendedNextHop: ['ipv4-unicast', 'ipv6-unicast'],
  }
}
