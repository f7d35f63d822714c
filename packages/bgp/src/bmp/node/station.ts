import { EventEmitter, once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { checkOptions, number, optional, signal as signalKind, text, type Kinds } from '@typemetal/options'
import { listeningPort } from '../../bgp-kinds.js'
import { loggerKind, SILENT, type Logger } from '../../node/logger.js'
import type { MessageContext, Octets } from '../../wire/index.js'
import { BmpError } from '../wire/error.js'
import { BMP_MAX_LENGTH } from '../wire/framer.js'
import type { BmpInitiation, BmpMessage, BmpRouteMonitoring, BmpTermination } from '../wire/message.js'
import type { BmpPeerDown } from '../wire/peer-down.js'
import type { BmpPeerUp } from '../wire/peer-up.js'
import type { BmpRouteMirroring } from '../wire/route-mirroring.js'
import { RouterConnection, type BmpRouter } from './router.js'
import type { BmpStatisticsReport } from '../wire/statistics-report.js'

/** Options of a {@link BmpStation}. */
export interface BmpStationOptions {
  /** @default all addresses of both families */
  readonly host?: string
  /** 0 lets the system choose. RFC 7854 leaves the number to the operator; many take 11019. */
  readonly port: number
  /** Routers that may be connected at once; more are closed. @default 256 */
  readonly maxRouters?: number
  /** Peers that one router may have up at once; more end its connection. @default 10,000 */
  readonly maxPeers?: number
  /** Longest message to take. @default 1 MiB */
  readonly maxLength?: Octets
  /** @default silent */
  readonly log?: Logger
  /** Ends the station when aborted. */
  readonly signal?: AbortSignal
}

/** Events of a {@link BmpStation}. Octets are views that hold a whole buffer alive: copy what you keep. */
export interface BmpStationEvents {
  /** A router has connected and said who it is. */
  initiation: [router: BmpRouter, message: BmpInitiation]
  /** A session of the router has come up; the two OPEN messages are in it (RFC 7854 section 4.10). */
  'peer-up': [router: BmpRouter, message: BmpPeerUp]
  /** A session of the router has ended, and why (RFC 7854 section 4.9). */
  'peer-down': [router: BmpRouter, message: BmpPeerDown]
  /** An UPDATE, and how it is read, which follows from the peer's OPEN messages. */
  'route-monitoring': [router: BmpRouter, message: BmpRouteMonitoring, context: MessageContext]
  /** Counters and gauges of one session (RFC 7854 section 4.8). */
  'statistics-report': [router: BmpRouter, message: BmpStatisticsReport]
  /** A message of a peer as it was, also one that could not be read (RFC 7854 section 4.7). */
  'route-mirroring': [router: BmpRouter, message: BmpRouteMirroring]
  /** The router takes leave, and why (RFC 7854 section 4.5); `disconnected` follows. */
  termination: [router: BmpRouter, message: BmpTermination]
  /** The connection is gone; `error` says why where the router's octets break RFC 7854. */
  disconnected: [router: BmpRouter, error: BmpError | undefined]
}

type Defaulted = 'maxRouters' | 'maxPeers' | 'maxLength'

const DEFAULTS: Required<Pick<BmpStationOptions, Defaulted>> = {
  maxRouters: 256,
  maxPeers: 10_000,
  maxLength: BMP_MAX_LENGTH,
}

const atLeastOne = optional(number('a number from 1 on', value => value >= 1))
const KINDS: Kinds<BmpStationOptions> = {
  host: optional(text),
  port: listeningPort,
  maxRouters: atLeastOne,
  maxPeers: atLeastOne,
  maxLength: atLeastOne,
  log: optional(loggerKind),
  signal: optional(signalKind),
}

/** Listens for BMP routers, RFC 7854: the monitoring station. Holds the Peer Up messages of what is up, and no routes. */
export class BmpStation extends EventEmitter<BmpStationEvents> implements AsyncDisposable {
  readonly #options: BmpStationOptions & typeof DEFAULTS
  readonly #log: Logger
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #onAbort = (): void => void this.close()
  #closing: Promise<void> | undefined

  /** @throws {TypeError | RangeError} an option that cannot work, or an unknown one; the message begins with its name */
  constructor(options: BmpStationOptions) {
    super()
    checkOptions(options, KINDS, { address: 'host', logger: 'log' })
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
    this.#options = { ...DEFAULTS, ...(given as unknown as BmpStationOptions) }
    this.#log = options.log ?? SILENT
    this.#server = createServer(socket => this.#accept(socket))
    options.signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Port it listens on; `undefined` when it does not. */
  get port(): number | undefined {
    return (this.#server.address() as AddressInfo | null)?.port
  }

  /** Starts to listen. Rejects with the system's error when the port cannot be had. */
  async start(): Promise<void> {
    const { host, port, signal } = this.#options
    signal?.throwIfAborted()
    this.#server.listen({ port, ...(host !== undefined && { host }) })
    await once(this.#server, 'listening')
  }

  /** Stops to listen and ends all connections. Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  /** Same as {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #end(): Promise<void> {
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    for (const socket of this.#sockets) socket.destroy()
    if (!this.#server.listening) return
    await new Promise<void>(resolve => this.#server.close(() => resolve()))
  }

  #accept(socket: Socket): void {
    if (this.#sockets.size >= this.#options.maxRouters || this.#closing) {
      this.#log.warn({ address: socket.remoteAddress }, 'too many BMP routers: closed')
      socket.destroy()
      return
    }
    this.#sockets.add(socket)
    const router = new RouterConnection(socket, this.#options)
    let failure: BmpError | undefined
    socket.on('data', (chunk: Uint8Array) => {
      failure = this.#receive(router, chunk)
      if (failure) socket.destroy()
    })
    socket.on('error', error => this.#log.info({ address: router.address, error: error.message }, 'BMP router lost'))
    socket.on('end', () => socket.destroy())
    socket.once('close', () => {
      this.#sockets.delete(socket)
      this.emit('disconnected', router, failure)
    })
  }

  #receive(router: RouterConnection, chunk: Uint8Array): BmpError | undefined {
    try {
      for (const message of router.messages(chunk)) this.#tell(router, message)
      return undefined
    } catch (error) {
      if (!(error instanceof BmpError)) throw error
      this.#log.warn({ address: router.address, error: error.message }, 'malformed BMP message')
      return error
    }
  }

  #tell(router: RouterConnection, message: BmpMessage): void {
    switch (message.type) {
      case 'initiation':
        this.emit(message.type, router, message)
        break
      case 'peer-up':
        this.emit(message.type, router, message)
        break
      case 'peer-down':
        this.emit(message.type, router, message)
        break
      case 'route-monitoring':
        this.emit(message.type, router, message, router.contextOf(message))
        break
      case 'statistics-report':
        this.emit(message.type, router, message)
        break
      case 'route-mirroring':
        this.emit(message.type, router, message)
        break
      case 'termination':
        this.emit(message.type, router, message)
        break
      case 'unknown':
        break // RFC 7854 section 4.1 has it ignored
      default:
        message satisfies never
    }
  }
}
