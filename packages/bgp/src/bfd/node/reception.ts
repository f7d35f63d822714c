import { checkControlPacket, readYourDiscriminator, type Microseconds } from '../wire/index.js'
import { Demultiplexer, isFrom, select } from './demultiplexer.js'
import type { DiscardReason } from './discards.js'
import { FloodGuard } from './flood-guard.js'
import type { Log } from './logger.js'
import { plainError } from './messages.js'
import type { ControlSocket, PacketBatch, Platform } from './platform.js'
import type { Scheduled } from './schedule.js'
import type { SessionDriver } from './session-driver.js'
import type { TotalsWriter } from './totals.js'
import { CONTROL_PORT } from './transmission.js'

/** Single-hop packets that come with less have passed a router, or say so: RFC 5881 section 5. */
const SINGLE_HOP_TTL = 255
/** Time between two looks at what the kernel drops, while there are sessions. */
const LOOK: Microseconds = 1_000_000

/** Which packets a {@link Reception} is for. */
export interface ReceptionKind {
  readonly family: 4 | 6
  readonly multihop: boolean
  /** VRF or other device. */
  readonly device: string | undefined
}

/** What a reception has from the system it belongs to. */
export interface ReceptionContext {
  readonly platform: Platform
  readonly totals: TotalsWriter
  readonly log: Log
  /** All sessions of the system by their discriminators. */
  readonly sessions: ReadonlyMap<number, SessionDriver>
  /** A session has taken a packet: its deadline may be another. */
  onTouched(entry: Scheduled): void
}

/** One socket of control packets: finds the session of each packet, and has the kernel refuse what is for none when it is too much. */
export class Reception implements Scheduled {
  place = -1
  readonly kind: ReceptionKind
  readonly #context: ReceptionContext
  readonly #sessions = new Demultiplexer<SessionDriver>()
  readonly #drivers = new Set<SessionDriver>()
  readonly #guard = new FloodGuard()
  /** `undefined`: its device is gone, or it is closed. */
  #socket: ControlSocket | undefined
  #lookAt: Microseconds = Infinity
  #drops = 0
  /** Why it could not be opened anew: each reason is logged once. */
  #failure: string | undefined

  /** @throws {Error} with a `code`: `EADDRINUSE`, `EAFNOSUPPORT`, `ENODEV`, ... */
  constructor(context: ReceptionContext, kind: ReceptionKind) {
    this.#context = context
    this.kind = kind
    this.#socket = this.#open()
  }

  get deadline(): Microseconds {
    return this.#lookAt
  }

  /** Nobody is accused by a reception. */
  get detectionDeadline(): Microseconds {
    return Infinity
  }

  /** Whether no session is left. */
  get isIdle(): boolean {
    return this.#drivers.size === 0
  }

