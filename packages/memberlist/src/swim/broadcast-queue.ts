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
  /** By how often they were told, each tier sorted by {@link compare}. */
  readonly #tiers: Broadcast[][] = []
  readonly #named = new Map<string, Broadcast>()
  #length = 0
  #id = 0
  /** No message in the queue is shorter. */
  #shortest = Infinity

  get length(): number {
    return this.#length
  }

  /** @param onFinished runs when the message has been told often enough or was replaced */
  add(name: string | undefined, message: Uint8Array, onFinished?: () => void): void {
    const older = name === undefined ? undefined : this.#named.get(name)
    if (older) this.#finish(older)
    const broadcast = { name, message, id: this.#id++, onFinished, transmits: 0 }
    if (name !== undefined) this.#named.set(name, broadcast)
    this.#shortest = this.#length === 0 ? message.length : Math.min(this.#shortest, message.length)
    this.#insert(broadcast)
  }

  /** The messages for the next packet, each counted as told once more. */
  take({ overhead, limit, count, transmitLimit, fresh = false }: TakeOptions): Uint8Array[] {
    const taken: Broadcast[] = []
    let room = limit
    for (let told = 0; told < (fresh ? 1 : this.#tiers.length); told++) {
      const tier = this.#tiers[told] ?? []
      const before = taken.length
      // The longest come first, so the first that fits is the largest that fits.
      for (let i = 0; i < tier.length && taken.length < count && room >= overhead + this.#shortest; i++) {
        const broadcast = tier[i]!
        if (broadcast.message.length + overhead > room) continue
        room -= broadcast.message.length + overhead
        taken.push(broadcast)
      }
      if (!fresh) this.#withdraw(told, taken.slice(before))
    }
    if (!fresh) for (const broadcast of taken) this.#count(broadcast, transmitLimit)
    return taken.map(broadcast => broadcast.message)
  }

  /** Forgets the most told ones above a number of messages. */
  prune(max: number): void {
    while (this.#length > max) this.#finish(this.#tiers.findLast(tier => tier.length > 0)!.at(-1)!)
  }

  /** Takes some out of a tier, in its order. */
  #withdraw(told: number, taken: readonly Broadcast[]): void {
    const tier = this.#tiers[told]
    if (!tier || taken.length === 0) return
    this.#length -= taken.length
    let next = 0
    // Mostly they stand side by side at the front.
    if (tier[taken.length - 1] === taken.at(-1)) tier.splice(0, taken.length)
    else this.#tiers[told] = tier.filter(broadcast => broadcast !== taken[next] || !++next)
  }

  #count(broadcast: Broadcast, transmitLimit: number): void {
    broadcast.transmits++
    if (broadcast.transmits >= transmitLimit) this.#forget(broadcast)
    else this.#insert(broadcast)
  }

  #finish(broadcast: Broadcast): void {
    this.#withdraw(broadcast.transmits, [broadcast])
    this.#forget(broadcast)
  }

  #forget(broadcast: Broadcast): void {
    if (broadcast.name !== undefined && this.#named.get(broadcast.name) === broadcast)
      this.#named.delete(broadcast.name)
    broadcast.onFinished?.()
  }

  #insert(broadcast: Broadcast): void {
    const tier = (this.#tiers[broadcast.transmits] ??= [])
    tier.splice(placeIn(tier, broadcast), 0, broadcast)
    this.#length++
  }
}

/** Where it belongs in a tier. */
function placeIn(tier: readonly Broadcast[], broadcast: Broadcast): number {
  const last = tier.at(-1)
  if (last === undefined || compare(last, broadcast) < 0) return tier.length // as mostly, since they come in order
  let low = 0
  let high = tier.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (compare(tier[middle]!, broadcast) < 0) low = middle + 1
    else high = middle
  }
  return low
}

const compare = (a: Broadcast, b: Broadcast): number => b.message.length - a.message.length || b.id - a.id
