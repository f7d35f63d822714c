import { type Ack, readAck } from './ack.js'
import { expand, readCompress } from './compress.js'
import { FRAME_HEAD, MAX_FRAME } from './encrypt.js'
import { WireError } from './error.js'
import { type ErrorResponse, readErrorResponse } from './error-response.js'
import { labelHeaderLength, stripLabel } from './label.js'
import { MessageType } from './message-type.js'
import { Reader } from './msgpack/index.js'
import { type Ping, readPing } from './ping.js'
import {
  checkPushPullHeader,
  type PushNodeState,
  type PushPull,
  type PushPullHeader,
  readPushNodeState,
  readPushPullHeader,
} from './push-pull.js'
import { readUserMessageHeader } from './user.js'

/** What one direction of a stream carries. */
export type StreamMessage =
  | { readonly type: 'ping'; readonly body: Ping }
  | { readonly type: 'ack'; readonly body: Ack }
  | { readonly type: 'error'; readonly body: ErrorResponse }
  | { readonly type: 'pushPull'; readonly body: PushPull }
  | { readonly type: 'user'; readonly body: Uint8Array }

/** What {@link StreamReader} has to know about the ring. */
export interface StreamReaderOptions {
  /** Label that must stand in front; `undefined` on responses, which carry none. */
  readonly label?: Uint8Array | undefined
  /** A proxy strips the labels, so none may be there. */
  readonly skipLabelCheck?: boolean
  /** Opens an encrypted frame: `head` is its first 5 octets. Absent when encryption is not configured. */
  readonly open?: ((payload: Uint8Array, head: Uint8Array) => Uint8Array) | undefined
  /** Refuse what is not encrypted. */
  readonly requireEncryption?: boolean
  /** Most octets that a compressed message expands to. @default 40 MiB */
  readonly decompressed?: number
}

const MAX_DECOMPRESSED_STREAM = 40 * 1024 * 1024
/** Largest node entry that we wait for. Without a bound, a peer could make us read one over and over as it grows. */
const MAX_ENTRY = 16 * 1024
/** Largest body of a ping, ack, error or header. */
const MAX_SMALL = 16 * 1024
/** Most octets of a stream that is neither encrypted nor compressed: what a compressed one may expand to, and a head. */
const MAX_PLAIN_STREAM = MAX_DECOMPRESSED_STREAM + MAX_SMALL
/** Compressed data is bounded like an encrypted frame. */
const MAX_COMPRESSED = MAX_FRAME

/** One step of reading: what it gives when all its octets are there, or `undefined` to wait for more. */
type Step = () => Step | StreamMessage | undefined

/**
 * Takes a stream's octets as they come and gives the one message they make: label, encrypted frame, compressed
 * message and body, of each at most one. Nothing is allocated for a length only because a peer claims it.
 */
export class StreamReader {
  readonly #options: StreamReaderOptions
  #buffer: Uint8Array = new Uint8Array()
  #length = 0
  #received = 0
  /** Where the next step reads. */
  #offset = 0
  /** Whether all octets of the message are in the buffer, so that a truncated value is an error and no reason to wait. */
  #whole = false
  #step: Step = () => this.#label()

  constructor(options: StreamReaderOptions) {
    this.#options = options
  }

  /** Octets taken so far. */
  get received(): number {
    return this.#received
  }

  /**
   * @param chunk kept, so not to be written to afterwards
   * @returns the message once it is complete; octets behind it are ignored
   * @throws {WireError} when the octets cannot become a message we take
   */
  push(chunk: Uint8Array): StreamMessage | undefined {
    this.#append(chunk)
    for (;;) {
      const result = this.#attempt()
      if (result === undefined) return undefined
      if (typeof result !== 'function') return result
      this.#step = result
    }
  }

  #attempt(): Step | StreamMessage | undefined {
    try {
      return this.#step()
    } catch (error) {
      if (error instanceof WireError && error.fault === 'truncated' && !this.#whole) return undefined
      throw error
    }
  }

  #label(): Step | undefined {
    if (this.#length === 0) return undefined
    const octets = this.#octets()
    if (this.#options.label !== undefined) {
      const length = labelHeaderLength(octets)
      stripLabel(octets, this.#options.label, this.#options.skipLabelCheck)
      this.#offset = length
    }
    return () => this.#frame()
  }

  #frame(): Step | undefined {
    const octets = this.#octets()
    if (octets.length === 0) return undefined
    const { open, requireEncryption } = this.#options
    if (octets[0] !== MessageType.Encrypt) {
      if (open && requireEncryption)
        throw new WireError('decrypt', 'encryption is configured but remote state is not encrypted')
      return () => this.#compressed()
    }
    if (!open) throw new WireError('decrypt', 'remote state is encrypted and encryption is not configured')
    if (octets.length < FRAME_HEAD) return undefined
    const length = new DataView(octets.buffer, octets.byteOffset).getUint32(1)
    if (length > MAX_FRAME) throw new WireError('limit', 'remote node state is larger than limit')
    if (octets.length < FRAME_HEAD + length) return undefined
    const head = octets.subarray(0, FRAME_HEAD)
    this.#replace(open(octets.subarray(FRAME_HEAD, FRAME_HEAD + length), head))
    return () => this.#compressed()
  }

