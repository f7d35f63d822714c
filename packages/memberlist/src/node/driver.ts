import type { Socket } from 'node:net'
import { type Endpoint, type Instant, parseAddress, type Swim, type SwimAction, type SwimInput } from '../swim/index.js'
import { WireError } from '../wire/index.js'
import type { AllowList } from './allow-list.js'
import type { Clock } from './clock.js'
import type { Journal } from './journal.js'
import type { Security } from './security.js'
import { dial, type DialFailure, errorReply, readMessage } from './streams.js'
import type { Transport } from './transport.js'

/** Streams from peers that are open at once; the reference closes the newest push/pull beyond as many. */
const MAX_STREAMS = 128
/** Of which one address may hold half, so that it cannot shut out all others. */
const MAX_STREAMS_OF_ONE = MAX_STREAMS / 2
/** A timer that comes later than this has been held up: the sockets are read before it is believed. */
const LATE = 50
/** Turns of the event loop spent on reading after a stall, at most. */
const MAX_DRAIN_TURNS = 200

/** Errors of a send that speak of the other host or its address; all others speak of ours. */
const REMOTE_FAULTS: ReadonlySet<string> = new Set([
  'EACCES', // a broadcast address
  'EAFNOSUPPORT',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'EINVAL', // an address of the other family
  'EMSGSIZE',
])

/** What {@link Driver} works with. */
export interface DriverOptions {
  readonly security: Security
  readonly clock: Clock
  readonly journal: Journal
  /** From where datagrams and streams are taken. @default everywhere */
  readonly isAllowed: AllowList | undefined
  /** Gets the actions that are not about sockets. */
  readonly onAction: (action: SwimAction) => void
}

/** A stream that a peer opened. */
interface Accepted {
  readonly socket: Socket
  readonly address: string
  readonly deadline: NodeJS.Timeout
}

/** Carries out what {@link Swim} decides: sockets and the one timer. Decides nothing. */
export class Driver {
  readonly #options: DriverOptions
  readonly #journal: Journal
  readonly #accepted = new Map<number, Accepted>()
  readonly #dialed = new Set<Socket>()
  #swim: Swim | undefined
  #transport: Transport | undefined
  #streamId = 0
  #armed: { readonly at: Instant; readonly cancel: () => void } | undefined

  constructor(options: DriverOptions) {
    this.#options = options
    this.#journal = options.journal
  }

  /** Begins to work with opened sockets. */
  start(swim: Swim, transport: Transport): void {
    this.#swim = swim
    this.#transport = transport
    this.handle({ type: 'start' })
  }

