import { type Kind, type Kinds, listOf, number, optional, wrongValue } from '@typemetal/options'
import type { Milliseconds, Random } from '../swim/index.js'
import type { SimulatedNode } from './node.js'

/** How the simulated network treats what is sent. */
export interface NetworkOptions {
  /** One way, from and to; each datagram gets its own. @default [0.1, 0.5] */
  readonly latency?: readonly [min: Milliseconds, max: Milliseconds]
  /** Part of all packets, TCP segments included, that is lost. @default 0 */
  readonly loss?: number
}

const milliseconds = listOf(number('a number of milliseconds from 0 on', value => value >= 0 && value < Infinity))
const fromTo: Kind<readonly [Milliseconds, Milliseconds]> = (name, value) => {
  const [min, max, ...rest] = milliseconds(name, value)
  if (min === undefined || max === undefined || rest.length > 0) throw wrongValue(name, 'two numbers', value)
  return [min, max]
}

/** What each of {@link NetworkOptions} has to be. */
export const NETWORK_KINDS: Kinds<NetworkOptions> = {
  latency: optional(fromTo),
  loss: optional(number('a number from 0 to 1', value => value >= 0 && value <= 1)),
}

/** Linux: a lost SYN is sent again after a second, a lost segment after 200 ms, each time doubling. */
const SYN_TIMEOUT = 1000
const SEGMENT_TIMEOUT = 200
/** Tries of one segment before we call it lost for good. */
const MAX_TRIES = 7

/** Latency, loss and partitions. */
export class Network {
  #latency: readonly [number, number]
  #loss: number
  readonly #random: Random
  /** Group of each node while the network is partitioned; nodes of no group reach all. */
  readonly #groups = new Map<SimulatedNode, number>()
  readonly #blocked = new Set<string>()
  /** Datagrams that the network lost. */
  lost = 0

  constructor(options: NetworkOptions, random: Random) {
    this.#latency = options.latency ?? [0.1, 0.5]
    this.#loss = options.loss ?? 0
    this.#random = random
  }

  /** Changes latency or loss from now on. */
  set(options: NetworkOptions): void {
    this.#latency = options.latency ?? this.#latency
    this.#loss = options.loss ?? this.#loss
  }

  /** Lets nodes reach only those of their own group. */
  partition(groups: readonly (readonly SimulatedNode[])[]): void {
    this.#groups.clear()
    groups.forEach((group, i) => group.forEach(node => this.#groups.set(node, i)))
  }

  /** Cuts what goes from one node to another, in that direction. */
  block(from: SimulatedNode, to: SimulatedNode): void {
    this.#blocked.add(`${from.endpoint.address} ${to.endpoint.address}`)
  }

  /** Ends all partitions and cuts. */
  heal(): void {
    this.#groups.clear()
    this.#blocked.clear()
  }

  /** Whether anything can get from one node to another. */
  connects(from: SimulatedNode, to: SimulatedNode): boolean {
    if (!from.connected || !to.connected) return false
    if (this.#blocked.size > 0 && this.#blocked.has(`${from.endpoint.address} ${to.endpoint.address}`)) return false
    if (this.#groups.size === 0) return true
    const [a, b] = [this.#groups.get(from), this.#groups.get(to)]
    return a === undefined || b === undefined || a === b
  }

  /** How long a datagram takes; `undefined` when it is lost. */
  datagram(): Milliseconds | undefined {
    if (this.#loss > 0 && this.#random() < this.#loss) {
      this.lost++
      return undefined
    }
    return this.#delay()
  }

  /** How long a TCP segment takes, its repetitions included; `undefined` when TCP gives up. */
  segment(kind: 'syn' | 'data'): Milliseconds | undefined {
    let waited = 0
    let timeout = kind === 'syn' ? SYN_TIMEOUT : SEGMENT_TIMEOUT
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      if (this.#random() >= this.#loss) return waited + this.#delay()
      waited += timeout
      timeout *= 2
    }
    return undefined
  }

  #delay(): Milliseconds {
    const [min, max] = this.#latency
    return min + this.#random() * (max - min)
  }
}
