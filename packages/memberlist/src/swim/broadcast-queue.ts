/** A message on its way to the whole ring. */
interface Broadcast {
  readonly name: string | undefined
  readonly message: Uint8Array
  readonly id: number
  readonly onFinished: (() => void) | undefined
  transmits: number
}

/** What {@link BroadcastQueue.take} may give. */
export interface TakeOptions {
  /** Octets that each message costs besides its own. */
  readonly overhead: number
  /** Octets there is room for. */
  readonly limit: number
  /** Messages there is room for. */
  readonly count: number
  /** Transmissions after which a message has been told enough. */
  readonly transmitLimit: number
  /** Only messages never sent, and without counting it: see {@link Gossip.soon}. */
  readonly fresh?: boolean
}

/**
 * Messages to gossip: the least told first, among those the longest, among those the newest. A message about a name
 * takes the place of an older one about it.
 */
export class BroadcastQueue {
  /** Sorted by {@link compare}. */
  #queue: Broadcast[] = []
  readonly #named = new Map<string, Broadcast>()
  #id = 0
  /** No message in the queue is shorter. */
  #shortest = Infinity

  get length(): number {
    return this.#queue.length
  }

  /** @param onFinished runs when the message has been told often enough or was replaced */
  add(name: string | undefined, message: Uint8Array, onFinished?: () => void): void {
    const older = name === undefined ? undefined : this.#named.get(name)
    if (older) this.#finish(older, this.#indexOf(older))
    const broadcast = { name, message, id: this.#id++, onFinished, transmits: 0 }
    if (name !== undefined) this.#named.set(name, broadcast)
    this.#shortest = this.#queue.length === 0 ? message.length : Math.min(this.#shortest, message.length)
    this.#insert(broadcast)
  }

  /** The messages for the next packet, each counted as told once more. */
  take({ overhead, limit, count, transmitLimit, fresh = false }: TakeOptions): Uint8Array[] {
    const taken: Broadcast[] = []
    let room = limit
    // Within a tier the longest come first, so the first that fits is the largest that fits.
    for (let i = 0; i < this.#queue.length && taken.length < count && room >= overhead + this.#shortest; i++) {
      const broadcast = this.#queue[i]!
      if (fresh && broadcast.transmits > 0) break
      if (broadcast.message.length + overhead > room) continue
      room -= broadcast.message.length + overhead
      taken.push(broadcast)
    }
    if (!fresh) this.#count(taken, transmitLimit)
    return taken.map(broadcast => broadcast.message)
  }

  /** Forgets the most told ones above a number of messages. */
  prune(max: number): void {
    while (this.#queue.length > max) this.#finish(this.#queue.at(-1)!, this.#queue.length - 1)
  }

  #count(taken: readonly Broadcast[], transmitLimit: number): void {
    if (taken.length === 0) return
    let next = 0 // both are in the same order
    this.#queue = this.#queue.filter(broadcast => broadcast !== taken[next] || !++next)
    for (const broadcast of taken) {
      broadcast.transmits++
      if (broadcast.transmits >= transmitLimit) this.#forget(broadcast)
      else this.#insert(broadcast)
    }
  }

  #finish(broadcast: Broadcast, index: number): void {
    this.#queue.splice(index, 1)
    this.#forget(broadcast)
  }

  #forget(broadcast: Broadcast): void {
    if (broadcast.name !== undefined && this.#named.get(broadcast.name) === broadcast)
      this.#named.delete(broadcast.name)
    broadcast.onFinished?.()
  }

  #insert(broadcast: Broadcast): void {
    this.#queue.splice(this.#indexOf(broadcast), 0, broadcast)
  }

  /** Where it stands, or would stand. */
  #indexOf(broadcast: Broadcast): number {
    let low = 0
    let high = this.#queue.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (compare(this.#queue[middle]!, broadcast) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

function compare(a: Broadcast, b: Broadcast): number {
  return a.transmits - b.transmits || b.message.length - a.message.length || b.id - a.id
}
