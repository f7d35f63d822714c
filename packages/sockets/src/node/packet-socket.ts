import { callback, checkOptions, flag, octets, optional, type Kinds, whole } from '@typemetal/options'
import { setTimeout } from 'node:timers/promises'
import type { BpfInstruction } from '../bpf/index.js'
import type { SocketError } from '../errors.js'
import { LITTLE_ENDIAN, viewOf } from '../wire/endian.js'
import { AddressFamily, encodeLinkLayerAddress } from '../wire/socket-address.js'
import { Descriptor, Level, SocketType } from './descriptor.js'
import { MAX_BATCH } from './native.js'
import { Receiver } from './receiver.js'
import { check } from './system-error.js'
import { bufferSize, interfaceIndex, program } from './socket-kinds.js'

/** EtherType of IPv4 (RFC 894). */
export const ETH_P_IP = 0x0800
/** EtherType of ARP (RFC 826). */
export const ETH_P_ARP = 0x0806
/** EtherType of IPv6 (RFC 2464). */
export const ETH_P_IPV6 = 0x86dd
/** Every frame, whatever its EtherType. */
export const ETH_P_ALL = 0x0003

const PacketOption = { addMembership: 1, dropMembership: 2, statistics: 6, ignoreOutgoing: 23 } as const
/** `PACKET_MR_*`. */
const Membership = { multicast: 0, promiscuous: 1, allMulticast: 2 } as const
const LONGEST_HARDWARE_ADDRESS = 8
const ORDINARY_FRAME = 2048
const ANY_FRAME = 65_536 + 32 // what segmentation offload hands up as one frame
const ANY_FRAME_BATCH = 16
const EAGAIN = 11
const ENOBUFS = 105
const QUEUE_PAUSE = 1 // milliseconds

/** What a {@link PacketSocket} listens to. */
export interface PacketSocketOptions {
  /** Index of the interface, as {@link listLinks} has it. */
  readonly interfaceIndex: number
  /** EtherType, {@link ETH_P_ALL} for all. */
  readonly etherType: number
  /** Runs in the kernel on each frame; what it drops never reaches this process. In force before the first frame. */
  readonly filter?: readonly BpfInstruction[]
  /** Whether frames this host sends are left out. Needs Linux 4.20. @default true */
  readonly ignoreOutgoing?: boolean
  /** Whether the interface takes frames for other hosts while this socket is open. @default false */
  readonly promiscuous?: boolean
  /** Whether the interface takes the frames of every multicast group while this socket is open. @default false */
  readonly allMulticast?: boolean
  /** Octets kept of a frame; a longer one is cut, and counted. @default 2048; 65568 for {@link ETH_P_ALL} */
  readonly frameSpace?: number
  /** Octets the kernel may queue. @default net.core.rmem_default */
  readonly receiveBuffer?: number
  /** Octets that may wait for the device, some 800 a small frame. @default net.core.wmem_default, enough for some 270 */
  readonly sendBuffer?: number
  /** Frames in the order they came, Ethernet header included. The views are valid only during the call: copy to keep. */
  onFrames(frames: readonly Uint8Array[]): void
  /**
   * The kernel told of an error. After `ENETDOWN` (the interface went down or away) the socket stays open, and hears again
   * when the same interface comes up; one that was removed needs a new socket.
   */
  onError?(error: SocketError): void
  /**
   * Sending is worth another try, after `sendBatch` took fewer frames than it was given, or `send` threw `EAGAIN` or `ENOBUFS`. Comes
   * once for any number of them, as soon as {@link PacketSocket.writable} resolves.
   */
  onWritable?(): void
}

const KINDS: Kinds<PacketSocketOptions> = {
  interfaceIndex,
  etherType: whole(0, 0xffff),
  filter: optional(program),
  ignoreOutgoing: optional(flag),
  promiscuous: optional(flag),
  allMulticast: optional(flag),
  frameSpace: optional(whole(1, ANY_FRAME)),
  receiveBuffer: optional(bufferSize),
  sendBuffer: optional(bufferSize),
  onFrames: callback<PacketSocketOptions['onFrames']>(),
  onError: optional(callback<NonNullable<PacketSocketOptions['onError']>>()),
  onWritable: optional(callback<NonNullable<PacketSocketOptions['onWritable']>>()),
}

