import type { BpfInstruction } from '../bpf/index.js'
import type { SocketError } from '../errors.js'
import { LITTLE_ENDIAN, viewOf } from '../wire/endian.js'
import { AddressFamily, encodeLinkLayerAddress } from '../wire/socket-address.js'
import { Descriptor, Level, SocketType } from './descriptor.js'
import { MAX_BATCH } from './native.js'
import { Receiver } from './receiver.js'
import { check } from './system-error.js'

/** EtherType of IPv4 (RFC 894). */
export const ETH_P_IP = 0x0800
/** EtherType of ARP (RFC 826). */
export const ETH_P_ARP = 0x0806
/** EtherType of IPv6 (RFC 2464). */
export const ETH_P_IPV6 = 0x86dd
/** Every frame, whatever its EtherType. */
export const ETH_P_ALL = 0x0003

const PacketOption = { addMembership: 1, statistics: 6, ignoreOutgoing: 23 } as const
const PROMISCUOUS = 1
const ORDINARY_FRAME = 2048
const ANY_FRAME = 65_536 + 32 // what segmentation offload hands up as one frame
const ANY_FRAME_BATCH = 16
const EAGAIN = 11
const ENOBUFS = 105

/** What a {@link PacketSocket} listens to. */
export interface PacketSocketOptions {
  readonly interfaceIndex: number
  /** EtherType, {@link ETH_P_ALL} for all. */
  readonly etherType: number
  /** Runs in the kernel on each frame; what it drops never reaches this process. In force before the first frame. */
  readonly filter?: readonly BpfInstruction[]
  /** Whether frames this host sends are left out. Needs Linux 4.20. @default true */
  readonly ignoreOutgoing?: boolean
  /** Whether the interface takes frames for other hosts while this socket is open. @default false */
  readonly promiscuous?: boolean
  /** Octets kept of a frame; a longer one is cut. @default 2048; 65568 for {@link ETH_P_ALL} */
  readonly frameSpace?: number
  /** Octets the kernel may queue. @default net.core.rmem_default */
  readonly receiveBuffer?: number
  /** Frames in the order they came, Ethernet header included. The views are valid only during the call: copy to keep. */
  onFrames(frames: readonly Uint8Array[]): void
  /**
   * The kernel told of an error. After `ENETDOWN` (the interface went down or away) the socket stays open, and hears again
   * when the same interface comes up; one that was removed needs a new socket.
   */
  onError?(error: SocketError): void
}

/** What happened at a {@link PacketSocket} since it was opened. */
export interface PacketStatistics {
  /** Frames that passed the filter, those dropped included. */
  readonly packets: number
  /** Frames dropped because the receive buffer was full. */
  readonly drops: number
}

/**
 * Ethernet frames of one interface: an AF_PACKET socket (packet(7)). Callbacks come on the loop of the thread that opened
 * it; a worker thread may do so, and leaves nothing behind when it is terminated. Holds the process open until closed.
 */
export class PacketSocket implements Disposable {
  readonly #descriptor: Descriptor
  readonly #receiver: Receiver
  readonly #onCount: (count: number) => void
  readonly #onError: (error: SocketError) => void
  #packets = 0
  #drops = 0

  /** @throws {SocketError} `EPERM` without CAP_NET_RAW, `ENODEV` when there is no such interface, `ENOSYS` off Linux */
  constructor(options: PacketSocketOptions) {
    // Protocol 0 takes no frame until bind: none slips in before the filter, or from another interface.
    this.#descriptor = new Descriptor(AddressFamily.packet, SocketType.raw, 0, 'AF_PACKET')
    const all = options.etherType === ETH_P_ALL
    const payloadSpace = options.frameSpace ?? (all ? ANY_FRAME : ORDINARY_FRAME)
    const batch = payloadSpace > ORDINARY_FRAME ? ANY_FRAME_BATCH : MAX_BATCH
    this.#receiver = new Receiver(this.#descriptor, { payloadSpace, batch })
    this.#onCount = count => options.onFrames(this.#frames(count))
    this.#onError = error => options.onError?.(error)
    try {
      this.#configure(options)
    } catch (error) {
      this.close()
      throw error
    }
  }

