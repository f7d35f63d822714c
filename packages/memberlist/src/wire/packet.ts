import { type Ack, decodeAck } from './ack.js'
import { type Alive, decodeAlive } from './alive.js'
import { decodeCompound } from './compound.js'
import { decodeCompress } from './compress.js'
import { CRC_LENGTH, decodeCrc } from './crc.js'
import { type Dead, decodeDead } from './dead.js'
import { WireError } from './error.js'
import { decodeIndirectPing, type IndirectPing } from './indirect-ping.js'
import { MessageType } from './message-type.js'
import { decodeNack, type Nack } from './nack.js'
import { decodePing, type Ping } from './ping.js'
import { decodeSuspect, type Suspect } from './suspect.js'
import { decodeUserMessage } from './user.js'

/** One message of a datagram. */
export type Message =
  | { readonly type: 'ping'; readonly body: Ping }
  | { readonly type: 'indirectPing'; readonly body: IndirectPing }
  | { readonly type: 'ack'; readonly body: Ack }
  | { readonly type: 'nack'; readonly body: Nack }
  | { readonly type: 'suspect'; readonly body: Suspect }
  | { readonly type: 'dead'; readonly body: Dead }
  /** `octets` is the message as it came, which is gossiped on unchanged. */
  | { readonly type: 'alive'; readonly body: Alive; readonly octets: Uint8Array }
  | { readonly type: 'user'; readonly body: Uint8Array }

/** How far {@link decodePacket} goes. */
export interface PacketLimits {
  /** Most layers of compress and compound in one another. @default 4 */
  readonly depth?: number
  /** Most octets that all compress messages of the datagram together expand to. @default 1 MiB */
  readonly decompressed?: number
}

/** What a datagram held. */
export interface Packet {
  /** In the order of the datagram. Octet strings in them are views into the datagram. */
  readonly messages: readonly Message[]
  /** What could not be read; the messages around it are not affected. A last `limit` tells that more was not read. */
  readonly faults: readonly WireError[]
}

/** Datagram budget of decompressed octets unless told otherwise. */
export const MAX_DECOMPRESSED_PACKET = 1024 * 1024
/**
 * Most parts of compounds that are looked at in a datagram, and so about the most messages and faults that come out of
 * it. A peer sends one compound of at most 255; nested and compressed ones could unfold to tens of thousands.
 */
export const MAX_MESSAGES = 512
const MAX_DEPTH = 4

/**
 * Reads a datagram whose label and encryption are gone: checks the checksum, unfolds compounds and compressed
 * messages, decodes what is in them. Never throws on anything a peer could send.
 *
 * @example
 * ```ts
 * import { decodePacket, encodePing } from '@typemetal/memberlist/wire'
 *
 * const octets = encodePing({ seqNo: 1, node: 'b', sourceAddr: undefined, sourcePort: 0, sourceNode: 'a' })
 * const { messages, faults } = decodePacket(octets)
 * console.log(messages.map(message => message.type), faults) // [ 'ping' ] []
 * console.log(decodePacket(octets.subarray(0, 5)).faults.map(fault => fault.fault)) // [ 'truncated' ]
 * ```
 */
export function decodePacket(octets: Uint8Array, limits: PacketLimits = {}): Packet {
  const walk = new PacketWalk(limits.decompressed ?? MAX_DECOMPRESSED_PACKET)
  walk.begin(octets, limits.depth ?? MAX_DEPTH)
  return walk
}

class PacketWalk implements Packet {
  readonly messages: Message[] = []
  readonly faults: WireError[] = []
  #budget: number
  #parts = 0

  constructor(budget: number) {
    this.#budget = budget
  }

  begin(octets: Uint8Array, depth: number): void {
    // Only here: a checksum inside a compound or a compressed message is not supported, as in the reference.
    const checked = octets[0] === MessageType.Crc && octets.length >= CRC_LENGTH
    try {
      this.#visit(checked ? decodeCrc(octets) : octets, depth)
    } catch (error) {
      this.#addFault(error)
    }
  }

  #visit(message: Uint8Array, depth: number): void {
    if (depth === 0) throw new WireError('limit', 'layers nested too deep')
    if (message[0] === MessageType.Compound) this.#visitCompound(message, depth)
    else if (message[0] === MessageType.Compress) {
      const inner = decodeCompress(message, this.#budget)
      this.#budget -= inner.length
      this.#visit(inner, depth - 1)
    } else this.messages.push(decodeMessage(message))
  }

  #visitCompound(message: Uint8Array, depth: number): void {
    const { parts, truncated } = decodeCompound(message)
    for (const part of parts) {
      if (!this.#mayGoOn()) return
      try {
        this.#visit(part, depth - 1)
      } catch (error) {
        this.#addFault(error)
      }
    }
    if (truncated > 0) this.faults.push(new WireError('truncated', `compound lacks ${truncated} parts`, message.length))
  }

  /** Whether another part may be looked at; says so once when not. */
  #mayGoOn(): boolean {
    this.#parts++
    if (this.#parts === MAX_MESSAGES + 1) this.faults.push(new WireError('limit', `more than ${MAX_MESSAGES} messages`))
    return this.#parts <= MAX_MESSAGES
  }

  #addFault(error: unknown): void {
    if (!(error instanceof WireError)) throw error
    this.faults.push(error)
  }
}

/** Decodes one bare message of a datagram. @throws {WireError} */
export function decodeMessage(octets: Uint8Array): Message {
  switch (octets[0]) {
    case MessageType.Ping:
      return { type: 'ping', body: decodePing(octets) }
    case MessageType.IndirectPing:
      return { type: 'indirectPing', body: decodeIndirectPing(octets) }
    case MessageType.Ack:
      return { type: 'ack', body: decodeAck(octets) }
    case MessageType.Nack:
      return { type: 'nack', body: decodeNack(octets) }
    case MessageType.Suspect:
      return { type: 'suspect', body: decodeSuspect(octets) }
    case MessageType.Dead:
      return { type: 'dead', body: decodeDead(octets) }
    case MessageType.Alive:
      return { type: 'alive', body: decodeAlive(octets), octets }
    case MessageType.User:
      return { type: 'user', body: decodeUserMessage(octets) }
    case undefined:
      throw new WireError('truncated', 'missing message type')
    default:
      throw new WireError('unsupported', `message type ${octets[0]} in a datagram`)
  }
}
