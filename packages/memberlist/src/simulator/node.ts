import {
  type Endpoint,
  type Instant,
  type Member,
  type Note,
  parseAddress,
  Swim,
  type SwimAction,
  type SwimInput,
  type SwimOptions,
} from '../swim/index.js'
import { type StreamMessage, StreamReader } from '../wire/index.js'
import type { Simulator } from './simulator.js'

/** A node of a simulated ring; the rest of {@link SwimOptions} as in a real one. */
export interface SimulatedNodeOptions extends Omit<SwimOptions, 'address' | 'port' | 'random' | 'packetOverhead'> {
  /** @default the next of 10.0.0.0/8 */
  readonly address?: string
  /** @default 7946 */
  readonly port?: number
}

/** Datagrams that the system keeps for a process that does not run; more are dropped. */
const RECEIVE_QUEUE = 4000

interface Dial {
  open: boolean
}

/** A process with a {@link Swim} in it, on a host of its own. */
export class SimulatedNode {
  readonly name: string
  readonly endpoint: Endpoint
  /** Whether the host is on the network. */
  connected = true
  /** Whether the host answers connections with a reset although the process lives, as a firewall may. */
  refusing = false
  /** What it noted since its last start. */
  readonly notes = new Map<Note, number>()
  readonly #simulator: Simulator
  readonly #options: SimulatedNodeOptions
  #swim: Swim | undefined
  #pausedSince: Instant | undefined
  #inbox: SwimInput[] = []
  #wake: Instant | undefined
  /** Raised by each start, so that what belongs to an earlier process is not taken for this one. */
  #life = 0
  #request = 0
  readonly #ends = new Map<number, (error: string | undefined) => void>()
  readonly #streams = new Map<number, (octets: Uint8Array | undefined) => void>()
  #streamId = 0

  constructor(simulator: Simulator, options: SimulatedNodeOptions, address: string) {
    this.#simulator = simulator
    this.#options = options
    this.name = options.name
    this.endpoint = { address, port: options.port ?? 7946 }
  }

  /** Whether its process exists. */
  get running(): boolean {
    return this.#swim !== undefined
  }

  /** Whether its process exists but is not scheduled. */
  get paused(): boolean {
    return this.#pausedSince !== undefined
  }

