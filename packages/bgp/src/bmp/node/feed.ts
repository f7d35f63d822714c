import type { Octets } from '../../wire/octets.js'
import { encodeBmpMessage, type BmpMessage } from '../wire/message.js'
import type { Subject } from './subject.js'

/** Where a {@link Feed} writes. */
export interface FeedSink {
  /** It has more than it wants to hold; call {@link Feed.pump} once that has changed. */
  readonly isBlocked: boolean
  write(octets: Uint8Array): void
}

export interface FeedOptions {
  readonly sink: FeedSink
  /** Octets of Route Monitoring that may wait for the station. */
  readonly queueLimit: Octets
  /** Calls `fn` in a later turn of the event loop. @returns gives it up */
  readonly defer: (fn: () => void) => () => void
  /** The queue was full: what it held is thrown away, and these many sessions will be shown anew. */
  readonly overflowed: (sessions: number) => void
}

/** What the station knows of a subject. */
interface Shown {
  readonly session: number
  readonly dump: Iterator<BmpMessage>
  resync: boolean
}

interface Waiting {
  readonly subject: Subject
  readonly session: number
  readonly octets: Uint8Array
}

/** Octets written in one turn of the event loop, and messages of tables among them: a large one must not keep BGP waiting. */
const BATCH = 1 << 16
const TABLE_MESSAGES = 8

/** Written messages that the queue's array may hold on to. */
const COMPACT = 4096

/**
 * What one station is told. What it must know (which sessions stand, their tables) is worked out when the station takes octets,
 * from how things are then; only changes of routes wait in a queue. When that is full, it is thrown away, and the station hears
 * Peer Down, Peer Up and the table again: it is late then, but never wrong, and memory stays bounded.
 */
export class Feed {
  readonly #options: FeedOptions
  readonly #shown = new Map<Subject, Shown>()
  /** Subjects for which Peer Up or Peer Down may be due. */
  readonly #changed = new Set<Subject>()
  readonly #reports = new Set<Subject>()
  readonly #dumping = new Set<Subject>()
  #queue: Waiting[] = []
  #head = 0
  #queued: Octets = 0
  /** Messages of tables in this turn. */
  #dumped = 0
  #cancel: (() => void) | undefined

  constructor(options: FeedOptions) {
    this.#options = options
  }

  /** Octets of Route Monitoring that wait for the station. */
  get queued(): Octets {
    return this.#queued
  }

  /** A subject is new, or its session has begun or ended. */
  changed(subject: Subject): void {
    this.#changed.add(subject)
    this.#soon()
  }

  /** A change of routes. Nothing to do where the station does not know the session yet: its table is to come. */
  follow(subject: Subject, message: BmpMessage): void {
    const shown = this.#shown.get(subject)
    if (!shown || shown.resync || shown.session !== subject.session) return
    const octets = encodeBmpMessage(message)
    this.#queue.push({ subject, session: shown.session, octets })
    this.#queued += octets.length
    if (this.#queued > BATCH && !this.#options.sink.isBlocked) this.pump()
    if (this.#queued > this.#options.queueLimit) this.#overflow()
    else this.#soon()
  }

  /** Statistics Reports for all sessions that the station knows of; those that could not be sent yet are not sent twice. */
  report(): void {
    for (const subject of this.#shown.keys()) this.#reports.add(subject)
    this.#soon()
  }

  /** Writes what there is, as far as the station takes it. */
  pump(): void {
    this.#cancel?.()
    this.#cancel = undefined
    const batch: Uint8Array[] = []
    let length = 0
    this.#dumped = 0
    if (this.#options.sink.isBlocked) return
    while (length < BATCH && this.#dumped < TABLE_MESSAGES) {
      const octets = this.#next()
      if (!octets) break
      batch.push(octets)
      length += octets.length
    }
    if (length > 0) this.#options.sink.write(concat(batch, length))
    if (length >= BATCH || this.#dumped === TABLE_MESSAGES) this.#soon()
  }

  /** Nothing is written any more. */
  end(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#queue = []
    this.#queued = 0
  }

  #soon(): void {
    if (!this.#options.sink.isBlocked) this.#cancel ??= this.#options.defer(() => this.pump())
  }

  #next(): Uint8Array | undefined {
    const message = this.#transition()
    if (message) return encodeBmpMessage(message)
    const waiting = this.#shift()
    if (waiting) return waiting
    const next = this.#statistics() ?? this.#dump()
    return next && encodeBmpMessage(next)
  }

  /** Peer Down and Peer Up first: all else refers to them. */
  #transition(): BmpMessage | undefined {
    for (const subject of this.#changed) {
      const shown = this.#shown.get(subject)
      if (shown && (shown.resync || shown.session !== subject.session)) {
        this.#forget(subject)
        return subject.down(shown.session === subject.session)
      }
      this.#changed.delete(subject)
      if (!shown && subject.session !== undefined) {
        this.#shown.set(subject, { session: subject.session, dump: subject.dump(), resync: false })
        this.#dumping.add(subject)
        return subject.up()
      }
    }
    return undefined
  }

  #forget(subject: Subject): void {
    this.#shown.delete(subject)
    this.#dumping.delete(subject)
    this.#reports.delete(subject)
  }

  #shift(): Uint8Array | undefined {
    while (this.#head < this.#queue.length) {
      const { subject, session, octets } = this.#queue[this.#head++]!
      if (this.#head === COMPACT) {
        this.#queue = this.#queue.slice(this.#head)
        this.#head = 0
      }
      this.#queued -= octets.length
      if (this.#shown.get(subject)?.session === session) return octets
    }
    this.#queue = []
    this.#head = 0
    return undefined
  }

  #statistics(): BmpMessage | undefined {
    for (const subject of this.#reports) {
      this.#reports.delete(subject)
      return subject.statistics()
    }
    return undefined
  }

  /** The next piece of a table; the tables take turns. */
  #dump(): BmpMessage | undefined {
    for (const subject of this.#dumping) {
      this.#dumping.delete(subject)
      const next = this.#shown.get(subject)?.dump.next()
      if (next && !next.done) {
        this.#dumping.add(subject)
        this.#dumped++
        return next.value
      }
    }
    return undefined
  }

  #overflow(): void {
    const late = new Set(this.#queue.slice(this.#head).map(({ subject }) => subject))
    this.#queue = []
    this.#head = 0
    this.#queued = 0
    for (const subject of late) {
      const shown = this.#shown.get(subject)
      if (shown) shown.resync = true
      this.#changed.add(subject)
    }
    this.#options.overflowed(late.size)
  }
}

function concat(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
