import { EventEmitter } from 'node:events'
import { connect, type Socket } from 'node:net'
import {
  checkOptions,
  listOf,
  number,
  oneOf,
  optional,
  signal as signalKind,
  text,
  type Kinds,
} from '@typemetal/options'
import { port } from '../../bgp-kinds.js'
import { speakerKind, type MonitoredPeer, type MonitoredSpeaker, type StateListener } from '../../monitored-speaker.js'
import { clockKind, systemClock, type Clock } from '../../node/clock.js'
import { loggerKind, SILENT, type Logger } from '../../node/logger.js'
import type { Octets } from '../../wire/index.js'
import { BmpInformationType, BmpTerminationReason, BmpTerminationType, createInformation } from '../wire/information.js'
import { encodeBmpMessage } from '../wire/message.js'
import { Feed } from './feed.js'
import { LocRibMonitor } from './loc-rib-monitor.js'
import { PeerMonitor, type PeerRib } from './peer-monitor.js'
import type { Subject } from './subject.js'

/** A RIB that a {@link BmpClient} shows. @useDeclaredType */
export type MonitoredRib = PeerRib | 'loc-rib'

/** Options of a {@link BmpClient}. */
export interface BmpClientOptions {
  /** The speaker to show. */
  readonly speaker: MonitoredSpeaker
  /** Address or name of the station. */
  readonly host: string
  /** TCP port of the station; no number is assigned, 11019 is what most use. */
  readonly port: number
  /** The router's name, RFC 7854 section 4.4. */
  readonly sysName: string
  /** What the router is. */
  readonly sysDescr: string
  /**
   * What to show: what peers have announced, before any policy; what they have been told (RFC 8671); the best paths (RFC 9069).
   *
   * @default ['adj-rib-in-pre-policy']
   */
  readonly monitor?: readonly MonitoredRib[]
  /** Seconds between Statistics Reports; 0 for none. @default 60 */
  readonly statisticsInterval?: number
  /** Seconds before a first attempt to connect again; doubled from one to the next, RFC 7854 section 3.2. @default 30 */
  readonly retryTime?: number
  /** The longest of these waits, seconds. @default 720 */
  readonly maxRetryTime?: number
  /** Octets that may wait for a slow station before its view is thrown away and built anew. @default 4 MiB */
  readonly queueLimit?: Octets
  /** @default silent */
  readonly log?: Logger
  /** Ends the client when aborted. */
  readonly signal?: AbortSignal
  /** @default the machine's */
  readonly clock?: Clock
}

/** Events of a {@link BmpClient}. */
export interface BmpClientEvents {
  /** The station has taken the connection. */
  connected: []
  /** The connection is gone, or did not come about; another attempt follows. */
  disconnected: [reason: string]
  /** The station was too slow: these many sessions are shown to it anew. */
  resync: [sessions: number]
}

type Defaulted = 'monitor' | 'statisticsInterval' | 'retryTime' | 'maxRetryTime' | 'queueLimit'
type CheckedOptions = BmpClientOptions & Required<Pick<BmpClientOptions, Defaulted>>

const DEFAULTS: Required<Pick<BmpClientOptions, Defaulted>> = {
  monitor: ['adj-rib-in-pre-policy'],
  statisticsInterval: 60,
  retryTime: 30,
  maxRetryTime: 720,
  queueLimit: 1 << 22,
}
const positive = optional(number('a number above 0', value => value > 0))
const KINDS: Kinds<BmpClientOptions> = {
  speaker: speakerKind,
  host: text,
  port,
  sysName: text,
  sysDescr: text,
  monitor: optional(listOf(oneOf<MonitoredRib>('adj-rib-in-pre-policy', 'adj-rib-out-post-policy', 'loc-rib'))),
  statisticsInterval: optional(number('a number of seconds from 0 on', value => value >= 0)),
  retryTime: positive,
  maxRetryTime: positive,
  queueLimit: positive,
  log: optional(loggerKind),
  signal: optional(signalKind),
  clock: optional(clockKind),
}
/** How long the station has to take our last octets, in milliseconds. */
const LINGER = 2000
const CONNECT_TIMEOUT = 10_000

/** Microseconds since 1970 UTC. */
const wallClock = (): number => Math.floor((performance.timeOrigin + performance.now()) * 1000)

