import { GroupMembership } from '../responder/groups.js'
import type { OwnedAddress, OwnedAddresses } from '../responder/owned-addresses.js'
import { Responder } from '../responder/responder.js'
import type { WantedResponder } from '../responder/scan.js'
import type { DropReason } from '../responder/verdict.js'
import { GroupSockets } from './group-sockets.js'
import { Outbox } from './outbox.js'
import type { FrameSocket, Platform } from './platform.js'

/** Up to so many addresses the kernel's filter drops requests for others; beyond, comparing one by one costs too much. */
const FILTERED_TARGETS = { arp: 512, ndp: 128 } as const
/** Milliseconds until a full transmit queue is tried again. */
const RETRY = 1

/** What a {@link Port} tells about its frames. */
export interface PortStatistics {
  readonly protocol: 'arp' | 'ndp'
  readonly interface: string
  /** Frames that passed the kernel's filter. */
  readonly received: number
  /** Of those, frames the kernel lost because its buffer was full. */
  readonly receiveDrops: number
  /** Frames that could not be sent. */
  readonly sendDrops: number
  /** Frames that got no answer, by reason. */
  readonly drops: ReadonlyMap<DropReason, number>
}

/** One responder with its socket, its multicast groups and what it still has to send. */
export class Port {
  readonly #platform: Platform
  readonly #responder: Responder
  readonly #table: OwnedAddresses
  readonly #socket: FrameSocket
  readonly #outbox: Outbox
  readonly #memberships = new GroupMembership()
  readonly #groups: GroupSockets
  readonly #onError: (error: unknown) => void
  #cancelRetry: (() => void) | undefined
  #cancelFilter: (() => void) | undefined
  /** The targets in the kernel's filter; `undefined` when it lets all requests through. */
  #filtered: string | undefined = ''

  /**
   * Opens the sockets; {@link adopt} makes it answer for the addresses of the table.
   * @throws {SocketError} the kernel refuses
   */
  constructor(
    platform: Platform,
    wanted: WantedResponder,
    table: OwnedAddresses,
    /** Sending, receiving or joining has failed; the port stays open. */
    onError: (error: unknown) => void,
  ) {
    this.#platform = platform
    this.#table = table
    this.#responder = new Responder(wanted.identity, table)
    this.#groups = new GroupSockets(() => platform.openGroups(wanted.index))
    this.#outbox = new Outbox(frames => this.#socket.sendBatch(frames))
    this.#onError = onError
    this.#socket = platform.openFrames({
      interfaceIndex: wanted.index,
      protocol: wanted.identity.protocol,
      targets: [],
      onFrames: frames => this.#answer(frames),
      onError,
    })
  }

  /** Brings groups and filter in line with the table: for addresses that came, changed their interfaces, or went. */
  adopt(changed: Iterable<OwnedAddress>): void {
    let widened = false
    for (const owned of changed) {
      this.#adoptGroup(owned)
      widened ||= this.#table.get(owned.text) === owned && this.#responder.speaksFor(owned)
    }
    // A new address must not miss a request: all pass until the narrow filter, which is dearer, is made. That one is
    // gathered, so that many changes in one turn of the loop cost one filter.
    if (widened) this.#setTargets(undefined)
    this.#cancelFilter ??= this.#platform.after(0, () => {
      this.#cancelFilter = undefined
      this.#filter()
    })
  }

  #filter(): void {
    const { protocol } = this.#responder.identity
    const owned = [...this.#table].filter(owned => this.#responder.speaksFor(owned)).map(({ text }) => text)
    this.#setTargets(owned.length > FILTERED_TARGETS[protocol] ? undefined : owned)
  }

  #setTargets(targets: readonly string[] | undefined): void {
    const key = targets?.join(' ')
    if (key === this.#filtered) return
    this.#filtered = key
    this.#try(() => this.#socket.setTargets(targets))
  }

  #adoptGroup({ text, octets }: OwnedAddress): void {
    if (this.#responder.identity.protocol !== 'ndp' || octets.length !== 16) return
    const owned = this.#table.get(text)
    const wanted = owned !== undefined && this.#responder.speaksFor(owned)
    const actions = wanted ? this.#memberships.add(text, octets) : this.#memberships.delete(text, octets)
    this.#try(() => this.#groups.perform(actions))
  }

  /** Queues one gratuitous round for an address, if this port speaks for it; {@link flush} sends it. */
  announce(owned: OwnedAddress): void {
    const { counters } = owned
    // An NDP round counts even when sending fails, an ARP frame when it has gone (MetalLB's metrics).
    const early = this.#responder.identity.protocol === 'ndp'
    for (const frame of this.#responder.gratuitous(owned)) {
      if (early) counters.gratuitousSent++
      this.#outbox.push({ frame, counters, counter: early ? undefined : 'gratuitousSent' })
    }
  }

  /** Sends what is queued; what finds the transmit queue full is tried again by itself. */
  flush(): void {
    if (this.#cancelRetry !== undefined) return
    const done = this.#try(() => this.#outbox.flush()) ?? true
    if (done) return
    this.#cancelRetry = this.#platform.after(RETRY, () => {
      this.#cancelRetry = undefined
      this.flush()
    })
  }

  #answer(frames: readonly Uint8Array[]): void {
    for (const frame of frames) {
      const verdict = this.#responder.handle(frame)
      if (typeof verdict === 'string') continue
      this.#outbox.push({ frame: verdict.frame, counters: verdict.owned.counters, counter: 'responsesSent' })
    }
    this.flush()
  }

  #try<T>(action: () => T): T | undefined {
    try {
      return action()
    } catch (error) {
      this.#onError(error)
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
    this.#cancelRetry?.()
    this.#cancelFilter?.()
    this.#groups.close()
    this.#socket.close()
  }
}
