import { checkOptions, type Kinds, number, optional } from '@typemetal/options'
import {
  type DialPurpose,
  type Endpoint,
  type Instant,
  type Member,
  type Milliseconds,
  parseAddress,
  type Random,
} from '../swim/index.js'
import type { Alive } from '../wire/index.js'
import { Agenda } from './agenda.js'
import { Network, NETWORK_KINDS, type NetworkOptions } from './network.js'
import { readStream, SimulatedNode, type SimulatedNodeOptions } from './node.js'
import { seededRandom } from './random.js'

/** A simulated ring. */
export interface SimulatorOptions extends NetworkOptions {
  /** The same seed gives the same run. @default 1 */
  readonly seed?: number
}

const KINDS: Kinds<SimulatorOptions> = { ...NETWORK_KINDS, seed: optional(number('a number')) }

/** How a connection ended: the answer, or `undefined` when none was wanted; a reset; or closed without an answer. */
export type ConnectResult = Uint8Array | undefined | 'refused' | 'closed'

/**
 * A ring of any number of nodes in one process and in virtual time: a run of minutes takes seconds, and comes out the
 * same each time. The nodes are the real ones but for sockets and encryption.
 */
export class Simulator {
  /** Chance for everything in the run. */
  readonly random: Random
  readonly network: Network
  readonly nodes: SimulatedNode[] = []
  /** Called when a node sees another join, leave or change. */
  onMember: ((observer: SimulatedNode, event: 'join' | 'leave' | 'update', member: Member) => void) | undefined
  /** Called when a node suspects another, and when a neighbour that it watches misses a ping. */
  onDoubt: ((observer: SimulatedNode, event: 'suspect' | 'silence', member: Member) => void) | undefined
  /** Datagrams sent, lost ones included, and their octets. */
  packets = 0
  octets = 0
  readonly #agenda = new Agenda()
  /** By address and port. */
  readonly #hosts = new Map<string, Map<number, SimulatedNode>>()
  #now: Instant = 0
  #laggard: SimulatedNode | undefined

  /** @throws {TypeError | RangeError} an option that cannot be, or an unknown one; the message begins with its name */
  constructor(options: SimulatorOptions = {}) {
    checkOptions(options, KINDS)
    this.random = seededRandom(options.seed ?? 1)
    this.network = new Network(options, this.random)
  }

  /** Virtual time. */
  get now(): Instant {
    return this.#now
  }

  /** Adds a node and starts it. */
  add(options: SimulatedNodeOptions): SimulatedNode {
    const node = new SimulatedNode(this, options, options.address ?? addressOf(this.nodes.length + 1))
    this.nodes.push(node)
    const { address, port } = node.endpoint
    const host = this.#hosts.get(address) ?? new Map<number, SimulatedNode>()
    this.#hosts.set(address, host.set(port, node))
    node.start()
    return node
  }

  /** Adds `count` nodes named `n000`, `n001`, …, all of which join through the first at once. */
  addRing(count: number, options: Omit<SimulatedNodeOptions, 'name'> = {}): SimulatedNode[] {
    const nodes = namesOf(count).map(name => this.add({ ...options, name }))
    for (const node of nodes.slice(1)) node.join(nodes[0]!)
    return nodes
  }

  /** Adds `count` nodes named as by {@link addRing} that know one another from the start. */
  addSettledRing(count: number, options: Omit<SimulatedNodeOptions, 'name'> = {}): SimulatedNode[] {
    const first = this.nodes.length
    const plan = namesOf(count).map((node, i) => ({ node, address: addressOf(first + i + 1) }))
    const port = options.port ?? 7946
    const vsn = Uint8Array.of(1, 5, options.protocolVersion ?? 2, ...delegateVsn(options))
    const common = { port, vsn, incarnation: 1, meta: options.meta }
    const known: Alive[] = plan.map(({ node, address }) => ({ ...common, node, addr: parseAddress(address) }))
    return plan.map(({ node, address }) => this.add({ ...options, name: node, address, known }))
  }

  /** Runs `action` at a time. */
  at(at: Instant, action: () => void): void {
    this.#agenda.add(at, action)
  }

  /** Runs `action` after a time. */
  after(delay: Milliseconds, action: () => void): void {
    this.#agenda.add(this.#now + delay, action)
  }

