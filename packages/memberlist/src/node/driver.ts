import type { Socket } from 'node:net'
import {
  type Endpoint,
  type Instant,
  type Note,
  parseAddress,
  type Swim,
  type SwimAction,
  type SwimInput,
} from '../swim/index.js'
import { WireError } from '../wire/index.js'
import type { Clock } from './clock.js'
import { type Counters, createCounters } from './counters.js'
import type { Logger } from './logger.js'
import type { Security } from './security.js'
import { dial, type DialFailure, errorReply, readMessage } from './streams.js'
import { Throttle } from './throttle.js'
import type { Transport } from './transport.js'

/** Streams from peers that are open at once; the reference closes the newest push/pull beyond as many. */
const MAX_STREAMS = 128
/** A timer that comes later than this has been held up: the sockets are read before it is believed. */
const LATE = 50
/** Turns of the event loop spent on reading after a stall, at most. */
const MAX_DRAIN_TURNS = 200
/** One log line per source and kind in this time. */
const LOG_INTERVAL = 10_000

/** Errors of a send that speak of the other host; all others speak of ours. */
const REMOTE_FAULTS: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'EMSGSIZE'])

const LEVEL: Readonly<Record<Note, 'debug' | 'info' | 'warn'>> = {
  packetFault: 'warn',
  nodeRefused: 'warn',
  mergeRefused: 'warn',
  misdirectedPing: 'warn',
  probeFailed: 'debug',
  tcpOnly: 'warn',
  suspected: 'info',
  refuted: 'warn',
  incarnationWrapped: 'warn',
  refusedDead: 'info',
  pushPullFailed: 'warn',
  stalled: 'warn',
}

/** What {@link Driver} works with. */
export interface DriverOptions {
  readonly security: Security
  readonly clock: Clock
  readonly log: Logger
  /** Whether datagrams and streams are taken from, and nodes held at, this address. */
  readonly isAllowed: (address: Uint8Array) => boolean
  /** Gets the actions that are not about sockets. */
  readonly onAction: (action: SwimAction) => void
}

/** Carries out what {@link Swim} decides: sockets and the one timer. Decides nothing. */
export class Driver {
  readonly counters: Counters = createCounters()
  readonly #options: DriverOptions
  readonly #throttle = new Throttle(LOG_INTERVAL)
  readonly #accepted = new Map<number, Socket>()
  readonly #dialed = new Set<Socket>()
  #swim: Swim | undefined
  #transport: Transport | undefined
  #streamId = 0
  #armed: { readonly at: Instant; readonly cancel: () => void } | undefined

  constructor(options: DriverOptions) {
    this.#options = options
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
    for (const socket of [...this.#accepted.values(), ...this.#dialed]) socket.destroy()
    await transport?.close()
  }

  /** Hands an input to the node and does what it says. */
  handle(input: SwimInput): void {
    if (!this.#swim) return
    this.#perform(this.#swim.handle(input, this.#options.clock.now()))
  }

  /** A datagram came. */
  onPacket(datagram: Uint8Array, address: string, port: number): void {
    this.counters.packetsReceived++
    this.counters.octetsReceived += datagram.length
    if (!this.#allows(address)) {
      this.counters.packetsNotAllowed++
      return
    }
    try {
      const octets = this.#options.security.openPacket(datagram)
      this.handle({ type: 'packet', octets, from: { address, port } })
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.#packetFault(error, address)
    }
  }

  /** A peer opened a stream: it says one thing and may get one answer, all within the deadline. */
  onStream(socket: Socket): void {
    const address = socket.remoteAddress ?? ''
    socket.on('error', () => socket.destroy()) // the peer's trouble; without a listener it would be ours
    if (!this.#swim || this.#accepted.size >= MAX_STREAMS || !this.#allows(address)) {
      this.counters.streamsRejected++
      socket.destroy()
      return
    }
    this.counters.streamsAccepted++
    const id = ++this.#streamId
    this.#accepted.set(id, socket)
    const deadline = setTimeout(() => socket.destroy(), this.#swim.tuning.tcpTimeout)
    socket.on('close', () => {
      clearTimeout(deadline)
      this.#accepted.delete(id)
    })
    const from: Endpoint = { address, port: socket.remotePort ?? 0 }
    const onFault = (error: WireError): void => this.#streamFault(socket, error)
    readMessage(
      socket,
      this.#options.security.streamReader(false),
      message => this.handle({ type: 'stream', id, message, from }),
      onFault,
    )
  }

  /** A socket failed as a whole. */
  onError(error: Error): void {
    this.#log('error', 'socket', { err: error.message }, 'memberlist socket error')
  }

  #perform(actions: readonly SwimAction[]): void {
    for (const action of actions) {
      switch (action.type) {
        case 'packet':
          this.#send(action.to, action.octets)
          break
        case 'dial':
          this.#dial(action)
          break
        case 'reply':
          this.#accepted.get(action.id)?.end(this.#options.security.sealStream(action.octets, false))
          break
        case 'close':
          this.#accepted.get(action.id)?.destroy()
          break
        case 'note':
          this.#note(action.note, action.fields)
          break
        case 'conflict':
          this.#conflict(action)
          break
        default:
          this.#options.onAction(action)
      }
    }
    this.#arm()
  }

  #send(to: Endpoint, octets: Uint8Array): void {
    const { address, port } = to
    const sealed = this.#options.security.sealPacket(octets)
    this.counters.packetsSent++
    this.counters.octetsSent += sealed.length
    this.#transport?.send(sealed, address, port, error => {
      this.counters.sendErrors++
      this.#log('debug', address, { address, port, err: error.message }, 'datagram not sent')
      if (!REMOTE_FAULTS.has(error.code ?? '')) this.handle({ type: 'unsent', to })
    })
  }