function defer(fn: () => void): () => void {
  const immediate = setImmediate(fn)
  return () => clearImmediate(immediate)
}

/**
 * Shows a speaker to a BMP station, RFC 7854: the monitored router's side. It connects, tries again when that fails, and tells of
 * every session from its table on. A station that does not keep up never makes BGP wait: what waits for it is bounded by
 * `queueLimit`, and when that is reached it hears Peer Down, Peer Up and the table of those sessions again.
 *
 * @example
 * ```ts
 * import { BgpSpeaker } from '@typemetal/bgp'
 * import { BmpClient } from '@typemetal/bgp/bmp'
 *
 * await using speaker = new BgpSpeaker({ asn: 64512, bgpIdentifier: '10.0.0.1' })
 * await using client = new BmpClient({
 *   speaker,
 *   host: 'station.example',
 *   port: 11019,
 *   sysName: 'node-1',
 *   sysDescr: 'a router of ours',
 *   monitor: ['adj-rib-in-pre-policy', 'loc-rib'],
 * })
 * client.on('connected', () => console.log('the station listens'))
 * ```
 */
export class BmpClient extends EventEmitter<BmpClientEvents> implements AsyncDisposable {
  readonly #options: CheckedOptions
  readonly #log: Logger
  readonly #clock: Clock
  readonly #peers = new Map<MonitoredPeer, PeerMonitor>()
  readonly #locRib: LocRibMonitor | undefined
  readonly #onState: StateListener = (peer, to, _, cause) => this.#stateChanged(peer, to, cause)
  readonly #onAbort = (): void => void this.close()
  #socket: Socket | undefined
  #feed: Feed | undefined
  #cancelRetry = (): void => {}
  #cancelReport = (): void => {}
  #wait: number
  #closing: Promise<void> | undefined

