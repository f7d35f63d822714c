import type { Socket } from 'node:net'
import { canonicalAddress } from '../address.js'
import type { ControlMessage, Seconds } from '../fsm/index.js'
import {
  DEFAULT_CONTEXT,
  decodeMessage,
  Framer,
  messageLimit,
  MessageType,
  WireError,
  type MessageContext,
} from '../wire/index.js'
import type { Clock } from './clock.js'
import { changeLink, limitPatience, type LiveLink } from './dial.js'

/** What a connection tells its owner. Nothing more comes after `failed`, `malformed` or {@link Connection.end}. */
export interface ConnectionHandlers {
  /** Any message but an UPDATE; `octets` are what it was read from. */
  message(message: ControlMessage, octets: Uint8Array): void
  /** UPDATE messages as they came, whole and back to back: a view, to be read before returning or copied. */
  updates(octets: Uint8Array): void
  /** The peer's octets cannot be read any further, or break a MUST. */
  malformed(error: WireError): void
  /** TCP is gone: closed by the peer, reset, timed out. */
  failed(reason: string): void
  /** TCP took octets that were waiting; `pending` says whether more wait. */
  progress(pending: boolean): void
  /** The socket can take more after it had said no. */
  drained(): void
}

/** How long the peer has to take our last octets and close, in milliseconds. */
const LINGER = 2000
/** Silence before TCP asks whether the other end still lives, in milliseconds. */
const KEEP_ALIVE_DELAY = 60_000

/** Where the header has the message type, RFC 4271 section 4.1. */
const TYPE = 18

/** One TCP connection that carries BGP messages. */
export class Connection {
  readonly #socket: Socket
  readonly #handlers: ConnectionHandlers
  readonly #clock: Clock
  readonly #framer = new Framer()
  readonly localAddress: string
  readonly remoteAddress: string
  readonly localPort: number
  readonly remotePort: number
  /** How messages on this connection are read; set once the session has negotiated. */
  context: MessageContext = DEFAULT_CONTEXT
  #pendingWrites = 0
  #userTimeout: Seconds = 0
  #open = true

  /** Takes over a connected socket. */
  constructor(socket: Socket, clock: Clock, handlers: ConnectionHandlers) {
    this.#socket = socket
    this.#handlers = handlers
    this.#clock = clock
    this.localAddress = canonicalAddress(socket.localAddress ?? '::')
    this.remoteAddress = canonicalAddress(socket.remoteAddress ?? '::')
    this.localPort = socket.localPort ?? 0
    this.remotePort = socket.remotePort ?? 0
    socket.setNoDelay(true)
    // With a Hold Time of 0 nobody else would ever notice that the peer is gone; other sessions are never as quiet as that.
    socket.setKeepAlive(true, KEEP_ALIVE_DELAY)
    socket.on('data', (chunk: Uint8Array) => this.#receive(chunk))
    socket.on('drain', () => this.#open && handlers.drained())
    socket.on('error', (error: NodeJS.ErrnoException) => this.#fail(error.code ?? error.message))
    socket.on('end', () => this.#fail('closed by the peer'))
    socket.on('close', () => this.#fail('closed'))
  }

  /** TCP has more than it wants to hold: write again after `drained`. */
  get isBlocked(): boolean {
    return this.#socket.writableNeedDrain
  }

  /** Sends octets; they are not copied, so leave them alone. */
  write(octets: Uint8Array): void {
    if (!this.#open) return
    if (this.#pendingWrites++ === 0) this.#handlers.progress(true)
    this.#socket.write(octets, error => {
      this.#pendingWrites--
      if (!error && this.#open) this.#handlers.progress(this.#pendingWrites > 0)
    })
  }

  /**
   * Ends the connection after what was written is delivered. It reads on, and throws away, until the peer has closed:
   * closing with octets unread would reset the connection and take our NOTIFICATION with it.
   *
   * @returns settles when the socket is closed, at the latest after two seconds
   */
  end(): Promise<void> {
    this.#open = false
    const socket = this.#socket
    if (socket.closed) return Promise.resolve()
    const { promise, resolve } = withResolvers()
    const cancel = this.#clock.after(LINGER, () => socket.destroy())
    socket.once('close', () => {
      cancel()
      resolve()
    })
    socket.end()
    socket.resume()
    return promise
  }

  /**
   * How long TCP may go without getting anything through, in seconds; 0 for as long as the kernel likes. Without `@typemetal/sockets` the
   * kernel's patience stays.
   */
  limit(userTimeout: Seconds): void {
    if (userTimeout === this.#userTimeout) return
    this.#userTimeout = userTimeout
    void limitPatience(this.#socket, userTimeout)
  }

  /** Applies what differs to the socket; see {@link changeLink}. */
  async change(before: LiveLink, after: LiveLink): Promise<void> {
    if (this.#open) await changeLink(this.#socket, before, after)
  }

  #fail(reason: string): void {
    if (!this.#open) return
    this.#open = false
    this.#socket.destroy()
    this.#handlers.failed(reason)
  }

  #receive(chunk: Uint8Array): void {
    if (!this.#open) return
    this.#framer.push(chunk)
    try {
      while (this.#open && this.#takeNext()) continue
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.#handlers.malformed(error)
    }
  }

  /** @returns whether there was anything to take */
  #takeNext(): boolean {
    const limit = messageLimit(this.context)
    const updates = this.#framer.nextRun(MessageType.Update, limit)
    if (updates) {
      this.#handlers.updates(updates)
      return true
    }
    const octets = this.#framer.next(limit)
    if (!octets) return false
    if (octets[TYPE] === MessageType.Update) {
      // One that came in several chunks.
      this.#handlers.updates(octets)
      return true
    }
    const message = decodeMessage(octets, this.context)
    if (message.type !== 'update') this.#handlers.message(message, octets)
    return true
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {}
  const promise = new Promise<void>(settle => {
    resolve = settle
  })
  return { promise, resolve }
}
