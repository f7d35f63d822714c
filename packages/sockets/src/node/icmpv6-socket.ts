import { callback, checkOptions, type Kinds, listOf, optional, whole } from '@typemetal/options'
import type { SocketError } from '../errors.js'
import { formatAddress, needsScope, parseAddress } from '../wire/address.js'
import { LITTLE_ENDIAN, viewOf } from '../wire/endian.js'
import { decodePacketInfo, encodeIpv6PacketInfo, PACKET_INFO_SPACE } from '../wire/packet-info.js'
import { AddressFamily, encodeInternetAddress, SOCKET_ADDRESS_SPACE } from '../wire/socket-address.js'
import { checkInteger } from './check-integer.js'
import { Descriptor, Level, Option, SocketType } from './descriptor.js'
import { Receiver, type ReceivedMessage } from './receiver.js'
import { check } from './system-error.js'
import { address as ipAddress, bufferSize, interfaceIndex } from './socket-kinds.js'

/** One received ICMPv6 message. */
export interface Icmpv6Packet {
  /** The message from its type on; the kernel has checked its checksum. Valid only during the call: copy to keep. */
  readonly data: Uint8Array
  readonly source: string
  /** Hop Limit it came with. NDP accepts only 255 (RFC 4861 section 7.1). */
  readonly hopLimit: number
  readonly destination: string
  /** Index of the interface, as {@link listLinks} has it. */
  readonly interfaceIndex: number
}

/** What an {@link Icmpv6Socket} is opened with. */
export interface Icmpv6SocketOptions {
  /** Index of the interface, as {@link listLinks} has it. */
  readonly interfaceIndex: number
  /**
   * ICMPv6 types to receive; the kernel drops all others (RFC 3542 section 3.2). Without any the socket sends and is a member of
   * groups: it needs no memory for messages then, and holds no process open.
   */
  readonly types: readonly number[]
  /** Hop Limit of what is sent. @default 255 */
  readonly hopLimit?: number
  /** Address to send from, one of the interface's. @default the kernel's choice (RFC 6724) */
  readonly source?: string
  /** Octets the kernel may queue. @default net.core.rmem_default */
  readonly receiveBuffer?: number
  /** Packets in the order in which they came, one or more; views, valid until it returns. */
  onPackets(packets: readonly Icmpv6Packet[]): void
  /** An error that the kernel tells later, of an operation that has been: the socket stays open. Without this it is lost. */
  onError?(error: SocketError): void
}

const Ipv6Option = {
  unicastHops: 16,
  multicastInterface: 17,
  multicastHops: 18,
  multicastLoop: 19,
  joinGroup: 20,
  leaveGroup: 21,
  receivePacketInfo: 49,
  receiveHopLimit: 51,
} as const
const ICMPV6 = 58
const ICMP6_FILTER = 1
const LONGEST_MESSAGE = 2048
const SPACES = {
  payloadSpace: LONGEST_MESSAGE,
  nameSpace: SOCKET_ADDRESS_SPACE,
  controlSpace: PACKET_INFO_SPACE,
} as const
const MAX_HOP_LIMIT = 255

const KINDS: Kinds<Icmpv6SocketOptions> = {
  interfaceIndex,
  types: listOf(whole(0, 255)),
  hopLimit: optional(whole(0, MAX_HOP_LIMIT)),
  source: optional(ipAddress),
  receiveBuffer: optional(bufferSize),
  onPackets: callback<Icmpv6SocketOptions['onPackets']>(),
  onError: optional(callback<NonNullable<Icmpv6SocketOptions['onError']>>()),
}

/** What one sent message has beside the socket's own settings (RFC 3542 section 6). */
export interface Icmpv6SendOptions {
  /** Address to send from, one of the interface's. */
  readonly source?: string
  /** Hop Limit, 0 to 255. */
  readonly hopLimit?: number
}

/**
 * ICMPv6 of one interface: a raw socket (RFC 3542). The kernel writes and checks the checksum. Multicast is received only
 * for groups joined here. Callbacks come on the loop of the thread that opened it, a worker's as well. When the interface
 * is removed the socket just hears no more, and sending throws: a `LinkMonitor` tells.
 */
export class Icmpv6Socket implements Disposable {
  readonly #descriptor: Descriptor
  /** Undefined when there is nothing to receive. */
  readonly #receiver: Receiver | undefined
  readonly #interfaceIndex: number

  /**
   * @throws {TypeError | RangeError} an option that cannot be, or an unknown one; the message begins with its name
   * @throws {SocketError} `EPERM` without CAP_NET_RAW, `ENODEV` when there is no such interface, `EADDRNOTAVAIL` when
   * `source` is not an address of it, `ENOSYS` off Linux
   */
  constructor(options: Icmpv6SocketOptions) {
    checkOptions(options, KINDS, { index: 'interfaceIndex', ttl: 'hopLimit', onMessage: 'onPackets' })
    this.#interfaceIndex = options.interfaceIndex
    this.#descriptor = new Descriptor(AddressFamily.inet6, SocketType.raw, ICMPV6, 'raw ICMPv6')
    if (options.types.length > 0) this.#receiver = new Receiver(this.#descriptor, SPACES)
    try {
      this.#configure(options)
    } catch (error) {
      this.close()
      throw error
    }
  }

