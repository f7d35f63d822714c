import type { KubernetesObject } from '../../resources/core.js'
import type { Logger } from '../../process/log.js'
import { isFields } from '../directory/identify.js'
import { KINDS, objectKey } from '../kinds.js'
import type { Kind, ObjectKey } from '../store.js'
import { ApiError, errorOf, isExpired } from './api-error.js'
import { Backoff } from './backoff.js'
import type { ApiTransport } from './transport.js'

/** Objects in one page of a list. */
const PAGE = '500'
/** Seconds after which the server ends a watch: between these two, so that not all are renewed at once. */
const WATCH_SECONDS = [300, 600] as const
/** Milliseconds; a watch that ends sooner is not opened again at once. */
const SHORT_WATCH = 1000

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
  readonly sink: ReflectorSink
  readonly log: Logger
  readonly random: () => number
}

/** Keeps a copy of all objects of a kind: lists them once, then watches; lists again when the server has forgotten where we were. */
export class Reflector {
  readonly #options: ReflectorOptions
  readonly #backoff: Backoff
  /** Where a watch has to begin; `undefined`: everything must be listed. */
  #version: string | undefined

  constructor(options: ReflectorOptions) {
    this.#options = options
    this.#backoff = new Backoff(options.random)
  }

  /** Lists everything. @throws what the server, or the way to it, has against it */
  async list(signal: AbortSignal): Promise<void> {
    const { kind, sink } = this.#options
    const objects = new Map<ObjectKey, KubernetesObject>()
    let version: string | undefined
    let token = ''
    do {
      const page = await this.#page(token, signal)
      version ??= page.version
      for (const object of page.items) objects.set(objectKey(object.metadata), object)
      token = page.next
    } while (token !== '')
    sink.replace(kind, objects)
    this.#version = version
  }

  /** Watches until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { kind, sink, log } = this.#options
    while (!signal.aborted) {
      const start = performance.now()
      try {
        if (this.#version === undefined) await this.list(signal)
        sink.trouble(kind, undefined)
        await this.#watch(signal)
        if (performance.now() - start < SHORT_WATCH) await this.#backoff.wait(signal)
        else this.#backoff.reset()
      } catch (error) {
        if (signal.aborted) return
        if (isExpired(error)) {
          log.debug({ event: 'relist', kind }, 'the watch is too old: listing again')
          this.#version = undefined
        } else {
          sink.trouble(kind, error)
        }
        await this.#backoff.wait(signal, error instanceof ApiError ? error.retryAfter : undefined)
      }
    }
  }

  async #page(
    token: string,
    signal: AbortSignal,
  ): Promise<{ readonly items: readonly KubernetesObject[]; readonly version: string; readonly next: string }> {
    const { transport, path } = this.#options
    const query = { limit: PAGE, ...(token !== '' && { continue: token }) }
    const list = await transport.send({ method: 'GET', path, query, signal })
    if (!isFields(list) || !Array.isArray(list['items']) || !isFields(list['metadata'])) {
      throw new ApiError(0, `the answer to GET ${path} is no list`)
    }
    const { resourceVersion = '', continue: next = '' } = list['metadata']
    const items = (list['items'] as unknown[]).filter(isFields).map(item => this.#complete(item))
    return { items, version: String(resourceVersion), next: String(next) }
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { transport, path, kind, sink, random } = this.#options
    const [least, most] = WATCH_SECONDS
    const seconds = Math.round(least + (most - least) * random())
    const query = {
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: this.#version ?? '',
      timeoutSeconds: String(seconds),
    }
    // The server ends the watch; if it cannot any more, because the connection is dead, silence must.
    const timeout = (seconds + 30) * 1000
    for await (const event of transport.stream({ method: 'GET', path, query, signal, timeout })) {
      if (!isFields(event) || !isFields(event['object']))
        throw new ApiError(0, `the watch of ${path} sent what is no event`)
      const { type, object } = event
      if (type === 'ERROR') throw errorOf(Number(object['code'] ?? 0), object)
      const seen = this.#complete(object)
      if (type !== 'BOOKMARK') sink.apply(kind, objectKey(seen.metadata), type === 'DELETED' ? undefined : seen)
      this.#version = seen.metadata.resourceVersion
      this.#backoff.reset()
    }
  }

  /** Items of a list lack kind and version; who wrote which field is of no use here and large. */
  #complete(item: Readonly<Record<string, unknown>>): KubernetesObject {
    const { kind } = this.#options
    const { managedFields: _, ...metadata } = isFields(item['metadata']) ? item['metadata'] : {}
    return { ...item, apiVersion: KINDS[kind].apiVersion, kind, metadata } as unknown as KubernetesObject
  }
}
