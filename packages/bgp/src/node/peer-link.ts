import type { Socket } from 'node:net'
import { canonicalAddress } from '../address.js'
import { BgpSocketError } from '../errors.js'
import type { Clock } from './clock.js'
import { dialTcp, type LiveLink } from './dial.js'
import type { CheckedLinkOptions } from './link-options.js'
import type { LinkWatch } from './link-watch.js'
import type { ListenTerms } from './listening-socket.js'
import type { Logger } from './logger.js'
import type { Incoming } from './reception.js'
import { UnnumberedNeighbor, zoneOf } from './unnumbered/unnumbered-neighbor.js'

/** What a {@link PeerLink} has from its speaker. */
export interface LinkSurroundings {
  readonly links: LinkWatch
  readonly clock: Clock
  readonly log: Logger
  readonly random: () => number
}

/** What a {@link PeerLink} tells its peer. */
export interface PeerLinkHandlers {
  /** The neighbour that the last attempt did without has been found. */
  reachable(): void
  /** A neighbour has been found on the interface. @param address with its zone */
  found(address: string): void
}

/** Where one peer is and how TCP gets there: by its address, or by what is found on its interface. */
export class PeerLink {
  readonly #surroundings: LinkSurroundings
  readonly #handlers: PeerLinkHandlers
  #options: CheckedLinkOptions
  #terms: ListenTerms
  #neighbor: UnnumberedNeighbor | undefined
  #closing: Promise<unknown> = Promise.resolve()
  /** Where an unnumbered peer has last come from. */
  #met = ''
  /** The last attempt failed because there was nobody to dial. */
  #isMissed = false

  constructor(options: CheckedLinkOptions, surroundings: LinkSurroundings, handlers: PeerLinkHandlers) {
    this.#options = options
    this.#surroundings = surroundings
    this.#handlers = handlers
    this.#terms = termsOf(options)
    this.#neighbor = this.#find()
  }

  /** In canonical text without zone; empty for a peer on an interface that has not been found. */
  get address(): string {
    if (!this.#neighbor) return this.#options.address
    const { address } = this.#neighbor
    return address === undefined ? this.#met : canonicalAddress(address)
  }

  /** The interface that the peer is on, where its address alone does not tell. */
  get interface(): string | undefined {
    return this.#options.interface ?? zoneOf(this.#options.dialAddress)
  }

  /** What it needs of the listening socket; the same object until the options change. */
  get terms(): ListenTerms {
    return this.#terms
  }

  /** The peer has connected from this address. */
  met(address: string): void {
    this.#met = address
  }

  /** Whether a connection that has come in can be this peer's. */
  isFrom({ remote, local, zone, device }: Incoming): boolean {
    const { address, dialAddress, interface: on, sourceAddress } = this.#options
    if (this.#terms.device !== undefined && this.#terms.device !== device) return false
    if (sourceAddress !== undefined && sourceAddress !== local) return false
    // Whoever else is on the link of an unnumbered peer is not told from it: it must be the only one.
    if (on !== undefined) return zone === on
    return address === remote && (zoneOf(dialAddress) ?? zone) === zone
  }

  /** @throws {BgpSocketError} there is no connection; the message says why. Or the signal's reason */
  async dial(signal: AbortSignal): Promise<Socket> {
    await this.#neighbor?.looked
    const { port, sourceAddress, connectTime, device, md5Key, ttl, minTtl, dialAddress } = this.#options
    const address = this.#neighbor ? this.#neighbor.address : dialAddress
    this.#isMissed = address === undefined
    if (address === undefined) throw new BgpSocketError(this.#neighbor?.reason ?? 'no neighbor')
    const optional = {
      ...(sourceAddress !== undefined && { sourceAddress }),
      ...(device !== undefined && { device }),
      ...(md5Key !== undefined && { md5Key }),
      ...(ttl !== undefined && { ttl }),
      ...(minTtl !== undefined && { minTtl }),
    }
    return dialTcp({ address, port, connectTime, ...optional }, signal, this.#surroundings.clock)
  }

  /** Other options from now on. @returns what of them a connection that stands can take over */
  change(options: CheckedLinkOptions): { readonly before: LiveLink; readonly after: LiveLink } {
    const before = this.#options
    this.#options = options
    this.#terms = termsOf(options)
    if (before.interface !== options.interface) {
      void this.#forget()
      this.#met = ''
      this.#neighbor = this.#find()
    }
    return { before, after: options }
  }

  /** Looks for nobody any more. */
  async close(): Promise<void> {
    await this.#forget()
  }

  #find(): UnnumberedNeighbor | undefined {
    const { interface: on } = this.#options
    if (on === undefined) return undefined
    const { links, clock, log, random } = this.#surroundings
    const neighbor = new UnnumberedNeighbor({
      links,
      clock,
      log,
      random,
      interface: on,
      onChange: address => {
        if (address === undefined || this.#neighbor !== neighbor) return
        this.#handlers.found(address)
        if (!this.#isMissed) return
        this.#isMissed = false
        this.#handlers.reachable()
      },
    })
    return neighbor
  }

  #forget(): Promise<unknown> {
    const neighbor = this.#neighbor
    this.#neighbor = undefined
    if (neighbor) this.#closing = Promise.all([this.#closing, neighbor.close()])
    return this.#closing
  }
}

/** All link-local addresses: of an unnumbered peer no more is known in advance. */
const LINK_LOCAL = { address: 'fe80::', prefixLength: 10 }

/** What a peer needs of the listening socket. */
export function termsOf({ address, interface: on, device, md5Key, ttl, minTtl }: CheckedLinkOptions): ListenTerms {
  // A key for all link-local addresses must not be asked for on other links.
  const only = device ?? (md5Key === undefined ? undefined : on)
  return {
    ...(on === undefined ? { address } : LINK_LOCAL),
    ...(md5Key !== undefined && { key: md5Key }),
    ...(only !== undefined && { device: only }),
    ...(ttl !== undefined && { ttl }),
    ...(minTtl !== undefined && { minTtl }),
  }
}
