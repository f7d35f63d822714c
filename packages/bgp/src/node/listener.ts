import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Link } from '@typemetal/sockets'
import { BgpSocketError } from '../errors.js'
import type { LinkWatch } from './link-watch.js'
import { hasKey, isDemanding, ListenKeys, listenOptions, prepareForTtl, type ListenTerms } from './listening-socket.js'
import { loadSockets } from './sockets.js'

export type { ListenTerms } from './listening-socket.js'

/** Where a speaker listens for its peers. */
export interface ListenerOptions {
  /** @default all addresses of both families */
  readonly address?: string
  /** 0 lets the system choose. @default 179 */
  readonly port?: number
}

/** TTLs of one peer; see {@link Listener.admit}. */
export type HopLimits = Pick<ListenTerms, 'ttl' | 'minTtl'>

/** Takes an accepted connection. @param device the one that the listening socket is for; `undefined` for all */
export type Accept = (socket: Socket, device: string | undefined) => void

type Sockets = Awaited<ReturnType<typeof loadSockets>>

/** One listening server, and its keys once it has any. */
interface Open {
  readonly server: Server
  keys: ListenKeys | undefined
  judges: boolean
}

/** A device that terms ask for, whether it exists or not. */
interface Device {
  readonly name: string
  index: number | undefined
  open: Open | undefined
  unsubscribe: (() => void) | undefined
}

const BGP_PORT = 179

/**
 * The listening TCP socket for all passive and dynamic peers, and one more for each device that a peer is bound to. Terms come
 * and go while it listens; connections that stand are left alone by all of it.
 */
export class Listener {
  readonly #options: ListenerOptions
  readonly #accept: Accept
  readonly #failed: (error: Error) => void
  readonly #links: LinkWatch | undefined
  readonly #terms = new Set<ListenTerms>()
  readonly #devices = new Map<string, Device>()
  #sockets: Sockets | undefined
  #base: Open | undefined

  /**
   * @param failed a socket has stopped working after it had listened, or cannot be opened on a device that has come
   * @param links follows devices that come and go; without it those must be there when their terms are added
   */
  constructor(options: ListenerOptions, accept: Accept, failed: (error: Error) => void, links?: LinkWatch) {
    this.#options = options
    this.#accept = accept
    this.#failed = failed
    this.#links = links
  }

  /** Port it listens on; `undefined` while it does not. */
  get port(): number | undefined {
    const address = this.#base?.server.address() as AddressInfo | null | undefined
    return address?.port
  }

