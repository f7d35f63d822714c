import { ConflictDetector, type ConflictSighting } from '../acd/conflict-detector.js'
import type { Conflict } from '../acd/conflict-table.js'
import type { DefencePolicy } from '../acd/defence.js'
import type { Instant } from '../responder/announcer.js'
import { GroupMembership, type GroupAction } from '../responder/groups.js'
import { neighborRefresh, type Neighbor } from '../responder/neighbor-refresh.js'
import type { OwnedAddress, OwnedAddresses } from '../responder/owned-addresses.js'
import { Pacer } from '../responder/pacer.js'
import { Responder } from '../responder/responder.js'
import type { WantedResponder } from '../responder/scan.js'
import type { DropReason } from '../responder/verdict.js'
import { GroupSockets } from './group-sockets.js'
import { Outbox } from './outbox.js'
import type { FrameSocket, Platform } from './platform.js'

/** Milliseconds that frames wait for room in the transmit queue while it takes none: by then whoever asked has asked again. */
const PATIENCE = 1000
/** Frames of one address's gratuitous round, at most. */
const ROUND = 2
/** Milliseconds that a timer can wait at least. */
const SHORTEST_WAIT = 1
/** Milliseconds until the kernel's filter is made narrow again, and one more for each so many addresses: then it takes longer. */
const FILTER_DELAY = 10
const FILTER_GROWTH = 50
const ADDRESS_LENGTH = { arp: 4, ndp: 16 } as const

/** What is known of the frames of one interface and protocol. */
export interface PortStatistics {
  readonly protocol: 'arp' | 'ndp'
  readonly interface: string
  /** Frames that passed the kernel's filter. */
  readonly received: number
  /** Of those, frames the kernel lost because its buffer was full. */
  readonly receiveDrops: number
  /** Frames that could not be sent. A gratuitous frame is sent again by the next round of its burst. */
  readonly sendDrops: number
  /** Frames that got no answer, by reason. */
  readonly drops: ReadonlyMap<DropReason, number>
}

/** What a {@link Port} is opened with. */
export interface PortOptions {
  readonly wanted: WantedResponder
  /** Shared by all ports; {@link Port.adopt} tells of its changes. */
  readonly table: OwnedAddresses
  /** Gratuitous frames a second. */
  readonly gratuitousRate: number
  readonly defend: DefencePolicy
  /** Whether a MAC address belongs to another interface of this host. */
  readonly isOwn: (mac: Uint8Array) => boolean
  /** Sending, receiving or joining has failed; the port stays open. */
  readonly onError: (error: unknown) => void
  /** Another host uses an address of ours: at first sight, and then as often as the detector lets it. */
  readonly onConflict: (port: Port, conflict: ConflictSighting) => void
}

/** One responder with its socket, its multicast groups and what it still has to send. */
export class Port {
  readonly #platform: Platform
  readonly #options: PortOptions
  readonly #responder: Responder
  readonly #detector: ConflictDetector
  readonly #socket: FrameSocket
  readonly #outbox: Outbox
  readonly #pacer: Pacer
  readonly #memberships = new GroupMembership()
  readonly #groups: GroupSockets
  /** Addresses, by text, whose gratuitous round is still to be made: each once, however often it is asked for. */
  readonly #rounds = new Set<string>()
  /** Since when the transmit queue has taken nothing; `undefined` while it takes all. */
  #fullSince: Instant | undefined
  #cancelPace: (() => void) | undefined
  #cancelFilter: (() => void) | undefined
  /** Whether the kernel's filter lets requests for all addresses through. */
  #isWide = false