  /**
   * Starts to watch and to connect.
   *
   * @throws {TypeError | RangeError} an option that cannot work, or an unknown one; the message begins with its name
   */
  constructor(options: BmpClientOptions) {
    super()
    this.#options = checkClientOptions(options)
    const { speaker, monitor, clock, log, signal, retryTime } = this.#options
    this.#clock = clock ?? systemClock
    this.#log = (log ?? SILENT).child({ station: `${options.host}:${options.port}` })
    this.#wait = retryTime
    for (const peer of speaker.peers) this.#watch(peer)
    speaker.on('state', this.#onState)
    if (monitor.includes('loc-rib')) this.#locRib = new LocRibMonitor({ speaker, now: wallClock, ...this.#sinks() })
    signal?.addEventListener('abort', this.#onAbort, { once: true })
    if (signal?.aborted) void this.close()
    else this.#connect()
  }

  /** Whether a station is connected. */
  get connected(): boolean {
    return this.#feed !== undefined
  }

  /** Octets of Route Monitoring that wait for the station. */
  get queued(): Octets {
    return this.#feed?.queued ?? 0
  }

  /** Says Termination and watches no more. Safe to call twice. @returns settles when the socket is closed */
  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  /** Same as {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #sinks(): {
    changed: (subject: Subject) => void
    follow: (...args: Parameters<Feed['follow']>) => void
  } {
    return {
      changed: subject => this.#feed?.changed(subject),
      follow: (subject, message) => this.#feed?.follow(subject, message),
    }
  }

  #watch(peer: MonitoredPeer): PeerMonitor {
    const known = this.#peers.get(peer)
    if (known) return known
    const { speaker, monitor } = this.#options
    const ribs = monitor.filter(rib => rib !== 'loc-rib')
    const { asn, bgpIdentifier } = speaker
    const watching = new PeerMonitor({ peer, asn, bgpIdentifier, ribs, now: wallClock, defer, ...this.#sinks() })
    this.#peers.set(peer, watching)
    return watching
  }

  #stateChanged(peer: MonitoredPeer, to: string, cause: string): void {
    const monitor = this.#watch(peer)
    monitor.stateChanged(to, cause)
    // A peer that has been taken away says Idle last.
    if (to === 'Idle') defer(() => this.#forgetIfGone(peer, monitor))
  }

  #forgetIfGone(peer: MonitoredPeer, monitor: PeerMonitor): void {
    if (peer.state !== 'Idle' || [...this.#options.speaker.peers].includes(peer)) return
    monitor.end()
    this.#peers.delete(peer)
  }

  #connect(): void {
    const { host, port } = this.#options
    const socket = connect({ host, port })
    this.#socket = socket
    let reason = 'closed by the station'
    socket.setTimeout(CONNECT_TIMEOUT, () => socket.destroy(new Error('no answer within 10 s')))
    socket.on('error', (error: NodeJS.ErrnoException) => (reason = error.code ?? error.message))
    socket.once('connect', () => this.#connected(socket))
    socket.on('drain', () => this.#feed?.pump())
    socket.on('end', () => socket.destroy())
    socket.once('close', () => this.#disconnected(reason))
    // A station has nothing to say (RFC 7854 section 3.2).
    socket.resume()
  }

  #connected(socket: Socket): void {
    const { sysDescr, sysName, queueLimit } = this.#options
    socket.setTimeout(0)
    socket.setKeepAlive(true, 30_000)
    const information = [
      createInformation(BmpInformationType.SysDescr, sysDescr),
      createInformation(BmpInformationType.SysName, sysName),
    ]
    socket.write(encodeBmpMessage({ type: 'initiation', information }))
    const sink = {
      get isBlocked(): boolean {
        return socket.writableNeedDrain || socket.destroyed
      },
      write: (octets: Uint8Array) => void socket.write(octets),
    }
    const feed = new Feed({ sink, queueLimit, defer, overflowed: sessions => this.#overflowed(sessions) })
    this.#feed = feed
    this.#wait = this.#options.retryTime
    if (this.#locRib) feed.changed(this.#locRib)
    for (const monitor of this.#peers.values()) feed.changed(monitor)
    this.#scheduleReport()
    this.#log.info({}, 'BMP station connected')
    this.emit('connected')
  }

  #overflowed(sessions: number): void {
    this.#log.warn({ sessions }, 'BMP station too slow: shown anew')
    this.emit('resync', sessions)
  }

  #scheduleReport(): void {
    const { statisticsInterval } = this.#options
    if (statisticsInterval === 0) return
    this.#cancelReport = this.#clock.after(1000 * statisticsInterval, () => {
      this.#feed?.report()
      this.#scheduleReport()
    })
  }

  #disconnected(reason: string): void {
    this.#feed?.end()
    this.#feed = undefined
    this.#cancelReport()
    if (this.#closing) return
    const seconds = this.#wait
    this.#wait = Math.min(2 * seconds, this.#options.maxRetryTime)
    this.#log.warn({ reason, seconds }, 'no BMP station: tried again later')
    this.#cancelRetry = this.#clock.after(1000 * seconds, () => this.#connect())
    this.emit('disconnected', reason)
  }

  async #end(): Promise<void> {
    const { speaker, signal } = this.#options
    signal?.removeEventListener('abort', this.#onAbort)
    this.#cancelRetry()
    this.#cancelReport()
    speaker.off('state', this.#onState)
    const feed = this.#feed
    this.#feed = undefined
    feed?.end()
    for (const monitor of this.#peers.values()) monitor.end()
    this.#locRib?.end()
    const socket = this.#socket
    if (!socket || socket.closed) return
    const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
    const cancel = this.#clock.after(LINGER, () => socket.destroy())
    if (feed) {
      const reason = Uint8Array.of(0, BmpTerminationReason.AdministrativelyClosed)
      socket.end(
        encodeBmpMessage({ type: 'termination', information: [{ code: BmpTerminationType.Reason, value: reason }] }),
      )
    } else socket.destroy()
    await closed
    cancel()
  }
}

/** @throws {TypeError | RangeError} an option that cannot work, or that there is none of */
function checkClientOptions(options: BmpClientOptions): CheckedOptions {
  checkOptions(options, KINDS, { address: 'host', logger: 'log' })
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const checked: CheckedOptions = { ...DEFAULTS, ...(given as unknown as BmpClientOptions) }
  const { retryTime, maxRetryTime } = checked
  if (maxRetryTime < retryTime) {
    throw new RangeError(`maxRetryTime must be no less than retryTime, which is ${retryTime}, not ${maxRetryTime}`)
  }
  return checked
}
