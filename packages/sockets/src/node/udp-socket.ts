import type { SocketError } from '../errors.js'
import { parseAddress } from '../wire/address.js'
import { decodePacketInfo, PACKET_INFO_SPACE } from '../wire/packet-info.js'
import { decodeInternetAddress, SOCKET_ADDRESS_SPACE } from '../wire/socket-address.js'
import { Descriptor, Level, SocketType } from './descriptor.js'
import { bindToDevice, domainOf, endpointText, nameOf, setIpv6Only, setTtl } from './internet.js'
import { Receiver, type ReceivedMessage } from './receiver.js'
import { check } from './system-error.js'

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

export interface UdpSocketOptions {
  /** Local address; its family is the socket's. `0.0.0.0` or `::` for all of one family. */
  readonly address: string
  /** 0 lets the kernel choose. */
  readonly port: number
  /** Name of the only interface to use, or of a VRF. */
  readonly device?: string
  /** Time to Live or Hop Limit of what is sent. @default net.ipv4.ip_default_ttl, usually 64 */
  readonly ttl?: number
  /** Octets kept of a datagram; a longer one is cut. @default 2048 */
  readonly dataSpace?: number
  /** Octets the kernel may queue. @default net.core.rmem_default */
  readonly receiveBuffer?: number
  onPackets(packets: readonly UdpPacket[]): void
  onError?(error: SocketError): void
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
  readonly #receiver: Receiver
  readonly #family: 4 | 6

  /** @throws {SocketError} `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES`, `ENODEV`; `ENOSYS` off Linux */
  constructor(options: UdpSocketOptions) {
    this.#family = parseAddress(options.address).family
    this.#descriptor = new Descriptor(domainOf(this.#family), SocketType.datagram, 0, `UDP over IPv${this.#family}`)
    this.#receiver = new Receiver(this.#descriptor, {
      payloadSpace: options.dataSpace ?? DATA_SPACE,
      nameSpace: SOCKET_ADDRESS_SPACE,
      controlSpace: PACKET_INFO_SPACE,
    })
    try {
      this.#configure(options)
    } catch (error) {
      this.close()
      throw error
    }
  }

  #configure(options: UdpSocketOptions): void {
    const { address, port, device, ttl, receiveBuffer } = options
    this.#askForPacketInfo()
    if (device !== undefined) bindToDevice(this.#descriptor, device)
    if (ttl !== undefined) setTtl(this.#descriptor, this.#family, ttl)
    if (receiveBuffer !== undefined) this.#descriptor.setReceiveBuffer(receiveBuffer)
    this.#descriptor.bind(nameOf(address, port, this.#family), endpointText(address, port))
    this.#receiver.start(
      count => options.onPackets(this.#packets(count)),
      error => options.onError?.(error),
    )
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

  #packets(count: number): readonly UdpPacket[] {
    const packets: UdpPacket[] = []
    for (let slot = 0; slot < count; slot++) packets.push(decodePacket(this.#receiver.message(slot)))
    return packets
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

  /** Stops receiving. Safe to call twice, and from a callback. */
  close(): void {
    this.#descriptor.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

function decodePacket({ payload, name, control }: ReceivedMessage): UdpPacket {
  const source = decodeInternetAddress(name)
  return { data: payload, source: source?.address ?? '', sourcePort: source?.port ?? 0, ...decodePacketInfo(control) }
}
