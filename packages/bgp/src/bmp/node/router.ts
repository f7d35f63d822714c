import type { Socket } from 'node:net'
import { canonicalAddress, formatAddress } from '../../address.js'
import { DEFAULT_CONTEXT, type MessageContext, type Octets } from '../../wire/index.js'
import { messageContextOf } from '../wire/context.js'
import { BmpError } from '../wire/error.js'
import { BmpFramer } from '../wire/framer.js'
import { BmpInformationType, informationText } from '../wire/information.js'
import { decodeBmpMessage, encodeBmpMessage, type BmpMessage, type BmpRouteMonitoring } from '../wire/message.js'
import { BmpPeerType, type BmpPeerHeader } from '../wire/peer-header.js'
import type { BmpPeerUp } from '../wire/peer-up.js'

/** A router that is connected to a `BmpStation`. */
export interface BmpRouter {
  /** Canonical text. */
  readonly address: string
  readonly port: number
  /** From its Initiation; empty until then. */
  readonly sysName: string
  readonly sysDescr: string
  /** Peer Up messages of the peers that are up. */
  readonly peers: Iterable<BmpPeerUp>
  /** Ends the connection. */
  destroy(): void
}

/** What tells the peers of a router apart, RFC 7854 section 4.2; the RIBs of one peer share its Peer Up. */
const peerKey = ({ peerType, distinguisher, address, asn }: BmpPeerHeader): string =>
  `${peerType} ${distinguisher} ${formatAddress(address)}${peerType === BmpPeerType.LocRib ? ` ${asn}` : ''}`

interface Limits {
  readonly maxPeers: number
  readonly maxLength: Octets
}

/** One connection of a router. */
export class RouterConnection implements BmpRouter {
  readonly address: string
  readonly port: number
  sysName = ''
  sysDescr = ''
  readonly #socket: Socket
  readonly #limits: Limits
  readonly #framer: BmpFramer
  readonly #peers = new Map<string, { readonly up: BmpPeerUp; readonly contexts: Map<number, MessageContext> }>()
  #initiated = false

  constructor(socket: Socket, limits: Limits) {
    this.#socket = socket
    this.#limits = limits
    this.#framer = new BmpFramer(limits.maxLength)
    this.address = canonicalAddress(socket.remoteAddress ?? '::')
    this.port = socket.remotePort ?? 0
  }

  get peers(): Iterable<BmpPeerUp> {
    return [...this.#peers.values()].map(({ up }) => up)
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** The messages that have become whole. @throws {BmpError} the octets break RFC 7854 */
  *messages(chunk: Uint8Array): Generator<BmpMessage> {
    this.#framer.push(chunk)
    for (let octets = this.#framer.next(); octets; octets = this.#framer.next()) {
      const message = decodeBmpMessage(octets)
      this.#note(message)
      yield message
    }
  }

  /** How the UPDATE of a Route Monitoring message is read; by guess where there was no Peer Up. */
  contextOf({ peer }: BmpRouteMonitoring): MessageContext {
    const known = this.#peers.get(peerKey(peer))
    if (!known) return DEFAULT_CONTEXT
    const { up, contexts } = known
    const context = contexts.get(peer.flags) ?? messageContextOf(up, peer) ?? DEFAULT_CONTEXT
    contexts.set(peer.flags, context)
    return context
  }

  #note(message: BmpMessage): void {
    // RFC 7854 section 4.3: Initiation comes first.
    if (!this.#initiated && message.type !== 'initiation') throw new BmpError(`${message.type} before Initiation`, 5)
    if (message.type === 'initiation') {
      this.#initiated = true
      this.sysName = informationText(message.information, BmpInformationType.SysName) ?? this.sysName
      this.sysDescr = informationText(message.information, BmpInformationType.SysDescr) ?? this.sysDescr
    } else if (message.type === 'peer-up') this.#up(message)
    else if (message.type === 'peer-down') this.#peers.delete(peerKey(message.peer))
  }

  #up(message: BmpPeerUp): void {
    // Kept for as long as the peer is up, and so not as a view into what came with it.
    const up = decodeBmpMessage(encodeBmpMessage(message)) as BmpPeerUp
    this.#peers.set(peerKey(up.peer), { up, contexts: new Map() })
    if (this.#peers.size > this.#limits.maxPeers) throw new BmpError(`more than ${this.#limits.maxPeers} peers`, 0)
  }
}