  /**
   * Opens the sockets; {@link adopt} makes it answer for the addresses of the table.
   * @throws {SocketError} the kernel refuses
   */
  constructor(platform: Platform, options: PortOptions) {
    const { wanted, table, gratuitousRate, defend, isOwn, onError } = options
    this.#platform = platform
    this.#options = options
    this.#responder = new Responder(wanted.identity, table)
    this.#detector = new ConflictDetector(wanted.identity, table, { defend, isOwn })
    this.#pacer = new Pacer(gratuitousRate, platform.now())
    this.#groups = new GroupSockets(platform, wanted.index, onError)
    this.#outbox = new Outbox(this.#responder.replyLength, frames => this.#socket.sendBatch(frames), onError)
    this.#socket = platform.openFrames({
      interfaceIndex: wanted.index,
      protocol: wanted.identity.protocol,
      targets: [],
      onFrames: frames => this.#receive(frames),
      onWritable: () => this.#pump(),
      onError,
    })
  }

  /** Who answers, and where. */
  get wanted(): WantedResponder {
    return this.#options.wanted
  }

  /** Brings groups and filter in line with the table: for addresses that came, changed their interfaces, or went. */
  adopt(changed: Iterable<OwnedAddress>): void {
    const { table, wanted } = this.#options
    const groups: GroupAction[] = []
    let widened = false
    let narrowed = false
    for (const owned of changed) {
      if (owned.octets.length !== ADDRESS_LENGTH[wanted.identity.protocol]) continue
      groups.push(...this.#groupActionsFor(owned))
      const isOurs = table.get(owned.text) === owned && this.#responder.speaksFor(owned)
      widened ||= isOurs
      narrowed ||= !isOurs
    }
    // A new address must not miss a request: all pass until the narrow filter, which is dearer, is made. That one is
    // gathered, so that many changes in one turn of the loop cost one filter.
    if (widened) this.#widen()
    if (!widened && !narrowed) return
    this.#groups.perform(groups) // all in one, so that it takes turns
    this.#cancelFilter ??= this.#platform.after(FILTER_DELAY + table.size / FILTER_GROWTH, () => {
      this.#cancelFilter = undefined
      this.#narrow()
    })
  }

  #widen(): void {
    if (this.#isWide) return
    this.#isWide = true
    this.#try(() => this.#socket.setTargets(undefined))
  }

  #narrow(): void {
    const targets: Uint8Array[] = []
    for (const owned of this.#options.table) if (this.#responder.speaksFor(owned)) targets.push(owned.octets)
    try {
      this.#socket.setTargets(targets)
      this.#isWide = false
    } catch (error) {
      // Too long for the kernel (`net.core.optmem_max`): what is not ours then costs a look here.
      this.#options.onError(error)
      this.#isWide = false
      this.#widen()
    }
  }

  #groupActionsFor({ text, octets }: OwnedAddress): readonly GroupAction[] {
    if (octets.length !== 16) return []
    const owned = this.#options.table.get(text)
    const wanted = owned !== undefined && this.#responder.speaksFor(owned)
    return wanted ? this.#memberships.add(text, octets) : this.#memberships.delete(text, octets)
  }

  /** Joins again the groups that could not be joined. */
  retry(): void {
    this.#groups.retry()
  }

  /** Puts in a gratuitous round for an address, if this port speaks for it; {@link flush} begins to send. */
  announce(owned: OwnedAddress): void {
    if (this.#responder.speaksFor(owned)) this.#rounds.add(owned.text)
  }

  /** Tells one neighbour alone where an address is, if this port speaks for it and the neighbour is of its family. */
  refresh(owned: OwnedAddress, neighbor: Neighbor): void {
    if (!this.#responder.speaksFor(owned)) return
    this.#outbox.announce({
      frame: neighborRefresh(this.#responder.identity, owned.octets, neighbor),
      counters: owned.counters,
      counter: 'gratuitousSent',
    })
    this.flush()
  }

  /** Sends what may go now; the rest follows by itself, as fast as pace and transmit queue allow. */
  flush(): void {
    // Should the socket never tell that there is room, the wait ends all the same.
    if (this.#fullSince === undefined || this.#platform.now() - this.#fullSince >= PATIENCE) this.#pump()
  }

  #pump(): void {
    let now: Instant | undefined // asked for when it matters: answers do not wait for it
    do {
      const before = this.#outbox.waiting
      if (!this.#outbox.flush()) return this.#wait(this.#outbox.waiting < before, now ?? this.#platform.now())
      this.#fullSince = undefined
    } while (this.#rounds.size > 0 && this.#fill((now ??= this.#platform.now())))
  }

  /** The transmit queue is full: the socket calls {@link #pump} when there is room. */
  #wait(some: boolean, now: Instant): void {
    if (some) this.#fullSince = now
    this.#fullSince ??= now
    if (now - this.#fullSince < PATIENCE) return
    this.#outbox.giveUp()
    this.#fullSince = now
  }

  /** Makes frames of the rounds that wait. @returns whether there are any to send now */
  #fill(now: Instant): boolean {
    let allowance = this.#pacer.allowance(now)
    if (allowance < ROUND) {
      this.#cancelPace ??= this.#platform.after(Math.max(SHORTEST_WAIT, this.#pacer.readyAt(ROUND) - now), () => {
        this.#cancelPace = undefined
        this.flush()
      })
      return false
    }
    for (const text of this.#rounds) {
      if (allowance < ROUND) break
      this.#rounds.delete(text)
      const owned = this.#options.table.get(text) // undefined when it was withdrawn meanwhile
      if (owned !== undefined) allowance -= this.#makeRound(owned)
    }
    return true
  }

  /** @returns frames made */
  #makeRound(owned: OwnedAddress): number {
    const { counters } = owned
    // An NDP round counts even when sending fails, an ARP frame when it has gone (MetalLB's metrics).
    const early = this.#responder.identity.protocol === 'ndp'
    if (!this.#responder.speaksFor(owned)) return 0
    const { roundLength } = this.#responder
    for (let index = 0; index < roundLength; index++) {
      if (early) counters.gratuitousSent++
      this.#responder.writeGratuitous(owned, index, this.#outbox.roundPlace)
      this.#outbox.announceWritten(counters, early ? undefined : 'gratuitousSent')
    }
    this.#pacer.spend(roundLength)
    return roundLength
  }

  #receive(frames: readonly Uint8Array[]): void {
    for (const frame of frames) {
      const decision = this.#responder.answer(frame, this.#outbox.place)
      if (typeof decision !== 'string') this.#outbox.answer(decision.counters)
    }
    this.flush()
    this.#detect(frames)
  }

  /** Looks for second owners, when nobody waits for an answer any more. */
  #detect(frames: readonly Uint8Array[]): void {
    const now = this.#platform.now()
    let isDefended = false
    // What was answered as well: a gratuitous ARP request of a second owner asks for its own address.
    for (const frame of frames) {
      const seen = this.#detector.observe(frame, now)
      if (typeof seen === 'string') continue
      this.#meet(seen)
      isDefended ||= seen.defend !== undefined
    }
    if (isDefended) this.flush()
  }

  #meet(conflict: ConflictSighting): void {
    const { owned, defend, report } = conflict
    if (defend) this.#outbox.announce({ frame: defend, counters: owned.counters, counter: 'gratuitousSent' })
    if (report) this.#options.onConflict(this, conflict)
  }

  /** When {@link expireConflicts} is next due; Infinity while there is no conflict. */
  get conflictDeadline(): Instant {
    return this.#detector.deadline
  }

  /** Conflicts that are over. */
  expireConflicts(now: Instant): readonly Conflict[] {
    return this.#detector.expire(now)
  }

  /** Conflicts that are seen now. */
  conflicts(now: Instant): readonly Conflict[] {
    return this.#detector.conflicts(now)
  }

  #try<T>(action: () => T): T | undefined {
    try {
      return action()
    } catch (error) {
      this.#options.onError(error)
      return undefined
    }
  }

  /** Counts since the port was opened. */
  statistics(): PortStatistics {
    const { protocol, interface: name } = this.#responder.identity
    const { packets, drops } = this.#socket.statistics()
    return {
      protocol,
      interface: name,
      received: packets,
      receiveDrops: drops,
      sendDrops: this.#outbox.lost,
      drops: this.#responder.drops,
    }
  }

  /** Leaves the groups and closes the sockets. Safe to call twice. */
  close(): void {
    this.#cancelPace?.()
    this.#cancelFilter?.()
    this.#groups.close()
    this.#socket.close()
  }
}
