import { callback, checkOptions, flag, type Kinds, optional, whole } from '@typemetal/options'
import { assemble, bpf, type BpfInstruction } from '../bpf/index.js'
import type { SocketError } from '../errors.js'
import { parseAddress } from '../wire/address.js'
import { decodePacketInfo, PACKET_INFO_SPACE } from '../wire/packet-info.js'
import { decodeInternetAddress, SOCKET_ADDRESS_SPACE } from '../wire/socket-address.js'
import { Descriptor, Level, Option, SocketType } from './descriptor.js'
import { bindToDevice, domainOf, endpointText, nameOf, setIpv6Only, setTrafficClass, setTtl } from './internet.js'
import { Receiver, type ReceivedMessage } from './receiver.js'
import { check } from './system-error.js'
import { ReceivedBatch, type UdpBatch } from './udp-batch.js'
import { address as ipAddress, bufferSize, device, hops, port as portKind } from './socket-kinds.js'

/** One received UDP datagram. */
export interface UdpPacket {
  /** Valid only during the call: copy to keep. */
  readonly data: Uint8Array
  readonly source: string
  readonly sourcePort: number
  readonly destination: string
  /**
   * Time to Live or Hop Limit it came with: 255 says that no router was in between (GTSM, RFC 5082). For UDP the check is the
   * receiver's: Linux enforces a minimum only for TCP.
   */
  readonly hopLimit: number
  readonly interfaceIndex: number
}

/** What a {@link UdpSocket} is opened with. */
export interface UdpSocketOptions {
  /** Local address; its family is the socket's. `0.0.0.0` or `::` for all of one family. */
  readonly address: string
  /** 0 lets the kernel choose. */
  readonly port: number
  /** Name of the only interface to use, or of a VRF. */
  readonly device?: string
  /** Time to Live or Hop Limit of what is sent. @default net.ipv4.ip_default_ttl, usually 64 */
  readonly ttl?: number
  /** Octet with DSCP and ECN of what is sent (RFC 2474): 0xc0 is CS6. @default 0 */
  readonly trafficClass?: number
  /** Binds a port that another socket shares ({@link UdpSocket.shareAddress}). @default false */
  readonly reuseAddress?: boolean
  /** Octets kept of a datagram, at most 65535; a longer one is cut, and counted. @default 2048 */
  readonly dataSpace?: number
  /** Octets the kernel may queue. @default net.core.rmem_default */
  readonly receiveBuffer?: number
  /** Datagrams as objects. Without this and {@link onBatch} the socket only sends, and holds no process open. */
  onPackets?(packets: readonly UdpPacket[]): void
  /** Datagrams read in place, for those who receive many; then there is no {@link onPackets}. */
  onBatch?(batch: UdpBatch): void
  /** An error that the kernel tells later, of an operation that has been: the socket stays open. Without this it is lost. */
  onError?(error: SocketError): void
}

const KINDS: Kinds<UdpSocketOptions> = {
  address: ipAddress,
  port: portKind,
  device: optional(device),
  ttl: optional(hops),
  trafficClass: optional(whole(0, 255)),
  reuseAddress: optional(flag),
  dataSpace: optional(whole(1, 0xffff)),
  receiveBuffer: optional(bufferSize),
  onPackets: optional(callback<NonNullable<UdpSocketOptions['onPackets']>>()),
  onBatch: optional(callback<NonNullable<UdpSocketOptions['onBatch']>>()),
  onError: optional(callback<NonNullable<UdpSocketOptions['onError']>>()),
}

/** Where datagrams go, made once for many. */
export interface UdpDestination {
  /** The kernel's form of address and port. */
  readonly name: Uint8Array
}

const IpOption = { packetInfo: 8, receiveTtl: 12 } as const
const Ipv6Option = { receivePacketInfo: 49, receiveHopLimit: 51 } as const
const DATA_SPACE = 2048

/**
 * UDP with what `node:dgram` leaves out: hop limit, destination and interface of each datagram, device; read in batches.
 * Callbacks come on the loop of the thread that opened it, a worker's as well.
 */
export class UdpSocket implements Disposable {
  readonly #descriptor: Descriptor
  readonly #family: 4 | 6
  /** Undefined when this socket only sends. */
  readonly #reception: Reception | undefined
  /** The one payload of {@link sendTo}. */
  readonly #payload: Uint8Array[] = []

  /**
   * @throws {TypeError | RangeError} an option that cannot be, or an unknown one; the message begins with its name
   * @throws {SocketError} `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES`, `ENODEV`; `ENOSYS` off Linux
   */
  constructor(options: UdpSocketOptions) {
    checkOptions(options, KINDS, { host: 'address', interface: 'device', onMessage: 'onPackets' })
    this.#family = parseAddress(options.address).family
    this.#descriptor = new Descriptor(domainOf(this.#family), SocketType.datagram, 0, `UDP over IPv${this.#family}`)
    this.#reception = receptionOf(this.#descriptor, this.#family, options)
    try {
      this.#configure(options)
    } catch (error) {
      this.close()
      throw error
    }
  }