  #dial(action: SwimAction & { type: 'dial' }): void {
    this.counters.streamsDialed++
    const socket = dial(action, this.#options.security, result => {
      this.#dialed.delete(socket)
      if ('message' in result) return this.handle({ type: 'dialed', id: action.id, message: result.message })
      return this.#dialFailed(action.id, result)
    })
    this.#dialed.add(socket)
  }

  #dialFailed(id: number, { refused, reason }: DialFailure): void {
    if (refused) this.counters.streamsRefused++
    else this.counters.streamsFailed++
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
    const received = this.counters.packetsReceived
    if (received === before || turn >= MAX_DRAIN_TURNS) this.#onTimeout()
    else setImmediate(() => this.#drain(turn + 1, received))
  }

  #onTimeout(): void {
    if (this.#swim) this.#perform(this.#swim.handleTimeout(this.#options.clock.now()))
  }

  #allows(address: string): boolean {
    try {
      return this.#options.isAllowed(parseAddress(address))
    } catch {
      return false // a peer that is gone already has no address
    }
  }

  #packetFault(error: WireError, address: string): void {
    const { packetFaults } = this.counters
    packetFaults[error.fault] = (packetFaults[error.fault] ?? 0) + 1
    this.#log(
      'warn',
      `${address} ${error.fault}`,
      { address, fault: error.fault, err: error.message },
      'datagram dropped',
    )
  }

  #streamFault(socket: Socket, error: WireError): void {
    this.counters.streamFaults++
    const address = socket.remoteAddress ?? ''
    this.#log(
      'warn',
      `${address} ${error.fault}`,
      { address, fault: error.fault, err: error.message },
      'stream refused',
    )
    const reply = errorReply(error, this.#options.security)
    if (reply) socket.end(reply)
    else socket.destroy()
  }

  #note(note: Note, fields: Readonly<Record<string, string | number>>): void {
    const { notes, packetFaults } = this.counters
    notes[note] = (notes[note] ?? 0) + 1
    if (note === 'packetFault') {
      const fault = fields['fault'] as WireError['fault']
      packetFaults[fault] = (packetFaults[fault] ?? 0) + 1
    }
    this.#log(LEVEL[note], `${note} ${fields['node'] ?? fields['from'] ?? ''}`, fields, note)
  }

  #conflict(action: SwimAction & { type: 'conflict' }): void {
    const { existing, other } = action
    const fields = { node: existing.name, address: existing.address, claimedBy: `${other.address}:${other.port}` }
    this.#log('warn', `conflict ${existing.name}`, fields, 'two nodes with one name')
    this.#options.onAction(action)
  }

  #log(level: 'debug' | 'info' | 'warn' | 'error', source: string, fields: object, message: string): void {
    const held = this.#throttle.pass(source, this.#options.clock.now())
    if (held !== undefined) this.#options.log[level](held > 0 ? { ...fields, heldBack: held } : fields, message)
  }
}
