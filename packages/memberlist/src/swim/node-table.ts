import { encodePushNodeState, encodeVersions, NodeStateCode, type Versions } from '../wire/index.js'
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
  incarnation = 0
  /** When the state became what it is. */
  stateChange: Instant
  suspicion: Suspicion | undefined
  #state: NodeStatus = 'dead'
  #description: NodeDescription
  #endpoint: Endpoint
  #entry: { readonly incarnation: number; readonly octets: Uint8Array } | undefined

  constructor(name: string, description: NodeDescription, now: Instant) {
    this.name = name
    this.#description = description
    this.#endpoint = { address: formatAddress(description.address), port: description.port }
    this.stateChange = now
  }

  get state(): NodeStatus {
    return this.#state
  }

  /** Whether it counts as a member. */
  get present(): boolean {
    return this.#state === 'alive' || this.#state === 'suspect'
  }

  get endpoint(): Endpoint {
    return this.#endpoint
  }

  get description(): NodeDescription {
    return this.#description
  }

  set description(value: NodeDescription) {
    const moved = value.port !== this.#description.port || value.address !== this.#description.address
    this.#description = value
    if (moved) this.#endpoint = { address: formatAddress(value.address), port: value.port }
    this.#entry = undefined
  }

  get versions(): Versions {
    return this.#description.versions
  }

  /** Changes the state; the same state again does not move the time of change. */
  become(state: NodeStatus, now: Instant): void {
    if (state === this.#state) return
    this.#state = state
    this.stateChange = now
    this.#entry = undefined
  }

  cancelSuspicion(): void {
    this.suspicion?.cancel()
    this.suspicion = undefined
  }

  /** Its entry of a push/pull, kept until something changes: a large ring sends the same ones over and over. */
  entry(): Uint8Array {
    if (this.#entry?.incarnation !== this.incarnation) {
      const { address: addr, port, meta, versions } = this.#description
      const { name, incarnation } = this
      const octets = encodePushNodeState({
        name,
        addr,
        port,
        meta,
        incarnation,
        state: CODE[this.#state],
        vsn: encodeVersions(versions),
      })
      this.#entry = { incarnation, octets }
    }
    return this.#entry.octets
  }

  /** A snapshot for the outside. */
  member(): Member {
    const { name, incarnation, state } = this
    const { meta, versions } = this.#description
    return { name, ...this.#endpoint, meta, state, incarnation, versions }
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
