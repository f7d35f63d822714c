import { encodePing, encodeSuspect, type Ping, ProtocolVersion } from '../wire/index.js'
import type { Acks } from './acks.js'
import type { Dials } from './dials.js'
import type { Membership } from './membership.js'
import type { NodeRecord } from './node-table.js'
import type { Packets } from './packets.js'
import { type Ring, WATCHING_SEQ_NO } from './ring.js'
import type { Timer } from './timers.js'
import type { Instant } from './types.js'

/** A watched node that does not answer in this part of the watch interval is looked at more closely. */
const PATIENCE = 0.4
/** Pings while a verdict is pending. */
const LAST_CALLS = 3
/** A look that ended without a finding is not repeated before this many watch intervals. */
const QUIET = 5
/** Tries over TCP at nodes that have never answered there. */
const MAX_TRIES = 5
/** A node that joins a ring of at most so many is tried over TCP by all soon; else each comes to it with its probes. */
const SMALL_RING = 32
/** In a mixed ring, at most so many are watched: up to the first that watches by itself. */
const MAX_WATCHED = 4
/** In a ring of more, only the watched neighbour is tried, so that nobody makes connections to all. */
const LARGE_RING = 128

/** What is going on about one node. */
interface Case {
  readonly record: NodeRecord
  readonly incarnation: number
  seqNo: number
  /** Whether the host has refused; until then it is only being looked at. */
  refused: boolean
  timer: Timer | undefined
}

/**
 * Finds dead processes fast, without changing the wire: the host of a dead process answers a TCP ping with a reset,
 * at once, while that of a live or stalled one does not.
 *
 * - Each node pings its neighbour in the order of names, every watch interval, so that a silent node is noticed by
 *   the clock and not by the luck of the probing order. Nodes of other implementations do not do so: in a small ring,
 *   those that follow one are watched too.
 * - A silent neighbour, and whomever another node suspects, is looked at: pinged over UDP and TCP at the same time.
 * - When the host refuses, we suspect the node for all to hear. So every node that hears it looks for itself, and
 *   confirms. A node that another confirms is declared dead after `refusedGrace`, one that only we see refused (maybe
 *   a firewall between us) after three times that, by whoever's time comes first: if until then it has been called
 *   {@link LAST_CALLS} times over UDP, has neither answered nor contradicted, and still refuses.
 *
 * A reset only counts from a host that has answered over TCP before, so a ring whose TCP port is closed by a firewall
 * falls back to the reference's behaviour. The accusation and the death are the ordinary messages, and other
 * implementations take them as such.
 */
export class Watch {
  readonly #ring: Ring
  readonly #packets: Packets
  readonly #acks: Acks
  readonly #dials: Dials
  readonly #membership: Membership
  readonly #cases = new Map<string, Case>()
  /** Nodes of small rings that watch, as we do. */
  readonly #watchers = new WeakSet<NodeRecord>()
  /** Whom we watch; empty when that is to be found anew. */
  #watched: readonly NodeRecord[] = []
  /** Those of them that are yet to answer. */
  readonly #waiting = new Set<NodeRecord>()
  /** When somebody joined last. */
  #grownAt: Instant = -Infinity

  readonly #onSilence: (record: NodeRecord) => void

  /** @param onSilence the node we watch did not answer */
  constructor(
    ring: Ring,
    packets: Packets,
    acks: Acks,
    dials: Dials,
    membership: Membership,
    onSilence: (record: NodeRecord) => void,
  ) {
    this.#onSilence = onSilence
    this.#ring = ring
    this.#packets = packets
    this.#acks = acks
    this.#dials = dials
    this.#membership = membership
  }