  /** The node's core. @throws {Error} when it is not running */
  get swim(): Swim {
    if (!this.#swim) throw new Error(`${this.name} is not running`)
    return this.#swim
  }

  /** Names of the members it sees, in order. */
  memberNames(): string[] {
    return this.#swim
      ? this.#swim
          .members()
          .map(member => member.name)
          .toSorted()
      : []
  }

  /** What it holds a node for; `undefined` when it does not know it. */
  stateOf(name: string): Member['state'] | undefined {
    return this.#swim?.stateOf(name)
  }

  /** Starts its process, anew after {@link kill}. @param options what is different from last time */
  start(options: Partial<SimulatedNodeOptions> = {}): void {
    this.#life++
    this.notes.clear()
    this.#swim = new Swim({
      ...this.#options,
      ...options,
      name: this.name,
      address: parseAddress(this.endpoint.address),
      port: this.endpoint.port,
      random: this.#simulator.random,
    })
    this.input({ type: 'start' })
  }

  /** Ends its process at once, as SIGKILL does: the host refuses connections from now on. */
  kill(): void {
    this.#swim = undefined
    this.#pausedSince = undefined
    this.#inbox = []
    this.#wake = undefined
    for (const end of this.#streams.values()) end(undefined)
    this.#streams.clear()
  }

  /** Takes its host off the network, as a power cut or a pulled cable does. */
  disconnect(): void {
    this.connected = false
  }

  /** Puts its host back. */
  connect(): void {
    this.connected = true
  }

  /** Stops scheduling its process; its host still takes datagrams and connections for it. */
  pause(): void {
    this.#pausedSince ??= this.#simulator.now
  }

  /** Schedules its process again: what came in meanwhile is read before the timers run, as the real driver does. */
  resume(): void {
    if (this.#pausedSince === undefined) return
    this.#pausedSince = undefined
    const inbox = this.#inbox
    this.#inbox = []
    for (const input of inbox) this.input(input)
    this.#wakeUp()
  }

  /** Joins through another node. @param onEnd gets the reason when it failed */
  join(to: SimulatedNode | Endpoint, onEnd: (error: string | undefined) => void = () => {}): void {
    const request = ++this.#request
    this.#ends.set(request, onEnd)
    this.input({ type: 'join', request, to: to instanceof SimulatedNode ? to.endpoint : to })
  }

  /** Tells the others that a member does not answer. */
  accuse(name: string): void {
    this.input({ type: 'accuse', node: name })
  }

  /** Says goodbye; its process goes on until {@link kill}. */
  leave(): void {
    this.input({ type: 'leave' })
  }

  /** Takes its place again after {@link leave}. */
  rejoin(): void {
    this.input({ type: 'rejoin' })
  }

  /** Hands something to its process, or keeps it while that is not scheduled. */
  input(input: SwimInput): void {
    if (!this.#swim) return
    if (this.#pausedSince !== undefined) {
      if (this.#inbox.length < RECEIVE_QUEUE) this.#inbox.push(input)
      return
    }
    this.#perform(this.#swim.handle(input, this.#simulator.now))
  }

  /** A connection from another host arrived. @param reply called with the answer, or with nothing when it is closed */
  accept(message: StreamMessage, from: Endpoint, reply: (octets: Uint8Array | undefined) => void): void {
    const id = ++this.#streamId
    this.#streams.set(id, reply)
    this.input({ type: 'stream', id, message, from })
  }

  #perform(actions: readonly SwimAction[]): void {
    for (const action of actions) {
      switch (action.type) {
        case 'packet':
          this.#simulator.send(this, action.to, action.octets)
          break
        case 'dial':
          this.#dial(action)
          break
        case 'reply':
          this.#endStream(action.id, action.octets)
          break
        case 'close':
          this.#endStream(action.id, undefined)
          break
        case 'member':
          this.#simulator.onMember?.(this, action.event, action.member)
          break
        case 'suspect':
        case 'silence':
          this.#simulator.onDoubt?.(this, action.type, action.member)
          break
        case 'note':
          this.notes.set(action.note, (this.notes.get(action.note) ?? 0) + 1)
          break
        case 'joined':
          this.#ends.get(action.request)?.(action.error)
          this.#ends.delete(action.request)
          break
        default:
          break
      }
    }
    this.#arm()
  }

  #dial(action: SwimAction & { type: 'dial' }): void {
    const life = this.#life
    const dial: Dial = { open: true }
    const end = (input: SwimInput): void => {
      if (!dial.open || this.#life !== life) return
      dial.open = false
      this.input(input)
    }
    const { id } = action
    this.#simulator.after(action.timeout, () => end({ type: 'dialFailed', id, refused: false, reason: 'timeout' }))
    this.#simulator.connect(this, action, result => {
      if (result === 'refused') end({ type: 'dialFailed', id, refused: true, reason: 'connection refused' })
      else if (result === 'closed') end({ type: 'dialFailed', id, refused: false, reason: 'closed by the peer' })
      else end({ type: 'dialed', id, message: result && readStream(result) })
    })
  }

  #endStream(id: number, octets: Uint8Array | undefined): void {
    this.#streams.get(id)?.(octets)
    this.#streams.delete(id)
  }

  #arm(): void {
    const at = this.#swim?.nextTimeout
    if (at === undefined || (this.#wake !== undefined && this.#wake <= at)) return
    this.#wake = at
    const life = this.#life
    this.#simulator.at(at, () => {
      if (this.#life !== life || this.#wake !== at) return
      this.#wake = undefined
      if (this.#pausedSince !== undefined) return
      // Most timers are cancelled before their time.
      const next = this.#swim?.nextTimeout
      if (next !== undefined && next <= at) this.#wakeUp()
      else this.#arm()
    })
  }

  #wakeUp(): void {
    if (this.#swim) this.#perform(this.#swim.handleTimeout(this.#simulator.now))
  }
}

/** The message on a simulated stream, which has no outer layers. */
export function readStream(octets: Uint8Array): StreamMessage {
  const message = new StreamReader({}).push(octets)
  if (!message) throw new Error('a simulated stream is always complete')
  return message
}
