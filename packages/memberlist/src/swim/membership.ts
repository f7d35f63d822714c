import {
  type Alive,
  type Dead,
  decodeVersions,
  encodeAlive,
  encodeDead,
  encodeSuspect,
  encodeText,
  encodeVersions,
  NO_VERSIONS,
  NodeStateCode,
  type PushNodeState,
  sameOctets,
  type Suspect,
  type Versions,
} from '../wire/index.js'
import { isAddress, isUnicast, normalizeAddress, sameAddress } from './address.js'
import { MAX_META, MAX_NAME } from './config.js'
import { describe, type NodeDescription } from './description.js'
import { suspicionTimeout } from './formulas.js'
import { NodeRecord } from './node-table.js'
import type { Ring } from './ring.js'
import { Suspicion } from './suspicion.js'
import type { Instant } from './types.js'

/** More nodes than this are not remembered, so that forged ones cannot fill the memory. */
const MAX_TABLE = 65_536

/** Where news go besides the table. */
export interface MembershipListener {
  /** A node's state changed in a way the ring should hear of soon. */
  onNews(now: Instant): void
  /** A node is suspected, by us or by another, or one more accuses it. */
  onSuspect(record: NodeRecord, now: Instant): void
  /** A node became a member that was none. */
  onJoin(record: NodeRecord, now: Instant): void
  /** A node spoke, through whomever: what was held against it is void. */
  onAlive(record: NodeRecord, now: Instant): void
  /** A node still believes an accusation that we have contradicted: it has not heard. */
  onOutdated(accuser: NodeRecord, contradiction: Uint8Array): void
  /** A suspect's time runs out: the last chance to hear from it. */
  onLastCall(record: NodeRecord, now: Instant): void
  /** A node that is held for dead seems to live, and does not know what it is held for. */
  onStale(record: NodeRecord, now: Instant): void
}

/** The rules by which alive, suspect and dead messages change what we know of the ring. */
export class Membership {
  readonly #ring: Ring
  readonly #listener: MembershipListener
  /** When an outdated accusation may be answered again. */
  #repeatFrom: Instant = 0

  constructor(ring: Ring, listener: MembershipListener) {
    this.#ring = ring
    this.#listener = listener
  }

  /** Takes our own place in the table. */
  bootstrap(description: NodeDescription, now: Instant): void {
    const ring = this.#ring
    const record = ring.table.get(ring.name) ?? ring.table.add(ring.name, description, now)
    ring.self = record
    record.description = description
    record.incarnation = ring.nextIncarnation()
    const joined = !record.present
    record.become('alive', now)
    this.#broadcastSelf(record)
    if (joined) ring.emit({ type: 'member', event: 'join', member: record.member() })
  }

  /** Takes our place again after we have left: a new incarnation, which those who know of the old one believe. */
  rejoin(now: Instant): void {
    const { self } = this.#ring
    if (!self) return
    this.#ring.leaving = false
    this.bootstrap(self.description, now)
    this.#listener.onNews(now)
  }