  /**
   * Starts to listen, with these terms in the place of all earlier ones. Terms that need more than Node.js can do take
   * `@typemetal/sockets`, and hold from the first connection on.
   *
   * @throws {BgpSocketError} the port is taken or not ours to take, or the package is missing
   */
  async open(terms: Iterable<ListenTerms>): Promise<void> {
    const { port = BGP_PORT } = this.#options
    this.#terms.clear()
    for (const each of terms) this.#terms.add(each)
    await explained(port, async () => {
      this.#base = await this.#listen(port)
      await Promise.all([...this.#terms].map(({ device }) => this.#addDevice(device)))
    })
  }

  /**
   * Adds what a peer needs. Its key counts from now on; connections that stand keep what they have. A Linux socket holds about 960
   * keys unless `net.core.optmem_max` is raised; one for a prefix is one.
   *
   * @throws {BgpSocketError} see {@link open}; the terms are not added then
   */
  async add(terms: ListenTerms): Promise<void> {
    this.#terms.add(terms)
    if (!this.#base || !isDemanding(terms)) return
    try {
      await explained(this.port ?? BGP_PORT, () => this.#apply(terms), 'take this peer')
    } catch (error) {
      await this.remove(terms).catch(() => {})
      throw error
    }
  }

  /** Takes back what was added. Connections from there are taken without a key again, unless other terms have one. */
  async remove(terms: ListenTerms): Promise<void> {
    if (!this.#terms.delete(terms)) return
    try {
      if (hasKey(terms)) for (const open of this.#openFor(terms)) open.keys?.remove(terms)
    } finally {
      this.#dropDevice(terms.device)
    }
  }

  /**
   * Other terms in the place of what was added: a key changes without a moment in which there is none, and a device's socket
   * is not opened anew.
   *
   * @throws {BgpSocketError} see {@link open}; the terms of before hold then
   */
  async change(before: ListenTerms, after: ListenTerms): Promise<void> {
    await this.add(after)
    await this.remove(before)
  }

  /**
   * Gives an accepted connection the TTLs of its peer. GTSM (RFC 5082 section 3) takes only what no router has forwarded: the SYN
   * that opened the connection is looked at here, and the kernel drops what comes later.
   *
   * @returns why the connection is to be dropped, without a word to the other side (`socket.resetAndDestroy()`); `undefined` when
   * it is fine
   */
  admit(socket: Socket, { ttl, minTtl }: HopLimits): string | undefined {
    if (ttl === undefined && minTtl === undefined) return undefined
    if (!this.#sockets) return 'its TTL cannot be looked at yet'
    try {
      // A connection that came by a SYN cookie does not tell; the kernel drops all that follows if it came too far.
      const came = minTtl === undefined ? undefined : this.#sockets.synTtl(socket)
      if (minTtl !== undefined && came !== undefined && came < minTtl)
        return `it came with TTL ${came}, and this peer's is ${minTtl} at least`
      this.#sockets.setTcpOptions(socket, {
        ...(ttl !== undefined && { ttl }),
        ...(minTtl !== undefined && { minTtl }),
      })
      return undefined
    } catch (error) {
      return `its TTL cannot be set: ${(error as Error).message}`
    }
  }

  /** Stops listening; connections that were taken go on. */
  async close(): Promise<void> {
    const all = [this.#base, ...[...this.#devices.values()].map(device => this.#release(device))]
    this.#base = undefined
    this.#devices.clear()
    for (const open of all) this.#end(open)
    // Not waiting for 'close': it comes when the last connection has ended.
    await Promise.resolve()
  }

  #release(device: Device): Open | undefined {
    device.unsubscribe?.()
    const { open } = device
    device.open = undefined
    return open
  }

  #end(open: Open | undefined): void {
    if (!open?.server.listening) return
    open.server.close()
    open.server.removeAllListeners('connection')
  }

  /** The terms that a socket has to keep: those for all devices, and those for its own. */
  #termsFor(device: string | undefined): readonly ListenTerms[] {
    return [...this.#terms].filter(terms => terms.device === undefined || terms.device === device)
  }

  /** The open sockets that connections under these terms may come to. */
  #openFor({ device }: ListenTerms): readonly Open[] {
    const devices = [...this.#devices.values()].filter(({ name }) => device === undefined || name === device)
    return [...(device === undefined ? [this.#base] : []), ...devices.map(({ open }) => open)].flatMap(
      open => open ?? [],
    )
  }

  async #apply(terms: ListenTerms): Promise<void> {
    this.#sockets = await loadSockets()
    for (const open of this.#openFor(terms)) this.#ask(open, terms, this.#sockets)
    await this.#addDevice(terms.device)
  }

  #ask(open: Open, terms: ListenTerms, sockets: Sockets): void {
    if (hasKey(terms)) {
      open.keys ??= new ListenKeys(sockets, open.server, [])
      open.keys.add(terms)
    }
    if (open.judges || (terms.ttl === undefined && terms.minTtl === undefined)) return
    prepareForTtl(sockets, open.server)
    open.judges = true
  }

  async #listen(port: number, device?: Device): Promise<Open> {
    const terms = this.#termsFor(device?.name)
    const server = await (device || terms.some(isDemanding)
      ? this.#listenSpecially(port, terms, device)
      : this.#listenPlainly(port))
    server.on('connection', socket => this.#accept(socket, device?.name))
    server.on('error', this.#failed)
    const keyed = terms.filter(hasKey)
    return {
      server,
      keys: this.#sockets && new ListenKeys(this.#sockets, server, keyed),
      judges: listenOptions(terms).saveSyn ?? false,
    }
  }

  async #listenPlainly(port: number): Promise<Server> {
    const { address } = this.#options
    const server = createServer()
    server.listen({ port, ...(address !== undefined && { host: address }) })
    await once(server, 'listening')
    return server
  }

  async #listenSpecially(port: number, terms: readonly ListenTerms[], device: Device | undefined): Promise<Server> {
    const { address } = this.#options
    this.#sockets = await loadSockets()
    const beside = device && this.#base && { device: device.name, besides: this.#base.server }
    return this.#sockets.listenTcp({
      port,
      ...listenOptions(terms),
      ...beside,
      ...(address !== undefined && { address }),
    })
  }

  async #addDevice(name: string | undefined): Promise<void> {
    if (name === undefined || this.#devices.has(name)) return
    const device: Device = { name, index: undefined, open: undefined, unsubscribe: undefined }
    this.#devices.set(name, device)
    if (!this.#links) {
      device.open = await this.#listen(this.port ?? BGP_PORT, device)
      return
    }
    device.unsubscribe = await this.#links.subscribe(name, link => this.#deviceChanged(device, link))
    if (this.#devices.get(name) !== device) device.unsubscribe()
  }

  #dropDevice(name: string | undefined): void {
    const device = name === undefined ? undefined : this.#devices.get(name)
    if (!device || [...this.#terms].some(terms => terms.device === name)) return
    this.#devices.delete(device.name)
    this.#end(this.#release(device))
  }

  /** A socket is bound to an index: an interface that comes back under its name takes a new one. */
  #deviceChanged(device: Device, link: Link | undefined): void {
    if (device.index === link?.index) return
    device.index = link?.index
    this.#end(device.open)
    device.open = undefined
    if (link) void this.#openDevice(device, link.index)
  }

  async #openDevice(device: Device, index: number): Promise<void> {
    const isWanted = (): boolean => this.#devices.get(device.name) === device && device.index === index
    try {
      const open = await this.#listen(this.port ?? BGP_PORT, device)
      if (isWanted()) device.open = open
      else this.#end(open)
    } catch (error) {
      if (isWanted()) this.#failed(error as Error)
    }
  }
}

/** Runs what may fail for the machine's reasons, and says those in one sentence. */
async function explained(port: number, attempt: () => Promise<void>, what = 'listen'): Promise<void> {
  try {
    await attempt()
  } catch (error) {
    if (error instanceof BgpSocketError) throw error
    throw new BgpSocketError(`cannot ${what} on port ${port}: ${explain(error as NodeJS.ErrnoException)}`, {
      cause: error,
    })
  }
}

function explain({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'EACCES') return 'needs CAP_NET_BIND_SERVICE, root, or a port above 1023'
  return code === 'EADDRINUSE' ? 'another process does already' : message
}
