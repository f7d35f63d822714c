import type { Socket } from 'node:net'
import { canonicalAddress } from '../address.js'
import type { LinkWatch } from './link-watch.js'
import { Listener, type HopLimits, type ListenerOptions, type ListenTerms } from './listener.js'
import type { Logger } from './logger.js'
import { zoneOf } from './unnumbered/unnumbered-neighbor.js'

/** A connection that has come in. */
export interface Incoming {
  readonly socket: Socket
  /** The peer's address, in canonical text without zone. */
  readonly remote: string
  /** Ours, likewise. */
  readonly local: string
  /** The interface of a link-local address. */
  readonly zone: string | undefined
  /** The device that the listening socket is for; `undefined` for all. */
  readonly device: string | undefined
}

export interface ReceptionOptions {
  /** Without it nobody is listened for, and terms are only remembered. */
  readonly listen: ListenerOptions | undefined
  readonly links: LinkWatch
  readonly log: Logger
  readonly accept: (incoming: Incoming) => void
}

/**
 * Where the connections of all peers come in: the {@link Listener}, and what each peer asks of it. Changes of terms run one after the
 * other; one that the kernel refuses is in the log, for the peer may still be dialled.
 */
export class Reception {
  readonly #listener: Listener | undefined
  readonly #log: Logger
  readonly #terms = new Set<ListenTerms>()
  #changes: Promise<unknown> = Promise.resolve()

  constructor({ listen, links, log, accept }: ReceptionOptions) {
    this.#log = log
    const failed = (error: Error): void => log.error({ error: error.message }, 'listening failed')
    this.#listener = listen && new Listener(listen, (socket, device) => take(socket, device, accept), failed, links)
  }

  /** Port it listens on; `undefined` while it does not. */
  get port(): number | undefined {
    return this.#listener?.port
  }

  /** @throws {BgpSocketError} the port is taken, or not ours to take */
  async open(): Promise<void> {
    await this.#change(listener => listener.open(this.#terms))
  }

  /** Stops listening. */
  async close(): Promise<void> {
    await this.#change(listener => listener.close())
  }

  add(terms: ListenTerms): void {
    this.#terms.add(terms)
    this.#attempt(terms, 'cannot listen for a peer as its options say', listener => listener.add(terms))
  }

  remove(terms: ListenTerms): void {
    if (!this.#terms.delete(terms)) return
    this.#attempt(terms, 'cannot take back what a peer needed of the listening socket', listener =>
      listener.remove(terms),
    )
  }

  /** Other terms in the place of what was added, if it was; connections that stand are left alone. */
  change(before: ListenTerms, after: ListenTerms): void {
    if (!this.#terms.delete(before)) return
    this.#terms.add(after)
    this.#attempt(after, 'cannot listen for a peer as its new options say', listener => listener.change(before, after))
  }

  /** @returns why the connection is to be dropped without a word; see `Listener.admit` */
  admit(socket: Socket, limits: HopLimits): string | undefined {
    return this.#listener?.admit(socket, limits)
  }

  #attempt({ address }: ListenTerms, failure: string, change: (listener: Listener) => Promise<void>): void {
    this.#change(change).catch((error: Error) => this.#log.error({ error: error.message, address }, failure))
  }

  #change(change: (listener: Listener) => Promise<void>): Promise<void> {
    const listener = this.#listener
    if (!listener) return Promise.resolve()
    const done = this.#changes.then(() => change(listener))
    this.#changes = done.catch(() => {})
    return done
  }
}

function take(socket: Socket, device: string | undefined, accept: (incoming: Incoming) => void): void {
  const { remoteAddress, localAddress } = socket
  // It has gone again already.
  if (remoteAddress === undefined || localAddress === undefined) {
    socket.destroy()
    return
  }
  const remote = canonicalAddress(remoteAddress)
  accept({ socket, remote, local: canonicalAddress(localAddress), zone: zoneOf(remoteAddress), device })
}
