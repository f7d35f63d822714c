import {
  Session,
  SESSION_DEFAULTS,
  type Action,
  type RemoteStateAction,
  type SessionOptions,
  type StateAction,
} from '../fsm/index.js'
import { CONTROL_PACKET_LENGTH, decodeControlPacket, type EchoPacket, type Microseconds } from '../wire/index.js'
import type { CellWriter } from './cells.js'
import type { Addressed } from './demultiplexer.js'
import type { DiscardReason } from './discards.js'
import type { Endpoint, EndpointLink } from './endpoint.js'
import type { Scheduled } from './schedule.js'
import { Transmission, type TransmissionContext } from './transmission.js'

const MILLISECOND: Microseconds = 1000
/** A session that ends tells it no longer than so. */
const LONGEST_FAREWELL: Microseconds = 1_000_000

/** What a driver has from the system it belongs to. */
export interface DriverContext extends TransmissionContext {
  links(): readonly EndpointLink[]
  /** The session has changed its state. */
  onState(driver: SessionDriver, change: StateAction): void
  /** The remote system's state has changed, and the session's has not. */
  onRemoteState(driver: SessionDriver, change: RemoteStateAction): void
  /** An echo packet is to go out. @returns whether it has */
  sendEcho(driver: SessionDriver, octets: Uint8Array): boolean
}

/** One session with its socket: carries out what the state machine asks for, counts, and publishes. */
export class SessionDriver implements Scheduled, Addressed {
  place = -1
  readonly id: number
  readonly endpoint: Endpoint
  readonly cells: CellWriter
  readonly myDiscriminator: number
  /** Least TTL of received packets; a single-hop session's is always 255. */
  minimumTtl = 255
  readonly #context: DriverContext
  readonly #session: Session
  /** As the main thread wants them. */
  #options: SessionOptions
  #echoAllowed = false
  readonly #transmission: Transmission
  #lastArrival: Microseconds = NaN
  #receiveInterval: Microseconds = 0
  readonly #lastFields = new Uint8Array(CONTROL_PACKET_LENGTH)
  #farewell: { readonly octets: Uint8Array; readonly interval: Microseconds; readonly end: Microseconds } | undefined
  #farewellAt: Microseconds = Infinity
  #lastSent: Uint8Array | undefined

