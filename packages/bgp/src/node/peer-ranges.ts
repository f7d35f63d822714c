import { formatPrefix, parseAddress, parsePrefix } from '../address.js'
import type { PeerOptionChange } from './diff-peer-options.js'
import { checkLimit, DynamicPeers, isFull, type DynamicRange } from './dynamic-peers.js'
import type { ListenTerms } from './listening-socket.js'
import type { Logger } from './logger.js'
import type { Peer } from './peer.js'
import type { BfdMeeting } from './peer-bfd.js'
import { termsOf } from './peer-link.js'
import {
  checkDynamicPeerKinds,
  checkPeerOptions,
  type CommonPeerOptions,
  type DynamicPeerOptions,
  type PeerOptions,
  type SpeakerDefaults,
} from './peer-options.js'
import type { Incoming, Reception } from './reception.js'

/** Peers that may connect from a prefix, RFC 4271 section 8.1.1 (AcceptConnectionsUnconfiguredPeers). Made by `speaker.addDynamicPeers`. */
export interface DynamicPeerRange extends AsyncDisposable {
  /** Canonical text. */
  readonly prefix: string
  /** Those that are connected. */
  readonly peers: readonly Peer[]
  /**
   * Other options in the place of all those before, for the peers that are connected as for those to come; see `peer.change`.
   *
   * @returns what has changed for those that are connected
   * @throws {TypeError | RangeError} an option that cannot work, or another prefix; nothing is changed then
   */
  change(options: DynamicPeerOptions): readonly PeerOptionChange[]
}

/** What the peers of a range have in common. */
interface RangeOptions {
  readonly common: CommonPeerOptions
  readonly terms: ListenTerms
}

/** A range and the peers of it. */
export type PeerRange = DynamicRange<Peer, RangeOptions>

export interface PeerRangesOptions {
  readonly defaults: SpeakerDefaults
  readonly reception: Reception
  readonly log: Logger
  /** Makes a peer. @param met the connection it comes of */
  readonly create: (options: PeerOptions, met: BfdMeeting) => Peer
}

/** The peers of a speaker that nobody knows before they connect. */
export class PeerRanges {
  readonly #options: PeerRangesOptions
  readonly #ranges = new DynamicPeers<Peer, RangeOptions>()

  constructor(options: PeerRangesOptions) {
    this.#options = options
  }

  /** @throws {TypeError | RangeError} an option that cannot work, or an unknown one; the message begins with its name */
  add(options: DynamicPeerOptions): DynamicPeerRange {
    checkDynamicPeerKinds(options)
    const { family, nlri } = parsePrefix(options.prefix)
    const prefix = formatPrefix(family, nlri)
    const { limit, ...checked } = this.#check(options, prefix)
    const range = this.#ranges.add(family, nlri, checked, limit)
    this.#options.reception.add(checked.terms)
    return {
      prefix,
      get peers() {
        return [...range.peers]
      },
      change: next => this.#change(range, next, prefix),
      [Symbol.asyncDispose]: () => this.#remove(range),
    }
  }

  /** What the range that a connection comes from needs; `undefined` where there is none. */
  find({ remote, device }: Incoming): PeerRange | undefined {
    return this.#ranges.find(parseAddress(remote), ({ terms }) => terms.device === undefined || terms.device === device)
  }

  /** The peer for a connection; `undefined` where there are too many already. */
  createPeer(range: PeerRange, incoming: Incoming): Peer | undefined {
    const { remote } = incoming
    if (isFull(range)) {
      const { limit, family, nlri } = range
      this.#options.log.warn({ address: remote, prefix: formatPrefix(family, nlri), limit }, 'too many dynamic peers')
      return undefined
    }
    const peer = this.#options.create({ ...range.options.common, address: remote, passive: true }, incoming)
    range.peers.add(peer)
    peer.on('state', to => {
      if (to !== 'Idle') return
      range.peers.delete(peer)
      void peer.close()
    })
    return peer
  }

  #check(options: DynamicPeerOptions, prefix: string): RangeOptions & { readonly limit: number } {
    const { prefix: _, limit, ...common } = options
    const { family, nlri } = parsePrefix(prefix)
    const address = formatPrefix(family, nlri).split('/', 1)[0] ?? ''
    const checked = checkPeerOptions({ ...common, address, passive: true }, this.#options.defaults)
    return { common, terms: { ...termsOf(checked), prefixLength: nlri.length }, limit: checkLimit(limit) }
  }

  #change(range: PeerRange, options: DynamicPeerOptions, prefix: string): readonly PeerOptionChange[] {
    checkDynamicPeerKinds(options)
    const { family, nlri } = parsePrefix(options.prefix)
    if (formatPrefix(family, nlri) !== prefix) throw new RangeError(`prefix must stay ${prefix}, not ${options.prefix}`)
    const { limit, ...checked } = this.#check(options, prefix)
    this.#options.reception.change(range.options.terms, checked.terms)
    range.options = checked
    range.limit = limit
    const changes = [...range.peers].map(peer =>
      peer.change({ ...checked.common, address: peer.address, passive: true }),
    )
    return changes[0] ?? []
  }

  async #remove(range: PeerRange): Promise<void> {
    this.#ranges.delete(range)
    this.#options.reception.remove(range.options.terms)
    await Promise.all([...range.peers].map(peer => peer.close()))
  }
}
