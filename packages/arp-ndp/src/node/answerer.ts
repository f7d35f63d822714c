import { Announcer, type Instant } from '../responder/announcer.js'
import { isSelected, OwnedAddresses, type OwnedAddress } from '../responder/owned-addresses.js'
import { RefreshSchedule } from '../responder/refresh.js'
import { UnmatchedAddresses } from '../responder/unmatched.js'
import { ConflictReports } from './conflict-reports.js'
import type { Answers, Order, Report, WorkerOptions } from './messages.js'
import type { Platform } from './platform.js'
import type { Port } from './port.js'
import { Ports } from './ports.js'

/** Addresses taken in before requests get their turn: a big failover must not keep askers waiting. */
const ADDRESSES_PER_TURN = 64

type Change = Extract<Order, { type: 'change' }>

/** What the worker does: takes in addresses, lets the ports answer for them, tells neighbours of them, reports. */
export class Answerer {
  readonly #platform: Platform
  readonly #report: (report: Report) => void
  readonly #table = new OwnedAddresses()
  readonly #announcer = new Announcer()
  /** Bursts of all addresses on one port that is fresh, by its key: the other ports' neighbours have heard of them. */
  readonly #fresh = new Announcer()
  readonly #refresh: RefreshSchedule | undefined
  readonly #unmatched = new UnmatchedAddresses()
  readonly #ports: Ports
  readonly #conflicts: ConflictReports
  /** Carried out in order, a change over several turns of the loop when it is a big one. */
  readonly #orders: { readonly order: Order; readonly since: Instant; done: number }[] = []
  #cancelWork: (() => void) | undefined
  #cancelTick = (): void => {}
  #cancelFresh = (): void => {}
  #cancelRefresh = (): void => {}
  #closed = false