  /** Whether a push/pull's word that a node lives is what we know: most are, so it is asked before a closer look. */
  agrees({ name, state, incarnation, addr, port }: PushNodeState): boolean {
    // What is told of ourselves may be of an earlier life: it is always looked at.
    if (state !== NodeStateCode.Alive || name === this.#ring.name) return false
    const record = this.#ring.table.get(name)
    return record?.state === 'alive' && record.incarnation === incarnation && this.#sameAddress(record, { addr, port })
  }

  /** Takes a node for alive, as it says, without a word to anybody. */
  know(message: Alive, now: Instant): void {
    const description = this.#describe(message, decodeVersions(message.vsn), undefined)
    if (!description || this.#ring.table.get(message.node)) return
    const record = this.#ring.table.add(message.node, description, now)
    record.incarnation = message.incarnation
    record.become('alive', now)
  }

  /** Changes what we tell about ourselves. @param onFinished runs when it has been told */
  update(meta: Uint8Array | undefined, onFinished?: () => void): void {
    const record = this.#ring.self
    if (!record) return
    record.description = describe({ ...record.description, meta })
    record.incarnation = this.#ring.nextIncarnation()
    this.#broadcastSelf(record, onFinished)
    this.#ring.emit({ type: 'member', event: 'update', member: record.member() })
  }

  /** @param octets the message as it came, gossiped on unchanged; absent when it came in a push/pull */
  alive(message: Alive, now: Instant, octets?: Uint8Array): void {
    const ring = this.#ring
    const self = message.node === ring.name
    if (ring.leaving && self) return
    const known = ring.table.get(message.node)
    // Most of what is heard is known already; it is not worth a closer look.
    if (known && !self && message.incarnation <= known.incarnation && this.#sameAddress(known, message)) {
      return this.#stale(known, message, now)
    }
    const versions = decodeVersions(message.vsn)
    const description = this.#describe(message, versions, known)
    if (!description) return
    const moved = known !== undefined && !this.#sameAddress(known, message)
    if (moved && !this.#mayReclaim(known, description, now)) return
    if (self && message.incarnation < known!.incarnation) return
    const record = known ?? ring.table.add(message.node, description, now)
    record.cancelSuspicion()
    if (self) return this.#contradict(record, message, now)
    this.#accept(record, message, description, now, octets)
  }

  /** Accuses a node of not answering. */
  suspect(message: Suspect, now: Instant): void {
    const record = this.#accused(message)
    if (!record) return
    if (message.incarnation < record.incarnation) return this.#outdated(record, message, now)
    if (record.suspicion) {
      if (!record.suspicion.confirm(message.from, now)) return
      this.#ring.broadcasts.add(message.node, encodeSuspect(message))
      this.#listener.onSuspect(record, now)
      return
    }
    if (record.state !== 'alive') return
    if (message.node === this.#ring.name) return this.#refute(record, message.incarnation, now, message.from)
    this.#ring.broadcasts.add(message.node, encodeSuspect(message))
    record.incarnation = message.incarnation
    record.become('suspect', now)
    record.suspicion = this.#startSuspicion(record, message.from, now)
    this.#ring.note('suspected', { node: message.node, from: message.from })
    this.#ring.emit({ type: 'suspect', member: record.member() })
    this.#listener.onSuspect(record, now)
    this.#listener.onNews(now)
  }

  /** Declares a node dead, or gone when it says so itself. @param onFinished runs when it has been told */
  dead(message: Dead, now: Instant, onFinished?: () => void): void {
    const record = this.#accused(message)
    if (!record) return
    if (message.incarnation < record.incarnation) return this.#outdated(record, message, now)
    record.cancelSuspicion()
    if (!record.present) return
    if (message.node === this.#ring.name && !this.#ring.leaving)
      return this.#refute(record, message.incarnation, now, message.from)
    this.#ring.broadcasts.add(message.node, encodeDead(message), onFinished)
    record.incarnation = message.incarnation
    record.become(message.from === message.node ? 'left' : 'dead', now)
    this.#ring.emit({ type: 'member', event: 'leave', member: record.member() })
    this.#listener.onNews(now)
  }

  /** The node that is accused, if it is known and the accusation fit to be passed on. */
  #accused({ node, from }: Suspect): NodeRecord | undefined {
    if (!isTooLong(from) && !isTooLong(node)) return this.#ring.table.get(node)
    this.#ring.note('nodeRefused', { node, from, reason: 'name' })
    return undefined
  }

  /** Checks a node's own words and puts them in our form; notes and refuses what cannot be. */
  #describe(
    message: Alive,
    versions: Versions | undefined,
    known: NodeRecord | undefined,
  ): NodeDescription | undefined {
    const { addr, node, port, meta, incarnation } = message
    const refuse = (reason: string): undefined => {
      this.#ring.note('nodeRefused', { node, reason })
      return undefined
    }
    if (!isAddress(addr)) return refuse('no address')
    if (!isUnicast(addr)) return refuse('not the address of a host')
    if (node === '' || isTooLong(node)) return refuse('name')
    if (meta && meta.length > MAX_META) return refuse('meta')
    if (!isVersions(message.vsn)) return refuse('protocol version')
    if (!this.#ring.isAllowed(normalizeAddress(addr))) return refuse('address not allowed')
    if (this.#ring.table.size >= MAX_TABLE && !known) return refuse('too many nodes')
    const told = { address: addr, port: this.#portOf(port), meta, versions: versions ?? known?.versions ?? NO_VERSIONS }
    const description = describe(told)
    const { refuseAlive } = this.#ring.delegate
    if (!refuseAlive) return description
    if (!versions) return refuse('no versions') // the reference does not ask about such a node, and takes none
    const member = new NodeRecord(node, description, 0).member()
    const reason = refuseAlive({ ...member, state: 'alive', incarnation })
    return reason === undefined ? description : refuse(reason)
  }

  /** Protocol version 1 has no ports, and a port of 0 says nothing: the ring's common port it is. */
  #portOf(port: number): number {
    if (port !== 0 && this.#ring.versions.pCur > 1) return port
    return this.#ring.self?.endpoint.port ?? port
  }

  #sameAddress(record: NodeRecord, { addr, port }: Pick<Alive, 'addr' | 'port'>): boolean {
    const { description } = record
    return addr !== undefined && description.port === this.#portOf(port) && sameAddress(description.address, addr)
  }

  /** Whether a name may move to another address: when its node left, or is dead for long. */
  #mayReclaim(record: NodeRecord, description: NodeDescription, now: Instant): boolean {
    const { deadNodeReclaimTime } = this.#ring.tuning
    const age = now - record.stateChange
    if (record.state === 'left') return true
    if (record.state === 'dead' && deadNodeReclaimTime > 0 && age > deadNodeReclaimTime) return true
    if (now - record.findings.conflictAt < this.#ring.tuning.probeInterval) return false
    record.findings.conflictAt = now
    const other = new NodeRecord(record.name, description, now).member()
    this.#ring.emit({ type: 'conflict', existing: record.member(), other: { ...other, state: 'alive' } })
    return false
  }

  /**
   * A node that we hold for dead says it lives, in an incarnation that we have seen die: it restarted and does not know.
   * The reference leaves it in that state until a push/pull tells it. We tell it, so that it raises its incarnation.
   */
  #stale(record: NodeRecord, message: Alive, now: Instant): void {
    if (record.present || message.incarnation > record.incarnation) return
    if (now - record.stateChange < this.#ring.tuning.gossipInterval) return // an echo of its last words, most likely
    this.#listener.onStale(record, now)
  }

  /** Somebody tells about us. Unless it is what we say ourselves, we say it again, louder. */
  #contradict(record: NodeRecord, message: Alive, now: Instant): void {
    const { meta, versions } = record.description
    const same =
      message.incarnation === record.incarnation &&
      sameOctets(message.meta ?? new Uint8Array(), meta ?? new Uint8Array()) &&
      sameOctets(message.vsn ?? new Uint8Array(), encodeVersions(versions))
    if (!same) this.#refute(record, message.incarnation, now)
  }

  #accept(record: NodeRecord, message: Alive, description: NodeDescription, now: Instant, octets?: Uint8Array): void {
    const before = { present: record.present, meta: record.description.meta, state: record.state }
    this.#ring.broadcasts.add(record.name, toldOn(message, octets))
    record.description = description
    record.incarnation = message.incarnation
    record.become('alive', now)
    this.#listener.onAlive(record, now)
    if (!before.present) {
      this.#ring.emit({ type: 'member', event: 'join', member: record.member() })
      this.#listener.onJoin(record, now)
    } else if (!sameOctets(before.meta ?? new Uint8Array(), description.meta ?? new Uint8Array())) {
      this.#ring.emit({ type: 'member', event: 'update', member: record.member() })
    }
    // That a suspect lives after all must outrun the timers that run against it.
    if (before.state === 'suspect') this.#listener.onNews(now)
  }

  #refute(record: NodeRecord, accused: number, now: Instant, from?: string): void {
    record.incarnation = this.#ring.nextIncarnation(accused)
    this.#ring.awareness.apply(1)
    this.#broadcastSelf(record)
    const { incarnation } = record
    this.#ring.note('refuted', from === undefined ? { incarnation } : { from, incarnation })
    this.#listener.onNews(now)
  }

  /**
   * An accusation of an incarnation that is past. When it is ours, somebody has not heard our contradiction, and the
   * packets that told it are spent; the reference lets it run into declaring us dead. We tell it again.
   */
  #outdated(record: NodeRecord, { from }: Suspect, now: Instant): void {
    if (record.name !== this.#ring.name || this.#ring.leaving || now < this.#repeatFrom) return
    this.#repeatFrom = now + this.#ring.tuning.gossipInterval / 2
    const message = this.#broadcastSelf(record)
    const accuser = this.#ring.table.get(from)
    if (accuser && accuser !== record) this.#listener.onOutdated(accuser, message)
  }

  #broadcastSelf(record: NodeRecord, onFinished?: () => void): Uint8Array {
    const { name: node, incarnation } = record
    const { address: addr, port, meta, versions } = record.description
    const message = encodeAlive({ node, incarnation, addr, port, meta, vsn: encodeVersions(versions) })
    this.#ring.broadcasts.add(node, message, onFinished)
    return message
  }

  /** Nobody contradicted in time. */
  #onExpire(record: NodeRecord, now: Instant): void {
    const { name: node, incarnation, state, suspicion } = record
    if (state !== 'suspect' || !suspicion) return
    const { confirmations, isDegraded } = suspicion
    if (isDegraded) this.#ring.note('degradedTimeout', { node, confirmations })
    this.#ring.note('failed', { node, confirmations })
    this.dead({ node, incarnation, from: this.#ring.name }, now)
  }

  #startSuspicion(record: NodeRecord, from: string, now: Instant): Suspicion {
    const { suspicionMult, suspicionMaxTimeoutMult, probeInterval, probeTimeout } = this.#ring.tuning
    const n = this.#ring.table.size
    const wanted = suspicionMult - 2
    const k = n - 2 < wanted ? 0 : wanted // fewer than k others could confirm
    const min = suspicionTimeout(suspicionMult, n, probeInterval)
    const onExpire = (at: Instant): void => this.#onExpire(record, at)
    const onLastCall = (at: Instant): void => this.#listener.onLastCall(record, at)
    const max = min * suspicionMaxTimeoutMult
    return new Suspicion(
      { k, min, max, from, onExpire, onLastCall, callTime: 2 * probeTimeout },
      this.#ring.timers,
      now,
    )
  }
}

/** What the ring is told when a node says that it lives: its own words, except that older peers crash on longer versions. */
function toldOn(message: Alive, octets: Uint8Array | undefined): Uint8Array {
  const { vsn } = message
  if (vsn && vsn.length > VSN_LENGTH) return encodeAlive({ ...message, vsn: vsn.subarray(0, VSN_LENGTH) })
  return octets ? compact(octets) : encodeAlive(message)
}

const VSN_LENGTH = 6

/** Whether the version octets can be told on: none, or six that make sense. Older peers crash on one to five. */
function isVersions(vsn: Uint8Array | undefined): boolean {
  if (vsn === undefined || vsn.length === 0) return true
  const [min = 0, max = 0] = vsn
  return vsn.length >= VSN_LENGTH && min > 0 && max >= min
}

/** Three octets at most stand for a character. */
const isTooLong = (name: string): boolean => name.length > MAX_NAME / 3 && encodeText(name).length > MAX_NAME

/** A datagram of usual size may stay in memory while its messages are gossiped on; of a larger one they are copied. */
const compact = (octets: Uint8Array): Uint8Array => (octets.buffer.byteLength <= 2048 ? octets : new Uint8Array(octets))