  #configure(options: UdpSocketOptions): void {
    const { address, port, device, ttl, trafficClass, receiveBuffer } = options
    this.#askForPacketInfo()
    if (device !== undefined) bindToDevice(this.#descriptor, device)
    if (ttl !== undefined) setTtl(this.#descriptor, this.#family, ttl)
    if (trafficClass !== undefined) setTrafficClass(this.#descriptor, this.#family, trafficClass)
    if (receiveBuffer !== undefined) this.#descriptor.setReceiveBuffer(receiveBuffer)
    if (options.reuseAddress) this.shareAddress(true)
    if (this.#reception === undefined) this.#descriptor.setFilter(assemble([bpf.drop()]))
    this.#descriptor.bind(nameOf(address, port, this.#family), endpointText(address, port))
    this.#reception?.receiver.start(this.#reception.onCount, this.#reception.onError)
  }

  #askForPacketInfo(): void {
    const set = (level: number, name: number, what: string): void => this.#descriptor.setOption(level, name, 1, what)
    if (this.#family === 4) {
      set(Level.ip, IpOption.packetInfo, 'IP_PKTINFO')
      set(Level.ip, IpOption.receiveTtl, 'IP_RECVTTL')
    } else {
      setIpv6Only(this.#descriptor, true)
      set(Level.ipv6, Ipv6Option.receivePacketInfo, 'IPV6_RECVPKTINFO')
      set(Level.ipv6, Ipv6Option.receiveHopLimit, 'IPV6_RECVHOPLIMIT')
    }
  }

  /** The port it is bound to. @throws {SocketError} `EBADF` when it is closed */
  get port(): number {
    return this.#descriptor.localAddress().port
  }

  /**
   * Sends one datagram.
   *
   * @throws {TypeError} when the address is none of this socket's family
   * @throws {SocketError} `EAGAIN`, `ENETUNREACH`, `EMSGSIZE`, ...
   */
  send(data: Uint8Array, address: string, port: number): void {
    const { native, number } = this.#descriptor
    const subject = `UDP to ${endpointText(address, port)}`
    check(native.send(number, [data], nameOf(address, port, this.#family)), 'sendmsg', subject)
  }

  /**
   * The kernel's form of a destination, for {@link sendTo}.
   *
   * @throws {TypeError} when the address is none of this socket's family
   * @throws {RangeError} when the port is none
   * @throws {SocketError} `ENODEV` when its zone names no interface
   */
  destination(address: string, port: number): UdpDestination {
    return { name: nameOf(address, port, this.#family) }
  }

  /** Sends one datagram and makes nothing for it. @returns 0, or the positive errno of a refusal */
  sendTo(data: Uint8Array, { name }: UdpDestination): number {
    const { native, number } = this.#descriptor
    this.#payload[0] = data
    return Math.max(0, -native.send(number, this.#payload, name))
  }

  /**
   * Resolves when the send buffer has room, or there is an error, which sending tells.
   *
   * @throws {SocketError} `EBADF` when it is closed, before or meanwhile; the signal's reason when aborted
   */
  async writable(signal?: AbortSignal): Promise<void> {
    await this.#descriptor.writable(signal)
  }

  /** Datagrams that were longer than `dataSpace` and came cut, since the socket was opened. */
  get truncated(): number {
    return this.#reception?.receiver.truncated ?? 0
  }

  /**
   * Reads what waits at the socket now, without waiting for the loop: the callbacks are called before this returns. Not to be
   * called from one of them.
   *
   * @param batches of 64 datagrams each, at most
   */
  drain(batches: number): void {
    this.#reception?.receiver.drain(batches, this.#reception.onCount, this.#reception.onError)
  }

  /**
   * Lets a BPF program judge what comes, in one step; `undefined` takes it off again. For a UDP socket the program sees the UDP
   * header first; `bpf.loadNetwork` reaches the IP header.
   *
   * @throws {SocketError} `ENOENT` when there is none to take off
   */
  setFilter(filter: readonly BpfInstruction[] | undefined): void {
    this.#descriptor.setFilter(filter)
  }

  /**
   * Whether another socket may bind the same port while this is so and the other one has it, too (SO_REUSEADDR): one for all
   * interfaces and one of a device. The kernel gives a datagram to the socket of the device.
   */
  shareAddress(shared: boolean): void {
    this.#descriptor.setOption(Level.socket, Option.reuseAddress, shared ? 1 : 0, 'SO_REUSEADDR')
  }

  /**
   * Datagrams that came for this socket and were not given to it, since it was opened: the filter refused them, or the receive
   * buffer was full (SO_MEMINFO). A count of 32 bits that wraps.
   *
   * @throws {SocketError} `EBADF` when it is closed
   */
  drops(): number {
    return this.#descriptor.drops()
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

/** What a socket that receives has. */
interface Reception {
  readonly receiver: Receiver
  readonly onCount: (count: number) => void
  readonly onError: (error: SocketError) => void
}

function receptionOf(descriptor: Descriptor, family: 4 | 6, options: UdpSocketOptions): Reception | undefined {
  const { dataSpace = DATA_SPACE } = options
  if (options.onPackets === undefined && options.onBatch === undefined) return undefined
  const spaces = { payloadSpace: dataSpace, nameSpace: SOCKET_ADDRESS_SPACE, controlSpace: PACKET_INFO_SPACE }
  const receiver = new Receiver(descriptor, spaces)
  const batch = new ReceivedBatch(receiver, family)
  const onCount = (count: number): void => {
    batch.length = count
    options.onBatch?.(batch)
    options.onPackets?.(Array.from({ length: count }, (_, slot) => decodePacket(receiver.message(slot))))
  }
  return { receiver, onCount, onError: error => options.onError?.(error) }
}

function decodePacket({ payload, name, control }: ReceivedMessage): UdpPacket {
  const source = decodeInternetAddress(name)
  return { data: payload, source: source?.address ?? '', sourcePort: source?.port ?? 0, ...decodePacketInfo(control) }
}
