import {
  decodeVersions,
  NO_VERSIONS,
  NodeStateCode,
  PUSH_PULL_HEAD,
  type PushNodeState,
  type PushPull,
  writePushPullHeader,
  Writer,
} from '../wire/index.js'
import { formatAddress, isAddress } from './address.js'
import type { Dials } from './dials.js'
import { pushPullScale } from './formulas.js'
import type { Membership } from './membership.js'
import type { NodeRecord } from './node-table.js'
import { pickRandom } from './random.js'
import type { Ring } from './ring.js'
import type { Timer } from './timers.js'
import type { Endpoint, Instant, Member } from './types.js'
import { findIncompatible } from './version-check.js'

/** About what a node's entry takes without meta, octets. */
const ENTRY = 96
/** A ring that grew by more than this part since the last exchange asks for others soon. */
const GROWTH = 1 / 10
/** So many of these in a row that bring nothing are enough. */
const BARREN = 2
/** From this size on they become rarer: a state has as many octets as the ring has nodes, here about 80 kB. */
const LARGE_RING = 1024
/** In a ring of at most so many, each exchanges states with each that joins. */
const SMALL_RING = 16

/** Exchanges all that is known with another node: on join, from time to time, and when the ring grows fast. */
export class PushPuller {
  readonly #ring: Ring
  readonly #dials: Dials
  readonly #membership: Membership
  readonly #onAnswer: (record: NodeRecord) => void
  /** Nodes that joined and that we have not exchanged states with. */
  readonly #newcomers = new Set<NodeRecord>()
  /** How many joined since the last exchange. */
  #joined = 0
  /** How many exchanges may yet bring nothing before the ring counts as settled; 0 when it does. */
  #patience = 0
  #settle: Timer | undefined

  /** @param onAnswer a node answered us over TCP */
  constructor(ring: Ring, dials: Dials, membership: Membership, onAnswer: (record: NodeRecord) => void) {
    this.#onAnswer = onAnswer
    this.#ring = ring
    this.#dials = dials
    this.#membership = membership
  }

  start(now: Instant): void {
    const { pushPullInterval } = this.#ring.tuning
    if (pushPullInterval > 0) this.#arm(now + this.#ring.random() * pushPullInterval)
  }