/** What happened at a {@link PacketSocket} since it was opened. */
export interface PacketStatistics {
  /** Frames that passed the filter, those dropped included. */
  readonly packets: number
  /** Frames dropped because the receive buffer was full. */
  readonly drops: number
  /** Frames that were longer than `frameSpace` and came cut. */
  readonly truncated: number
}

/**
 * Ethernet frames of one interface: an AF_PACKET socket (packet(7)). Callbacks come on the loop of the thread that opened
 * it; a worker thread may do so, and leaves nothing behind when it is terminated. Holds the process open until closed.
 *
 * @example
 * ```ts
 * import { ETH_P_ARP, listLinks, PacketSocket } from '@typemetal/sockets'
 * import { arpRequests } from '@typemetal/sockets/bpf'
 *
 * const link = listLinks().find(({ up, broadcast }) => up && broadcast)
 * if (!link) throw new Error('no Ethernet interface is up')
 * const socket = new PacketSocket({
 *   interfaceIndex: link.index,
 *   etherType: ETH_P_ARP,
 *   filter: arpRequests(['192.0.2.1']),
 *   onFrames: frames => frames.forEach(frame => console.log(frame.slice())), // a view: copy to keep
 *   onError: error => console.error(error.code),
 * })
 * process.once('SIGINT', () => socket.close())
 * ```
 */
export class PacketSocket implements Disposable {
  readonly #descriptor: Descriptor
  readonly #receiver: Receiver
  readonly #onCount: (count: number) => void
  readonly #onError: (error: SocketError) => void
  readonly #interfaceIndex: number
  #packets = 0
  #drops = 0
  #queueIsFull = false
  readonly #onWritable: (() => void) | undefined
  #isAwaited = false

  /**
   * @throws {TypeError | RangeError} an option that cannot be, or an unknown one; the message begins with its name
   * @throws {SocketError} `EPERM` without CAP_NET_RAW, `ENODEV` when there is no such interface, `ENOSYS` off Linux
   */
  constructor(options: PacketSocketOptions) {
    checkOptions(options, KINDS, { index: 'interfaceIndex', protocol: 'etherType', onMessage: 'onFrames' })
    this.#interfaceIndex = options.interfaceIndex
    // Protocol 0 takes no frame until bind: none slips in before the filter, or from another interface.
    this.#descriptor = new Descriptor(AddressFamily.packet, SocketType.raw, 0, 'AF_PACKET')
    const all = options.etherType === ETH_P_ALL
    const payloadSpace = options.frameSpace ?? (all ? ANY_FRAME : ORDINARY_FRAME)
    const batch = payloadSpace > ORDINARY_FRAME ? ANY_FRAME_BATCH : MAX_BATCH
    this.#receiver = new Receiver(this.#descriptor, { payloadSpace, batch })
    this.#onCount = count => options.onFrames(this.#frames(count))
    this.#onError = error => options.onError?.(error)
    if (options.onWritable) this.#onWritable = () => options.onWritable?.()
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
    if (options.sendBuffer !== undefined) this.#descriptor.setSendBuffer(options.sendBuffer)
    if (options.ignoreOutgoing ?? true)
      this.#descriptor.setOption(Level.packet, PacketOption.ignoreOutgoing, 1, 'PACKET_IGNORE_OUTGOING')
    if (filter) this.setFilter(filter)
    this.#descriptor.bind(encodeLinkLayerAddress(interfaceIndex, etherType), `AF_PACKET to interface ${interfaceIndex}`)
    if (options.promiscuous) this.#setMembership(PacketOption.addMembership, Membership.promiscuous)
    if (options.allMulticast) this.#setMembership(PacketOption.addMembership, Membership.allMulticast)
    this.#receiver.start(this.#onCount, this.#onError)
  }

  #setMembership(option: number, type: number, address: Uint8Array = new Uint8Array()): void {
    const request = new Uint8Array(8 + LONGEST_HARDWARE_ADDRESS) // struct packet_mreq
    const view = viewOf(request)
    view.setInt32(0, this.#interfaceIndex, LITTLE_ENDIAN)
    view.setUint16(4, type, LITTLE_ENDIAN)
    view.setUint16(6, address.length, LITTLE_ENDIAN)
    request.set(address, 8)
    this.#descriptor.setOption(Level.packet, option, request, 'membership')
  }

