import { encodePing, type StreamMessage } from '../wire/index.js'
import type { NodeRecord } from './node-table.js'
import type { Ring } from './ring.js'
import type { DialPurpose, Endpoint, Instant, Milliseconds } from './types.js'

/** Who waits for the end of a dial. */
export interface DialListener {
  readonly onAnswer: (message: StreamMessage | undefined, now: Instant) => void
  readonly onFailure: (failure: { readonly refused: boolean; readonly reason: string }, now: Instant) => void
}

/** Who waits for the end of a TCP ping. */
export interface TcpPingListener {
  readonly onAnswer: (now: Instant) => void
  /** The host answered with a reset. */
  readonly onRefused: (now: Instant) => void
  /** Anything else. */
  readonly onFailed?: (now: Instant) => void
}

/** Streams that we opened and that are not over yet. */
export class Dials {
  readonly #ring: Ring
  readonly #open = new Map<number, DialListener>()

  constructor(ring: Ring) {
    this.#ring = ring
  }

  /** Asks the driver for a stream. */
  dial(purpose: DialPurpose, to: Endpoint, octets: Uint8Array, timeout: Milliseconds, listener: DialListener): void {
    const id = this.#ring.nextDialId()
    this.#open.set(id, listener)
    this.#ring.emit({ type: 'dial', id, purpose, to, octets, timeout })
  }

  /** Pings a node over TCP. */
  ping(record: NodeRecord, seqNo: number, timeout: Milliseconds, listener: TcpPingListener): void {
    const { address: sourceAddr, port: sourcePort } = this.#ring.self!.description
    const octets = encodePing({ seqNo, node: record.name, sourceAddr, sourcePort, sourceNode: this.#ring.name })
    this.dial('ping', record.endpoint, octets, timeout, {
      onAnswer: (message, now) => {
        if (message?.type === 'ack' && message.body.seqNo === seqNo) listener.onAnswer(now)
        else listener.onFailed?.(now)
      },
      onFailure: ({ refused }, now) => (refused ? listener.onRefused(now) : listener.onFailed?.(now)),
    })
  }

  answered(id: number, message: StreamMessage | undefined, now: Instant): void {
    this.#take(id)?.onAnswer(message, now)
  }

  failed(id: number, failure: { readonly refused: boolean; readonly reason: string }, now: Instant): void {
    this.#take(id)?.onFailure(failure, now)
  }

  #take(id: number): DialListener | undefined {
    const listener = this.#open.get(id)
    this.#open.delete(id)
    return listener
  }
}