  #compressed(): Step | undefined {
    const octets = this.#octets()
    if (octets.length === 0) return this.#missing()
    if (octets[0] !== MessageType.Compress) return () => this.#body()
    if (octets.length > MAX_COMPRESSED + MAX_SMALL)
      throw new WireError('limit', 'compressed state is larger than limit')
    const compress = readCompress(new Reader(octets, 1))
    this.#replace(expand(compress, this.#options.decompressed ?? MAX_DECOMPRESSED_STREAM))
    return () => this.#body()
  }

  #body(): Step | StreamMessage | undefined {
    const octets = this.#octets()
    if (octets.length === 0) return this.#missing()
    const reader = new Reader(octets, 1)
    switch (octets[0]) {
      case MessageType.Ping:
        return this.#small(() => ({ type: 'ping', body: readPing(reader) }))
      case MessageType.Ack:
        return this.#small(() => ({ type: 'ack', body: readAck(reader) }))
      case MessageType.Error:
        return this.#small(() => ({ type: 'error', body: readErrorResponse(reader) }))
      case MessageType.PushPull: {
        const header = this.#small(() => checkPushPullHeader(readPushPullHeader(reader)))
        this.#offset += reader.offset
        const nodes: PushNodeState[] = [] // outside of the step, which runs again when more octets come
        return () => this.#entries(header, nodes)
      }
      case MessageType.User: {
        const { userMsgLen } = this.#small(() => readUserMessageHeader(reader))
        this.#offset += reader.offset
        return () => this.#tail(userMsgLen, body => ({ type: 'user', body }))
      }
      default:
        throw new WireError('unsupported', `message type ${octets[0]} on a stream`)
    }
  }

  #entries(header: PushPullHeader, nodes: PushNodeState[]): Step | undefined {
    const start = this.#offset
    const reader = new Reader(this.#octets())
    const read = (): PushNodeState => readPushNodeState(reader)
    const first = nodes.length
    try {
      while (nodes.length < header.nodes) {
        nodes.push(this.#small(read, MAX_ENTRY))
        this.#offset = start + reader.offset
      }
    } catch (error) {
      // What is read so far must not keep the octets around it.
      for (let i = first; i < nodes.length; i++) nodes[i] = detach(nodes[i]!)
      throw error
    }
    const { join, userStateLen } = header
    return () => this.#tail(userStateLen, userState => ({ type: 'pushPull', body: { join, nodes, userState } }))
  }

  #tail(length: number, make: (octets: Uint8Array) => StreamMessage): StreamMessage | undefined {
    const octets = this.#octets()
    return octets.length < length ? this.#missing() : make(octets.subarray(0, length))
  }

  /** Reads something that must be complete within `limit` octets. */
  #small<T>(read: () => T, limit = MAX_SMALL): T {
    try {
      return read()
    } catch (error) {
      const available = this.#length - this.#offset
      if (error instanceof WireError && error.fault === 'truncated' && available > limit) {
        throw new WireError('limit', `value longer than ${limit} octets`, limit)
      }
      throw error
    }
  }

  #missing(): undefined {
    if (this.#whole) throw new WireError('truncated', 'message ends early', this.#length)
    return undefined
  }

  #octets(): Uint8Array {
    return this.#buffer.subarray(this.#offset, this.#length)
  }

  /** An inner layer takes the place of the one it was in. */
  #replace(octets: Uint8Array): void {
    this.#buffer = octets
    this.#length = octets.length
    this.#offset = 0
    this.#whole = true
  }

  #append(chunk: Uint8Array): void {
    this.#received += chunk.length
    if (this.#whole) return // what follows a complete frame is not looked at
    if (this.#received > MAX_PLAIN_STREAM) throw new WireError('limit', 'state is larger than limit', MAX_PLAIN_STREAM)
    if (this.#length === 0) {
      this.#buffer = chunk // most streams are one chunk: no copy
      this.#length = chunk.length
      return
    }
    if (this.#length + chunk.length > this.#buffer.length) this.#grow(chunk.length)
    this.#buffer.set(chunk, this.#length)
    this.#length += chunk.length
  }

  /** Makes room for more octets behind those that are yet to be read, and forgets those that are. */
  #grow(more: number): void {
    const unread = this.#octets()
    const needed = unread.length + more
    const grown = new Uint8Array(Math.max(needed, Math.min(needed, this.#buffer.length) * 2, 1024))
    grown.set(unread)
    this.#buffer = grown
    this.#length = unread.length
    this.#offset = 0
  }
}

/** An entry that shares no octets with the stream. */
function detach({ addr, meta, vsn, ...rest }: PushNodeState): PushNodeState {
  const copy = (octets: Uint8Array | undefined): Uint8Array | undefined => octets && new Uint8Array(octets)
  return { ...rest, addr: copy(addr), meta: copy(meta), vsn: copy(vsn) }
}
