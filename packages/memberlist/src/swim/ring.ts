import type { Versions } from '../wire/index.js'
import { Awareness } from './awareness.js'
import { BroadcastQueue } from './broadcast-queue.js'
import { type Delegate, type SwimOptions, type Tuning, tuningOf, versionsOf } from './config.js'
import { nextNumber, retransmitLimit } from './formulas.js'
import { type NodeRecord, NodeTable } from './node-table.js'
import { Timers } from './timers.js'
import type { Note, Random, SwimAction } from './types.js'

/** Where the formula's ⌈log₁₀(n + 1)⌉ is still 1. */
const VERY_SMALL = 10

/** Longest name and longest reason in a note, characters. */
const MAX_NOTED_NAME = 64
const MAX_REASON = 256

const NO_ACTIONS: SwimAction[] = []

/**
 * Pings of a node that watches others are numbered from here on, those of the reference from 1 and so never as high.
 * To whoever answers, a number is a number; to another of us it says what the sender is. See {@link Watch}.
 */
export const WATCHING_SEQ_NO = 2 ** 31

/** What the parts of a node share: its tuning, what it knows of the ring, and the actions they add to. */
export class Ring {
  readonly name: string
  readonly tuning: Tuning
  readonly versions: Versions
  readonly delegate: Delegate
  readonly isAllowed: (address: Uint8Array) => boolean
  readonly packetOverhead: () => number
  readonly random: Random
  readonly table: NodeTable
  readonly timers: Timers
  readonly awareness: Awareness
  /** What we tell about nodes, by their names. */
  readonly broadcasts = new BroadcastQueue()
  /** What the program above tells. */
  readonly userBroadcasts = new BroadcastQueue()
  /** Ourselves; `undefined` before the start. Once we have left, the table forgets us as it does others. */
  self: NodeRecord | undefined
  /** Our own incarnation. */
  incarnation = 0
  /** Set once we have told, or are telling, that we go. */
  leaving = false
  #seqNo: number
  #dialId = 0
  #actions = NO_ACTIONS

  constructor(options: SwimOptions) {
    this.name = options.name
    this.tuning = tuningOf(options)
    this.versions = versionsOf(options)
    this.delegate = options.delegate ?? {}
    this.isAllowed = options.isAllowed ?? (() => true)
    this.packetOverhead = options.packetOverhead ?? (() => 0)
    this.random = options.random ?? Math.random
    this.table = new NodeTable(this.random)
    this.awareness = new Awareness(this.tuning.awarenessMaxMultiplier)
    this.#seqNo = this.watching ? WATCHING_SEQ_NO : 0
    const { probeInterval, probeTimeout } = this.tuning
    this.timers = new Timers(Math.min(250, probeTimeout / 2), probeInterval, late => this.note('stalled', { late }))
  }

  /** Whether we watch others, to find dead processes fast; see {@link Watch}. */
  get watching(): boolean {
    const { watchInterval, refusedGrace, disableTcpPings } = this.tuning
    return watchInterval > 0 && refusedGrace > 0 && !disableTcpPings
  }

  /** How often a broadcast is sent in a ring of this size; in a very small one, often enough to reach each node. */
  get transmitLimit(): number {
    const { size } = this.table
    const limit = retransmitLimit(this.tuning.retransmitMult, size)
    return size < VERY_SMALL ? Math.max(limit, size - 1) : limit
  }

  /** Adds to what the driver must do. */
  emit(action: SwimAction): void {
    // Mostly there is just one, and a list of one is small; one that is pushed to has room for seventeen.
    if (this.#actions.length === 0) this.#actions = [action]
    else this.#actions.push(action)
  }

  /** Adds something to count. Peers choose what they are called: names are cut. */
  note(note: Note, fields: Readonly<Record<string, string | number>> = {}): void {
    const cut: Record<string, string | number> = {}
    for (const [key, value] of Object.entries(fields))
      cut[key] = typeof value === 'string' ? value.slice(0, key === 'reason' ? MAX_REASON : MAX_NOTED_NAME) : value
    this.emit({ type: 'note', note, fields: cut })
  }

  /** The actions since the last call. */
  drain(): readonly SwimAction[] {
    const actions = this.#actions
    this.#actions = NO_ACTIONS
    return actions
  }

  /** Number of the next ping; 32 bits, wraps. */
  nextSeqNo(): number {
    this.#seqNo = nextNumber(this.#seqNo)
    return this.#seqNo
  }

  /** Raises our incarnation, at least above `accused`. */
  nextIncarnation(accused = 0): number {
    this.incarnation = Math.max(this.incarnation, accused) + 1
    if (this.incarnation > 0xffffffff) {
      this.note('incarnationWrapped', { accused })
      this.incarnation >>>= 0
    }
    return this.incarnation
  }

  nextDialId(): number {
    return ++this.#dialId
  }
}
