/** A node's core on its own, for tests: messages in, actions out, and time as the test wants it. */
import { seededRandom } from '@typemetal/memberlist/simulator'
import { Swim, type SwimAction, type SwimInput, type SwimOptions } from '@typemetal/memberlist/swim'
import * as wire from '@typemetal/memberlist/wire'

export const vsn = Uint8Array.of(1, 5, 2, 0, 0, 0)
export const SEED = { address: '127.0.1.1', port: 7946 }
export const STRANGER = { address: '203.0.113.9', port: 40_000 }
export const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255] as const
export type ActionOf<T extends SwimAction['type']> = SwimAction & { type: T }
/** Nothing but what the test itself brings about. */
export const QUIET: Partial<SwimOptions> = {
  probeInterval: 0,
  watchInterval: 0,
  pushPullInterval: 0,
  gossipInterval: 0,
}

/** A node named n001 at 127.0.1.2, and the actions it has asked for. */
export class Bench {
  readonly swim: Swim
  readonly actions: SwimAction[] = []
  now = 0

  constructor(options: Partial<SwimOptions> = {}) {
    this.swim = new Swim({
      name: 'n001',
      address: Uint8Array.of(127, 0, 1, 2),
      port: 7946,
      enableCompression: false,
      random: seededRandom(1),
      ...options,
    })
    this.input({ type: 'start' })
    this.take()
  }

  input(input: SwimInput): this {
    this.actions.push(...this.swim.handle(input, this.now))
    return this
  }

  /** Hands in messages as one datagram. */
  packet(...messages: Uint8Array[]): this {
    const octets = messages.length === 1 ? messages[0]! : wire.encodeCompound(messages)
    return this.input({ type: 'packet', octets, from: SEED })
  }

  alive(node: string, last: number, incarnation = 1, more: Partial<wire.Alive> = {}): this {
    const addr = Uint8Array.of(127, 0, 1, last)
    return this.packet(wire.encodeAlive({ node, incarnation, addr, port: 7946, meta: undefined, vsn, ...more }))
  }

  suspect(node: string, from: string, incarnation = 1): this {
    return this.packet(wire.encodeSuspect({ node, incarnation, from }))
  }

  dead(node: string, from: string, incarnation = 1): this {
    return this.packet(wire.encodeDead({ node, incarnation, from }))
  }

  /** A peer sends its state. */
  pushPull(...nodes: wire.PushNodeState[]): this {
    const body = { join: false, nodes, userState: new Uint8Array() }
    return this.input({ type: 'stream', id: 1, message: { type: 'pushPull', body }, from: SEED })
  }

  /** Lets time pass, timer by timer. */
  run(duration: number): this {
    const end = this.now + duration
    for (let next = this.swim.nextTimeout; next !== undefined && next <= end; next = this.swim.nextTimeout) {
      this.now = next
      this.actions.push(...this.swim.handleTimeout(next))
    }
    this.now = end
    return this
  }

  /** Lets time pass while everybody who is pinged answers, except some. */
  runAnswered(duration: number, silent: (to: string) => boolean = () => false): this {
    for (const end = this.now + duration; this.now < end;) {
      const before = this.actions.length
      this.run(Math.min(10, end - this.now))
      for (const action of this.actions.slice(before)) {
        if (action.type !== 'packet' || silent(action.to.address)) continue
        for (const { type, body } of wire.decodePacket(action.octets).messages)
          if (type === 'ping') this.packet(wire.encodeAck({ seqNo: body.seqNo, payload: undefined }))
      }
    }
    return this
  }

  /** Takes what has been asked for since the last call. */
  take(): SwimAction[] {
    return this.actions.splice(0)
  }

  taken<T extends SwimAction['type']>(type: T): ActionOf<T>[] {
    return this.take().filter((action): action is ActionOf<T> => action.type === type)
  }

  /** Names of the notes since the last call. */
  notes(): string[] {
    return this.taken('note').map(({ note }) => note)
  }

  /** Messages sent since the last call, and where to. */
  sent(): (wire.Message & { readonly to: string })[] {
    return this.taken('packet').flatMap(({ to, octets }) =>
      wire.decodePacket(octets).messages.map(message => ({ ...message, to: to.address })),
    )
  }

  /** The entries that it tells in a push/pull. */
  entries(): ReadonlyMap<string, wire.PushNodeState> {
    this.take()
    const [dial] = this.input({ type: 'join', request: 1, to: SEED }).taken('dial')
    const message = new wire.StreamReader({}).push(dial!.octets)
    if (message?.type !== 'pushPull') throw new Error('no push/pull')
    return new Map(message.body.nodes.map(node => [node.name, node]))
  }
}

export const ping = (more: Partial<wire.Ping> = {}): Uint8Array =>
  wire.encodePing({ seqNo: 5, node: 'n001', sourceAddr: undefined, sourcePort: 0, sourceNode: '', ...more })

export const entry = (name: string, last: number, more: Partial<wire.PushNodeState> = {}): wire.PushNodeState => {
  const addr = Uint8Array.of(127, 0, 1, last)
  return { name, addr, port: 7946, meta: undefined, incarnation: 1, state: wire.NodeStateCode.Alive, vsn, ...more }
}

export const kinds = (messages: readonly wire.Message[]): string[] => messages.map(({ type }) => type)
