/** Which events are recorded, and how: the rules of every Kubernetes client, without I/O. */
import type { ClusterEvent } from '../../resources/core.js'
import type { Milliseconds } from './limits.js'

/** How many events are let through. */
export interface EventLimits {
  /** Events about one object that may come in a row. */
  readonly burst: number
  /** Until one more about the same object is allowed. */
  readonly refill: Milliseconds
  /** Different messages, of the same object and reason, from which on they are combined into one event. */
  readonly similar: number
  /** Quiet time after which similar messages are told apart again. */
  readonly similarFor: Milliseconds
  /** Events, and objects, that are remembered. */
  readonly remembered: number
}

/** As in client-go. */
export const DEFAULT_EVENT_LIMITS: EventLimits = {
  burst: 25,
  refill: 300_000,
  similar: 10,
  similarFor: 600_000,
  remembered: 4096,
}

/** An event as it is to be on the server. */
export interface EventRecord {
  readonly event: ClusterEvent
  /** UID of the object it is about; `kubectl describe` shows only events that have it. */
  readonly uid: string | undefined
  /** RFC 3339, whole seconds. */
  readonly firstTimestamp: string
  lastTimestamp: string
  /** Of the newest one, where several were combined. */
  message: string
  count: number
  /** `metadata.name`, from the first attempt to write it. */
  name?: string
  /** It is on the server, as far as we know. */
  created: boolean
}

const COMBINED = '(combined from similar events): '

/** Remembers what was said, so that it is said once, with a count. */
export class EventCorrelator {
  readonly #limits: EventLimits
  readonly #records: Recent<EventRecord>
  readonly #similar: Recent<{ readonly messages: Set<string>; at: Milliseconds }>
  readonly #budgets: Recent<{ tokens: number; at: Milliseconds }>

  constructor(limits: Partial<EventLimits> = {}) {
    this.#limits = { ...DEFAULT_EVENT_LIMITS, ...limits }
    const { remembered } = this.#limits
    this.#records = new Recent(remembered)
    this.#similar = new Recent(remembered)
    this.#budgets = new Recent(remembered)
  }

  /**
   * Takes one more event. The same again raises the count of its record; too many different messages become one record; too many
   * about one object are counted but not written.
   *
   * @param now on a monotonic clock
   * @param timestamp the same in RFC 3339
   * @returns the record to be written now, or `undefined`: the object has had too many
   */
  observe(event: ClusterEvent, uid: string | undefined, now: Milliseconds, timestamp: string): EventRecord | undefined {
    const object = objectKey(event, uid)
    const kind = JSON.stringify([object, event.type, event.reason])
    const combined = this.#areTooMany(kind, event.message, now)
    const message = combined ? COMBINED + event.message : event.message
    const id = combined ? kind : JSON.stringify([kind, event.message])
    const record = this.#records.get(id) ?? {
      event,
      uid,
      firstTimestamp: timestamp,
      lastTimestamp: timestamp,
      message,
      count: 0,
      created: false,
    }
    this.#records.set(id, record)
    record.count++
    record.lastTimestamp = timestamp
    record.message = message
    return this.#spend(object, now) ? record : undefined
  }

  /** Whether this message is one of too many different ones. */
  #areTooMany(kind: string, message: string, now: Milliseconds): boolean {
    const { similar, similarFor } = this.#limits
    const known = this.#similar.get(kind)
    const seen = known && now - known.at <= similarFor ? known : { messages: new Set<string>(), at: now }
    this.#similar.set(kind, seen)
    seen.at = now
    seen.messages.add(message)
    if (seen.messages.size < similar) return false
    seen.messages.delete(message)
    return true
  }

  /** Whether the object may have one more event: a loop must not fill the server's disk. */
  #spend(object: string, now: Milliseconds): boolean {
    const { burst, refill } = this.#limits
    const budget = this.#budgets.get(object) ?? { tokens: burst, at: now }
    budget.tokens = Math.min(burst, budget.tokens + (now - budget.at) / refill)
    budget.at = now
    this.#budgets.set(object, budget)
    if (budget.tokens < 1) return false
    budget.tokens--
    return true
  }
}

const objectKey = ({ regarding, component, host }: ClusterEvent, uid: string | undefined): string =>
  JSON.stringify([component, host, regarding.apiVersion, regarding.kind, regarding.namespace, regarding.name, uid])

/** A map that forgets what was not set for longest. */
class Recent<T> {
  readonly #capacity: number
  readonly #entries = new Map<string, T>()

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get(key: string): T | undefined {
    return this.#entries.get(key)
  }

  set(key: string, value: T): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#capacity) return
      this.#entries.delete(oldest)
    }
  }
}
