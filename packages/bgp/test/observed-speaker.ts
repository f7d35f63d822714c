/** A speaker that a test plays by hand, as observers see one. */
import { EventEmitter } from 'node:events'
import type { State } from '@typemetal/bgp'
import type {
  MonitoredChange,
  MonitoredPeer,
  MonitoredRoute,
  MonitoredSession,
  MonitoredSpeaker,
  ToldRoute,
} from '@typemetal/bgp/bmp'
import { encodeMessage, type Capability, type Message, type MessageContext } from '@typemetal/bgp/wire'

const CAPABILITIES: readonly Capability[] = [
  { type: 'multiprotocol', afi: 1, safi: 1 },
  { type: 'multiprotocol', afi: 2, safi: 1 },
  { type: 'four-octet-as', asn: 4_200_000_001 },
]

/** What the played peers negotiate. */
export const SESSION: MonitoredSession = {
  peerAsn: 4_200_000_001,
  peerBgpIdentifier: 0x0a00_0002,
  holdTime: 90,
  fourOctetAs: true,
  families: ['ipv4-unicast', 'ipv6-unicast'],
  peerCapabilities: CAPABILITIES,
}

export class PlayedPeer
  extends EventEmitter<{ message: [direction: 'sent' | 'received', octets: Uint8Array] }>
  implements MonitoredPeer
{
  readonly address: string
  localAddress: string | undefined
  state: State = 'Idle'
  negotiated: MonitoredSession | undefined
  readonly routes = new Map<string, MonitoredRoute>()
  readonly told = new Map<string, ToldRoute>()
  readonly #speaker: PlayedSpeaker
  readonly #session: MonitoredSession

  constructor(speaker: PlayedSpeaker, address: string, session: MonitoredSession) {
    super()
    this.#speaker = speaker
    this.address = address
    this.#session = session
  }

  get counters(): { prefixesReceived: number; prefixesAnnounced: number } {
    return { prefixesReceived: this.routes.size, prefixesAnnounced: this.told.size }
  }

  adjRibIn(): Iterable<MonitoredRoute> {
    return this.routes.values()
  }

  adjRibOut(): Iterable<ToldRoute> {
    return this.told.values()
  }

  /** The session stands; OPEN messages are seen, if anybody looks. */
  up(): void {
    const open = (asn: number, bgpIdentifier: number, capabilities: readonly Capability[]): Message => ({
      type: 'open',
      version: 4,
      asn,
      holdTime: 180,
      bgpIdentifier,
      capabilities,
    })
    this.say('sent', open(64512, 1, []))
    this.say('received', open(23456, this.#session.peerBgpIdentifier, this.#session.peerCapabilities))
    this.negotiated = this.#session
    this.localAddress = this.address.includes(':') ? '2001:db8::1' : '10.0.0.1'
    this.change('Established', 'KeepAliveMsg')
  }

  down(cause: string): void {
    this.change('Idle', cause)
    this.negotiated = undefined
    this.localAddress = undefined
  }

  change(to: State, cause: string): void {
    const from = this.state
    this.state = to
    this.#speaker.emit('state', this, to, from, cause)
  }

  say(direction: 'sent' | 'received', message: Message, context?: MessageContext): void {
    this.emit('message', direction, encodeMessage(message, context))
  }
}

interface PlayedEvents {
  state: [peer: MonitoredPeer, to: State, from: State, cause: string]
  route: [change: MonitoredChange]
}

export class PlayedSpeaker extends EventEmitter<PlayedEvents> implements MonitoredSpeaker {
  readonly asn = 64512
  readonly bgpIdentifier = '10.0.0.1'
  readonly peers: PlayedPeer[] = []
  readonly best = new Map<string, MonitoredChange>()

  addPeer(address: string, session = SESSION): PlayedPeer {
    const peer = new PlayedPeer(this, address, session)
    this.peers.push(peer)
    return peer
  }

  locRib(): Iterable<MonitoredChange> {
    return this.best.values()
  }

  setBest(change: MonitoredChange): void {
    if (change.paths.length > 0) this.best.set(change.prefix, change)
    else this.best.delete(change.prefix)
    this.emit('route', change)
  }
}

const attributes = { origin: 0, asPath: [{ type: 2, asns: [4_200_000_001] }] } as const

/** A route whose attributes many share. */
export const route = (prefix: string): MonitoredRoute => ({
  prefix,
  nextHop: prefix.includes(':') ? '2001:db8::2' : '10.0.0.2',
  attributes,
})
