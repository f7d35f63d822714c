import { checkOptions, type Kinds, optional } from '@typemetal/options'
import { AddressFamily } from '../wire/socket-address.js'
import { Descriptor, SocketType } from './descriptor.js'
import { bindToDevice, nameOf } from './internet.js'
import { device as deviceKind, ipVersion } from './socket-kinds.js'

const IPPROTO_RAW = 255

/** How a {@link RawIpSocket} is opened. */
export interface RawIpSocketOptions {
  /** IP version of what is sent. */
  readonly family: 4 | 6
  /** Name of the only interface to use, or of a VRF. */
  readonly device?: string
}

const KINDS: Kinds<RawIpSocketOptions> = { family: ipVersion, device: optional(deviceKind) }

/**
 * Sends IP packets whose header the caller writes (IP_HDRINCL, raw(7)). The next hop is given apart from the header: the kernel
 * resolves it and carries the packet there even when the header's destination is this host. Receives nothing.
 */
export class RawIpSocket implements Disposable {
  readonly #descriptor: Descriptor
  readonly #family: 4 | 6
  readonly #payload: Uint8Array[] = []

  /**
   * @throws {TypeError | RangeError} an option that cannot be, or an unknown one; the message begins with its name
   * @throws {SocketError} `EPERM` without CAP_NET_RAW, `ENODEV`; `ENOSYS` off Linux
   */
  constructor(options: RawIpSocketOptions) {
    checkOptions(options, KINDS, { interface: 'device' })
    const { family, device } = options
    const domain = family === 4 ? AddressFamily.inet : AddressFamily.inet6
    this.#family = family
    this.#descriptor = new Descriptor(domain, SocketType.raw, IPPROTO_RAW, `raw IPv${family}`)
    try {
      if (device !== undefined) bindToDevice(this.#descriptor, device)
    } catch (error) {
      this.close()
      throw error
    }
  }

  /**
   * The kernel's form of a next hop, for {@link sendTo}.
   *
   * @throws {TypeError} when the address is none of this socket's family
   * @throws {SocketError} `ENODEV` when its zone names no interface
   */
  nextHop(address: string): Uint8Array {
    return nameOf(address, 0, this.#family)
  }

  /**
   * Sends one packet, IP header included; the kernel fills in an IPv4 header's checksum.
   *
   * @param nextHop of {@link RawIpSocket.nextHop}
   * @returns 0, or the positive errno of a refusal
   */
  sendTo(packet: Uint8Array, nextHop: Uint8Array): number {
    this.#payload[0] = packet
    return Math.max(0, -this.#descriptor.native.send(this.#descriptor.number, this.#payload, nextHop))
  }

  /**
   * Resolves when the send buffer has room, or there is an error, which sending tells.
   *
   * @throws {SocketError} `EBADF` when it is closed, before or meanwhile; the signal's reason when aborted
   */
  async writable(signal?: AbortSignal): Promise<void> {
    await this.#descriptor.writable(signal)
  }

  /** Safe to call twice. */
  close(): void {
    this.#descriptor.close()
  }

  /** As {@link close}. */
  [Symbol.dispose](): void {
    this.close()
  }
}