  /** Lets time pass. */
  run(duration: Milliseconds): void {
    const end = this.#now + duration
    for (let next = this.#agenda.next; next !== undefined && next <= end; next = this.#agenda.next) this.#step(next)
    this.#now = end
  }

  /** Lets time pass until something is so, looked at every millisecond. @returns how long it took, `undefined` when it did not come about in time */
  runUntil(condition: () => boolean, limit: Milliseconds): Milliseconds | undefined {
    const start = this.#now
    const end = start + limit
    let checked = -1
    for (;;) {
      if (this.#now - checked >= 1) {
        if (condition()) return this.#now - start
        checked = this.#now
      }
      const next = this.#agenda.next
      if (next === undefined || next > end) {
        this.#now = end
        return condition() ? limit : undefined
      }
      this.#step(next)
    }
  }

  /** Whether every running node sees exactly the running nodes. */
  converged(): boolean {
    const running = this.nodes.filter(node => node.running && node.connected)
    const sees = (node: SimulatedNode): boolean =>
      node.swim.memberCount === running.length && running.every(other => isPresent(node, other))
    // A node that lagged behind a moment ago most likely still does: asked first, it makes the question cheap.
    const last = this.#laggard
    if (last?.running && last.connected && !sees(last)) return false
    this.#laggard = running.find(node => !sees(node))
    return this.#laggard === undefined
  }

  /** Sends a datagram. */
  send(from: SimulatedNode, to: Endpoint, octets: Uint8Array): void {
    this.packets++
    this.octets += octets.length
    const target = this.#find(to)
    const delay = this.network.datagram()
    if (!target || delay === undefined || !this.network.connects(from, target)) return
    this.after(delay, () => {
      if (this.network.connects(from, target)) target.input({ type: 'packet', octets, from: from.endpoint })
    })
  }

  /** Opens a stream, hands over a message, brings the answer. Without a call of `onEnd` the stream just hangs. */
  connect(
    from: SimulatedNode,
    { to, octets, purpose }: { readonly to: Endpoint; readonly octets: Uint8Array; readonly purpose: DialPurpose },
    onEnd: (result: ConnectResult) => void,
  ): void {
    const target = this.#find(to)
    if (!target) return
    this.#segment(from, target, 'syn', () => {
      if (!target.running || target.refusing) return this.#segment(target, from, 'syn', () => onEnd('refused'))
      return this.#segment(target, from, 'syn', () => this.#request(from, target, octets, purpose, onEnd))
    })
  }

  #find({ address, port }: Endpoint): SimulatedNode | undefined {
    return this.#hosts.get(address)?.get(port)
  }

  #request(
    from: SimulatedNode,
    to: SimulatedNode,
    octets: Uint8Array,
    purpose: DialPurpose,
    onEnd: (result: ConnectResult) => void,
  ): void {
    if (purpose === 'user') onEnd(undefined)
    this.#segment(from, to, 'data', () => {
      if (!to.running) return this.#segment(to, from, 'data', () => onEnd('closed'))
      to.accept(readStream(octets), from.endpoint, answer =>
        this.#segment(to, from, 'data', () => onEnd(answer ?? 'closed')),
      )
    })
  }

  #segment(from: SimulatedNode, to: SimulatedNode, kind: 'syn' | 'data', arrived: () => void): void {
    const delay = this.network.segment(kind)
    if (delay === undefined || !this.network.connects(from, to)) return
    this.after(delay, () => {
      if (this.network.connects(from, to)) arrived()
    })
  }

  #step(at: Instant): void {
    this.#now = at
    this.#agenda.take()()
  }
}

/** The i-th address of 10.0.0.0/8. */
const addressOf = (i: number): string => `10.${i >> 16}.${(i >> 8) & 0xff}.${i & 0xff}`

/** Names whose order is the order of the nodes. */
function namesOf(count: number): string[] {
  const width = Math.max(3, String(count - 1).length)
  return Array.from({ length: count }, (_, i) => `n${String(i).padStart(width, '0')}`)
}

function delegateVsn({ delegateVersions }: Pick<SimulatedNodeOptions, 'delegateVersions'>): readonly number[] {
  return delegateVersions ? [delegateVersions.min, delegateVersions.max, delegateVersions.current] : [0, 0, 0]
}

function isPresent(observer: SimulatedNode, node: SimulatedNode): boolean {
  const state = observer.stateOf(node.name)
  return state === 'alive' || state === 'suspect'
}
