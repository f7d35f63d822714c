import { encodeVersions, NodeStateCode, type Versions, writePushNodeState, type Writer } from '../wire/index.js'
import { type NodeDescription, sameEndpoint } from './description.js'
import { randomBelow, shuffle } from './random.js'
import type { Suspicion } from './suspicion.js'
import type { Endpoint, Instant, Member, NodeStatus, Random } from './types.js'

const CODE = {
  alive: NodeStateCode.Alive,
  suspect: NodeStateCode.Suspect,
  dead: NodeStateCode.Dead,
  left: NodeStateCode.Left,
}

/** What we found out about a node by ourselves. */
export interface Findings {
  /** Endpoint at which it has answered us over TCP; see {@link Watch}. */
  provenAt: Endpoint | undefined
  /** Times it was tried over TCP since it joined. */
  tcpTries: number
  /** Until when another look at it is not worth while. */
  quietUntil: Instant
  /** When it was last told that it is held for dead. */
  toldAt: Instant
  /** When another node that uses its name was last reported. */
  conflictAt: Instant
  /** How many probes had been answered, by whomever, when a ping to it last could not be sent; see {@link Prober.onUnsent}. */
  unsentAfter: number | undefined
}

/** Everything known about one node. A ring of a thousand in one process has a million of these: keep it small. */
export class NodeRecord {
  readonly name: string
  /** Raised by the node itself whenever it contradicts an accusation. */
  incarnation = 0
  /** When the state became what it is. */
  stateChange: Instant
  suspicion: Suspicion | undefined
  #state: NodeStatus = 'dead'
  #description: NodeDescription
  /** Made when first asked for, which of most nodes of a large ring it never is. */
  #findings: Findings | undefined

  constructor(name: string, description: NodeDescription, now: Instant) {
    this.name = name
    this.#description = description
    this.stateChange = now
  }

  get state(): NodeStatus {
    return this.#state
  }

  /** Whether it counts as a member. */
  get present(): boolean {
    return this.#state === 'alive' || this.#state === 'suspect'
  }

  get findings(): Findings {
    this.#findings ??= {
      provenAt: undefined,
      tcpTries: 0,
      quietUntil: 0,
      toldAt: -Infinity,
      conflictAt: -Infinity,
      unsentAfter: undefined,
    }
    return this.#findings
  }

  /** It joined anew: what was tried on it counts no more. */
  forgetTrials(): void {
    if (!this.#findings) return
    this.#findings.tcpTries = 0
    this.#findings.quietUntil = 0
  }

  /** It was reached. */
  forgetUnsent(): void {
    if (this.#findings) this.#findings.unsentAfter = undefined
  }

  get description(): NodeDescription {
    return this.#description
  }

  set description(value: NodeDescription) {
    const { endpoint } = this.#description
    const stays = value.endpoint === endpoint || !sameEndpoint(value, this.#description)
    this.#description = stays ? value : { ...value, endpoint }
  }

  /** The same object until the node moves. */
  get endpoint(): Endpoint {
    return this.#description.endpoint
  }

  get versions(): Versions {
    return this.#description.versions
  }

  /** Changes the state; the same state again does not move the time of change. */
  become(state: NodeStatus, now: Instant): void {
    if (state === this.#state) return
    this.#state = state
    this.stateChange = now
  }

  cancelSuspicion(): void {
    this.suspicion?.cancel()
    this.suspicion = undefined
  }

  /** Writes its entry of a push/pull. */
  write(w: Writer): void {
    const { address: addr, port, meta, versions } = this.#description
    const { name, incarnation } = this
    const vsn = encodeVersions(versions)
    writePushNodeState(w, { name, addr, port, meta, incarnation, state: CODE[this.#state], vsn })
  }

  /** A snapshot for the outside. */
  member(): Member {
    const { name, incarnation, state } = this
    const { endpoint, meta, versions } = this.#description
    const { address, port } = endpoint
    return { name, address, port, meta: meta && new Uint8Array(meta), state, incarnation, versions }
  }
}

/** The nodes by name, and in the order in which they are probed. */
export class NodeTable {
  readonly #byName = new Map<string, NodeRecord>()
  readonly #order: NodeRecord[] = []
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  /** How many nodes the formulas count with: the dead ones that are not yet forgotten included. */
  get size(): number {
    return this.#order.length
  }

  /** In the order of probing. */
  get order(): readonly NodeRecord[] {
    return this.#order
  }

  /** Whether somebody besides the node of this name is alive or suspected. */
  hasOthers(name: string): boolean {
    return this.#order.some(record => record.present && record.name !== name)
  }

  get(name: string): NodeRecord | undefined {
    return this.#byName.get(name)
  }

  /** The node that listens at an endpoint, if one is known. */
  find({ address, port }: Endpoint): NodeRecord | undefined {
    return this.#order.find(({ endpoint }) => endpoint.port === port && endpoint.address === address)
  }

  /** Adds a node, dead as yet, at a random place of the order. */
  add(name: string, description: NodeDescription, now: Instant): NodeRecord {
    const record = new NodeRecord(name, description, now)
    this.#byName.set(name, record)
    const last = this.#order.push(record) - 1
    const place = randomBelow(this.#random, last + 1)
    this.#order[last] = this.#order[place]!
    this.#order[place] = record
    return record
  }

  /** Writes the entries of a push/pull, one after the other. */
  write(w: Writer): void {
    for (const record of this.#order) record.write(w)
  }

  /** Forgets the nodes that are dead or left since before `before`, and shuffles the rest. */
  reap(before: Instant): void {
    let kept = 0
    for (const record of this.#order) {
      if (!record.present && record.stateChange < before) this.#byName.delete(record.name)
      else this.#order[kept++] = record
    }
    this.#order.length = kept
    shuffle(this.#order, this.#random)
  }
}
