import { encodeAck, encodeNack, encodePing, type IndirectPing, type Ping } from '../wire/index.js'
import type { Acks } from './acks.js'
import { formatAddress, isAddress, normalizeAddress, sameAddress } from './address.js'
import type { Packets } from './packets.js'
import type { Ring } from './ring.js'
import type { Endpoint, Instant } from './types.js'

interface Peer {
  readonly endpoint: Endpoint
  /** Whether it is that of a node in the table. */
  readonly known: boolean
}

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
    if (!to) return
    const ack = encodeAck({ seqNo: message.seqNo, payload: this.#ring.delegate.ackPayload?.() })
    this.#packets.single(to.endpoint, ack, to.known)
  }

  indirectPing(message: IndirectPing, from: Endpoint, now: Instant): void {
    const { target, node, nack } = message
    const to = this.#source(message, from)
    if (!to || !isAddress(target) || !this.#ring.isAllowed(normalizeAddress(target)) || !this.#ring.self) return
    const seqNo = this.#ring.nextSeqNo()
    const { address: sourceAddr, port: sourcePort } = this.#ring.self.description
    const onAck = (): void =>
      this.#packets.single(to.endpoint, encodeAck({ seqNo: message.seqNo, payload: undefined }), to.known)
    const onTimeout = (): void => {
      if (nack) this.#packets.single(to.endpoint, encodeNack({ seqNo: message.seqNo }), to.known)
    }
    this.#acks.wait(seqNo, now + this.#ring.tuning.probeTimeout, { onAck, onTimeout })
    const ping = encodePing({ seqNo, node, sourceAddr, sourcePort, sourceNode: this.#ring.name })
    const { endpoint, known } = this.#peer(node, target, message.port || this.#ring.self.endpoint.port)
    this.#packets.single(endpoint, ping, known)
  }

  /** Where an answer goes: the address that the message names, else where it came from; `undefined`: nowhere allowed. */
  #source(message: Ping | IndirectPing, from: Endpoint): Peer | undefined {
    const { sourceAddr, sourcePort, sourceNode } = message
    if (!isAddress(sourceAddr) || sourcePort === 0) return this.#stranger(from)
    if (!this.#ring.isAllowed(normalizeAddress(sourceAddr))) return undefined
    return this.#peer(sourceNode, sourceAddr, sourcePort)
  }

  #peer(name: string, address: Uint8Array, port: number): Peer {
    const known = this.#ring.table.get(name)?.description
    // Nearly always it is the node's own, whose text is there already.
    if (known?.port === port && sameAddress(known.address, address)) return { endpoint: known.endpoint, known: true }
    return this.#stranger({ address: formatAddress(address), port })
  }

  /** Someone who does not say who it is, but whose address may be that of a node. */
  #stranger(endpoint: Endpoint): Peer {
    return { endpoint, known: this.#ring.table.find(endpoint) !== undefined }
  }
}