  /** Begins at a random point of the interval. */
  start(now: Instant): void {
    if (this.#ring.watching) this.#arm(now + this.#ring.random() * this.#ring.tuning.watchInterval)
  }

  /** Somebody asks whether we live: by the number, we see whether it is one that watches. */
  onPing({ seqNo, sourceNode }: Ping): void {
    const { table } = this.#ring
    if (seqNo < WATCHING_SEQ_NO || table.size > SMALL_RING) return
    const record = table.get(sourceNode)
    if (!record || this.#watchers.has(record)) return
    this.#watchers.add(record)
    this.#watched = [] // whom it watches, we need not
  }

  /** A node answered over TCP: from now on a reset from its host means something. */
  onTcpAck(record: NodeRecord): void {
    if (this.#isProven(record)) return
    record.findings.provenAt = record.endpoint
    this.#ring.note('answersTcp', { node: record.name })
  }

  /** Whether a probe should try a node over TCP too, because it is yet to answer there. */
  wantsTcp(record: NodeRecord, now: Instant): boolean {
    return this.#ring.table.size <= LARGE_RING && this.#isWorthTrying(record, now)
  }

  #isWorthTrying(record: NodeRecord, now: Instant): boolean {
    if (
      !this.#active ||
      this.#isGrowing(now) ||
      record.versions.pMax < ProtocolVersion.TcpPing ||
      this.#isProven(record)
    )
      return false
    return record.findings.tcpTries++ < MAX_TRIES
  }

  /** A probe found that the host refuses. */
  onRefused(record: NodeRecord, now: Instant): void {
    this.#look(record, now)
  }

  /** Another node, or our own prober, suspects it: see for ourselves. */
  onSuspect(record: NodeRecord, now: Instant): void {
    this.#look(record, now)
  }

  /** It lives, in a new incarnation. */
  onAlive(record: NodeRecord): void {
    this.#close(record.name)
    this.#watchers.delete(record) // another program may run there now
    this.#watched = [] // it may stand between us and the one we watch
  }

  /** It is back, or new: nothing is known of it. In a small ring, all try it over TCP soon. */
  onJoin(record: NodeRecord, now: Instant): void {
    record.forgetTrials()
    this.#grownAt = now
    if (this.#active && this.#ring.table.size <= SMALL_RING) this.#proveSoon(record, now)
  }

  /** Once the ring has come together: fifty that join at once have better to do than to connect each with all others. */
  #proveSoon(record: NodeRecord, now: Instant): void {
    const { table, timers, random, tuning } = this.#ring
    timers.set(now + tuning.probeInterval + random() * tuning.watchInterval, at => {
      if (table.size > SMALL_RING) return
      if (this.#isGrowing(at)) this.#proveSoon(record, at)
      else this.#prove(record, at)
    })
  }

  #isGrowing(now: Instant): boolean {
    return now - this.#grownAt < this.#ring.tuning.probeInterval
  }

  /** Pings a node over UDP; a suspect hears with it what it is accused of, and contradicts. */
  call(record: NodeRecord): void {
    this.#call(record, this.#ring.nextSeqNo())
  }

  get #active(): boolean {
    return this.#ring.tuning.refusedGrace > 0 && !this.#ring.tuning.disableTcpPings
  }

  #arm(at: Instant): void {
    const { watchInterval } = this.#ring.tuning
    this.#ring.timers.set(at, now => {
      this.#arm(Math.max(at + watchInterval, now))
      this.#watch(now)
    })
  }

  #watch(now: Instant): void {
    const current = this.#watched.length > 0 && this.#watched.every(({ state }) => state === 'alive')
    if (!current) this.#watched = this.#findWatched()
    for (const neighbour of this.#watched) this.#ask(neighbour, now)
  }

  #ask(neighbour: NodeRecord, now: Instant): void {
    if (this.#waiting.has(neighbour) || this.#cases.has(neighbour.name)) return
    const seqNo = this.#ring.nextSeqNo()
    this.#waiting.add(neighbour)
    const onAck = (): void => void this.#waiting.delete(neighbour)
    const onSilence = (at: Instant): void => {
      this.#waiting.delete(neighbour)
      this.#onSilence(neighbour)
      this.#look(neighbour, at)
    }
    this.#acks.wait(seqNo, now + this.#ring.tuning.watchInterval * PATIENCE, { onAck, onTimeout: onSilence }, true)
    this.#call(neighbour, seqNo)
    this.#prove(neighbour, now)
  }

  /** Finds out whether a node answers over TCP while it is well. */
  #prove(record: NodeRecord, now: Instant): void {
    if (!record.present || !this.#ring.self || !this.#isWorthTrying(record, now)) return
    this.#dials.ping(record, this.#ring.nextSeqNo(), this.#ring.tuning.probeInterval, {
      onAnswer: () => this.onTcpAck(record),
      onRefused: () => {},
    })
  }

  /** Our neighbour; in a small ring, those after it too, up to one that watches. */
  #findWatched(): readonly NodeRecord[] {
    const { table, name } = this.#ring
    if (table.size > SMALL_RING) {
      const neighbour = this.#findNeighbour()
      return neighbour ? [neighbour] : []
    }
    const others = table.order.filter(record => record.name !== name && record.state === 'alive')
    const wraps = (record: NodeRecord): number => (record.name > name ? 0 : 1)
    others.sort((a, b) => wraps(a) - wraps(b) || (a.name < b.name ? -1 : 1))
    const first = others.findIndex(record => this.#watchers.has(record))
    return others.slice(0, first < 0 ? MAX_WATCHED : Math.min(first + 1, MAX_WATCHED))
  }

  /** The living node that follows us in the order of names, the first again after the last. */
  #findNeighbour(): NodeRecord | undefined {
    const { table, name } = this.#ring
    let first: NodeRecord | undefined
    let next: NodeRecord | undefined
    for (const record of table.order) {
      if (record.name === name || record.state !== 'alive') continue
      if (first === undefined || record.name < first.name) first = record
      if (record.name > name && (next === undefined || record.name < next.name)) next = record
    }
    return next ?? first
  }

  /** Pings a node over UDP and TCP, to find out whether its process is there. */
  #look(record: NodeRecord, now: Instant): void {
    if (!this.#active || !record.present || record.name === this.#ring.name) return
    if (this.#cases.has(record.name) || !this.#isProven(record) || now < record.findings.quietUntil) return
    const found: Case = { record, incarnation: record.incarnation, seqNo: 0, refused: false, timer: undefined }
    this.#cases.set(record.name, found)
    record.findings.quietUntil = now + QUIET * this.#ring.tuning.watchInterval
    this.#knock(found, now, at => this.#onRefusal(found, at))
  }

  /** One ping each way; an answer closes the case, a refusal goes on. */
  #knock(found: Case, now: Instant, onRefused: (now: Instant) => void): void {
    const { record } = found
    const timeout = this.#ring.tuning.refusedGrace
    found.seqNo = this.#ring.nextSeqNo()
    const close = (): void => this.#closeIf(found)
    const onTimeout = (): void => {
      if (!found.refused) close()
    }
    this.#acks.wait(found.seqNo, now + timeout, { onAck: close, onTimeout })
    this.#call(record, found.seqNo)
    this.#dials.ping(record, found.seqNo, timeout, {
      onAnswer: close,
      onRefused: at => {
        if (this.#cases.get(record.name) === found) onRefused(at)
      },
      // At the last knock this ends it: the host no longer refuses.
      onFailed: () => {
        if (found.refused) this.#closeIf(found)
      },
    })
  }

  /** A ping over UDP; a suspect hears with it what it is accused of. */
  #call(record: NodeRecord, seqNo: number): void {
    const { name: from, self } = this.#ring
    if (!self) return
    const { name: node, incarnation } = record
    const { address: sourceAddr, port: sourcePort } = self.description
    const ping = encodePing({ seqNo, node, sourceAddr, sourcePort, sourceNode: from })
    if (record.state === 'suspect') this.#packets.group(record, [ping, encodeSuspect({ node, incarnation, from })])
    else this.#packets.single(record.endpoint, ping)
  }

  #onRefusal(found: Case, now: Instant): void {
    found.refused = true
    const { record, incarnation } = found
    this.#membership.suspect({ node: record.name, incarnation, from: this.#ring.name }, now)
    this.#lastCall(found, 1, now)
  }

  #lastCall(found: Case, count: number, now: Instant): void {
    const { refusedGrace } = this.#ring.tuning
    const { record, incarnation } = found
    if (record.state !== 'suspect' || record.incarnation !== incarnation) return this.#closeIf(found)
    const calls = this.#confirmed(record) ? LAST_CALLS : 3 * LAST_CALLS
    const next = now + refusedGrace / LAST_CALLS
    if (count > calls) return this.#knock(found, now, at => this.#judge(found, at))
    found.seqNo = this.#ring.nextSeqNo()
    this.#acks.wait(found.seqNo, next + refusedGrace, { onAck: () => this.#closeIf(found) })
    this.#call(record, found.seqNo)
    found.timer = this.#ring.timers.set(next, at => this.#lastCall(found, count + 1, at), true)
  }

  #judge(found: Case, now: Instant): void {
    const { record, incarnation } = found
    this.#closeIf(found)
    if (record.state !== 'suspect' || record.incarnation !== incarnation) return
    this.#ring.note('refusedDead', { node: record.name })
    this.#membership.dead({ node: record.name, incarnation, from: this.#ring.name }, now)
  }

  /** Whether somebody else accuses it too, or nobody else is there to do so. */
  #confirmed(record: NodeRecord): boolean {
    if ((record.suspicion?.confirmedBy ?? 0) > 0) return true
    const { table, name } = this.#ring
    return !table.order.some(other => other.state === 'alive' && other !== record && other.name !== name)
  }

  #isProven(record: NodeRecord): boolean {
    return record.findings.provenAt === record.endpoint
  }

  #closeIf(found: Case): void {
    if (this.#cases.get(found.record.name) === found) this.#close(found.record.name)
  }

  #close(name: string): void {
    this.#cases.get(name)?.timer?.cancel()
    this.#cases.delete(name)
  }
}
