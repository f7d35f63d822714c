import { PollEvent, type Native } from './native.js'
import { check, systemError } from './system-error.js'

/** Somebody who waits until a descriptor takes more. */
interface Writer {
  readonly go: () => void
  readonly fail: (error: Error) => void
}

const EBADF = 9

/**
 * When a descriptor can be read and written, on the loop of this thread: one watch for both, which the kernel is asked for as long
 * as somebody reads or waits to write.
 */
export class Readiness {
  readonly #native: Native
  readonly #descriptor: number
  readonly #subject: string
  #onReadable: ((status: number) => void) | undefined
  #writers: readonly Writer[] = []
  #events = 0

  /** @param subject for error messages */
  constructor(native: Native, descriptor: number, subject: string) {
    this.#native = native
    this.#descriptor = descriptor
    this.#subject = subject
  }

  /** Calls back whenever there is something to read, or an error: then `status` is below zero. @throws {SocketError} */
  watchReadable(callback: (status: number) => void): void {
    this.#onReadable = callback
    this.#update()
  }

  /** Ends {@link watchReadable}. */
  stopReading(): void {
    this.#onReadable = undefined
    this.#update()
  }

  /**
   * Resolves when the descriptor takes more, or has an error, which the next call on it tells.
   *
   * @throws {SocketError} `EBADF` when it is closed meanwhile; the signal's reason when aborted
   */
  async writable(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    let onAbort: (() => void) | undefined
    try {
      await new Promise<void>((go, fail) => {
        const writer = { go, fail }
        onAbort = () => this.#forget(writer, signal?.reason as Error)
        signal?.addEventListener('abort', onAbort)
        this.#writers = [...this.#writers, writer]
        this.#update()
      })
    } finally {
      if (onAbort) signal?.removeEventListener('abort', onAbort)
    }
  }

  #forget(writer: Writer, reason: Error): void {
    this.#writers = this.#writers.filter(other => other !== writer)
    this.#update()
    writer.fail(reason)
  }

  /** Whoever waits hears that the descriptor is closed. The watch ends with it. */
  close(): void {
    const writers = this.#writers
    this.#writers = []
    this.#onReadable = undefined
    this.#events = 0
    for (const { fail } of writers) fail(systemError(EBADF, 'poll', this.#subject, 'it was closed meanwhile'))
  }

  readonly #onEvent = (status: number, events: number): void => {
    if (status < 0 || (events & PollEvent.writable) !== 0) this.#wake()
    if (status < 0 || (events & PollEvent.readable) !== 0) this.#onReadable?.(status)
  }

  #wake(): void {
    const writers = this.#writers
    this.#writers = []
    this.#update()
    for (const { go } of writers) go()
  }

  #update(): void {
    const events = (this.#onReadable ? PollEvent.readable : 0) | (this.#writers.length > 0 ? PollEvent.writable : 0)
    if (events === this.#events) return
    check(this.#change(events), 'epoll_ctl', this.#subject)
    this.#events = events
  }

  #change(events: number): number {
    if (events === 0) return this.#native.unwatch(this.#descriptor)
    if (this.#events > 0) return this.#native.rewatch(this.#descriptor, events)
    return this.#native.watch(this.#descriptor, events, this.#onEvent)
  }
}
