import type { Writable } from 'node:stream'
import { checkOptions, methods, number, optional, type Kinds } from '@typemetal/options'
import { parseAddress } from '../../address.js'
import type { State } from '../../fsm/index.js'
import { speakerKind, type MonitoredPeer, type MonitoredSpeaker, type StateListener } from '../../monitored-speaker.js'
import { loggerKind, SILENT, type Logger } from '../../node/logger.js'
import { splitMessages } from '../../split-messages.js'
import { AS_TRANS, type Octets } from '../../wire/index.js'
import { MRT_STATES, type MrtSession } from '../wire/bgp4mp.js'
import type { MrtTime } from '../wire/header.js'
import { encodeMrtRecord, type MrtRecord } from '../wire/record.js'

/** Options of a {@link MrtRecorder}. */
export interface MrtRecorderOptions {
  /** The speaker to record. */
  readonly speaker: MonitoredSpeaker
  /** Takes the records: a file, or a compressor in front of one. It is the caller's to end. */
  readonly output: Writable
  /** Octets that may wait for a slow output; records that come above that are lost, and counted. @default 16 MiB */
  readonly queueLimit?: Octets
  /** @default silent */
  readonly log?: Logger
}

const KINDS: Kinds<MrtRecorderOptions> = {
  speaker: speakerKind,
  output: methods<Writable>('write'),
  queueLimit: optional(number('a number of octets from 0 on', value => value >= 0)),
  log: optional(loggerKind),
}

const DEFAULT_QUEUE_LIMIT = 1 << 24
const SECOND = 1_000_000

/** The time of the machine. */
function wallTime(): Required<MrtTime> {
  const microseconds = Math.floor((performance.timeOrigin + performance.now()) * 1000)
  return { timestamp: Math.floor(microseconds / SECOND), microseconds: microseconds % SECOND }
}

/**
 * Records what the sessions of a speaker say and how their states change, as BGP4MP_ET (RFC 6396 section 4.4), until it is
 * disposed of. An output that does not keep up never makes BGP wait, nor memory grow: see {@link MrtRecorder.lost}.
 *
 * @example
 * ```ts
 * import { createWriteStream } from 'node:fs'
 * import { BgpSpeaker } from '@typemetal/bgp'
 * import { MrtRecorder } from '@typemetal/bgp/mrt'
 *
 * await using speaker = new BgpSpeaker({ asn: 64512, bgpIdentifier: '10.0.0.1', listen: {} })
 * speaker.addDynamicPeers({ prefix: '10.0.0.0/24', asn: 'external' })
 * using recorder = new MrtRecorder({ speaker, output: createWriteStream('updates.mrt') })
 * await speaker.start()
 * ```
 */
export class MrtRecorder implements Disposable {
  readonly #options: MrtRecorderOptions
  readonly #listeners = new Map<MonitoredPeer, (direction: 'sent' | 'received', octets: Uint8Array) => void>()
  readonly #onState: StateListener = (peer, to, from) => this.#stateChanged(peer, to, from)
  #lost = 0

  /**
   * Starts to record: all messages of the peers there are and of those to come.
   *
   * @throws {TypeError | RangeError} an option that cannot work, or an unknown one; the message begins with its name
   */
  constructor(options: MrtRecorderOptions) {
    checkOptions(options, KINDS, { stream: 'output', logger: 'log' })
    this.#options = options
    for (const peer of options.speaker.peers) this.#watch(peer)
    options.speaker.on('state', this.#onState)
  }

  /** Records that the output had no room for. */
  get lost(): number {
    return this.#lost
  }

  /** Records no more; what was written is the output's. */
  [Symbol.dispose](): void {
    this.#options.speaker.off('state', this.#onState)
    for (const [peer, listener] of this.#listeners) peer.off('message', listener)
    this.#listeners.clear()
  }

  #watch(peer: MonitoredPeer): void {
    if (this.#listeners.has(peer)) return
    const listener = (direction: 'sent' | 'received', octets: Uint8Array): void => {
      const time = wallTime()
      for (const message of splitMessages(octets)) this.#message(peer, direction, message, time)
    }
    this.#listeners.set(peer, listener)
    peer.on('message', listener)
  }

  #message(peer: MonitoredPeer, direction: 'sent' | 'received', message: Uint8Array, time: MrtTime): void {
    const local = direction === 'sent'
    const families = local ? peer.negotiated?.addPath?.send : peer.negotiated?.addPath?.receive
    const addPath = (families?.length ?? 0) > 0
    this.#write({ type: 'bgp4mp-message', ...time, ...this.#session(peer), local, addPath, message })
  }

  #stateChanged(peer: MonitoredPeer, to: State, from: State): void {
    this.#watch(peer)
    const states = { oldState: MRT_STATES.indexOf(from), newState: MRT_STATES.indexOf(to) }
    this.#write({ type: 'bgp4mp-state-change', ...wallTime(), ...this.#session(peer), ...states })
    if (to === 'Idle') setImmediate(() => this.#forgetIfGone(peer))
  }

  #forgetIfGone(peer: MonitoredPeer): void {
    const listener = this.#listeners.get(peer)
    if (!listener || peer.state !== 'Idle' || [...this.#options.speaker.peers].includes(peer)) return
    peer.off('message', listener)
    this.#listeners.delete(peer)
  }

  /** What is not known before the session stands is 0. */
  #session({ address, localAddress, negotiated }: MonitoredPeer): MrtSession {
    const peerAddress = parseAddress(address)
    // A session whose messages have 2-octet AS numbers is recorded with such ones (RFC 6396 section 4.4.2).
    const fourOctetAs = negotiated?.fourOctetAs ?? true
    const asn = (number: number): number => (fourOctetAs || number <= 0xffff ? number : AS_TRANS)
    return {
      peerAsn: asn(negotiated?.peerAsn ?? 0),
      localAsn: asn(this.#options.speaker.asn),
      interfaceIndex: 0,
      peerAddress,
      localAddress: localAddress === undefined ? new Uint8Array(peerAddress.length) : parseAddress(localAddress),
      fourOctetAs,
    }
  }

  #write(record: MrtRecord): void {
    const { output, queueLimit = DEFAULT_QUEUE_LIMIT, log = SILENT } = this.#options
    if (output.writable && output.writableLength <= queueLimit) {
      output.write(encodeMrtRecord(record))
      return
    }
    if (this.#lost++ === 0) log.warn({ queueLimit }, 'MRT output too slow or closed: records are lost')
  }
}