  constructor(
    context: DriverContext,
    {
      id,
      endpoint,
      cells,
      options,
      myDiscriminator,
    }: {
      readonly id: number
      readonly endpoint: Endpoint
      readonly cells: CellWriter
      readonly options: SessionOptions
      readonly myDiscriminator: number
    },
  ) {
    const { platform } = context
    this.#context = context
    this.id = id
    this.endpoint = endpoint
    this.cells = cells
    this.myDiscriminator = myDiscriminator
    this.#options = options
    this.#session = new Session(this.#effectiveOptions, {
      myDiscriminator,
      random: () => platform.random(),
      digest: (algorithm, octets) => platform.digest(algorithm, octets),
      now: platform.now(),
    })
    this.#transmission = new Transmission(context, endpoint, cells)
    this.#noteTtl()
    this.relink(context.links())
    this.#publish()
  }

  get address(): string {
    return this.endpoint.address
  }

  get localAddress(): string | undefined {
    return this.endpoint.localAddress
  }

  get deadline(): Microseconds {
    return Math.min(this.#session.deadline, this.#transmission.retryAt, this.#farewellAt)
  }

  /** When silence would be held against the remote system: what waits at the sockets is to be read before. */
  get detectionDeadline(): Microseconds {
    return this.#session.detectionDeadline
  }

  /** Whether the session is Up: then the remote system knows our discriminator. */
  get isUp(): boolean {
    return this.#session.state === 'Up'
  }

  /** Takes a control packet that `checkControlPacket` has accepted. @returns false when it was discarded */
  receive(octets: Uint8Array, now: Microseconds): boolean {
    const actions = this.#session.receive(decodeControlPacket(octets), octets, now)
    if (!this.#perform(actions, now)) return false
    this.cells.count('packetsReceived')
    // Most packets are like the one before, and change nothing that is to be told.
    if (actions.length > 0 || !this.#isRepeated(octets)) this.#publish()
    this.#noteArrival(now)
    return true
  }

  /** Takes an echo packet of ours that has come back. @returns false when it was discarded */
  receiveEcho(echo: EchoPacket, now: Microseconds): boolean {
    const good = this.#perform(this.#session.receiveEcho(echo, now), now)
    if (good) this.cells.count('echoPacketsReceived')
    return good
  }

  /** A packet for this session was discarded before the state machine saw it. */
  discard(reason: DiscardReason): void {
    this.cells.discard(reason)
  }

  /** Does what is due. */
  expire(now: Microseconds): void {
    if (now >= this.#transmission.retryAt) this.#transmission.open()
    if (now >= this.#farewellAt) this.#sayFarewell(now)
    const due = this.#session.deadline
    if (now < due) return
    const actions = this.#session.expire(now)
    if (due > 0 && actions.some(({ type }) => type === 'send')) this.cells.transmitLateness.add(now - due)
    this.#perform(actions, now)
    this.#publish()
  }

  change(options: SessionOptions, now: Microseconds): void {
    this.#options = options
    this.#noteTtl()
    this.#apply(now)
  }

  /** Whether the Echo function is asked for. */
  get wantsEcho(): boolean {
    return !this.endpoint.multihop && this.#options.echoMode === true
  }

  /** Least interval between echo packets that we have told the remote system. */
  get leastEchoInterval(): Microseconds {
    return (this.#options.echoInterval ?? SESSION_DEFAULTS.echoInterval) * MILLISECOND
  }

  /** Uses the Echo function where it is asked for, or does without. */
  allowEcho(allowed: boolean, now: Microseconds): void {
    if (allowed === this.#echoAllowed) return
    this.#echoAllowed = allowed
    this.#apply(now)
  }

  disable(now: Microseconds): void {
    this.#perform(this.#session.disable(now), now)
    this.#publish()
  }

  enable(now: Microseconds): void {
    this.#perform(this.#session.enable(now), now)
    this.#publish()
  }

  /**
   * Ends the session. The remote system is told AdminDown for a Detection Time, RFC 5880 section 6.8.16: {@link isOver} says when
   * that is done.
   */
  end(now: Microseconds): void {
    const { transmitInterval, remoteDetectionTime, remoteState } = this.#session.snapshot()
    this.disable(now)
    const octets = this.#lastSent
    if (octets === undefined || transmitInterval === 0 || remoteState !== 'Up') return
    const end = now + Math.min(remoteDetectionTime, LONGEST_FAREWELL)
    this.#farewell = { octets, interval: transmitInterval, end }
    this.#farewellAt = now + transmitInterval
  }

  /** Whether nothing more is to be said after {@link end}. */
  get isOver(): boolean {
    return this.#farewellAt === Infinity
  }

  /** Interface that single-hop packets must come in by; 0: any; -1: it is not there. */
  get interfaceIndex(): number {
    return this.#transmission.interfaceIndex
  }

  /** Links have changed. */
  relink(links: readonly EndpointLink[]): void {
    this.#transmission.relink(links)
  }

  /** Closes the socket. */
  close(): void {
    this.#transmission.close()
  }

  get #effectiveOptions(): SessionOptions {
    return { ...this.#options, echoMode: this.wantsEcho && this.#echoAllowed }
  }

  #apply(now: Microseconds): void {
    this.#perform(this.#session.change(this.#effectiveOptions, now), now)
    this.#publish()
  }

  #noteTtl(): void {
    if (this.endpoint.multihop) this.minimumTtl = this.#options.minimumTtl ?? SESSION_DEFAULTS.minimumTtl
  }

  #noteArrival(now: Microseconds): void {
    if (!Number.isNaN(this.#lastArrival)) this.cells.arrivalInterval.add(now - this.#lastArrival)
    this.#lastArrival = now
  }

  /** Whether a packet has the fields of the one before. */
  #isRepeated(octets: Uint8Array): boolean {
    const last = this.#lastFields
    let same = true
    for (let at = 0; at < CONTROL_PACKET_LENGTH; at++) {
      if (last[at] === octets[at]) continue
      last[at] = octets[at]!
      same = false
    }
    return same
  }

  /** @returns false when one of them discards a packet */
  #perform(actions: readonly Action[], now: Microseconds): boolean {
    let good = true
    for (const action of actions) {
      switch (action.type) {
        case 'send':
          this.#send(action.octets)
          break
        case 'send-echo':
          if (this.#context.sendEcho(this, action.octets)) this.cells.count('echoPacketsSent')
          else this.cells.count('sendErrors')
          break
        case 'state':
          this.#tell(action, now)
          break
        case 'remote-state':
          this.#context.onRemoteState(this, action)
          break
        case 'discard':
          this.cells.discard(action.reason)
          good = false
          break
        default:
          action satisfies never
      }
    }
    return good
  }

  #tell(change: StateAction, now: Microseconds): void {
    if (change.to === 'Up') this.cells.count('upTransitions')
    if (change.from === 'Up') this.cells.count('downTransitions')
    // Where there was silence no interval is to be measured.
    this.#lastArrival = change.to === 'Down' ? NaN : now
    this.#publish()
    this.#context.onState(this, change)
  }

  #publish(): void {
    const snapshot = this.#session.snapshot()
    this.cells.publish(snapshot)
    if (snapshot.receiveInterval === this.#receiveInterval) return
    this.#receiveInterval = snapshot.receiveInterval
    this.#lastArrival = NaN
    this.cells.arrivalInterval.clear()
  }

  #send(octets: Uint8Array): void {
    this.#lastSent = octets
    this.#transmission.send(octets)
  }

  #sayFarewell(now: Microseconds): void {
    const farewell = this.#farewell!
    this.#send(farewell.octets)
    this.#farewellAt += farewell.interval
    if (this.#farewellAt > farewell.end || now > farewell.end) this.#farewellAt = Infinity
  }
}
