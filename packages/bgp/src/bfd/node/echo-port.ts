import { formatAddress, parseAddress } from '../../address.js'
import { decodeEchoPacket, type Microseconds } from '../wire/index.js'
import type { DiscardReason } from './discards.js'
import { ECHO_PORT } from './echo-filter.js'
import type { EndpointLink } from './endpoint.js'
import { decodeUdpInIp, encodeUdpInIp, type UdpInIp } from './ip-packet.js'
import type { Log } from './logger.js'
import type { EchoSocket, Platform } from './platform.js'
import type { Scheduled } from './schedule.js'
import type { SessionDriver } from './session-driver.js'
import type { TotalsWriter } from './totals.js'

const SENT_HOPS = 255
const LOOPED_HOPS = 254
/** Packets of one remote system that may wait here after a stall of ours. */
const LOOPED_AT_ONCE = 8
const SECOND: Microseconds = 1_000_000

/** What an echo port has from the system it belongs to. */
export interface EchoContext {
  readonly platform: Platform
  readonly totals: TotalsWriter
  readonly log: Log
  readonly sessions: ReadonlyMap<number, SessionDriver>
  onTouched(entry: Scheduled): void
}

/** A session that uses the Echo function. */
interface Member {
  readonly driver: SessionDriver
  /** Our address, which our echo packets come from and go to. */
  readonly own: Uint8Array
  /** The time that the packets looped so far have used up. */
  loopedUntil: Microseconds
}

/**
 * Echo packets on one interface, RFC 5881 section 4. Ours are addressed to ourselves and handed to the remote system, whose kernel
 * forwards them back. Theirs are forwarded by our kernel; where it does not forward, and where they are addressed to us as older
 * implementations do, we loop them here, no faster than the remote system was told.
 */
export class EchoPort {
  readonly family: 4 | 6
  readonly link: EndpointLink
  readonly #context: EchoContext
  readonly #socket: EchoSocket
  readonly #members = new Map<SessionDriver, Member>()
  /** One of each remote system, for what it sends. */
  readonly #byRemote = new Map<string, Member>()
  readonly #own = new Set<string>()
  #forwards = false
  /** The kernel tells nobody that it was told to forward, or to cease. */
  #lookAgainAt: Microseconds = -Infinity

  /** @throws {Error} with a `code`: `EPERM` without CAP_NET_RAW */
  constructor(context: EchoContext, family: 4 | 6, link: EndpointLink) {
    this.#context = context
    this.family = family
    this.link = link
    this.#socket = context.platform.openEcho({
      family,
      link,
      sources: [],
      onPackets: packets => this.#receive(packets),
      onError: error =>
        context.log('debug', { interface: link.name, error: error.message }, 'a BFD echo socket met an error'),
    })
  }

  /** Whether no session is left. */
  get isIdle(): boolean {
    return this.#members.size === 0
  }

  /** @param ownAddress of ours; another one than before takes its place */
  join(driver: SessionDriver, ownAddress: string): void {
    const known = this.#members.get(driver)
    if (known !== undefined && formatAddress(known.own) === ownAddress) return
    this.#members.set(driver, { driver, own: parseAddress(ownAddress), loopedUntil: -Infinity })
    this.#refresh()
  }

  leave(driver: SessionDriver): void {
    if (this.#members.delete(driver)) this.#refresh()
  }

  /** @returns whether it has gone out */
  send(driver: SessionDriver, payload: Uint8Array): boolean {
    const own = this.#members.get(driver)?.own
    if (own === undefined) return false
    const ports = { sourcePort: ECHO_PORT, destinationPort: ECHO_PORT }
    const packet = encodeUdpInIp({ source: own, destination: own, ...ports, hops: SENT_HOPS, payload })
    return this.#socket.send(packet, driver.address) === undefined
  }

  drain(): void {
    this.#socket.drain()
  }

  close(): void {
    this.#socket.close()
  }

  #refresh(): void {
    this.#own.clear()
    this.#byRemote.clear()
    for (const member of this.#members.values()) {
      this.#own.add(formatAddress(member.own))
      this.#byRemote.set(member.driver.address, member)
    }
    this.#socket.setSources([...this.#byRemote.keys(), ...this.#own])
  }

  #receive(packets: readonly Uint8Array[]): void {
    const now = this.#context.platform.now()
    for (const octets of packets) {
      const reason = this.#take(octets, now)
      if (reason !== undefined) this.#context.totals.discard(reason)
    }
  }

  #take(octets: Uint8Array, now: Microseconds): DiscardReason | undefined {
    const packet = decodeUdpInIp(octets)
    if (packet === undefined) return 'unknown-echo'
    const source = formatAddress(packet.source)
    const isSelfAddressed = packet.source.every((octet, at) => octet === packet.destination[at])
    if (isSelfAddressed && this.#own.has(source)) return this.#takeOwn(packet.payload, now)
    const member = this.#byRemote.get(source)
    if (member === undefined) return 'unknown-echo'
    if (isSelfAddressed && this.#isForwarded(now)) return undefined // the kernel does it
    if (packet.hops !== SENT_HOPS) return 'ttl'
    return this.#loop(packet, member, isSelfAddressed, now)
  }

  #isForwarded(now: Microseconds): boolean {
    if (now < this.#lookAgainAt) return this.#forwards
    this.#lookAgainAt = now + SECOND
    this.#forwards = this.#context.platform.forwards(this.family, this.link.name)
    return this.#forwards
  }

  #takeOwn(payload: Uint8Array, now: Microseconds): DiscardReason | undefined {
    const echo = decodeEchoPacket(payload)
    const driver = echo && this.#context.sessions.get(echo.myDiscriminator)
    if (driver === undefined || !this.#members.has(driver)) return 'unknown-echo'
    driver.receiveEcho(echo!, now)
    this.#context.onTouched(driver)
    return undefined
  }

  #loop(packet: UdpInIp, member: Member, isSelfAddressed: boolean, now: Microseconds): DiscardReason | undefined {
    const { driver } = member
    const spacing = driver.leastEchoInterval / 2
    const used = Math.max(member.loopedUntil, now)
    if (used - now > (LOOPED_AT_ONCE - 1) * spacing) return 'echo-rate'
    member.loopedUntil = used + spacing
    const back = isSelfAddressed
      ? { ...packet, hops: LOOPED_HOPS }
      : {
          source: packet.destination,
          destination: packet.source,
          sourcePort: ECHO_PORT,
          destinationPort: packet.sourcePort,
          hops: LOOPED_HOPS,
          payload: packet.payload,
        }
    if (this.#socket.send(encodeUdpInIp(back), driver.address) === undefined) driver.cells.count('echoPacketsLooped')
    return undefined
  }
}
