/** Two peerings on a simulated network in virtual time. */
import {
  messageEvent,
  Peering,
  type BfdEvent,
  type ConnectionId,
  type PeeringAction,
  type SessionEvent,
  type SessionOptions,
} from '@typemetal/bgp/fsm'

/** One TCP connection between the two, as one side sees it. */
interface End {
  readonly side: Side
  connection: ConnectionId | undefined
  readonly pipe: Pipe
  open: boolean
}

/** A TCP connection: octets keep their order, each takes the pipe's latency. */
export interface Pipe {
  readonly latency: number
  readonly ends: readonly [End, End]
}

/** One speaker. */
export interface Side {
  readonly name: string
  peering: Peering
  readonly options: SessionOptions
  readonly ends: Map<ConnectionId, End>
  /** Refuses all connections while set: the machine is there, the daemon is not. */
  down: boolean
  other: Side
}

interface Planned {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/** The network, and the clock of all that is in it. */
export class Pair {
  now = 0
  readonly a: Side
  readonly b: Side
  readonly pipes: Pipe[] = []
  /** Every transition of both sides, as text. */
  readonly log: string[] = []
  readonly #random: () => number
  readonly #plan: Planned[] = []
  #order = 0

  /** @param random 0 up to 1; decides the latencies */
  constructor(a: SessionOptions, b: SessionOptions, random: () => number) {
    this.#random = random
    const side = (name: string, options: SessionOptions): Side => {
      const mine = { ...options, random }
      const made = { name, peering: new Peering(mine), options: mine, ends: new Map(), down: false }
      return Object.assign(made, { other: made as unknown as Side })
    }
    this.a = side('a', a)
    this.b = side('b', b)
    this.a.other = this.b
    this.b.other = this.a
  }

  after(ms: number, run: () => void): void {
    this.#plan.push({ at: this.now + ms, order: this.#order++, run })
  }

  start(side: Side): void {
    this.#perform(side, side.peering.start(this.now))
  }

  stop(side: Side): void {
    this.#perform(side, side.peering.stop(this.now))
  }

  /** BFD of a side says something. */
  bfd(side: Side, event: BfdEvent): void {
    this.#perform(side, side.peering.bfdChanged(event, this.now))
  }

  /** Cuts every connection of a side without a word. */
  reset(side: Side): void {
    for (const end of Array.from(side.ends.values())) this.#fail(end)
  }

  /** The machine of a side loses its memory, and the other side hears nothing of it. */
  restart(side: Side): void {
    for (const end of side.ends.values()) end.open = false
    side.ends.clear()
    side.peering = new Peering(side.options)
  }

  /** Runs what is planned and the timers of both sides up to an instant. */
  runUntil(instant: number): void {
    for (;;) {
      const planned = this.#plan.toSorted((x, y) => x.at - y.at || x.order - y.order)[0]
      const timers = [this.a, this.b].map(side => ({ side, at: side.peering.nextTimeout ?? Infinity }))
      const timer = timers.toSorted((x, y) => x.at - y.at)[0]!
      const next = Math.min(planned?.at ?? Infinity, timer.at)
      if (next > instant) break
      this.now = Math.max(this.now, next)
      if (planned && planned.at <= timer.at) {
        this.#plan.splice(this.#plan.indexOf(planned), 1)
        planned.run()
      } else {
        this.#perform(timer.side, timer.side.peering.handleTimeout(this.now))
      }
    }
    this.now = instant
  }

  /** Connections that both sides hold open. */
  get openPipes(): readonly Pipe[] {
    return this.pipes.filter(({ ends }) => ends.every(end => end.open))
  }

  get isEstablished(): boolean {
    return this.a.peering.state === 'Established' && this.b.peering.state === 'Established'
  }

  #perform(side: Side, actions: readonly PeeringAction[]): void {
    for (const action of actions) {
      const end = side.ends.get(action.connection)
      if (action.type === 'connect') this.#dial(side, action.connection)
      else if (action.type === 'close' && end) this.#close(end)
      else if (action.type === 'send' && end) this.#send(end, messageEvent(action.message))
      else if (action.type === 'transition') this.log.push(`${side.name} ${action.from} ${action.to} ${action.cause}`)
    }
  }

  #handle(end: End, event: SessionEvent): void {
    if (!end.open || end.connection === undefined) return
    this.#perform(end.side, end.side.peering.handle(end.connection, event, this.now))
  }

  #send(end: End, event: SessionEvent): void {
    const [x, y] = end.pipe.ends
    const other = end === x ? y : x
    this.after(end.pipe.latency, () => this.#handle(other, event))
    this.#handle(end, { type: 'TcpSendProgress', pending: false })
  }

  /** The other side learns of it behind what was sent before. */
  #close(end: End): void {
    end.open = false
    if (end.connection !== undefined) end.side.ends.delete(end.connection)
    const [x, y] = end.pipe.ends
    const other = end === x ? y : x
    this.after(end.pipe.latency, () => this.#fail(other))
  }

  #fail(end: End): void {
    if (!end.open) return
    const { connection, side } = end
    this.#close(end)
    if (connection === undefined) return
    this.#perform(side, side.peering.handle(connection, { type: 'TcpConnectionFails', reason: 'closed' }, this.now))
  }

  /** The SYN arrives after one latency, the dialler knows after two. */
  #dial(side: Side, connection: ConnectionId): void {
    const latency = 1 + Math.floor(this.#random() * 50)
    const pipe: Pipe = {
      latency,
      ends: [
        { side, connection, open: true } as unknown as End,
        { side: side.other, connection: undefined, open: true } as unknown as End,
      ],
    }
    for (const end of pipe.ends) Object.assign(end, { pipe })
    const [near, far] = pipe.ends
    side.ends.set(connection, near)
    this.pipes.push(pipe)
    this.after(latency, () => this.#arrive(far))
    this.after(2 * latency, () => {
      if (side.ends.get(connection) !== near) return
      if (far.side.down) this.#fail(near)
      else this.#handle(near, { type: 'Tcp_CR_Acked' })
    })
  }

  #arrive(far: End): void {
    const { side } = far
    const { connection, actions } = side.down ? { connection: undefined, actions: [] } : side.peering.accept(this.now)
    far.connection = connection
    if (connection === undefined) this.#close(far)
    else side.ends.set(connection, far)
    this.#perform(side, actions)
  }
}

/** Numbers from 0 up to 1 that depend on nothing but the seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let z = Math.imul(state ^ (state >>> 15), 1 | state)
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z
    return ((z ^ (z >>> 14)) >>> 0) / 4_294_967_296
  }
}