  /** Closes everything, without a word to the ring. */
  async stop(): Promise<void> {
    const transport = this.#transport
    this.#swim = undefined
    this.#transport = undefined
    this.#armed?.cancel()
    for (const { socket } of this.#accepted.values()) socket.destroy()
    for (const socket of this.#dialed) socket.destroy()
    await transport?.close()
  }

  /** Hands an input to the node and does what it says. @param source address of the peer that caused it */
  handle(input: SwimInput, source?: string): void {
    if (!this.#swim) return
    this.#perform(this.#swim.handle(input, this.#options.clock.now()), source)
  }

  /** A datagram came. */
  onPacket(datagram: Uint8Array, address: string, port: number): void {
    const { counters } = this.#journal
    counters.packetsReceived++
    counters.octetsReceived += datagram.length
    if (!this.#allows(address)) return this.#journal.packetNotAllowed(address)
    try {
      if (port === 0) throw new WireError('malformed', 'source port 0, which nothing can be sent to')
      const octets = this.#options.security.openPacket(datagram)
      this.handle({ type: 'packet', octets, from: { address, port } }, address)
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.#journal.packetFault(error, address)
    }
  }

  /** A peer opened a stream: it says one thing and may get one answer, all within the deadline. */
  onStream(socket: Socket): void {
    const address = socket.remoteAddress ?? ''
    socket.on('error', () => socket.destroy()) // the peer's trouble; without a listener it would be ours
    const refusal = this.#refusal(address)
    if (!this.#swim || refusal !== undefined) {
      if (refusal !== undefined) this.#journal.streamRejected(address, refusal)
      socket.destroy()
      return
    }
    this.#accept(socket, address, this.#swim.tuning.tcpTimeout)
  }

  /** A socket failed as a whole. */
  onError(error: Error): void {
    this.#journal.socketError(error)
  }

  /** Why a stream from an address is not taken. */
  #refusal(address: string): string | undefined {
    if (!this.#allows(address)) return 'address not allowed'
    if (this.#accepted.size >= MAX_STREAMS) return 'too many streams'
    let ofThisOne = 0
    for (const accepted of this.#accepted.values()) if (accepted.address === address) ofThisOne++
    return ofThisOne >= MAX_STREAMS_OF_ONE ? 'too many streams from this address' : undefined
  }

  #accept(socket: Socket, address: string, timeout: number): void {
    const { counters } = this.#journal
    counters.streamsAccepted++
    const id = ++this.#streamId
    const deadline = setTimeout(() => socket.destroy(), timeout)
    this.#accepted.set(id, { socket, address, deadline })
    let settled = false
    socket.on('close', () => {
      clearTimeout(deadline)
      this.#accepted.delete(id)
      counters.streamOctetsReceived += socket.bytesRead
      counters.streamOctetsSent += socket.bytesWritten
      // One that never said anything is a look at the port, as load balancers take.
      if (!settled && socket.bytesRead > 0 && this.#swim) this.#journal.streamUnfinished(address)
    })
    const from: Endpoint = { address, port: socket.remotePort ?? 0 }
    readMessage(
      socket,
      this.#options.security.streamReader(false),
      message => {
        settled = true
        this.handle({ type: 'stream', id, message, from }, address)
      },
      error => {
        settled = true
        this.#journal.streamFault(error, address)
        const reply = errorReply(error, this.#options.security)
        if (reply) socket.end(reply)
        else socket.destroy()
      },
    )
  }

  #perform(actions: readonly SwimAction[], source?: string): void {
    for (const action of actions) {
      switch (action.type) {
        case 'packet':
          this.#send(action.to, action.octets)
          break
        case 'dial':
          this.#dial(action)
          break
        case 'reply':
          this.#reply(action.id, action.octets)
          break
        case 'close':
          this.#accepted.get(action.id)?.socket.destroy()
          break
        case 'note':
          this.#journal.note(action.note, action.fields, source)
          break
        case 'conflict':
          this.#journal.conflict(action.existing, action.other, source)
          this.#options.onAction(action)
          break
        default:
          this.#options.onAction(action)
      }
    }
    this.#arm()
  }

  #send(to: Endpoint, octets: Uint8Array): void {
    const { counters } = this.#journal
    const sealed = this.#options.security.sealPacket(octets)
    counters.packetsSent++
    counters.octetsSent += sealed.length
    this.#transport?.send(sealed, to.address, to.port, error => {
      this.#journal.sendError(to, error)
      if (!REMOTE_FAULTS.has(error.code ?? '')) this.handle({ type: 'unsent', to })
    })
  }

  /** A large state takes time to send: it gets the whole timeout again. */
  #reply(id: number, octets: Uint8Array): void {
    const accepted = this.#accepted.get(id)
    accepted?.deadline.refresh()
    accepted?.socket.end(this.#options.security.sealStream(octets, false))
  }

  #dial(action: SwimAction & { type: 'dial' }): void {
    const { counters } = this.#journal
    counters.streamsDialed++
    const socket = dial(action, this.#options.security, result => {
      this.#dialed.delete(socket)
      counters.streamOctetsSent += socket.bytesWritten
      counters.streamOctetsReceived += socket.bytesRead
      const source = action.to.address
      if ('message' in result) return this.handle({ type: 'dialed', id: action.id, message: result.message }, source)
      return this.#dialFailed(action.id, result)
    })
    this.#dialed.add(socket)
  }

  #dialFailed(id: number, { refused, reason }: DialFailure): void {
    const { counters } = this.#journal
    if (refused) counters.streamsRefused++
    else counters.streamsFailed++
    this.handle({ type: 'dialFailed', id, refused, reason })
  }

  /** Keeps one timer, for the next thing due. One that is set too early only looks again. */
  #arm(): void {
    const at = this.#swim?.nextTimeout
    if (at === undefined || (this.#armed && this.#armed.at <= at)) return
    this.#armed?.cancel()
    const cancel = this.#options.clock.after(Math.max(1, at - this.#options.clock.now()), () => {
      this.#armed = undefined
      if (this.#options.clock.now() - at > LATE) this.#drain(0, -1)
      else this.#onTimeout()
    })
    this.#armed = { at, cancel }
  }

  /**
   * After a stall the timers run first, although what would disarm them waits in the sockets. So lets the event loop
   * read, a batch each turn, until a turn brings nothing more.
   */
  #drain(turn: number, before: number): void {
    const received = this.#journal.counters.packetsReceived
    if (received === before || turn >= MAX_DRAIN_TURNS) this.#onTimeout()
    else setImmediate(() => this.#drain(turn + 1, received))
  }

  #onTimeout(): void {
    if (this.#swim) this.#perform(this.#swim.handleTimeout(this.#options.clock.now()))
  }

  #allows(address: string): boolean {
    const { isAllowed } = this.#options
    if (!isAllowed) return true // before the address is taken apart: this is asked for each datagram
    try {
      return isAllowed(parseAddress(address))
    } catch {
      return false // a peer that is gone already has no address
    }
  }
}
