import {
  COMPOUND_OVERHEAD,
  encodeCompound,
  encodeCompress,
  encodeCrc,
  MAX_PARTS,
  PART_OVERHEAD,
  ProtocolVersion,
} from '../wire/index.js'
import type { NodeRecord } from './node-table.js'
import type { Ring } from './ring.js'
import type { Endpoint } from './types.js'

const NOTHING: readonly Uint8Array[] = []

/** A message of fewer octets, such as a ping or an ack, hardly ever shrinks; the reference tries and throws the result away. */
const COMPRESSIBLE = 128

/** Makes datagrams of messages, and fills them up with gossip. */
export class Packets {
  readonly #ring: Ring

  constructor(ring: Ring) {
    this.#ring = ring
  }

  /**
   * One message, with as much gossip behind it as fits. Without checksum, as the reference sends these: it looks the
   * node up by its address where it wants a name.
   *
   * @param known whether a node we know listens there: to others, whoever asked for it, no gossip goes
   */
  single(to: Endpoint, message: Uint8Array, known = true): void {
    const gossip = known ? this.gossip(message.length) : NOTHING
    this.#send(to, gossip.length === 0 ? message : encodeCompound([message, ...gossip]), false)
  }

  /** Exactly these messages, to a node we know. */
  group(to: NodeRecord, messages: readonly Uint8Array[]): void {
    const checked = to.versions.pMax >= ProtocolVersion.Crc
    for (let i = 0; i < messages.length; i += MAX_PARTS) {
      const parts = messages.slice(i, i + MAX_PARTS)
      this.#send(to.endpoint, parts.length === 1 ? parts[0]! : encodeCompound(parts), checked)
    }
  }

  /**
   * Queued broadcasts that fit into a packet behind `used` octets.
   *
   * @param fresh only what was never sent, without counting it as sent
   */
  gossip(used: number, fresh = false): readonly Uint8Array[] {
    const { tuning, packetOverhead, broadcasts, userBroadcasts } = this.#ring
    if (broadcasts.length === 0 && userBroadcasts.length === 0) return NOTHING // as nearly always in a ring at rest
    const { transmitLimit } = this.#ring
    const limit = tuning.udpBufferSize - used - COMPOUND_OVERHEAD - packetOverhead()
    const count = used === 0 ? MAX_PARTS : MAX_PARTS - 1
    const messages = broadcasts.take({ overhead: PART_OVERHEAD, limit, count, transmitLimit, fresh })
    if (userBroadcasts.length === 0) return messages
    const left = messages.reduce((room, message) => room - message.length - PART_OVERHEAD, limit)
    const more = count - messages.length
    const user = userBroadcasts.take({ overhead: PART_OVERHEAD, limit: left, count: more, transmitLimit, fresh })
    return [...messages, ...user]
  }

  /** Longest message that can be gossiped, octets. */
  get maxBroadcast(): number {
    const { tuning, packetOverhead } = this.#ring
    return tuning.udpBufferSize - COMPOUND_OVERHEAD - PART_OVERHEAD - packetOverhead()
  }

  #send(to: Endpoint, message: Uint8Array, checked: boolean): void {
    const packed = this.#compress(message)
    this.#ring.emit({ type: 'packet', to, octets: checked ? encodeCrc(packed) : packed })
  }

  #compress(message: Uint8Array): Uint8Array {
    if (!this.#ring.tuning.enableCompression || message.length < COMPRESSIBLE) return message
    const compressed = encodeCompress(message)
    return compressed.length < message.length ? compressed : message
  }
}