  /** @param report called with what the main thread should know */
  constructor(platform: Platform, options: WorkerOptions, report: (report: Report) => void) {
    const { refreshInterval: interval } = options
    this.#platform = platform
    this.#report = report
    this.#refresh =
      interval === undefined ? undefined : new RefreshSchedule({ interval, random: () => platform.random() })
    this.#ports = new Ports(platform, options, this.#table, {
      report,
      known: names => this.#rematch(names),
      fresh: port => this.#announceOn(port),
      gone: port => this.#leave(port),
      conflict: (port, sighting) => this.#conflicts.note(port, sighting),
    })
    this.#conflicts = new ConflictReports(platform, this.#ports, report)
  }

  /**
   * Looks at the interfaces once and goes on doing so.
   * @throws {SocketError} links cannot be listed, or no responder at all can be opened for want of a privilege
   */
  start(): void {
    this.#ports.start()
    this.#report({ type: 'ready' })
  }

  /** Does what the main thread asks for, in the order in which it asks: at once, or when what came before is done. */
  obey(order: Order): void {
    if (this.#closed) return
    this.#orders.push({ order, since: this.#platform.now(), done: 0 })
    if (this.#cancelWork === undefined) this.#work()
  }

  /** Closes every socket and timer; what was not sent yet is not sent. Safe to call twice. */
  close(): void {
    this.#closed = true
    this.#orders.length = 0
    this.#cancelWork?.()
    this.#cancelTick()
    this.#cancelFresh()
    this.#cancelRefresh()
    this.#conflicts.close()
    this.#ports.close()
  }

  // Orders

  #work(): void {
    this.#cancelWork = undefined
    let budget = ADDRESSES_PER_TURN
    for (let first = this.#orders[0]; first !== undefined && budget > 0; first = this.#orders[0]) {
      budget -= this.#carryOut(first, budget)
      if (first.done === sizeOf(first.order)) this.#orders.shift()
    }
    for (const port of this.#ports) port.flush()
    this.#rearm()
    if (this.#orders.length > 0) this.#cancelWork = this.#platform.after(0, () => this.#work())
  }

  /** @returns how much of the budget it took */
  #carryOut(entry: { readonly order: Order; readonly since: Instant; done: number }, budget: number): number {
    const { order, since } = entry
    if (order.type === 'change') {
      const count = Math.min(budget, sizeOf(order) - entry.done)
      this.#change(order, entry.done, entry.done + count, since)
      entry.done += count
      return count
    }
    entry.done = 1
    if (order.type === 'announce') this.#speakUp(order.address, since)
    else if (order.type === 'defend') this.#rounds([order.address])
    else if (order.type === 'hush') this.#hush(order.addresses, since)
    else if (order.type === 'refresh') this.#refreshNeighbor(order)
    else this.#report({ type: 'answer', id: order.id, value: this.#answer(order.question) })
    return 1
  }

  /** Applies a part of a change, of what is removed and then what is set, as if it were one list. */
  #change({ remove, set }: Change, from: number, to: number, since: Instant): void {
    const removed = this.#remove(remove.slice(from, to), since)
    const added = set.slice(Math.max(0, from - remove.length), Math.max(0, to - remove.length))
    const before = added.map(({ text }) => this.#table.get(text))
    const changed = added.map(({ text, octets, interfaces }) => this.#table.set(text, octets, interfaces))
    for (const port of this.#ports) port.adopt([...removed, ...changed])
    for (const [index, owned] of changed.entries()) {
      this.#match(owned)
      this.#announceMove(before[index], owned)
      this.#announce(owned.text, since)
      this.#refresh?.add(owned.text, since)
    }
    this.#conflicts.expire()
  }

  #remove(texts: readonly string[], now: Instant): readonly OwnedAddress[] {
    const removed: OwnedAddress[] = []
    for (const text of texts) {
      const owned = this.#table.delete(text)
      if (owned !== undefined) removed.push(owned)
      this.#announcer.handle({ type: 'withdraw', address: text }, now)
      this.#refresh?.delete(text)
      this.#unmatched.delete(text)
    }
    return removed
  }

  #speakUp(address: string, now: Instant): void {
    this.#announce(address, now)
    if (this.#table.get(address) !== undefined) this.#refresh?.add(address, now)
  }

  #hush(addresses: readonly string[], now: Instant): void {
    for (const address of addresses) {
      this.#announcer.handle({ type: 'withdraw', address }, now)
      this.#refresh?.delete(address)
    }
  }

  #refreshNeighbor({ address, interface: name, neighbor }: Extract<Order, { type: 'refresh' }>): void {
    const owned = this.#table.get(address)
    if (owned === undefined) return
    for (const port of this.#ports) if (port.wanted.identity.interface === name) port.refresh(owned, neighbor)
  }

  #answer(question: keyof Answers): Answers[keyof Answers] {
    if (question === 'counters') return this.#table.counters
    if (question === 'conflicts') return this.#conflicts.current()
    return Array.from(this.#ports, port => port.statistics())
  }

  // Interfaces

  #rematch(names: readonly string[]): void {
    this.#unmatched.know(names)
    for (const owned of this.#table) this.#match(owned)
  }

  #match(owned: OwnedAddress): void {
    const change = this.#unmatched.check(owned)
    if (change === 'matched') this.#report({ type: 'matched', address: owned.text })
    else if (change === 'unmatched' && owned.interfaces !== 'all') {
      this.#report({ type: 'unmatched', address: owned.text, interfaces: owned.interfaces })
    }
  }

  // Announcing

  /** Starts a burst for an owned address, or makes the running one longer. */
  #announce(address: string, now: Instant): void {
    if (this.#table.get(address) === undefined) return
    this.#rounds(this.#announcer.handle({ type: 'announce', address }, now).map(({ address }) => address))
  }

  /** An address that comes to another interface in the middle of its burst is new there: a round at once. */
  #announceMove(before: OwnedAddress | undefined, owned: OwnedAddress): void {
    if (before === undefined) return
    for (const port of this.#ports) {
      if (!isSelected(before, port.wanted.identity.interface)) port.announce(owned)
    }
  }

  /** Tells the neighbours behind one port, and nobody else, of every address: at once, and again as in a burst. */
  #announceOn(port: Port): void {
    if (this.#table.size === 0) return
    this.#fresh.handle({ type: 'extend', address: port.wanted.key }, this.#platform.now())
    this.#announceAll(port)
    this.#rearm()
  }

  #announceAll(port: Port): void {
    for (const owned of this.#table) port.announce(owned)
    port.flush()
  }

  #leave(port: Port): void {
    this.#fresh.handle({ type: 'withdraw', address: port.wanted.key }, this.#platform.now())
    this.#conflicts.leave(port)
  }

  #sendFresh(now: Instant): void {
    const keys = new Set(this.#fresh.handleTimeout(now).map(({ address }) => address))
    for (const port of this.#ports) if (keys.has(port.wanted.key)) this.#announceAll(port)
    this.#rearm()
  }

  /** Puts in a round for each address on every port; the ports send them as fast as they may. */
  #rounds(addresses: readonly string[]): void {
    for (const address of addresses) {
      const owned = this.#table.get(address)
      if (owned !== undefined) for (const port of this.#ports) port.announce(owned)
    }
  }

  #sendRounds(addresses: readonly string[]): void {
    this.#rounds(addresses)
    for (const port of this.#ports) port.flush()
    this.#rearm()
  }

  #rearm(): void {
    this.#cancelTick()
    this.#cancelTick = this.#at(this.#announcer.nextTimeout, now =>
      this.#sendRounds(this.#announcer.handleTimeout(now).map(({ address }) => address)),
    )
    this.#cancelFresh()
    this.#cancelFresh = this.#at(this.#fresh.nextTimeout, now => this.#sendFresh(now))
    this.#cancelRefresh()
    this.#cancelRefresh = this.#at(this.#refresh?.nextTimeout, now =>
      this.#sendRounds(this.#refresh?.handleTimeout(now) ?? []),
    )
  }

  #at(due: Instant | undefined, act: (now: Instant) => void): () => void {
    if (due === undefined) return () => {}
    return this.#platform.after(Math.max(0, due - this.#platform.now()), () => act(this.#platform.now()))
  }
}

/** Steps that an order is carried out in. */
const sizeOf = (order: Order): number =>
  order.type === 'change' ? Math.max(1, order.remove.length + order.set.length) : 1
