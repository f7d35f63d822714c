import { encodeIndirectPing, encodePing, encodeSuspect, type Ping, ProtocolVersion } from '../wire/index.js'
import type { Acks, AckWaiter } from './acks.js'
import type { Dials } from './dials.js'
import type { Membership } from './membership.js'
import type { NodeRecord } from './node-table.js'
import type { Packets } from './packets.js'
import { pickRandom } from './random.js'
import type { Ring } from './ring.js'
import type { Timer } from './timers.js'
import type { Endpoint, Instant } from './types.js'

/** Told of what a probe finds out on the side. */
export interface ProbeListener {
  /** The host of a node answered a TCP ping with a reset. */
  onRefused(record: NodeRecord, now: Instant): void
  /** A node answered a TCP ping. */
  onTcpAck(record: NodeRecord): void
  /** Whether the node is yet to be tried over TCP, which a probe then does along the way. */
  wantsTcp(record: NodeRecord, now: Instant): boolean
}

interface Probe {
  readonly record: NodeRecord
  readonly seqNo: number
  readonly started: Instant
  readonly deadline: Instant
  expectedNacks: number
  nacks: number
  tcpTried: boolean
  tcpAnswered: boolean
  unsent: boolean
  indirect: Timer | undefined
}

/** How many nodes of the ring, on average, probe a suspect out of turn. */
const EXTRA_PROBES = 8

/** Asks one node after the other whether it lives: directly, then through helpers and over TCP. */
export class Prober {
  readonly #ring: Ring
  readonly #packets: Packets
  readonly #acks: Acks
  readonly #dials: Dials
  readonly #membership: Membership
  readonly #listener: ProbeListener
  #index = 0
  #current: Probe | undefined
  /** A tick that came while a probe was running; more than one is not remembered. */
  #tickPending = false
  /** How many probes were answered. */
  #answered = 0
  /** Probed next, out of turn. */
  #preferred: NodeRecord | undefined

  constructor(ring: Ring, packets: Packets, acks: Acks, dials: Dials, membership: Membership, listener: ProbeListener) {
    this.#ring = ring
    this.#packets = packets
    this.#acks = acks
    this.#dials = dials
    this.#membership = membership
    this.#listener = listener
  }

  /** Begins at a random point of the interval, so that nodes started together do not probe in step. */
  start(now: Instant): void {
    const { probeInterval } = this.#ring.tuning
    if (probeInterval > 0) this.#arm(now + this.#ring.random() * probeInterval)
  }

