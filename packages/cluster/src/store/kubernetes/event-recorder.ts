import { setMaxListeners } from 'node:events'
import type { Logger } from '../../process/log.js'
import type { ClusterEvent, ObjectReference } from '../../resources/core.js'
import { ConflictError, NotFoundError } from '../store.js'
import { ApiError, type Failure, failureOf } from './api-error.js'
import { Backoff } from './backoff.js'
import { EventCorrelator, type EventLimits, type EventRecord } from './event-correlator.js'
import type { ClientLimits } from './limits.js'
import { type ClientMetrics, silentMetrics } from './metrics.js'
import type { ApiTransport } from './transport.js'

/** Attempts to write one event; then it is given up. */
const ATTEMPTS = 12
/** Events that are written at once. */
const AT_ONCE = 8
/** Records that may wait to be written, while the server is away or slower than what happens. */
const WAITING = 10_000
/** After these the same may go well a little later. */
const PASSING: readonly Failure[] = ['busy', 'server', 'silent', 'connection', 'unauthorized']

/** Options of {@link EventRecorder}. */
export interface EventRecorderOptions {
  readonly transport: ApiTransport
  readonly log: Logger
  /** UID of the object an event is about: `kubectl describe` shows only events that have it. */
  readonly uidOf: (reference: ObjectReference) => string | undefined
  readonly limits: Pick<ClientLimits, 'firstPause' | 'longestPause'>
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly metrics?: ClientMetrics
  readonly eventLimits?: Partial<EventLimits>
  /** Milliseconds on a monotonic clock. @default performance.now */
  readonly now?: () => number
}

/**
 * Writes core/v1 Events, some at once. The same event again raises the count of the one that is there, also while that is still waiting
 * to be written, and each is written by one request at a time. Whatever is not written is counted, by the reason.
 */
export class EventRecorder {
  readonly #options: EventRecorderOptions
  readonly #metrics: ClientMetrics
  readonly #correlator: EventCorrelator
  readonly #now: () => number
  readonly #pending = new Set<EventRecord>()
  readonly #flights = new Map<EventRecord, Promise<void>>()
  readonly #closing = new AbortController()
  #gathering: Promise<void> | undefined
  #second = ''
  /** Too many were waiting, and people have been told. */
  #overflown = false

  constructor(options: EventRecorderOptions) {
    this.#options = options
    this.#metrics = options.metrics ?? silentMetrics
    this.#correlator = new EventCorrelator(options.eventLimits)
    this.#now = options.now ?? (() => performance.now())
    // Each flight listens to it.
    setMaxListeners(0, this.#closing.signal)
  }

  /** Takes an event, which is written soon. */
  record(event: ClusterEvent): void {
    const record = this.#correlator.observe(event, this.#options.uidOf(event.regarding), this.#now(), this.#timestamp())
    if (!record) return this.#metrics.countRecorded('limited')
    if (this.#pending.size >= WAITING && !this.#pending.has(record)) return this.#drop()
    this.#pending.add(record)
    // What the caller records in one go is one write.
    this.#gathering ??= this.#gather()
  }

  /** Resolves when everything recorded so far has been written, or could not be. Nothing is tried a second time any more. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#gathering
    while (this.#flights.size > 0) await Promise.all(this.#flights.values())
  }

  /** One text for all events of a second: they are kept for long. */
  #timestamp(): string {
    const second = new Date().toISOString().replace(/\.\d+/, '')
    if (second !== this.#second) this.#second = second
    return this.#second
  }

  async #gather(): Promise<void> {
    await Promise.resolve()
    this.#gathering = undefined
    this.#pump()
  }

  #drop(): void {
    this.#metrics.countRecorded('dropped')
    if (this.#overflown) return
    this.#overflown = true
    this.#options.log.warn({ op: 'recordEvent', waiting: WAITING }, 'events come faster than they can be written')
  }

  #pump(): void {
    if (this.#pending.size < WAITING / 2) this.#overflown = false
    for (const record of this.#pending) {
      if (this.#flights.size >= AT_ONCE) return
      // Its turn comes again when the write under way has ended.
      if (this.#flights.has(record)) continue
      this.#pending.delete(record)
      this.#flights.set(record, this.#fly(record))
    }
  }

  async #fly(record: EventRecord): Promise<void> {
    const failure = await this.#attempt(record)
    this.#flights.delete(record)
    // What the server does not answer now it will not answer for the others either.
    if (failure && PASSING.includes(failure) && this.#closing.signal.aborted) {
      for (const _ of this.#pending) this.#metrics.countRecorded('dropped')
      this.#pending.clear()
    }
    this.#pump()
  }

  /** @returns why it could not be written */
  async #attempt(record: EventRecord): Promise<Failure | undefined> {
    const { limits, random, log } = this.#options
    const backoff = new Backoff({ ...limits, random })
    for (let attempt = 1; ; attempt++) {
      try {
        this.#metrics.countRecorded(await this.#send(record))
        return undefined
      } catch (error) {
        const failure = failureOf(error)
        const again = PASSING.includes(failure) && attempt < ATTEMPTS && !this.#closing.signal.aborted
        if (!again) {
          const { reason } = record.event
          log.warn({ op: 'recordEvent', error, reason, message: record.message }, 'cannot write event')
          this.#metrics.countRecorded('failed')
          return failure
        }
        await backoff.wait(this.#closing.signal, error instanceof ApiError ? error.retryAfter : 0)
      }
    }
  }

  async #send(record: EventRecord): Promise<'created' | 'repeated'> {
    const path = `/api/v1/namespaces/${encodeURIComponent(namespaceOf(record))}/events`
    const { transport } = this.#options
    if (record.created) {
      try {
        const { count, lastTimestamp, message } = record
        await transport.send({
          method: 'PATCH',
          path: `${path}/${record.name}`,
          body: { count, lastTimestamp, message },
          contentType: 'application/merge-patch+json',
        })
        return 'repeated'
      } catch (error) {
        if (!(error instanceof NotFoundError)) throw error // the server forgets events after an hour
        delete record.name
      }
    }
    record.name ??= `${record.event.regarding.name}.${this.#randomHex()}`
    try {
      await transport.send({ method: 'POST', path, body: bodyOf(record, record.name) })
    } catch (error) {
      // The name is ours alone: an attempt before this one, of whose end we did not hear, has made it.
      if (!(error instanceof ConflictError)) throw error
    }
    record.created = true
    return 'created'
  }

  #randomHex(): string {
    const { random } = this.#options
    return Math.floor(random() * 2 ** 48)
      .toString(16)
      .padStart(12, '0')
  }
}

const namespaceOf = ({ event }: EventRecord): string => event.regarding.namespace ?? 'default'

function bodyOf(record: EventRecord, name: string): object {
  const { event, uid, count, firstTimestamp, lastTimestamp, message } = record
  const { regarding, type, reason, component, host } = event
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace: namespaceOf(record) },
    involvedObject: { ...regarding, ...(uid !== undefined && { uid }) },
    type,
    reason,
    message,
    source: { component, ...(host !== undefined && { host }) },
    reportingComponent: component,
    reportingInstance: host ?? '',
    firstTimestamp,
    lastTimestamp,
    count,
  }
}
