import { checkOptions, type Kinds, optional, signal as signalKind, whole } from '@typemetal/options'
import type { SocketError } from '../errors.js'
import type { RtnetlinkChange, RtnetlinkKind } from '../wire/rtnetlink-message.js'
import { RtnetlinkMonitor, rtnetlinkKinds } from './rtnetlink-monitor.js'
import { bufferSize } from './socket-kinds.js'

/** Changes were lost, in the kernel or in the queue: list again. What comes later is told as before. */
export interface RtnetlinkResync {
  readonly kind: 'resync'
}

/** What {@link watchRtnetlink} tells. */
export type RtnetlinkEvent = RtnetlinkChange | RtnetlinkResync

/** What {@link watchRtnetlink} is asked for. */
export interface WatchRtnetlinkOptions {
  /** At least one. */
  readonly kinds: readonly RtnetlinkKind[]
  /** Ends the watch; the reader's `next()` then rejects with its reason. */
  readonly signal?: AbortSignal
  /** Changes that may wait for the reader. When there are more, all that wait give way to one `'resync'`. @default 4096 */
  readonly queueLimit?: number
  /** Octets the kernel may queue, some 200 to 1000 a change. @default net.core.rmem_default, usually 208 KB */
  readonly receiveBuffer?: number
}

const DEFAULT_LIMIT = 4096
const KINDS: Kinds<WatchRtnetlinkOptions> = {
  kinds: rtnetlinkKinds,
  signal: optional(signalKind),
  queueLimit: optional(whole(1, Number.MAX_SAFE_INTEGER)),
  receiveBuffer: optional(bufferSize),
}

/**
 * Changes of interfaces, addresses, neighbours and routes as an async iterator. It listens from this call on, so list what is there
 * after it: what changes in between is told, and nothing is missed. Holds the process open until it ends: by the signal, by
 * `break`, `return()` or `await using`.
 *
 * ```ts
 * import { listLinks, watchRtnetlink } from '@typemetal/sockets'
 *
 * const stop = new AbortController()
 * const changes = watchRtnetlink({ kinds: ['link', 'address'], signal: stop.signal })
 * let links = listLinks()
 * for await (const event of changes) {
 *   if (event.kind === 'resync') links = listLinks()
 *   else if (event.kind === 'link') console.log(event.value.name, event.change, event.value.mac, event.value.operstate)
 * }
 * ```
 *
 * @throws {TypeError | RangeError} an option that cannot be, or an unknown one; the message begins with its name
 * @throws {SocketError} when the kernel refuses; `ENOSYS` off Linux
 */
export const watchRtnetlink = (options: WatchRtnetlinkOptions): RtnetlinkWatch => new RtnetlinkWatch(options)

/** Somebody who waits for the next event. */
interface Reader {
  readonly resolve: (result: IteratorResult<RtnetlinkEvent, undefined>) => void
  readonly reject: (error: unknown) => void
}

/** What {@link watchRtnetlink} returns. */
export class RtnetlinkWatch implements AsyncIterableIterator<RtnetlinkEvent, undefined>, AsyncDisposable {
  readonly #monitor: RtnetlinkMonitor
  readonly #signal: AbortSignal | undefined
  readonly #limit: number
  readonly #onAbort = (): void => this.#end({ reason: this.#signal?.reason })
  #queue: RtnetlinkEvent[] = []
  readonly #readers: Reader[] = []
  /** Once it has ended; with a reason when it did so by one, which the next reader hears once. */
  #ended: { reason?: unknown } | undefined

  /** See {@link watchRtnetlink}. */
  constructor(options: WatchRtnetlinkOptions) {
    checkOptions(options, KINDS)
    const { kinds, signal, queueLimit = DEFAULT_LIMIT, receiveBuffer } = options
    signal?.throwIfAborted()
    this.#limit = queueLimit
    this.#signal = signal
    this.#monitor = new RtnetlinkMonitor({
      kinds,
      ...(receiveBuffer === undefined ? {} : { receiveBuffer }),
      onChanges: changes => this.#push(changes),
      onLost: () => this.#resync(),
      onError: error => this.#fail(error),
    })
    signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** The next event, when there is one. @throws the signal's reason, or the error that ended the watch, once; then it is done */
  async next(): Promise<IteratorResult<RtnetlinkEvent, undefined>> {
    const value = this.#queue.shift()
    if (value) return { done: false, value }
    if (!this.#ended) return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }))
    const { reason } = this.#ended
    this.#ended = {}
    if (reason !== undefined) throw reason
    return { done: true, value: undefined }
  }

  /** Ends the watch. */
  async return(): Promise<IteratorResult<RtnetlinkEvent, undefined>> {
    this.#end({})
    this.#queue = []
    return { done: true, value: undefined }
  }

  /** The watch itself: one reader at a time. */
  [Symbol.asyncIterator](): this {
    return this
  }

  /** Ends the watch and the loop over it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  #push(changes: readonly RtnetlinkEvent[]): void {
    for (const value of changes) {
      const reader = this.#readers.shift()
      if (reader) reader.resolve({ done: false, value })
      else if (this.#queue.length < this.#limit) this.#queue.push(value)
      else return this.#resync() // of which the rest of them is a part
    }
    return undefined
  }

  /** What waits is about to be listed again, so that nobody needs it. */
  #resync(): void {
    this.#queue = []
    this.#push([{ kind: 'resync' }])
  }

  #fail(error: SocketError): void {
    this.#end({ reason: error })
  }

  #end(how: { reason?: unknown }): void {
    if (this.#ended) return
    this.#monitor.close()
    this.#signal?.removeEventListener('abort', this.#onAbort)
    const readers = this.#readers.splice(0)
    const first = how.reason === undefined ? undefined : readers.shift()
    first?.reject(how.reason)
    for (const { resolve } of readers) resolve({ done: true, value: undefined })
    this.#ended = first ? {} : how
  }
}
