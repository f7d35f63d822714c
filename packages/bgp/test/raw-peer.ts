/** A peer made of nothing but a socket and the codec, which does what a test tells it. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { createOpen } from '@typemetal/bgp/fsm'
import {
  decodeMessage,
  encodeMessage,
  Framer,
  messageLimit,
  type Message,
  type MessageContext,
  type OpenMessage,
} from '@typemetal/bgp/wire'

type OfType<T extends Message['type']> = Message & { readonly type: T }

export const RAW_OPEN: OpenMessage = createOpen({
  asn: 64_513,
  bgpIdentifier: 0x0a00_00fe,
  holdTime: 90,
  families: ['ipv4-unicast', 'ipv6-unicast'],
})

/** What {@link RAW_OPEN} has us agree on. */
const EXTENDED = { extendedMessage: true, fourOctetAs: true, internal: true }

export class RawPeer implements AsyncDisposable {
  readonly socket: Socket
  readonly received: Message[] = []
  readonly #context: MessageContext
  readonly #framer = new Framer()
  #wake = (): void => {}
  #closed = false

  constructor(socket: Socket, context: MessageContext = { fourOctetAs: true, internal: true }) {
    this.socket = socket
    this.#context = context
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#closed = true
      this.#wake()
    })
    socket.on('data', (chunk: Uint8Array) => {
      this.#framer.push(chunk)
      const next = (): Uint8Array | undefined => this.#framer.next(messageLimit(EXTENDED))
      for (let octets = next(); octets; octets = next()) {
        this.received.push(decodeMessage(octets.slice(), { ...this.#context, extendedMessage: true }))
      }
      this.#wake()
    })
  }

  /** Connects to a speaker. */
  static async connect(port: number, localAddress = '127.0.0.1'): Promise<RawPeer> {
    const socket = connect({ host: '127.0.0.1', port, localAddress })
    await once(socket, 'connect')
    return new RawPeer(socket)
  }

  send(...messages: readonly (Message | Uint8Array)[]): void {
    for (const m of messages) this.socket.write(m instanceof Uint8Array ? m : encodeMessage(m, this.#context))
  }

  /** The next message, which must be of this type. */
  async next<T extends Message['type']>(type: T): Promise<OfType<T>> {
    while (this.received.length === 0) {
      if (this.#closed) throw new Error(`closed, waiting for ${type}`)
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    const first = this.received.shift()
    if (first?.type !== type) throw new Error(`${first?.type} instead of ${type}`)
    return first as OfType<T>
  }

  /** Exchanges OPEN and KEEPALIVE. */
  async establish(open: OpenMessage = RAW_OPEN): Promise<OpenMessage> {
    this.send(open)
    const theirs = await this.next('open')
    this.send({ type: 'keepalive' })
    await this.next('keepalive')
    return theirs
  }

  /** Until the other side has closed. */
  async closed(): Promise<void> {
    if (!this.#closed) await once(this.socket, 'close')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy()
    await this.closed()
  }
}

/** Listens for a speaker. */
export class RawListener implements AsyncDisposable {
  readonly #server = createServer()
  readonly accepted: Socket[] = []
  #waiting: ((socket: Socket) => void)[] = []

  static async open(): Promise<RawListener> {
    const listener = new RawListener()
    listener.#server.on('connection', socket => {
      listener.accepted.push(socket)
      listener.#waiting.shift()?.(socket)
    })
    listener.#server.listen(0, '127.0.0.1')
    await once(listener.#server, 'listening')
    return listener
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** The next connection. */
  async accept(context?: MessageContext): Promise<RawPeer> {
    const socket = await new Promise<Socket>(resolve => this.#waiting.push(resolve))
    return new RawPeer(socket, context)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.accepted) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
