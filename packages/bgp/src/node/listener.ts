import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { BgpSocketError } from '../errors.js'
import { loadSockets } from './sockets.js'

/** A TCP-MD5 key for the connections from an address or a prefix. */
export interface ListenKey {
  readonly address: string
  readonly prefixLength?: number
  readonly key: string
}

export interface ListenerOptions {
  /** @default all addresses of both families */
  readonly address?: string
  /** 0 lets the system choose. @default 179 */
  readonly port?: number
}

const BGP_PORT = 179

/** One listening TCP socket for all passive and dynamic peers. */
export class Listener {
  readonly #options: ListenerOptions
  readonly #accept: (socket: Socket) => void
  readonly #failed: (error: Error) => void
  #server: Server | undefined
  #signs = false

  /** @param failed the socket has stopped working after it had listened */
  constructor(options: ListenerOptions, accept: (socket: Socket) => void, failed: (error: Error) => void) {
    this.#options = options
    this.#accept = accept
    this.#failed = failed
  }

  /** Port it listens on; `undefined` while it does not. */
  get port(): number | undefined {
    const address = this.#server?.address() as AddressInfo | null | undefined
    return address?.port
  }

  /**
   * Starts to listen; with keys through `@typemetal/sockets`, since Node.js cannot set them.
   *
   * @throws {BgpSocketError} the port is taken or not ours to take, or keys are given and the package is missing
   */
  async open(keys: readonly ListenKey[]): Promise<void> {
    const { port = BGP_PORT } = this.#options
    try {
      this.#signs = keys.length > 0
      this.#take(await (this.#signs ? this.#listenSigned(port, keys) : this.#listen(port)))
    } catch (error) {
      if (error instanceof BgpSocketError) throw error
      throw new BgpSocketError(explain(port, error as NodeJS.ErrnoException), { cause: error })
    }
  }

  /**
   * Connections that a key is for are only taken with it from now on. Sockets that stand keep what they have.
   *
   * @throws {BgpSocketError} see {@link open}
   */
  async addKey(key: ListenKey, all: readonly ListenKey[]): Promise<void> {
    if (!this.#server) return
    if (this.#signs) {
      const { setServerMd5Key } = await loadSockets()
      setServerMd5Key(this.#server, key)
      return
    }
    const port = this.port ?? BGP_PORT
    await this.close()
    this.#signs = true
    this.#take(await this.#listenSigned(port, all))
  }

  /** Connections from there are taken without a key again. */
  async removeKey(key: ListenKey): Promise<void> {
    if (!this.#server || !this.#signs) return
    const { removeServerMd5Key } = await loadSockets()
    if (this.#server.listening) removeServerMd5Key(this.#server, key)
  }

  /** Stops listening; connections that were taken go on. */
  async close(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (!server?.listening) return
    server.close()
    server.removeListener('connection', this.#accept)
    // Not waiting for 'close': it comes when the last connection has ended.
    await Promise.resolve()
  }

  #take(server: Server): void {
    this.#server = server
    server.on('connection', this.#accept)
    server.on('error', this.#failed)
  }

  async #listen(port: number): Promise<Server> {
    const { address } = this.#options
    const server = createServer()
    server.listen({ port, ...(address !== undefined && { host: address }) })
    await once(server, 'listening')
    return server
  }

  async #listenSigned(port: number, md5Keys: readonly ListenKey[]): Promise<Server> {
    const { address } = this.#options
    const { listenTcp } = await loadSockets()
    return listenTcp({ port, md5Keys, ...(address !== undefined && { address }) })
  }
}

function explain(port: number, { code, message }: NodeJS.ErrnoException): string {
  if (code === 'EACCES') {
    return `cannot listen on port ${port}: needs CAP_NET_BIND_SERVICE, root, or a port above 1023`
  }
  if (code === 'EADDRINUSE') return `cannot listen on port ${port}: another process does already`
  return `cannot listen on port ${port}: ${message}`
}
