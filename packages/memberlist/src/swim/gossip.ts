import type { NodeRecord } from './node-table.js'
import type { Packets } from './packets.js'
import { shuffle } from './random.js'
import type { Ring } from './ring.js'
import type { Timer } from './timers.js'
import type { Instant } from './types.js'

/** Two rounds out of turn are at least this part of a gossip interval apart. */
const SOON = 1 / 10

/** Tells a few nodes what is new, every gossip interval. */
export class Gossip {
  readonly #ring: Ring
  readonly #packets: Packets
  #soon: Timer | undefined
  #earliest: Instant = 0
  /** A moment at which a tick would be; `undefined` while we do not gossip. */
  #phase: Instant | undefined
  #ticking = false
  /** Since when nobody was there to be told; `undefined` when somebody was. */
  #aloneSince: Instant | undefined
  /** Whose turn in the round has not come yet. */
  #unheard: NodeRecord[] = []

  constructor(ring: Ring, packets: Packets) {
    this.#ring = ring
    this.#packets = packets
  }

  /** Begins at a random point of the interval, so that nodes started together do not speak in step. */
  start(now: Instant): void {
    const { gossipInterval, gossipNodes } = this.#ring.tuning
    if (gossipInterval > 0 && gossipNodes > 0) this.#phase = now + this.#ring.random() * gossipInterval
  }

  /** Lets the ticks run while there is something to tell. Called after everything that may have queued something. */
  wake(now: Instant): void {
    if (this.#phase === undefined || this.#ticking || !this.#hasNews()) return
    const { gossipInterval } = this.#ring.tuning
    const ticks = Math.max(0, Math.ceil((now - this.#phase) / gossipInterval))
    this.#arm(this.#phase + ticks * gossipInterval)
  }

  /**
   * Tells a few nodes out of turn what they have not been told at all, so that accusations, deaths and contradictions
   * cross the ring in round trips, not in ticks. Such a round does not count against a message's budget of
   * transmissions: the ticks repeat it as often as ever.
   */
  soon(now: Instant): void {
    const { gossipInterval } = this.#ring.tuning
    if (this.#soon || this.#phase === undefined) return
    const at = Math.max(now, this.#earliest)
    this.#earliest = at + gossipInterval * SOON
    this.#soon = this.#ring.timers.set(at, later => {
      this.#soon = undefined
      this.#round(later, true)
    })
  }

  #arm(at: Instant): void {
    this.#ticking = true
    this.#ring.timers.set(at, now => {
      this.#ticking = false
      this.#phase = Math.max(at + this.#ring.tuning.gossipInterval, now)
      this.#round(now, false)
      this.wake(now)
    })
  }

  #hasNews(): boolean {
    return this.#ring.broadcasts.length > 0 || this.#ring.userBroadcasts.length > 0
  }

  #round(now: Instant, fresh: boolean): void {
    if (!this.#hasNews()) return
    const targets = this.#targets(now)
    this.#forgetIfAlone(targets.length === 0, now)
    // A fresh round does not change the queue, so that all its targets hear the same.
    const shared = fresh ? this.#packets.gossip(0, true) : undefined
    for (const target of targets) {
      const messages = shared ?? this.#packets.gossip(0)
      if (messages.length === 0) return
      this.#packets.group(target, messages)
    }
  }

  /** What the program above says to nobody is kept for those who may join soon, not for ever. */
  #forgetIfAlone(alone: boolean, now: Instant): void {
    this.#aloneSince = alone ? (this.#aloneSince ?? now) : undefined
    if (now - (this.#aloneSince ?? now) > this.#ring.tuning.gossipToTheDeadTime) this.#ring.userBroadcasts.prune(0)
  }

  /**
   * The next few of a shuffled round through all nodes. The reference draws each time anew, so that in a small ring a
   * message may be told to the same node twice and to another never.
   */
  #targets(now: Instant): readonly NodeRecord[] {
    const { table, random, tuning } = this.#ring
    const targets: NodeRecord[] = []
    const take = (): void => {
      while (targets.length < tuning.gossipNodes && this.#unheard.length > 0) {
        const record = this.#unheard.pop()!
        if (table.get(record.name) === record && this.#listens(record, now) && !targets.includes(record))
          targets.push(record)
      }
    }
    take()
    if (targets.length === tuning.gossipNodes) return targets
    this.#unheard = shuffle([...table.order], random)
    take()
    return targets
  }

  /** The lately dead are told too, in case they are not. */
  #listens(record: NodeRecord, now: Instant): boolean {
    if (record.name === this.#ring.name || record.state === 'left') return false
    return record.state !== 'dead' || now - record.stateChange <= this.#ring.tuning.gossipToTheDeadTime
  }
}
