import type { Logger } from '../../process/log.js'
import type { ClusterEvent, ObjectReference } from '../../resources/core.js'
import { NotFoundError } from '../store.js'
import type { ApiTransport } from './transport.js'

/** Different events whose counts are remembered. */
const REMEMBERED = 4096
/** Events about one object in a row, and milliseconds until one more is allowed: the limits of every Kubernetes client. */
const BURST = 25
const REFILL = 300_000

interface Known {
  readonly event: ClusterEvent
  readonly firstTimestamp: string
  lastTimestamp: string
  count: number
  /** The object on the server, once it is there. */
  name?: string
}

/** Options of {@link EventRecorder}. */
export interface EventRecorderOptions {
  readonly transport: ApiTransport
  readonly log: Logger
  /** UID of the object an event is about: `kubectl describe` shows only events that have it. */
  readonly uidOf: (reference: ObjectReference) => string | undefined
  /** Milliseconds on a monotonic clock. @default performance.now */
  readonly now?: () => number
}

/** Writes core/v1 Events. The same event again raises the count of the one that is there. */
export class EventRecorder {
  readonly #options: EventRecorderOptions
  readonly #now: () => number
  readonly #known = new Map<string, Known>()
  readonly #budgets = new Map<string, { tokens: number; at: number }>()
  readonly #pending = new Set<Known>()
  #writing: Promise<void> | undefined

  constructor(options: EventRecorderOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
  }

  record(event: ClusterEvent): void {
    if (!this.#spend(event)) return
    const { regarding, type, reason, message, component, host } = event
    const id = JSON.stringify([
      regarding.kind,
      regarding.namespace,
      regarding.name,
      type,
      reason,
      message,
      component,
      host,
    ])
    const timestamp = new Date().toISOString().replace(/\.\d+/, '')
    const known = this.#known.get(id) ?? { event, firstTimestamp: timestamp, lastTimestamp: timestamp, count: 0 }
    known.count++
    known.lastTimestamp = timestamp
    this.#known.delete(id) // to the end of the order, so that the oldest is forgotten first
    this.#known.set(id, known)
    if (this.#known.size > REMEMBERED) this.#known.delete(this.#known.keys().next().value ?? '')
    this.#pending.add(known)
    this.#writing ??= this.#write()
  }

  /** Resolves when everything recorded so far has been written, or could not be. */
  async flush(): Promise<void> {
    while (this.#writing) await this.#writing
  }

  /** Whether the object may have one more event: a loop must not fill the server's disk. */
  #spend({ regarding: { kind, namespace, name }, component }: ClusterEvent): boolean {
    const id = JSON.stringify([component, kind, namespace, name])
    const now = this.#now()
    const budget = this.#budgets.get(id) ?? { tokens: BURST, at: now }
    const tokens = Math.min(BURST, budget.tokens + (now - budget.at) / REFILL)
    const allowed = tokens >= 1
    this.#budgets.delete(id)
    this.#budgets.set(id, { tokens: allowed ? tokens - 1 : tokens, at: now })
    if (this.#budgets.size > REMEMBERED) this.#budgets.delete(this.#budgets.keys().next().value ?? '')
    return allowed
  }

  async #write(): Promise<void> {
    await Promise.resolve() // gather what the caller records in one go
    for (const known of this.#pending) {
      this.#pending.delete(known)
      try {
        await this.#send(known)
      } catch (error) {
        const { reason, message } = known.event
        this.#options.log.warn({ op: 'recordEvent', error, reason, message }, 'cannot write event')
      }
    }
    this.#writing = undefined
  }

  async #send(known: Known): Promise<void> {
    const path = `/api/v1/namespaces/${encodeURIComponent(known.event.regarding.namespace ?? 'default')}/events`
    const { transport } = this.#options
    const { count, lastTimestamp } = known
    if (known.name !== undefined) {
      try {
        const body = { count, lastTimestamp }
        await transport.send({
          method: 'PATCH',
          path: `${path}/${known.name}`,
          body,
          contentType: 'application/merge-patch+json',
        })
        return
      } catch (error) {
        if (!(error instanceof NotFoundError)) throw error // the server forgets events after an hour
      }
    }
    const name = `${known.event.regarding.name}.${randomHex()}`
    await transport.send({ method: 'POST', path, body: this.#body(known, name) })
    known.name = name
  }

  #body({ event, count, firstTimestamp, lastTimestamp }: Known, name: string): object {
    const { regarding, type, reason, message, component, host } = event
    const uid = this.#options.uidOf(regarding)
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace: regarding.namespace ?? 'default' },
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
}

const randomHex = (): string =>
  Math.floor(Math.random() * 2 ** 48)
    .toString(16)
    .padStart(12, '0')