  #configure(options: Icmpv6SocketOptions): void {
    const { interfaceIndex, types, hopLimit = 255, source, receiveBuffer } = options
    const set = (name: number, value: number, what: string): void =>
      this.#descriptor.setOption(Level.ipv6, name, value, what)
    // The filter first: until it is there the socket takes every ICMPv6 message of the host.
    this.#descriptor.setOption(Level.icmpv6, ICMP6_FILTER, encodeTypeFilter(types), 'ICMP6_FILTER')
    this.#descriptor.setOption(Level.socket, Option.bindToInterfaceIndex, interfaceIndex, 'SO_BINDTOIFINDEX')
    set(Ipv6Option.receivePacketInfo, 1, 'IPV6_RECVPKTINFO')
    set(Ipv6Option.receiveHopLimit, 1, 'IPV6_RECVHOPLIMIT')
    set(Ipv6Option.unicastHops, hopLimit, 'IPV6_UNICAST_HOPS')
    set(Ipv6Option.multicastHops, hopLimit, 'IPV6_MULTICAST_HOPS')
    set(Ipv6Option.multicastInterface, interfaceIndex, 'IPV6_MULTICAST_IF')
    set(Ipv6Option.multicastLoop, 0, 'IPV6_MULTICAST_LOOP')
    if (receiveBuffer !== undefined) this.#descriptor.setReceiveBuffer(receiveBuffer)
    if (source !== undefined) this.#descriptor.bind(this.#nameOf(source), source)
    const receiver = this.#receiver
    receiver?.start(
      count => options.onPackets(packetsOf(receiver, count)),
      error => options.onError?.(error),
    )
  }

  /**
   * Sends one message; the kernel fills in the checksum.
   *
   * @param data the ICMPv6 message from its type on
   * @throws {TypeError} when `destination` or `source` is no IPv6 address
   * @throws {RangeError} when `hopLimit` is none
   * @throws {SocketError} `ENETUNREACH`, `EADDRNOTAVAIL`, `ENODEV`; `EAGAIN` or `ENOBUFS` when the send buffer is
   * full: wait for {@link writable}
   */
  send(data: Uint8Array, destination: string, { source, hopLimit }: Icmpv6SendOptions = {}): void {
    const { native, number } = this.#descriptor
    if (hopLimit !== undefined) checkInteger('hopLimit', hopLimit, 0, MAX_HOP_LIMIT)
    const control =
      source === undefined && hopLimit === undefined
        ? undefined
        : encodeIpv6PacketInfo({
            source: source === undefined ? undefined : ipv6Octets(source),
            interfaceIndex: this.#interfaceIndex,
            hopLimit,
          })
    check(native.send(number, [data], this.#nameOf(destination), control), 'sendmsg', `ICMPv6 to ${destination}`)
  }

  /**
   * Resolves when the send buffer has room, or there is an error, which sending tells.
   *
   * @throws {SocketError} `EBADF` when it is closed, before or meanwhile; the signal's reason when aborted
   */
  async writable(signal?: AbortSignal): Promise<void> {
    await this.#descriptor.writable(signal)
  }

  /** Messages longer than 2048 octets, which came cut, since the socket was opened. */
  get truncated(): number {
    return this.#receiver?.truncated ?? 0
  }

  /** Messages that passed the filter and were not given to it, for want of room: a 32-bit count that wraps. @throws {SocketError} */
  drops(): number {
    return this.#descriptor.drops()
  }

  /**
   * Receives a multicast group on this interface.
   *
   * @param group text or 16 octets; octets spare those with many groups the text
   * @throws {TypeError} when it is no IPv6 address
   * @throws {SocketError} `EADDRINUSE` when it is joined already
   */
  joinGroup(group: string | Uint8Array): void {
    this.#membership(Ipv6Option.joinGroup, group, 'IPV6_JOIN_GROUP')
  }

  /** Undoes {@link joinGroup}. @throws {SocketError} `EADDRNOTAVAIL` when it is not joined */
  leaveGroup(group: string | Uint8Array): void {
    this.#membership(Ipv6Option.leaveGroup, group, 'IPV6_LEAVE_GROUP')
  }

  #membership(name: number, group: string | Uint8Array, what: string): void {
    const octets = typeof group === 'string' ? ipv6Octets(group) : group
    if (octets.length !== 16) throw new TypeError(`group must have 16 octets, not ${octets.length}`)
    const request = new Uint8Array(20) // struct ipv6_mreq
    request.set(octets)
    viewOf(request).setInt32(16, this.#interfaceIndex, LITTLE_ENDIAN)
    const { native, number } = this.#descriptor
    const result = native.setOption(number, Level.ipv6, name, request)
    if (result < 0) check(result, 'setsockopt', `${what} ${formatAddress(octets)}`)
  }

  #nameOf(address: string): Uint8Array {
    const octets = ipv6Octets(address)
    return encodeInternetAddress(octets, 0, needsScope(octets) ? this.#interfaceIndex : 0)
  }

  /** Stops receiving and leaves all groups. Safe to call twice, and from a callback. */
  close(): void {
    this.#descriptor.close()
  }

  /** As {@link close}. */
  [Symbol.dispose](): void {
    this.close()
  }
}

function ipv6Octets(address: string): Uint8Array {
  const { octets } = parseAddress(address)
  if (octets.length !== 16) throw new TypeError(`not an IPv6 address: ${address}`)
  return octets
}

/** `struct icmp6_filter`: a set bit blocks the type. */
function encodeTypeFilter(types: readonly number[]): Uint8Array {
  const words = new Uint32Array(8).fill(0xffffffff)
  for (const type of types) words[type >> 5]! &= ~(1 << (type & 31))
  return new Uint8Array(words.buffer)
}

const packetsOf = (receiver: Receiver, count: number): readonly Icmpv6Packet[] =>
  Array.from({ length: count }, (_, slot) => decodePacket(receiver.message(slot)))

function decodePacket({ payload, name, control }: ReceivedMessage): Icmpv6Packet {
  return { data: payload, source: formatAddress(name.subarray(8, 24)), ...decodePacketInfo(control) }
}
