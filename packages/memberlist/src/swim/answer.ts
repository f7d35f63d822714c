import { encodeAck, encodeNack, encodePing, type IndirectPing, type Ping, sameOctets } from '../wire/index.js'
import type { Acks } from './acks.js'
import { formatAddress, isAddress, normalizeAddress } from './address.js'
import type { Packets } from './packets.js'
import type { Ring } from './ring.js'
import type { Endpoint, Instant } from './types.js'

/** Answers the pings of others, and asks on their behalf. */
export class Answerer {
  readonly #ring: Ring
  readonly #packets: Packets
  readonly #acks: Acks

  constructor(ring: Ring, packets: Packets, acks: Acks) {
    this.#ring = ring
    this.#packets = packets
    this.#acks = acks
  }

  ping(message: Ping, from: Endpoint): void {
    if (message.node !== '' && message.node !== this.#ring.name) {
      return this.#ring.note('misdirectedPing', { node: message.node, from: from.address })
    }
    const to = this.#source(message, from)
    if (to) this.#packets.single(to, encodeAck({ seqNo: message.seqNo, payload: this.#ring.delegate.ackPayload?.() }))
  }

  indirectPing(message: IndirectPing, from: Endpoint, now: Instant): void {
    const { target, node, nack } = message
    const to = this.#source(message, from)
    if (!to || !isAddress(target) || !this.#ring.isAllowed(target) || !this.#ring.self) return
    const seqNo = this.#ring.nextSeqNo()
    const { address: sourceAddr, port: sourcePort } = this.#ring.self.description
    const endpoint = { address: formatAddress(target), port: message.port || this.#ring.self.endpoint.port }
    const onAck = (): void => this.#packets.single(to, encodeAck({ seqNo: message.seqNo, payload: undefined }))
    const onTimeout = (): void => {
      if (nack) this.#packets.single(to, encodeNack({ seqNo: message.seqNo }))
    }
    this.#acks.wait(seqNo, now + this.#ring.tuning.probeTimeout, { onAck, onTimeout })
    this.#packets.single(endpoint, encodePing({ seqNo, node, sourceAddr, sourcePort, sourceNode: this.#ring.name }))
  }

  /** Where an answer goes: the address that the message names, else where it came from; `undefined`: nowhere allowed. */
  #source(message: Ping | IndirectPing, from: Endpoint): Endpoint | undefined {
    const { sourceAddr, sourcePort, sourceNode } = message
    if (!isAddress(sourceAddr) || sourcePort === 0) return from
    if (!this.#ring.isAllowed(sourceAddr)) return undefined
    const known = this.#ring.table.get(sourceNode)?.description
    // Nearly always it is the node's own, whose text is there already.
    if (known?.port === sourcePort && sameOctets(known.address, normalizeAddress(sourceAddr))) return known.endpoint
    return { address: formatAddress(sourceAddr), port: sourcePort }
  }
}
