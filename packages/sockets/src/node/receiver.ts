import type { SocketError } from '../errors.js'
import type { Descriptor } from './descriptor.js'
import { MAX_BATCH } from './native.js'
import { systemError } from './system-error.js'

const EINTR = 4
const EAGAIN = 11
const RESULT_WORDS = 4
const MSG_TRUNC = 0x20
/** Messages asked for when the loop tells of some: mostly it is one, and making room for 64 takes longer than receiving it. */
const FEW = 8
/** Batches read before other work of the thread gets its turn; the poll fires again for the rest. */
const ROUNDS = 4

/** One received message. All three are views into memory that the next batch overwrites. */
export interface ReceivedMessage {
  readonly payload: Uint8Array
  /** The sender's socket address. */
  readonly name: Uint8Array
  /** Control messages. */
  readonly control: Uint8Array
}

export interface ReceiverOptions {
  /** Octets kept of a message; a longer one is cut. */
  readonly payloadSpace: number
  /** Octets for the sender's address; 0 when it is not wanted. */
  readonly nameSpace?: number
  /** Octets for control messages; 0 when they are not wanted. */
  readonly controlSpace?: number
  /** Messages of one system call, at most 64. @default 64 */
  readonly batch?: number
}

/** Reads messages in batches into memory of its own, allocated once: a flood costs time, never memory. */
export class Receiver {
  readonly #descriptor: Descriptor
  /** Where messages are received. */
  readonly arena: Uint8Array
  readonly #slotSize: number
  readonly #nameSpace: number
  readonly #controlSpace: number
  readonly #results: Uint32Array
  /** The beginning of {@link #results}. */
  readonly #few: Uint32Array
  /** Views on the payloads of the last batch by slot: frames of one protocol mostly have one length, so they serve again. */
  readonly #payloads: Uint8Array[]
  #truncated = 0

  constructor(
    descriptor: Descriptor,
    { payloadSpace, nameSpace = 0, controlSpace = 0, batch = MAX_BATCH }: ReceiverOptions,
  ) {
    this.#descriptor = descriptor
    this.#nameSpace = nameSpace
    this.#controlSpace = controlSpace
    this.#slotSize = nameSpace + controlSpace + payloadSpace
    this.arena = new Uint8Array(this.#slotSize * batch)
    this.#results = new Uint32Array(RESULT_WORDS * batch)
    this.#few = this.#results.subarray(0, RESULT_WORDS * FEW)
    this.#payloads = Array.from({ length: batch }, (_, slot) => this.#view(slot, nameSpace + controlSpace, 0))
  }

  /** Messages that were longer than `payloadSpace` and are cut, since it was made. */
  get truncated(): number {
    return this.#truncated
  }

  /**
   * @param results where the messages are told of; its length says how many are wanted
   * @returns messages received, or -errno; -EAGAIN when there are none
   */
  receive(results = this.#results): number {
    const { native, number } = this.#descriptor
    let count: number
    do count = native.receive(number, this.arena, this.#slotSize, this.#nameSpace, this.#controlSpace, results)
    while (count === -EINTR)
    for (let slot = 0; slot < count; slot++)
      if ((results[slot * RESULT_WORDS + 3]! & MSG_TRUNC) !== 0) this.#truncated++
    return count
  }

  /** The payload in a slot of the last batch. */
  payload(slot: number): Uint8Array {
    const length = this.#results[slot * RESULT_WORDS]!
    const known = this.#payloads[slot]!
    if (known.length === length) return known
    const view = this.#view(slot, this.#nameSpace + this.#controlSpace, length)
    this.#payloads[slot] = view
    return view
  }

  /** Where the sender's address in a slot of the last batch begins in the arena. */
  nameOffset(slot: number): number {
    return slot * this.#slotSize
  }

  /** Where the control messages in a slot of the last batch begin in the arena. */
  controlOffset(slot: number): number {
    return slot * this.#slotSize + this.#nameSpace
  }

  /** Octets that the control messages in a slot of the last batch take. */
  controlLength(slot: number): number {
    return this.#results[slot * RESULT_WORDS + 2]!
  }

  /** The whole message in a slot of the last batch. */
  message(slot: number): ReceivedMessage {
    const at = slot * RESULT_WORDS
    return {
      payload: this.payload(slot),
      name: this.#view(slot, 0, Math.min(this.#results[at + 1]!, this.#nameSpace)),
      control: this.#view(slot, this.#nameSpace, this.#results[at + 2]!),
    }
  }

  /**
   * Watches the socket: `onBatch(count)` after each batch, `onError` for an error the kernel tells asynchronously, after
   * which the socket goes on unless the error stays.
   *
   * @throws {SocketError} when the loop refuses
   */
  start(onBatch: (count: number) => void, onError: (error: SocketError) => void): void {
    this.#descriptor.watchReadable(status => {
      const isIdle = !this.#drain(ROUNDS, onBatch, onError, this.#few)
      if (status >= 0 || !isIdle || this.#descriptor.closed) return
      const errno = this.#descriptor.takeError()
      // Told of an error, yet there is none to read: watching the socket further would spin.
      if (errno === 0) this.#descriptor.stopReading()
      onError(systemError(errno === 0 ? -status : errno, 'epoll_wait'))
    })
  }

  /**
   * Reads what waits at the socket, at most so many batches.
   *
   * @returns whether there was anything: a message or an error
   */
  drain(rounds: number, onBatch: (count: number) => void, onError: (error: SocketError) => void): boolean {
    return this.#drain(rounds, onBatch, onError, this.#results)
  }

  /** @param first where the first batch is told of, and how many it has at most */
  #drain(
    rounds: number,
    onBatch: (count: number) => void,
    onError: (error: SocketError) => void,
    first: Uint32Array,
  ): boolean {
    for (let round = 0; round < rounds; round++) {
      if (this.#descriptor.closed) return true // by a callback
      const results = round === 0 ? first : this.#results
      const count = this.receive(results)
      if (count === -EAGAIN) return round > 0
      if (count < 0) {
        onError(systemError(-count, 'recvmsg'))
        return true
      }
      onBatch(count)
      if (count * RESULT_WORDS < results.length) return true
    }
    return true
  }

  #view(slot: number, offset: number, length: number): Uint8Array {
    const start = slot * this.#slotSize + offset
    return this.arena.subarray(start, start + length)
  }
}
