import { formatAddress } from '../wire/address.js'
import { LITTLE_ENDIAN } from '../wire/endian.js'
import { AddressFamily } from '../wire/socket-address.js'
import { Level } from './descriptor.js'
import type { Receiver } from './receiver.js'

/**
 * Datagrams of one system call, read where they lie: nothing is made of what is not asked for. Valid only during the call.
 * Each method takes the place of a datagram in the batch, from 0.
 */
export interface UdpBatch {
  /** How many datagrams there are. */
  readonly length: number
  /** The datagram's octets: a view that the next batch overwrites. */
  data(index: number): Uint8Array
  /** Time to Live or Hop Limit it came with; -1 when the kernel did not say. */
  hopLimit(index: number): number
  /** Interface it came in by; 0 when the kernel did not say. */
  interfaceIndex(index: number): number
  /** The sender's port. */
  sourcePort(index: number): number
  /** The sender's address as text. */
  source(index: number): string
  /** The address it was sent to, as text; `''` when the kernel did not say. */
  destination(index: number): string
}

const HEADER_LENGTH = 16 // struct cmsghdr
const LOW_WORD = LITTLE_ENDIAN ? 0 : 4 // of its size_t
const NONE = -1
const Ipv4Control = { hopLimit: 2, packetInfo: 8, packetInfoLength: 12, interfaceIndex: 0, address: 8 } as const
const Ipv6Control = { hopLimit: 52, packetInfo: 50, packetInfoLength: 20, interfaceIndex: 16, address: 0 } as const

/** The batch that stands in a receiver's memory. One object serves all batches of a socket. */
export class ReceivedBatch implements UdpBatch {
  length = 0
  readonly #receiver: Receiver
  readonly #view: DataView
  readonly #level: number
  readonly #control: typeof Ipv4Control | typeof Ipv6Control

  /** @param family of the socket */
  constructor(receiver: Receiver, family: 4 | 6) {
    const { arena } = receiver
    this.#receiver = receiver
    this.#view = new DataView(arena.buffer, arena.byteOffset, arena.byteLength)
    this.#level = family === 4 ? Level.ip : Level.ipv6
    this.#control = family === 4 ? Ipv4Control : Ipv6Control
  }

  data(index: number): Uint8Array {
    return this.#receiver.payload(index)
  }

  hopLimit(index: number): number {
    const at = this.#find(index, this.#control.hopLimit, 4)
    return at === NONE ? -1 : this.#view.getInt32(at, LITTLE_ENDIAN)
  }

  interfaceIndex(index: number): number {
    const at = this.#find(index, this.#control.packetInfo, this.#control.packetInfoLength)
    return at === NONE ? 0 : this.#view.getInt32(at + this.#control.interfaceIndex, LITTLE_ENDIAN)
  }

  sourcePort(index: number): number {
    return this.#view.getUint16(this.#receiver.nameOffset(index) + 2)
  }

  source(index: number): string {
    const at = this.#receiver.nameOffset(index)
    const isV4 = this.#view.getUint16(at, LITTLE_ENDIAN) === AddressFamily.inet
    return isV4 ? this.#text(at + 4, 4) : this.#text(at + 8, 16)
  }

  destination(index: number): string {
    const { packetInfo, packetInfoLength, address } = this.#control
    const at = this.#find(index, packetInfo, packetInfoLength)
    return at === NONE ? '' : this.#text(at + address, packetInfo === Ipv4Control.packetInfo ? 4 : 16)
  }

  #text(at: number, length: number): string {
    return formatAddress(this.#receiver.arena.subarray(at, at + length))
  }

  /** Where the data of a control message stands in the arena; {@link NONE} when it is not there or shorter than `length`. */
  #find(index: number, type: number, length: number): number {
    const view = this.#view
    let at = this.#receiver.controlOffset(index)
    const end = at + this.#receiver.controlLength(index)
    while (at + HEADER_LENGTH <= end) {
      const octets = view.getUint32(at + LOW_WORD, LITTLE_ENDIAN)
      if (octets < HEADER_LENGTH || octets > end - at) return NONE
      const isWanted =
        view.getInt32(at + 8, LITTLE_ENDIAN) === this.#level && view.getInt32(at + 12, LITTLE_ENDIAN) === type
      if (isWanted) return octets - HEADER_LENGTH >= length ? at + HEADER_LENGTH : NONE
      at += (octets + 7) & ~7
    }
    return NONE
  }
}