  /** Probes a node next, because something seems to be wrong with it. */
  prefer(record: NodeRecord): void {
    if (record.name !== this.#ring.name) this.#preferred = record
  }

  /**
   * Others suspect a node: some of us see for themselves with their next probe. So a suspicion is confirmed in one or
   * two intervals instead of when the node's turn comes, and one that is mistaken is not blown up into a storm.
   */
  onSuspect(record: NodeRecord): void {
    if (this.#ring.random() * this.#ring.table.size < EXTRA_PROBES) this.prefer(record)
  }

  /**
   * What was for this node did not leave our host, so its silence says nothing, at first. When others have answered
   * since the last time, it is not our network that is at fault but its address, and the probe goes on: without an
   * answer through helpers or over TCP, the node becomes suspect.
   */
  onUnsent(to: Endpoint, now: Instant): void {
    const probe = this.#current
    if (probe?.record.endpoint !== to || probe.unsent) return
    probe.unsent = true
    const { findings } = probe.record
    const before = findings.unsentAfter
    findings.unsentAfter = this.#answered
    if (before !== undefined && before < this.#answered) return
    this.#acks.forget(probe.seqNo)
    this.#finish(probe, now)
  }

  #arm(at: Instant): void {
    this.#ring.timers.set(at, now => {
      this.#arm(Math.max(at + this.#ring.tuning.probeInterval, now))
      if (this.#current) this.#tickPending = true
      else this.#next(now)
    })
  }

  /** Takes the next node of the list; at its end, forgets the dead and shuffles. */
  #next(now: Instant): void {
    const { table, tuning, name } = this.#ring
    const preferred = this.#preferred
    this.#preferred = undefined
    if (preferred?.present) return this.#probe(preferred, now)
    // Two passes at most: the rest of this one and the whole next one. The reference counts the turn of the list as a
    // check and so probes nobody every other tick in a ring of two.
    for (let checks = table.size * 2; checks > 0; checks--) {
      if (this.#index >= table.size) {
        table.reap(now - tuning.gossipToTheDeadTime)
        this.#index = 0
        if (table.size === 0) return
      }
      const record = table.order[this.#index++]!
      if (record.name !== name && record.present) return this.#probe(record, now)
    }
  }

  #probe(record: NodeRecord, now: Instant): void {
    const { tuning, awareness, timers } = this.#ring
    const seqNo = this.#ring.nextSeqNo()
    const deadline = now + awareness.scale(tuning.probeInterval)
    const probe: Probe = {
      record,
      seqNo,
      started: now,
      deadline,
      expectedNacks: 0,
      nacks: 0,
      tcpTried: false,
      tcpAnswered: false,
      unsent: false,
      indirect: undefined,
    }
    this.#current = probe
    if (awareness.score > 0) this.#ring.note('degradedProbe', { node: record.name })
    const waiter: AckWaiter = {
      onAck: ({ payload }, at) => this.#succeeded(probe, payload, at),
      onNack: () => void probe.nacks++,
      onTimeout: at => this.#failed(probe, at),
    }
    this.#acks.wait(seqNo, deadline, waiter, true)
    this.#sendPing(record, seqNo)
    if (tuning.probeTimeout < deadline - now) {
      probe.indirect = timers.set(now + tuning.probeTimeout, at => this.#askHelpers(probe, at), true)
    }
    if (this.#listener.wantsTcp(record, now)) this.#pingOverTcp(probe, now)
  }

  /** A suspect gets the accusation in the same packet, so that it can contradict at once. */
  #sendPing(record: NodeRecord, seqNo: number): void {
    const ping = encodePing(this.#ping(record.name, seqNo))
    if (record.state !== 'suspect') return this.#packets.single(record.endpoint, ping)
    const { name: node, incarnation } = record
    this.#packets.group(record, [ping, encodeSuspect({ node, incarnation, from: this.#ring.name })])
  }

  #ping(node: string, seqNo: number): Ping {
    const { address, port } = this.#ring.self!.description
    return { node, seqNo, sourceAddr: address, sourcePort: port, sourceNode: this.#ring.name }
  }

  #askHelpers(probe: Probe, now: Instant): void {
    const { table, tuning, random, name } = this.#ring
    const { record, seqNo } = probe
    const isHelper = (n: NodeRecord): boolean => n.state === 'alive' && n.name !== name && n.name !== record.name
    for (const helper of pickRandom(table.order, tuning.indirectChecks, random, isHelper)) {
      const nack = helper.versions.pMax >= ProtocolVersion.Nack
      if (nack) probe.expectedNacks++
      const { address: target, port } = record.description
      this.#packets.single(
        helper.endpoint,
        encodeIndirectPing({ ...this.#ping(record.name, seqNo), target, port, nack }),
      )
    }
    this.#pingOverTcp(probe, now)
  }

  #pingOverTcp(probe: Probe, now: Instant): void {
    const { record, seqNo, tcpTried } = probe
    if (tcpTried || this.#ring.tuning.disableTcpPings || record.versions.pMax < ProtocolVersion.TcpPing) return
    probe.tcpTried = true
    this.#dials.ping(record, seqNo, Math.max(1, probe.deadline - now), {
      onAnswer: () => {
        probe.tcpAnswered = true
        this.#listener.onTcpAck(record)
      },
      onRefused: at => {
        if (this.#current === probe) this.#listener.onRefused(record, at)
      },
    })
  }

  #succeeded(probe: Probe, payload: Uint8Array | undefined, now: Instant): void {
    this.#reached(probe)
    this.#ring.emit({ type: 'probed', member: probe.record.member(), rtt: now - probe.started, payload })
    this.#finish(probe, now)
  }

  #reached({ record }: Probe): void {
    this.#ring.awareness.apply(-1)
    this.#answered++
    record.forgetUnsent()
  }

  #failed(probe: Probe, now: Instant): void {
    const { awareness, name } = this.#ring
    const { record, expectedNacks, nacks } = probe
    if (probe.tcpAnswered) {
      this.#reached(probe)
      this.#ring.note('tcpOnly', { node: record.name })
    } else {
      // Helpers that did not even send a nack make us doubt our own connection.
      awareness.apply(expectedNacks > 0 ? Math.max(0, expectedNacks - nacks) : 1)
      this.#ring.note('probeFailed', { node: record.name })
      this.#membership.suspect({ node: record.name, incarnation: record.incarnation, from: name }, now)
    }
    this.#finish(probe, now)
  }

  #finish(probe: Probe, now: Instant): void {
    probe.indirect?.cancel()
    if (this.#current !== probe) return
    this.#current = undefined
    if (!this.#tickPending) return
    this.#tickPending = false
    this.#next(now)
  }
}