  /** @param onEnd runs with the reason when it failed */
  exchange(to: Endpoint, join: boolean, onEnd: (error: string | undefined, now: Instant) => void): void {
    this.#dials.dial('pushPull', to, this.#state(join), this.#ring.tuning.tcpTimeout, {
      onAnswer: (message, now) => {
        if (message?.type === 'pushPull') {
          const fault = this.merge(message.body, join, now)
          this.#weigh(this.#joined)
          const record = this.#ring.table.find(to)
          if (record) {
            this.#newcomers.delete(record)
            this.#onAnswer(record)
          }
          onEnd(fault, now)
        } else if (message?.type === 'error') onEnd(`remote error: ${message.body.error}`, now)
        else onEnd(`unexpected answer: ${message?.type}`, now)
      },
      onFailure: ({ reason }, now) => onEnd(reason, now),
    })
  }

  /** A peer sent its state: answers with ours, then takes over what it knows. */
  answer(id: number, message: PushPull, now: Instant): void {
    this.#ring.emit({ type: 'reply', id, octets: this.#state(message.join) })
    this.merge(message, message.join, now)
  }

  /** @returns why nothing was merged, if so */
  merge(message: PushPull, join: boolean, now: Instant): string | undefined {
    const fault = findIncompatible(message.nodes, this.#ring.table.order) ?? this.#veto(message.nodes, join)
    if (fault !== undefined) {
      this.#ring.note('mergeRefused', { reason: fault })
      return fault
    }
    this.#joined = 0
    if (this.#ring.table.size > SMALL_RING) this.#newcomers.clear()
    for (const node of message.nodes) if (!this.#membership.agrees(node)) this.#mergeNode(node, now)
    if (message.userState.length > 0) this.#ring.emit({ type: 'remoteState', state: message.userState, join })
    return undefined
  }

  /**
   * A node joined. Gossip alone can fail a ring that grows from one seed at once: the first broadcasts go out while
   * their budget is reckoned for a small ring, and are spent before all are there to hear them. So a ring that has
   * grown much exchanges states soon, and again until a few exchanges have brought nothing new; a small ring, with
   * each newcomer, since it may be one of those that do not ask by themselves.
   */
  onJoin(record: NodeRecord, now: Instant): void {
    this.#joined++
    if (this.#joined >= this.#ring.table.size * GROWTH) this.#patience = BARREN
    this.#newcomers.add(record)
    if (this.#wantsMore()) this.#settleSoon(now)
  }

  #wantsMore(): boolean {
    return this.#ring.table.size <= SMALL_RING ? this.#newcomers.size > 0 : this.#patience > 0
  }

  /** An exchange that we asked for is over. */
  #weigh(joined: number): void {
    if (this.#patience > 0) this.#patience = joined > 0 ? BARREN : this.#patience - 1
  }

  #settleSoon(now: Instant): void {
    const { tuning, table, random, timers } = this.#ring
    if (this.#settle || tuning.pushPullInterval === 0 || tuning.probeInterval === 0) return
    const spread = pushPullScale(tuning.probeInterval, (table.size * 32) / LARGE_RING)
    this.#settle = timers.set(now + (0.4 + 0.6 * random()) * spread, later => {
      this.#settle = undefined
      if (!this.#wantsMore()) return
      const [newcomer] = pickRandom([...this.#newcomers], 1, random, record => record.state === 'alive')
      if (newcomer) this.#exchangeWith(newcomer)
      else if (table.size > SMALL_RING) this.#exchangeWithAny()
      else this.#newcomers.clear()
      if (this.#wantsMore()) this.#settleSoon(later)
    })
  }

  #arm(at: Instant): void {
    this.#ring.timers.set(at, now => {
      const interval = pushPullScale(this.#ring.tuning.pushPullInterval, this.#ring.table.size)
      this.#arm(Math.max(at + interval, now))
      this.#exchangeWithAny()
    })
  }

  #exchangeWithAny(): void {
    const { table, random, name } = this.#ring
    const isPartner = (n: NodeRecord): boolean => n.state === 'alive' && n.name !== name
    const [partner] = pickRandom(table.order, 1, random, isPartner)
    if (partner) this.#exchangeWith(partner)
  }

  #exchangeWith(partner: NodeRecord): void {
    this.#newcomers.delete(partner)
    this.exchange(partner.endpoint, false, error => {
      if (error === undefined) return
      this.#weigh(0)
      this.#ring.note('pushPullFailed', { node: partner.name, reason: error })
    })
  }

  #state(join: boolean): Uint8Array {
    const { table, delegate } = this.#ring
    const userState = delegate.localState?.(join) ?? new Uint8Array()
    const w = new Writer(PUSH_PULL_HEAD + ENTRY * table.size + userState.length)
    writePushPullHeader(w, { join, nodes: table.size, userStateLen: userState.length })
    table.write(w)
    return w.raw(userState).finish()
  }

  #veto(nodes: readonly PushNodeState[], join: boolean): string | undefined {
    const { refuseMerge } = this.#ring.delegate
    return join && refuseMerge ? refuseMerge(nodes.filter(n => isAddress(n.addr)).map(memberOf)) : undefined
  }

  /** The dead are only suspected on another's word: if it is mistaken, they can contradict. */
  #mergeNode(node: PushNodeState, now: Instant): void {
    const { name, incarnation, addr, port, meta, vsn } = node
    if (node.state === NodeStateCode.Alive)
      this.#membership.alive({ node: name, incarnation, addr, port, meta, vsn }, now)
    else if (node.state === NodeStateCode.Left) this.#membership.dead({ node: name, incarnation, from: name }, now)
    else if (node.state === NodeStateCode.Dead || node.state === NodeStateCode.Suspect) {
      this.#membership.suspect({ node: name, incarnation, from: this.#ring.name }, now)
    }
  }
}

const STATUS = ['alive', 'suspect', 'dead', 'left'] as const

function memberOf(node: PushNodeState): Member {
  const { name, addr, port, meta, incarnation, vsn } = node
  const address = isAddress(addr) ? formatAddress(addr) : ''
  return {
    name,
    address,
    port,
    meta: meta && new Uint8Array(meta),
    incarnation,
    state: STATUS[node.state] ?? 'dead',
    versions: decodeVersions(vsn) ?? NO_VERSIONS,
  }
}
