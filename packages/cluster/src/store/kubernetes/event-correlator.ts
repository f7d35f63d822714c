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
  /** Objects whose events are remembered. */
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
  /** What it has in common with the others of its object and reason. */
  readonly event: Omit<ClusterEvent, 'message'>
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
/** Texts of messages that are remembered, for all objects. */
const TEXTS = 256

/** What is remembered of one object: a speaker has two events about each of thousands, so it is little. */
interface Memory {
  /** Events that it may have now, at the instant {@link at}. */
  tokens: number
  at: Milliseconds
  topics: readonly Topic[]
}

/** All that was said about an object for one reason. */
interface Topic {
  readonly event: EventRecord['event']
  /** Different messages since it was quiet last, but those that were too many. */
  messages: string[]
  at: Milliseconds
  /** Oldest first, no more than can be told apart. */
  records: EventRecord[]
  combined: EventRecord | undefined
}

/** Remembers what was said, so that it is said once, with a count. */
export class EventCorrelator {
  readonly #limits: EventLimits
  readonly #objects: Recent<Memory>
  readonly #texts = new Recent<string>(TEXTS)

  constructor(limits: Partial<EventLimits> = {}) {
    this.#limits = { ...DEFAULT_EVENT_LIMITS, ...limits }
    this.#objects = new Recent(this.#limits.remembered)
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
    const key = objectKey(event, uid)
    const memory = this.#objects.get(key) ?? { tokens: this.#limits.burst, at: now, topics: [] }
    this.#objects.set(key, memory)
    const topic = topicOf(memory, event, now)
    const said = this.#shared(event.message)
    const combined = this.#areTooMany(topic, said, now)
    const message = combined ? COMBINED + said : said
    const record = (combined ? topic.combined : topic.records.find(each => each.message === said)) ?? {
      event: topic.event,
      uid,
      firstTimestamp: timestamp,
      lastTimestamp: timestamp,
      message,
      count: 0,
      created: false,
    }
    if (combined) topic.combined = record
    else topic.records = [...topic.records.filter(each => each !== record), record].slice(-this.#limits.similar)
    record.count++
    record.lastTimestamp = timestamp
    record.message = message
    return this.#spend(memory, now) ? record : undefined
  }

  /** One string for the same message about thousands of objects. */
  #shared(message: string): string {
    const known = this.#texts.get(message) ?? message
    this.#texts.set(message, known)
    return known
  }

  /** Whether this message is one of too many different ones. */
  #areTooMany(topic: Topic, message: string, now: Milliseconds): boolean {
    const { similar, similarFor } = this.#limits
    if (now - topic.at > similarFor) topic.messages = []
    topic.at = now
    if (topic.messages.includes(message)) return false
    if (topic.messages.length + 1 >= similar) return true
    topic.messages = withOneMore(topic.messages, message)
    return false
  }

  /** Whether the object may have one more event: a loop must not fill the server's disk. */
  #spend(memory: Memory, now: Milliseconds): boolean {
    const { burst, refill } = this.#limits
    memory.tokens = Math.min(burst, memory.tokens + (now - memory.at) / refill)
    memory.at = now
    if (memory.tokens < 1) return false
    memory.tokens--
    return true
  }
}

function topicOf(memory: Memory, event: ClusterEvent, now: Milliseconds): Topic {
  const { topics } = memory
  const { regarding, type, reason, component, host } = event
  const known = topics.find(topic => topic.event.type === type && topic.event.reason === reason)
  if (known) return known
  const common = { regarding, type, reason, component, ...(host !== undefined && { host }) }
  const topic: Topic = { event: common, messages: [], at: now, records: [], combined: undefined }
  memory.topics = withOneMore(topics, topic)
  return topic
}

/** A list that grows gets room for more than a dozen, its copy has none: thousands of lists have one or two. */
function withOneMore<T>(list: readonly T[], item: T): T[] {
  const grown = [...list, item]
  return [...grown]
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
