import type { Logger } from '../../process/log.js'
import type { KubernetesObject } from '../../resources/core.js'
import { fieldOf, isFields } from '../../schema/plain.js'
import { objectKey } from '../kinds.js'
import type { Kind, ObjectKey } from '../store.js'
import { ApiError, errorOf, failureOf, SilenceError } from './api-error.js'
import { Backoff } from './backoff.js'
import type { ClientLimits } from './limits.js'
import { type ClientMetrics, silentMetrics } from './metrics.js'
import { completeObject, listAll, type ReadObject } from './object-page.js'
import { type Outcome, resumptionOf } from './resume.js'
import type { ApiTransport } from './transport.js'

/** Told what the reflector sees. */
export interface ReflectorSink {
  /** All objects of the kind there are. */
  replace(kind: Kind, objects: ReadonlyMap<ObjectKey, KubernetesObject>): void
  /** One object as it is now; `undefined`: gone. */
  apply(kind: Kind, key: ObjectKey, object: KubernetesObject | undefined): void
  /** Why the kind cannot be read now; `undefined`: all is well again. */
  trouble(kind: Kind, error: unknown): void
}

/** Options of {@link Reflector}. */
export interface ReflectorOptions {
  readonly kind: Kind
  /** API path of the objects. */
  readonly path: string
  readonly transport: ApiTransport
  readonly read: ReadObject
  readonly sink: ReflectorSink
  readonly log: Logger
  readonly random: () => number
  readonly limits: ClientLimits
  readonly metrics?: ClientMetrics
}

interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Seconds that the server has to end a watch in order, after it should have. */
const GRACE = 30

/** Keeps a copy of all objects of a kind: lists them once, then watches; lists again when the server has forgotten where we were. */
export class Reflector {
  readonly #options: ReflectorOptions
  readonly #metrics: ClientMetrics
  readonly #backoff: Backoff
  /** Where a watch has to begin; `undefined`: everything must be listed. */
  #version: string | undefined
  /** Who waits for a list that begins from now on. */
  #waiters: Waiter[] = []
  /** Ends what is under way, or the pause before it. */
  #interrupt = new AbortController()

  constructor(options: ReflectorOptions) {
    this.#options = options
    this.#metrics = options.metrics ?? silentMetrics
    this.#backoff = new Backoff({ ...options.limits, random: options.random })
  }

  /** Lists everything. @throws what the server, or the way to it, has against it */
  async list(signal: AbortSignal): Promise<void> {
    const { kind, path, transport, read, sink, limits } = this.#options
    try {
      const { objects, version } = await listAll({ path, transport, read, pageSize: limits.pageSize, signal })
      sink.replace(kind, objects)
      this.#version = version
      this.#metrics.countList(kind, 'ok')
    } catch (error) {
      if (!signal.aborted) this.#metrics.countList(kind, failureOf(error))
      throw error
    }
  }

  /**
   * Lists everything again while {@link run} runs, whatever is under way.
   *
   * @throws what the server has against it, or that the reflector has ended
   */
  refresh(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject })
      this.#interrupt.abort()
    })
  }

  /** Watches until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { kind, sink, log, limits } = this.#options
    while (!signal.aborted) {
      const outcome = await this.#untilInterrupted(signal, each => this.#follow(each))
      if (signal.aborted) break
      const { reason, relist, reset, pause, least, trouble } = resumptionOf(outcome, limits)
      this.#metrics.countRestart(kind, reason)
      if (relist) this.#version = undefined
      if (relist || trouble) log.debug({ event: 'restart', kind, reason, relist }, 'a watch is begun anew')
      if (trouble && outcome.type === 'failed') sink.trouble(kind, outcome.error)
      if (reset) this.#backoff.reset()
      if (pause && this.#waiters.length === 0) {
        await this.#untilInterrupted(signal, async each => {
          await this.#backoff.wait(each, least)
          return { type: 'interrupted' }
        })
      }
    }
    for (const { reject } of this.#waiters.splice(0)) reject(new Error('the store has ended'))
  }

  /** Does something until it is done, {@link refresh} is called or the signal aborts. */
  async #untilInterrupted(signal: AbortSignal, act: (signal: AbortSignal) => Promise<Outcome>): Promise<Outcome> {
    const interrupt = new AbortController()
    this.#interrupt = interrupt
    const end = (): void => interrupt.abort()
    signal.addEventListener('abort', end, { once: true })
    try {
      return await act(interrupt.signal)
    } catch (error) {
      return interrupt.signal.aborted ? { type: 'interrupted' } : { type: 'failed', error, lasted: 0 }
    } finally {
      signal.removeEventListener('abort', end)
    }
  }

  async #follow(signal: AbortSignal): Promise<Outcome> {
    if (this.#version === undefined || this.#waiters.length > 0) await this.#relist(signal)
    return this.#watch(signal)
  }

  async #relist(signal: AbortSignal): Promise<void> {
    const waiters = this.#waiters.splice(0)
    try {
      await this.list(signal)
      for (const { resolve } of waiters) resolve()
    } catch (error) {
      if (signal.aborted) this.#waiters.unshift(...waiters)
      else for (const { reject } of waiters) reject(error)
      throw error
    }
    this.#options.sink.trouble(this.#options.kind, undefined)
  }

  async #watch(signal: AbortSignal): Promise<Outcome> {
    const { transport, path, kind, sink, limits, random } = this.#options
    const [least, most] = limits.watchSeconds
    const seconds = Math.round(least + (most - least) * random())
    const query = {
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: this.#version ?? '',
      timeoutSeconds: String(seconds),
    }
    // The server ends the watch; if it cannot any more, because the connection is dead, silence must.
    const silence = Math.min(limits.watchSilence, (seconds + GRACE) * 1000)
    const stream = await transport.stream({ method: 'GET', path, query, signal }, silence)
    const start = performance.now()
    this.#metrics.countWatch(kind)
    sink.trouble(kind, undefined)
    let events = 0
    try {
      for await (const event of stream) {
        this.#take(event)
        events++
        this.#backoff.reset()
      }
    } catch (error) {
      if (signal.aborted) return { type: 'interrupted' }
      if (error instanceof SilenceError) return { type: 'quiet' }
      return { type: 'failed', error, lasted: performance.now() - start }
    }
    return { type: 'closed', lasted: performance.now() - start, events }
  }

  /** @throws {ApiError} it is no event, or says that the watch has failed */
  #take(event: unknown): void {
    const { path, kind, read, sink } = this.#options
    const [type, object] = [fieldOf(event, 'type'), fieldOf(event, 'object')]
    if (!isFields(object)) throw new ApiError(0, `the watch of ${path} sent what is no event`)
    if (type === 'ERROR') throw errorOf(Number(object['code'] ?? 0), object)
    if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED' && type !== 'BOOKMARK') {
      throw new ApiError(0, `the watch of ${path} sent an event of type ${String(type)}`)
    }
    const seen = type === 'BOOKMARK' ? completeObject(kind, object) : read(object)
    if (type !== 'BOOKMARK') sink.apply(kind, objectKey(seen.metadata), type === 'DELETED' ? undefined : seen)
    this.#version = seen.metadata.resourceVersion
    this.#metrics.countEvent(kind, type)
  }
}