  #configure(options: PacketSocketOptions): void {
    const { interfaceIndex, etherType, filter } = options
    if (options.receiveBuffer !== undefined) this.#descriptor.setReceiveBuffer(options.receiveBuffer)
    if (options.ignoreOutgoing ?? true)
      this.#descriptor.setOption(Level.packet, PacketOption.ignoreOutgoing, 1, 'PACKET_IGNORE_OUTGOING')
    if (filter) this.setFilter(filter)
    this.#descriptor.bind(encodeLinkLayerAddress(interfaceIndex, etherType), `AF_PACKET to interface ${interfaceIndex}`)
    if (options.promiscuous) this.#makePromiscuous(interfaceIndex)
    this.#receiver.start(this.#onCount, this.#onError)
  }

  #makePromiscuous(interfaceIndex: number): void {
    const request = new Uint8Array(16) // struct packet_mreq
    viewOf(request).setInt32(0, interfaceIndex, LITTLE_ENDIAN)
    viewOf(request).setUint16(4, PROMISCUOUS, LITTLE_ENDIAN)
    this.#descriptor.setOption(Level.packet, PacketOption.addMembership, request, 'PACKET_ADD_MEMBERSHIP')
  }

  #frames(count: number): readonly Uint8Array[] {
    const frames: Uint8Array[] = []
    for (let slot = 0; slot < count; slot++) frames.push(this.#receiver.payload(slot))
    return frames
  }

  /**
   * Sends one whole Ethernet frame.
   *
   * @throws {SocketError} `EAGAIN` or `ENOBUFS` when the transmit queue is full, `ENETDOWN`, `ENXIO`, `EMSGSIZE`
   */
  send(frame: Uint8Array): void {
    check(this.#descriptor.native.send(this.#descriptor.number, [frame]), 'sendmsg', 'AF_PACKET')
  }

  /**
   * Sends frames in order, 64 a system call.
   *
   * @returns how many went out; fewer than given when the transmit queue is full: send the rest later
   * @throws {SocketError} any other error at the first frame not sent
   */
  sendBatch(frames: readonly Uint8Array[]): number {
    let sent = 0
    while (sent < frames.length) {
      const wanted = Math.min(MAX_BATCH, frames.length - sent)
      const result = this.#descriptor.native.send(this.#descriptor.number, frames.slice(sent, sent + wanted))
      if (result === -EAGAIN || result === -ENOBUFS) return sent
      sent += check(result, 'sendmmsg', 'AF_PACKET')
    }
    return sent
  }

  /**
   * Reads what waits at the socket now, without waiting for the loop: the callbacks are called before this returns. Not to be
   * called from one of them.
   *
   * @param batches of 64 frames each, at most
   */
  drain(batches: number): void {
    this.#receiver.drain(batches, this.#onCount, this.#onError)
  }

  /** Replaces the filter, in one step: every frame is judged by the old or by the new one. */
  setFilter(filter: readonly BpfInstruction[]): void {
    this.#descriptor.setFilter(filter)
  }

  /** Totals since the socket was opened. @throws {SocketError} `EBADF` when it is closed */
  statistics(): PacketStatistics {
    const octets = this.#descriptor.getOption(Level.packet, PacketOption.statistics, 8, 'PACKET_STATISTICS')
    // The kernel starts again from zero each time it is asked.
    this.#packets += viewOf(octets).getUint32(0, LITTLE_ENDIAN)
    this.#drops += viewOf(octets).getUint32(4, LITTLE_ENDIAN)
    return { packets: this.#packets, drops: this.#drops }
  }

  /** Stops receiving. Safe to call twice, and from a callback. */
  close(): void {
    this.#descriptor.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