  add(driver: SessionDriver): void {
    this.#drivers.add(driver)
    this.#sessions.add(driver)
    this.refresh()
    if (this.#lookAt !== Infinity) return
    this.#lookAt = this.#context.platform.now() + LOOK
    this.#context.onTouched(this)
  }

  delete(driver: SessionDriver): void {
    this.#drivers.delete(driver)
    this.#sessions.delete(driver)
    this.refresh()
  }

  /** Sessions, their options or states have changed: the filter, if it is on, has to know. */
  refresh(): void {
    if (this.#guard.filtered) this.#attach()
  }

  /** Opens the socket anew: its device is there again. It is tried again each second when that fails. */
  reopen(): void {
    this.#socket?.close()
    this.#socket = undefined
    try {
      this.#socket = this.#open()
    } catch (error) {
      this.#logFailure(plainError(error).message)
    }
    this.refresh()
  }

  drain(): void {
    this.#socket?.drain()
  }

  /** Counts what the kernel has dropped, and looks whether the flood is over. */
  expire(now: Microseconds): void {
    if (this.#socket === undefined) this.reopen()
    this.#countDrops()
    this.#lookAt = this.isIdle && !this.#guard.filtered ? Infinity : now + LOOK
    if (!this.#guard.filtered || this.#guard.look(this.#drops, now) !== 'detach') return
    this.#socket?.setFilter(undefined)
    this.#context.totals.add('filteredSockets', -1)
    this.#context.log('info', this.#fields(), 'bad BFD packets have ceased; the filter is off')
  }

  close(): void {
    this.#socket?.close()
    this.#socket = undefined
    if (this.#guard.filtered) this.#context.totals.add('filteredSockets', -1)
  }

  #open(): ControlSocket {
    const { family, multihop, device } = this.kind
    const socket = this.#context.platform.openControl({
      family,
      port: multihop ? CONTROL_PORT.multihop : CONTROL_PORT.singleHop,
      device,
      onPackets: batch => this.#receive(batch),
      onError: error =>
        this.#context.log('debug', { ...this.#fields(), error: error.message }, 'a BFD socket met an error'),
    })
    this.#drops = 0
    this.#failure = undefined
    return socket
  }

  #receive(batch: PacketBatch): void {
    const now = this.#context.platform.now()
    let bad = 0
    for (let index = 0; index < batch.length; index++) if (!this.#take(batch, index, now)) bad++
    const decision = bad > 0 ? this.#guard.note(bad, now) : undefined
    if (decision === 'attach') this.#begin(now)
    else if (decision === 'tighten') this.#attach()
  }

  /** @returns false when the packet was discarded */
  #take(batch: PacketBatch, index: number, now: Microseconds): boolean {
    const hopLimit = batch.hopLimit(index)
    if (!this.kind.multihop && hopLimit !== SINGLE_HOP_TTL) return this.#discard('ttl')
    const octets = batch.data(index)
    const reason = checkControlPacket(octets)
    if (reason !== undefined) return this.#discard(reason)
    const driver = this.#find(batch, index, readYourDiscriminator(octets))
    if (driver === undefined) return false
    if (hopLimit < driver.minimumTtl) {
      driver.discard('ttl')
      return false
    }
    const good = driver.receive(octets, now)
    this.#context.onTouched(driver)
    return good
  }

  #find(batch: PacketBatch, index: number, yourDiscriminator: number): SessionDriver | undefined {
    if (yourDiscriminator === 0) return this.#findByAddress(batch, index)
    const driver = this.#context.sessions.get(yourDiscriminator)
    if (driver === undefined) {
      this.#discard('unknown-discriminator')
      return undefined
    }
    if (this.#drivers.has(driver) && isFrom(driver, batch.interfaceIndex(index))) return driver
    driver.discard('interface')
    return undefined
  }

  #findByAddress(batch: PacketBatch, index: number): SessionDriver | undefined {
    const candidates = this.#sessions.withSource(batch.source(index))
    const driver = select(candidates, batch.interfaceIndex(index), batch.destination(index))
    if (driver === undefined) this.#discard(candidates.length > 0 ? 'interface' : 'unknown-source')
    return driver
  }

  #discard(reason: DiscardReason): false {
    this.#context.totals.discard(reason)
    return false
  }

  #begin(now: Microseconds): void {
    this.#countDrops()
    this.#guard.attached(this.#drops)
    this.#attach()
    this.#lookAt = now + LOOK
    this.#context.onTouched(this)
    this.#context.totals.add('floods', 1)
    this.#context.totals.add('filteredSockets', 1)
    this.#context.log('warn', this.#fields(), 'bad BFD packets come too fast; the kernel filters them')
  }

  #attach(): void {
    const { family, multihop } = this.kind
    const drivers = [...this.#drivers]
    const minimumTtl = multihop ? Math.min(...drivers.map(driver => driver.minimumTtl), 255) : SINGLE_HOP_TTL
    const discriminators = drivers.map(driver => driver.myDiscriminator)
    // A remote system that was Up and has forgotten us is heard again when we have missed it.
    const sources = drivers.filter(driver => !driver.isUp).map(driver => driver.address)
    this.#socket?.setFilter({ family, minimumTtl, discriminators, sources, sparing: this.#guard.sparing })
  }

  #countDrops(): void {
    if (this.#socket === undefined) return
    const drops = this.#socket.drops()
    this.#context.totals.add('kernelDrops', (drops - this.#drops) >>> 0)
    this.#drops = drops
  }

  #logFailure(error: string): void {
    if (error === this.#failure) return
    this.#failure = error
    this.#context.log('warn', { ...this.#fields(), error }, 'a BFD socket cannot be opened; it is tried again')
  }

  #fields(): object {
    const { family, multihop, device } = this.kind
    return { family, port: multihop ? CONTROL_PORT.multihop : CONTROL_PORT.singleHop, device }
  }
}
