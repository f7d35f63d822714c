import type { Endpoint, Member, Note } from '../swim/index.js'
import type { WireError } from '../wire/index.js'
import type { Clock } from './clock.js'
import { type Counters, createCounters } from './counters.js'
import type { Logger } from './logger.js'
import { Throttle } from './throttle.js'

/** One log line per source and kind in this time. */
const LOG_INTERVAL = 10_000

const LEVEL: Readonly<Record<Note, 'debug' | 'info' | 'warn'>> = {
  packetFault: 'warn',
  nodeRefused: 'warn',
  mergeRefused: 'warn',
  misdirectedPing: 'warn',
  degradedProbe: 'debug',
  probeFailed: 'debug',
  answersTcp: 'debug',
  tcpOnly: 'warn',
  suspected: 'info',
  failed: 'info',
  degradedTimeout: 'debug',
  refuted: 'warn',
  incarnationWrapped: 'warn',
  refusedDead: 'info',
  pushPullFailed: 'warn',
  stalled: 'warn',
}

/**
 * Counts what a node does and sees, and logs what is worth a line. What others make us say is limited by who made us:
 * one line per sender, kind and interval, so that nobody can fill the log or drown what another does in it.
 */
export class Journal {
  readonly counters: Counters = createCounters()
  readonly #log: Logger
  readonly #clock: Clock
  readonly #ofOthers = new Throttle(LOG_INTERVAL)
  readonly #ofOurs = new Throttle(LOG_INTERVAL)

  constructor(log: Logger, clock: Clock) {
    this.#log = log
    this.#clock = clock
  }

  /** A datagram that could not be read. */
  packetFault(error: WireError, address: string): void {
    this.#countFault(error.fault)
    this.#heard('warn', address, error.fault, { address, fault: error.fault, err: error.message }, 'datagram dropped')
  }

  /** A stream that broke the format. */
  streamFault(error: WireError, address: string): void {
    this.counters.streamFaults++
    this.#heard('warn', address, error.fault, { address, fault: error.fault, err: error.message }, 'stream refused')
  }

  /** A datagram from where none is allowed. */
  packetNotAllowed(address: string): void {
    this.counters.packetsNotAllowed++
    this.#heard('warn', address, 'not allowed', { address }, 'datagram from an address that is not allowed')
  }

  /** A stream that was closed unread. */
  streamRejected(address: string, reason: string): void {
    this.counters.streamsRejected++
    this.#heard('warn', address, reason, { address, reason }, 'stream rejected')
  }

  /** A stream that ended, or ran into its deadline, in the middle of a message. */
  streamUnfinished(address: string): void {
    this.counters.streamsUnfinished++
    this.#heard('warn', address, 'unfinished', { address }, 'stream ended before its message did')
  }

  /** The system did not send a datagram. */
  sendError({ address, port }: Endpoint, error: Error): void {
    this.counters.sendErrors++
    this.#heard('debug', address, 'send', { address, port, err: error.message }, 'datagram not sent')
  }

  /** A socket failed as a whole. */
  socketError(error: Error): void {
    this.#own('error', 'socket', { err: error.message }, 'memberlist socket error')
  }

  /** Something that the protocol noted. @param source who made us; absent when our own timers did */
  note(note: Note, fields: Readonly<Record<string, string | number>>, source: string | undefined): void {
    const { notes } = this.counters
    notes[note] = (notes[note] ?? 0) + 1
    if (note === 'packetFault') this.#countFault(fields['fault'] as WireError['fault'])
    if (source === undefined) this.#own(LEVEL[note], `${note} ${fields['node'] ?? ''}`, fields, note)
    else this.#heard(LEVEL[note], source, note, { ...fields, address: source }, note)
  }

  /** Two nodes with one name. */
  conflict(existing: Member, other: Member, source: string | undefined): void {
    const claimedBy = `${other.address}:${other.port}`
    const fields = { node: existing.name.slice(0, 64), address: existing.address, claimedBy }
    this.#heard('warn', source ?? '', 'conflict', fields, 'two nodes with one name')
  }

  /** Something about ourselves, said without a limit: whoever calls does so rarely. */
  say(level: 'info' | 'warn', fields: object, message: string): void {
    this.#log[level](fields, message)
  }

  #countFault(fault: WireError['fault']): void {
    const { packetFaults } = this.counters
    packetFaults[fault] = (packetFaults[fault] ?? 0) + 1
  }

  #heard(level: 'debug' | 'info' | 'warn', source: string, kind: string, fields: object, message: string): void {
    const held = this.#ofOthers.pass(`${source} ${kind}`, this.#clock.now())
    if (held !== undefined) this.#log[level](held > 0 ? { ...fields, heldBack: held } : fields, message)
  }

  #own(level: 'debug' | 'info' | 'warn' | 'error', kind: string, fields: object, message: string): void {
    const held = this.#ofOurs.pass(kind, this.#clock.now())
    if (held !== undefined) this.#log[level](held > 0 ? { ...fields, heldBack: held } : fields, message)
  }
}