  /**
   * Makes the interface take the frames of a multicast group, which its hardware leaves out otherwise, until
   * {@link leaveGroup} or {@link close}. Joined twice, a group has to be left twice.
   *
   * @param group link-layer address: 33:33:ff:00:00:01 is `[0x33, 0x33, 0xff, 0, 0, 1]`
   * @throws {RangeError} when it has more than 8 octets
   * @throws {SocketError} `EINVAL` when its length is not the interface's, `ENODEV`
   */
  joinGroup(group: Uint8Array): void {
    this.#setMembership(PacketOption.addMembership, Membership.multicast, checkHardwareAddress(group))
  }

  /** Undoes {@link joinGroup}; without it, and once the interface is gone, it does nothing. */
  leaveGroup(group: Uint8Array): void {
    this.#setMembership(PacketOption.dropMembership, Membership.multicast, checkHardwareAddress(group))
  }

  #frames(count: number): readonly Uint8Array[] {
    const frames: Uint8Array[] = []
    for (let slot = 0; slot < count; slot++) frames.push(this.#receiver.payload(slot))
    return frames
  }

  /**
   * Sends one whole Ethernet frame.
   *
   * @throws {SocketError} `EAGAIN` when the send buffer is full, `ENOBUFS` when the transmit queue is: wait for {@link writable};
   * `ENETDOWN`, `ENXIO`, `EMSGSIZE`
   */
  send(frame: Uint8Array): void {
    const result = this.#descriptor.native.send(this.#descriptor.number, [frame])
    if (result < 0) this.#refused(result)
    check(result, 'sendmsg', 'AF_PACKET')
  }

  /**
   * Sends frames in order, 64 a system call. What it returns says exactly which frames the kernel has taken: none is lost in silence.
   *
   * @returns how many went out, from the first on. Fewer than given when the send buffer or the transmit queue is full: wait for
   * {@link writable} and send the rest. Or when a frame cannot be sent at all: then sending the rest throws.
   * @throws {SocketError} the first frame cannot be sent, for another reason than a full buffer or queue
   */
  sendBatch(frames: readonly Uint8Array[]): number {
    let sent = 0
    while (sent < frames.length) {
      const result = this.#descriptor.native.send(this.#descriptor.number, frames.slice(sent, sent + MAX_BATCH))
      const isFull = result === -EAGAIN || result === -ENOBUFS
      if (isFull || (result < 0 && sent > 0)) {
        this.#refused(result)
        return sent
      }
      sent += check(result, 'sendmmsg', 'AF_PACKET')
    }
    return sent
  }

  /** The kernel has not taken a frame. */
  #refused(result: number): void {
    this.#queueIsFull = result === -ENOBUFS
    const onWritable = this.#onWritable
    if (!onWritable || this.#isAwaited) return
    this.#isAwaited = true
    const go = (): void => {
      this.#isAwaited = false
      onWritable()
    }
    // It fails when the socket is closed: then nobody is to be called.
    void this.writable().then(go, () => undefined)
  }

  /**
   * Resolves when sending is worth another try: the send buffer has room (at least half of it), or there is an error, which sending
   * tells. Of a full transmit queue (`ENOBUFS`) the kernel gives no such word; then it is a millisecond later.
   *
   * ```ts
   * import type { PacketSocket } from '@typemetal/sockets'
   *
   * async function sendAll(socket: PacketSocket, frames: readonly Uint8Array[], signal?: AbortSignal) {
   *   let rest = frames
   *   while ((rest = rest.slice(socket.sendBatch(rest))).length > 0) await socket.writable(signal)
   * }
   * ```
   *
   * @throws {SocketError} `EBADF` when it is closed, before or meanwhile; the signal's reason when aborted
   */
  async writable(signal?: AbortSignal): Promise<void> {
    if (this.#queueIsFull) await setTimeout(QUEUE_PAUSE)
    this.#queueIsFull = false
    await this.#descriptor.writable(signal)
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
    return { packets: this.#packets, drops: this.#drops, truncated: this.#receiver.truncated }
  }

  /** Stops receiving. Safe to call twice, and from a callback. */
  close(): void {
    this.#descriptor.close()
  }

  /** As {@link close}. */
  [Symbol.dispose](): void {
    this.close()
  }
}

function checkHardwareAddress(address: Uint8Array): Uint8Array {
  octets('group', address)
  if (address.length <= LONGEST_HARDWARE_ADDRESS) return address
  throw new RangeError(`group must have at most ${LONGEST_HARDWARE_ADDRESS} octets, not ${address.length}`)
}
