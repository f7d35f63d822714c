import {
  type Alive,
  decodePacket,
  encodeAck,
  encodePing,
  encodeSuspect,
  encodeUserMessage,
  encodeUserStream,
  type Message,
  type StreamMessage,
} from '../wire/index.js'
import { Acks } from './acks.js'
import { normalizeAddress } from './address.js'
import { Answerer } from './answer.js'
import { checkMeta, checkSwimOptions, type SwimOptions, type Tuning } from './config.js'
import { describe, type NodeDescription } from './description.js'
import { Dials } from './dials.js'
import { Gossip } from './gossip.js'
import { Membership } from './membership.js'
import type { NodeRecord } from './node-table.js'
import { Packets } from './packets.js'
import { Prober } from './probe.js'
import { PushPuller } from './push-pull.js'
import { Ring } from './ring.js'
import type { Endpoint, Instant, Member, NodeStatus, SwimAction, SwimInput } from './types.js'
import { Watch } from './watch.js'

/** Pings and indirect pings answered of one datagram, in which a peer asks one thing: nobody makes us send many. */
const MAX_PINGS = 8
/** User messages that wait to be gossiped; of more, those told most go. */
const MAX_USER_BROADCASTS = 1024

/**
 * One node of a ring, without sockets, clock and chance of its own: what happens goes into {@link handle} and
 * {@link handleTimeout} together with the time, and what to do comes out. Same inputs, same actions.
 *
 * @example
 * ```ts
 * import { LAN, Swim } from '@typemetal/memberlist/swim'
 *
 * const swim = new Swim({ ...LAN, name: 'a', address: Uint8Array.of(10, 0, 0, 1), port: 7946, random: () => 0.5 })
 * const now = 0 // milliseconds on a clock of your own
 * console.log(swim.handle({ type: 'start' }, now).map(action => action.type)) // [ 'member' ]
 * console.log(swim.members().map(({ name, state }) => `${name} is ${state}`)) // [ 'a is alive' ]
 * ```
 */
export class Swim {
  readonly #ring: Ring
  readonly #description: NodeDescription
  readonly #known: readonly Alive[]
  readonly #packets: Packets
  readonly #acks: Acks
  readonly #dials: Dials
  readonly #membership: Membership
  readonly #gossip: Gossip
  readonly #prober: Prober
  readonly #pushPuller: PushPuller
  readonly #answerer: Answerer
  readonly #watch: Watch
  readonly #messages = { alive: 0, suspect: 0, dead: 0 }

