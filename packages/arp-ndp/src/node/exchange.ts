import { PacketSocket, type PacketSocketOptions } from '@typemetal/sockets'
import type { Instant } from '../responder/announcer.js'

/** Send a whole Ethernet frame. */
export interface SendAction {
  readonly type: 'send'
  readonly frame: Uint8Array
}

/** Something that asks a question: frames and time in, actions out. `Resolver` and `AddressProbe` are such machines. */
export interface Machine<Action> {
  /** When {@link expire} is due; `Infinity` at the end. */
  readonly deadline: Instant
  receive(frame: Uint8Array, now: Instant): readonly (Action | SendAction)[]
  expire(now: Instant): readonly (Action | SendAction)[]
}

/** A question, the socket it is asked on, and which action is the end of it. */
export interface ExchangeOptions<Action, Result> {
  readonly socket: Pick<PacketSocketOptions, 'interfaceIndex' | 'etherType' | 'filter'>
  readonly machine: Machine<Action>
  /** The result, when the action is the last one. What it throws fails the exchange. */
  readonly settle: (action: Action) => Result | undefined
  readonly signal: AbortSignal | undefined
  /** The result when the signal is aborted before there is another. What it throws fails the exchange. */
  readonly abandon: () => Result
}

/** Milliseconds until a full transmit queue is tried again. */
const RETRY = 1
/** Batches of 64 frames read before a deadline is believed. */
const LAST_LOOK = 16
/** Longest time a timer of Node.js can take. */
const LONGEST = 2 ** 31 - 1

/**
 * Carries out what a machine asks for on a packet socket, until it has a result.
 * @throws {SocketError} `EPERM` without CAP_NET_RAW, `ENETDOWN` also later
 */
export async function exchange<Action extends { readonly type: string }, Result>(
  options: ExchangeOptions<Action, Result>,
): Promise<Result> {
  if (options.signal?.aborted) return options.abandon()
  return await new Promise((resolve, reject) => new Exchange(options, resolve, reject).begin())
}

class Exchange<Action extends { readonly type: string }, Result> {
  readonly #options: ExchangeOptions<Action, Result>
  readonly #resolve: (result: Result) => void
  readonly #reject: (error: unknown) => void
  readonly #abort = (): void =>
    this.#attempt(() => {
      const result = this.#options.abandon()
      this.#end(() => this.#resolve(result))
    })
  #socket: PacketSocket | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #armedFor: Instant = Infinity
  #open = true

  constructor(
    options: ExchangeOptions<Action, Result>,
    resolve: (result: Result) => void,
    reject: (error: unknown) => void,
  ) {
    this.#options = options
    this.#resolve = resolve
    this.#reject = reject
  }

  begin(): void {
    this.#attempt(() => {
      this.#socket = new PacketSocket({
        ...this.#options.socket,
        onFrames: frames => this.#attempt(() => this.#receive(frames)),
        onError: error => this.#end(() => this.#reject(error)),
      })
      this.#options.signal?.addEventListener('abort', this.#abort)
      this.#expire()
    })
  }

  #attempt(action: () => void): void {
    try {
      if (this.#open) action()
    } catch (error) {
      this.#end(() => this.#reject(error))
    }
  }

  #receive(frames: readonly Uint8Array[]): void {
    const now = performance.now()
    for (const frame of frames) if (this.#open) this.#perform(this.#options.machine.receive(frame, now))
    this.#arm()
  }

  #expire(): void {
    // A thread that was stalled has answers waiting: they came before the deadline that it missed.
    this.#socket?.drain(LAST_LOOK)
    this.#armedFor = Infinity
    if (this.#open) this.#perform(this.#options.machine.expire(performance.now()))
    this.#arm()
  }

  #perform(actions: readonly (Action | SendAction)[]): void {
    for (const action of actions) {
      if (isSend(action)) this.#send(action.frame)
      else {
        const result = this.#options.settle(action)
        if (result !== undefined) return this.#end(() => this.#resolve(result))
      }
    }
  }

  #send(frame: Uint8Array): void {
    if (this.#socket?.sendBatch([frame]) === 0) setTimeout(() => this.#attempt(() => this.#send(frame)), RETRY)
  }

  #arm(): void {
    const { deadline } = this.#options.machine
    if (!this.#open || deadline === this.#armedFor) return
    clearTimeout(this.#timer)
    this.#armedFor = deadline
    const wait = Math.max(Math.ceil(deadline - performance.now()), 0)
    this.#timer = setTimeout(() => this.#attempt(() => this.#expire()), Math.min(wait, LONGEST))
  }

  #end(conclude: () => void): void {
    if (!this.#open) return
    this.#open = false
    clearTimeout(this.#timer)
    this.#options.signal?.removeEventListener('abort', this.#abort)
    this.#socket?.close()
    conclude()
  }
}

const isSend = (action: { readonly type: string }): action is SendAction => action.type === 'send'
