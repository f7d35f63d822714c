import { encodePushNodeState, encodeVersions, NodeStateCode, sameOctets, type Versions } from '../wire/index.js'
import { formatAddress } from './address.js'
import { randomBelow, shuffle } from './random.js'
import type { Suspicion } from './suspicion.js'
import type { Endpoint, Instant, Member, NodeStatus, Random } from './types.js'

/** What a node tells about itself. */
export interface NodeDescription {
  readonly address: Uint8Array
  readonly port: number
  readonly meta: Uint8Array | undefined
  readonly versions: Versions
}

const CODE = {
  alive: NodeStateCode.Alive,
  suspect: NodeStateCode.Suspect,
  dead: NodeStateCode.Dead,
  left: NodeStateCode.Left,
}

/** Everything known about one node. */
export class NodeRecord {
  readonly name: string
  /** When the state became what it is. */
  stateChange: Instant
  suspicion: Suspicion | undefined
  /** Endpoint at which it has answered us over TCP; see {@link Watch}. */
  provenAt: Endpoint | undefined
  /** Times it was tried over TCP since it joined. */
  tcpTries = 0
  /** Until when another look at it is not worth while. */
  quietUntil: Instant = 0
  /** When it was last told that it is held for dead. */
  toldAt: Instant = -Infinity
  #incarnation = 0
  #state: NodeStatus = 'dead'
  #description: NodeDescription
  #endpoint: Endpoint | undefined
  readonly #onChange: () => void

  /** @param onChange called whenever its entry of a push/pull changes */
  constructor(name: string, description: NodeDescription, now: Instant, onChange: () => void = () => {}) {
    this.name = name
    this.#description = description
    this.stateChange = now
    this.#onChange = onChange
  }

  get state(): NodeStatus {
    return this.#state
  }

  /** Whether it counts as a member. */
  get present(): boolean {
    return this.#state === 'alive' || this.#state === 'suspect'
  }

  get incarnation(): number {
    return this.#incarnation
  }

  set incarnation(value: number) {
    this.#incarnation = value
    this.#onChange()
  }

  /** The same object until the node moves. */
  get endpoint(): Endpoint {
    this.#endpoint ??= { address: formatAddress(this.#description.address), port: this.#description.port }
    return this.#endpoint
  }

  get description(): NodeDescription {
    return this.#description
  }

  set description(value: NodeDescription) {
    const { address, port } = this.#description
    if (value.port !== port || !sameOctets(value.address, address)) this.#endpoint = undefined
    this.#description = value
    this.#onChange()
  }

  get versions(): Versions {
    return this.#description.versions
  }

  /** Changes the state; the same state again does not move the time of change. */
  become(state: NodeStatus, now: Instant): void {
    if (state === this.#state) return
    this.#state = state
    this.stateChange = now
    this.#onChange()
  }

  cancelSuspicion(): void {
    this.suspicion?.cancel()
    this.suspicion = undefined
  }

  /** Its entry of a push/pull. */
  entry(): Uint8Array {
    const { address: addr, port, meta, versions } = this.#description
    const { name, incarnation } = this
    const vsn = encodeVersions(versions)
    return encodePushNodeState({ name, addr, port, meta, incarnation, state: CODE[this.#state], vsn })
  }

  /** A snapshot for the outside. */
  member(): Member {
    const { name, incarnation, state } = this
    const { meta, versions } = this.#description
    return { name, ...this.endpoint, meta, state, incarnation, versions }
  }
}

/** The nodes by name, and in the order in which they are probed. */
export class NodeTable {
  readonly #byName = new Map<string, NodeRecord>()
  readonly #order: NodeRecord[] = []
  readonly #random: Random
  /** All entries of a push/pull, until one changes: a large ring sends the same ones over and over. */
  #entries: Uint8Array | undefined
  readonly #forgetEntries = (): void => void (this.#entries = undefined)

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

  get(name: string): NodeRecord | undefined {
    return this.#byName.get(name)
  }

  /** The node that listens at an endpoint, if one is known. */
  find({ address, port }: Endpoint): NodeRecord | undefined {
    return this.#order.find(({ endpoint }) => endpoint.port === port && endpoint.address === address)
  }

  /** Adds a node, dead as yet, at a random place of the order. */
  add(name: string, description: NodeDescription, now: Instant): NodeRecord {
    const record = new NodeRecord(name, description, now, this.#forgetEntries)
    this.#forgetEntries()
    this.#byName.set(name, record)
    const last = this.#order.push(record) - 1
    const place = randomBelow(this.#random, last + 1)
    this.#order[last] = this.#order[place]!
    this.#order[place] = record
    return record
  }

  /** The nodes of a push/pull, one entry after the other. */
  entries(): Uint8Array {
    this.#entries ??= concat(this.#order.map(record => record.entry()))
    return this.#entries
  }

  /** Forgets the nodes that are dead or left since before `before`, and shuffles the rest. */
  reap(before: Instant): void {
    let kept = 0
    for (const record of this.#order) {
      if (!record.present && record.stateChange < before) this.#byName.delete(record.name)
      else this.#order[kept++] = record
    }
    this.#order.length = kept
    this.#forgetEntries()
    shuffle(this.#order, this.#random)
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}