  /** @throws {TypeError | RangeError} on options that make no sense, or that there are none of; the message begins with the name */
  constructor(options: SwimOptions) {
    checkSwimOptions(options)
    const ring = new Ring(options)
    this.#ring = ring
    const { address, port, meta, known = [] } = options
    this.#known = known
    this.#description = describe({ address: normalizeAddress(address), port, meta, versions: ring.versions })
    this.#packets = new Packets(ring)
    this.#acks = new Acks(ring.timers)
    this.#dials = new Dials(ring)
    this.#membership = new Membership(ring, {
      onNews: now => this.#gossip.soon(now),
      onSuspect: (record, now) => {
        this.#prober.onSuspect(record)
        this.#watch.onSuspect(record, now)
      },
      onAlive: record => this.#watch.onAlive(record),
      onJoin: (record, now) => {
        this.#watch.onJoin(record, now)
        this.#pushPuller.onJoin(record, now)
      },
      onOutdated: (accuser, contradiction) => this.#packets.group(accuser, [contradiction]),
      onLastCall: record => this.#watch.call(record),
      onStale: (record, now) => this.#tell(record, now),
    })
    this.#gossip = new Gossip(ring, this.#packets)
    const onSilence = (record: NodeRecord): void => {
      this.#prober.prefer(record)
      ring.emit({ type: 'silence', member: record.member() })
    }
    this.#watch = new Watch(ring, this.#packets, this.#acks, this.#dials, this.#membership, onSilence)
    this.#prober = new Prober(ring, this.#packets, this.#acks, this.#dials, this.#membership, this.#watch)
    this.#pushPuller = new PushPuller(ring, this.#dials, this.#membership, record => this.#watch.onTcpAck(record))
    this.#answerer = new Answerer(ring, this.#packets, this.#acks)
  }

  /** When {@link handleTimeout} is next due; `undefined` before the start. */
  get nextTimeout(): Instant | undefined {
    return this.#ring.timers.next
  }

  /** How the ring behaves. */
  get tuning(): Tuning {
    return this.#ring.tuning
  }

  /** How much this node doubts its own health: 0 is not at all. */
  get healthScore(): number {
    return this.#ring.awareness.score
  }

  /** Messages about nodes that are still to be gossiped. */
  get queuedBroadcasts(): number {
    return this.#ring.broadcasts.length
  }

  /** User messages that are still to be gossiped, at most 1024. */
  get queuedUserBroadcasts(): number {
    return this.#ring.userBroadcasts.length
  }

  /** How many messages about nodes came in datagrams, whatever was made of them; section 20. */
  get messages(): Readonly<Record<'alive' | 'suspect' | 'dead', number>> {
    return this.#messages
  }

  /** How many nodes are held for what; see {@link size}. */
  states(): Record<NodeStatus, number> {
    const states = { alive: 0, suspect: 0, dead: 0, left: 0 }
    for (const { state } of this.#ring.table.order) states[state]++
    return states
  }

  /** How many nodes are known, the dead that are not yet forgotten included. */
  get size(): number {
    return this.#ring.table.size
  }

  /** The living and the suspected, ourselves included; snapshots. */
  members(): Member[] {
    return this.#ring.table.order.filter(record => record.present).map(record => record.member())
  }

  /** How many {@link members} there are. */
  get memberCount(): number {
    let count = 0
    for (const record of this.#ring.table.order) if (record.present) count++
    return count
  }

  /** What a node is held for; `undefined` when it is not known. */
  stateOf(name: string): NodeStatus | undefined {
    return this.#ring.table.get(name)?.state
  }

  /** What is known about a node, dead or not. */
  member(name: string): Member | undefined {
    return this.#ring.table.get(name)?.member()
  }

  /**
   * @returns what the caller must now do, in this order
   * @throws {RangeError} on a `broadcast` that fits no datagram, an `update` or a `send` that is too long for a peer
   */
  handle(input: SwimInput, now: Instant): readonly SwimAction[] {
    this.#handle(input, now)
    this.#gossip.wake(now)
    return this.#ring.drain()
  }

  /** Runs every timer due at `now`. Hand over all datagrams that have come in first. */
  handleTimeout(now: Instant): readonly SwimAction[] {
    this.#ring.timers.runDue(now)
    this.#gossip.wake(now)
    return this.#ring.drain()
  }

  #handle(input: SwimInput, now: Instant): void {
    switch (input.type) {
      case 'start':
        return this.#start(now)
      case 'packet':
        return this.#packet(input.octets, input.from, now)
      case 'unsent':
        return this.#prober.onUnsent(input.to, now)
      case 'stream':
        return this.#stream(input.id, input.message, now)
      case 'dialed':
        return this.#dials.answered(input.id, input.message, now)
      case 'dialFailed':
        return this.#dials.failed(input.id, input, now)
      case 'join':
        return this.#pushPuller.exchange(input.to, true, error =>
          this.#ring.emit({ type: 'joined', request: input.request, error }),
        )
      case 'leave':
        return this.#leave(now)
      case 'rejoin':
        if (this.#ring.leaving) this.#membership.rejoin(now)
        return
      case 'accuse':
        return this.#accuse(input.node, now)
      case 'update':
        return this.#update(input.request, input.meta, now)
      case 'ping':
        return this.#ping(input, now)
      case 'broadcast':
        return this.#broadcast(input.payload, input.name)
      case 'send':
        return this.#send(input)
    }
  }

  #start(now: Instant): void {
    this.#membership.bootstrap(this.#description, now)
    for (const message of this.#known) this.#membership.know(message, now)
    this.#prober.start(now)
    this.#gossip.start(now)
    this.#pushPuller.start(now)
    this.#watch.start(now)
  }

  #packet(octets: Uint8Array, from: Endpoint, now: Instant): void {
    const { messages, faults } = decodePacket(octets)
    let pings = 0
    for (const message of messages) {
      const asks = message.type === 'ping' || message.type === 'indirectPing'
      if (!asks || ++pings <= MAX_PINGS) this.#message(message, from, now)
    }
    if (pings > MAX_PINGS)
      this.#ring.note('packetFault', { fault: 'limit', reason: `${pings} pings`, from: from.address })
    for (const { fault, message } of faults)
      this.#ring.note('packetFault', { fault, reason: message, from: from.address })
  }

  #message(message: Message, from: Endpoint, now: Instant): void {
    switch (message.type) {
      case 'ping':
        this.#watch.onPing(message.body)
        return this.#answerer.ping(message.body, from)
      case 'indirectPing':
        return this.#answerer.indirectPing(message.body, from, now)
      case 'ack':
        return this.#acks.ack(message.body, now)
      case 'nack':
        return this.#acks.nack(message.body.seqNo)
      case 'suspect':
        this.#messages.suspect++
        return this.#membership.suspect(message.body, now)
      case 'dead':
        this.#messages.dead++
        return this.#membership.dead(message.body, now)
      case 'alive':
        this.#messages.alive++
        return this.#membership.alive(message.body, now, message.octets)
      case 'user':
        return this.#ring.emit({ type: 'userMessage', payload: message.body })
    }
  }

  #stream(id: number, message: StreamMessage, now: Instant): void {
    const { name } = this.#ring
    if (message.type === 'pushPull') return this.#pushPuller.answer(id, message.body, now)
    if (message.type === 'ping' && (message.body.node === '' || message.body.node === name)) {
      return this.#ring.emit({
        type: 'reply',
        id,
        octets: encodeAck({ seqNo: message.body.seqNo, payload: undefined }),
      })
    }
    if (message.type === 'ping') this.#ring.note('misdirectedPing', { node: message.body.node })
    if (message.type === 'user' && message.body.length > 0)
      this.#ring.emit({ type: 'userMessage', payload: message.body })
    this.#ring.emit({ type: 'close', id })
  }

  #leave(now: Instant): void {
    const { self, name, table } = this.#ring
    const left = (): void => this.#ring.emit({ type: 'left' })
    if (!self?.present) return left()
    this.#ring.leaving = true
    const alone = !table.hasOthers(name)
    this.#membership.dead({ node: name, incarnation: self.incarnation, from: name }, now, alone ? undefined : left)
    if (alone) left()
  }

  #accuse(node: string, now: Instant): void {
    const { table, name, leaving } = this.#ring
    const record = table.get(node)
    if (node === name || leaving || record?.state !== 'alive') return
    this.#membership.suspect({ node, incarnation: record.incarnation, from: name }, now)
  }

  #update(request: number, meta: Uint8Array | undefined, now: Instant): void {
    const updated = (): void => this.#ring.emit({ type: 'updated', request })
    checkMeta(meta)
    const { self, leaving, table, name } = this.#ring
    if (!self || leaving) return updated()
    const alone = !table.hasOthers(name)
    this.#membership.update(meta, alone ? undefined : updated)
    if (alone) updated()
    this.#gossip.soon(now)
  }

  #broadcast(payload: Uint8Array, name: string | undefined): void {
    const { userBroadcasts } = this.#ring
    const message = encodeUserMessage(payload)
    const { maxBroadcast } = this.#packets
    if (message.length > maxBroadcast)
      throw new RangeError(
        `user message of ${payload.length} octets exceeds the ${maxBroadcast - 1} that fit a datagram`,
      )
    userBroadcasts.add(name, message)
    userBroadcasts.prune(MAX_USER_BROADCASTS)
  }

  #ping(input: { readonly request: number; readonly node: string; readonly to: Endpoint }, now: Instant): void {
    const { request, node, to } = input
    const { self, name, tuning } = this.#ring
    const pong = (rtt: number | undefined): void => this.#ring.emit({ type: 'pong', request, rtt })
    if (!self) return pong(undefined)
    const seqNo = this.#ring.nextSeqNo()
    const { address: sourceAddr, port: sourcePort } = self.description
    this.#acks.wait(seqNo, now + tuning.probeTimeout, {
      onAck: (_, at) => pong(at - now),
      onTimeout: () => pong(undefined),
    })
    this.#packets.single(to, encodePing({ seqNo, node, sourceAddr, sourcePort, sourceNode: name }))
  }

  #send(input: SwimInput & { type: 'send' }): void {
    const { request, to, payload, reliable } = input
    const sent = (error: string | undefined): void => this.#ring.emit({ type: 'sent', request, error })
    if (reliable) {
      this.#dials.dial('user', to, encodeUserStream(payload), this.#ring.tuning.tcpTimeout, {
        onAnswer: () => sent(undefined),
        onFailure: ({ reason }) => sent(reason),
      })
      return
    }
    const message = encodeUserMessage(payload)
    const record = this.#ring.table.order.find(
      ({ endpoint }) => endpoint.address === to.address && endpoint.port === to.port,
    )
    if (record) this.#packets.group(record, [message])
    else this.#packets.single(to, message)
    sent(undefined)
  }

  /** Tells a node that it is held for dead, so that it contradicts; not more often than it would be probed. */
  #tell(record: NodeRecord, now: Instant): void {
    if (now - record.findings.toldAt < this.#ring.tuning.probeInterval) return
    record.findings.toldAt = now
    const { name: node, incarnation } = record
    this.#packets.group(record, [encodeSuspect({ node, incarnation, from: this.#ring.name })])
  }
}
