import { encodeProgram, type BpfInstruction } from '../bpf/index.js'
import { viewOf, LITTLE_ENDIAN } from '../wire/endian.js'
import { decodeInternetAddress, SOCKET_ADDRESS_SPACE, type InternetAddress } from '../wire/socket-address.js'
import { native, type Native } from './native.js'
import { Readiness } from './readiness.js'
import { check, systemError } from './system-error.js'

/** Levels and names of socket options (`asm-generic/socket.h`, `linux/in.h`, `linux/in6.h`, `linux/if_packet.h`, ...). */
export const Level = { ip: 0, socket: 1, tcp: 6, ipv6: 41, icmpv6: 58, packet: 263 } as const
export const Option = {
  reuseAddress: 2,
  error: 4,
  sendBuffer: 7,
  receiveBuffer: 8,
  reusePort: 15,
  bindToDevice: 25,
  detachFilter: 27,
  sendBufferForce: 32,
  receiveBufferForce: 33,
  domain: 39,
  memoryInfo: 55,
  bindToInterfaceIndex: 62,
} as const
const EBADF = 9
const MEMORY_INFO_LENGTH = 36 // nine words, `SK_MEMINFO_VARS`
const MEMORY_INFO_DROPS = 32
export const SocketType = { stream: 1, datagram: 2, raw: 3 } as const

/** What options can be set on: a socket of this package, or one of Node.js. */
export interface OptionTarget {
  /** @throws {SocketError} when setsockopt fails; `what` names the option in the message */
  setOption(level: number, name: number, value: Uint8Array | number, what: string, advice?: string): void
}

/** One open socket descriptor: closed once, never used afterwards. The base of every socket of this package. */
export class Descriptor implements OptionTarget, Disposable {
  readonly native: Native
  readonly #subject: string
  readonly #readiness: Readiness
  #number: number

  /**
   * @param subject what kind of socket, for error messages
   * @throws {SocketError} when the kernel refuses, or there is no addon
   */
  constructor(domain: number, type: number, protocol: number, subject: string) {
    this.native = native()
    this.#subject = subject
    this.#number = check(this.native.open(domain, type, protocol), 'socket', subject)
    this.#readiness = new Readiness(this.native, this.#number, subject)
  }

  /** The file descriptor; -1 when closed, which the kernel answers with EBADF. */
  get number(): number {
    return this.#number
  }

  get closed(): boolean {
    return this.#number < 0
  }

  /** @throws {SocketError} when bind fails */
  bind(address: Uint8Array, subject: string): void {
    check(this.native.bind(this.#number, address), 'bind', subject)
  }

  /** @throws {SocketError} when setsockopt fails; `what` names the option in the message */
  setOption(level: number, name: number, value: Uint8Array | number, what: string, advice?: string): void {
    const octets = typeof value === 'number' ? encodeInt(value) : value
    check(this.native.setOption(this.#number, level, name, octets), 'setsockopt', `${what} (${this.#subject})`, advice)
  }

  /** @throws {SocketError} when getsockopt fails */
  getOption(level: number, name: number, length: number, what: string): Uint8Array {
    const into = new Uint8Array(length)
    const written = this.native.getOption(this.#number, level, name, into)
    return into.subarray(0, check(written, 'getsockopt', `${what} (${this.#subject})`))
  }

  /** The address an Internet socket is bound to. @throws {SocketError} when getsockname fails */
  localAddress(): InternetAddress {
    const name = new Uint8Array(SOCKET_ADDRESS_SPACE)
    const length = check(this.native.name(this.#number, name), 'getsockname', this.#subject)
    const address = decodeInternetAddress(name.subarray(0, length))
    if (!address) throw new TypeError(`${this.#subject} has no Internet address`)
    return address
  }

  /** The error that waits at the socket, a positive errno, and clears it; 0 when there is none. */
  takeError(): number {
    return viewOf(this.getOption(Level.socket, Option.error, 4, 'SO_ERROR')).getInt32(0, LITTLE_ENDIAN)
  }

  /** Calls back whenever there is something to read, or an error. @throws {SocketError} when the loop refuses */
  watchReadable(callback: (status: number) => void): void {
    this.#readiness.watchReadable(callback)
  }

  /** Ends {@link watchReadable}. */
  stopReading(): void {
    this.#readiness.stopReading()
  }

  /**
   * Resolves when the send buffer has room, or there is an error that the next call tells. Holds the process open meanwhile.
   *
   * @throws {SocketError} `EBADF` when it is closed, before or meanwhile; the signal's reason when aborted
   */
  async writable(signal?: AbortSignal): Promise<void> {
    if (this.closed) throw systemError(EBADF, 'poll', this.#subject, 'it was closed before')
    await this.#readiness.writable(signal)
  }

  /** The receive buffer, beyond net.core.rmem_max where the privilege for it is there. */
  setReceiveBuffer(octets: number): void {
    this.#setBuffer(Option.receiveBufferForce, Option.receiveBuffer, octets, 'SO_RCVBUF')
  }

  /** The send buffer, beyond net.core.wmem_max where the privilege for it is there. */
  setSendBuffer(octets: number): void {
    this.#setBuffer(Option.sendBufferForce, Option.sendBuffer, octets, 'SO_SNDBUF')
  }

  #setBuffer(force: number, name: number, octets: number, what: string): void {
    // The kernel doubles the number for its own overhead.
    const forced = this.native.setOption(this.#number, Level.socket, force, encodeInt(octets))
    if (forced < 0) this.setOption(Level.socket, name, octets, what)
  }

  /** Replaces the filter on what is received, in one step; `undefined` takes it off. @throws {SocketError} */
  setFilter(filter: readonly BpfInstruction[] | undefined): void {
    if (filter === undefined) return this.setOption(Level.socket, Option.detachFilter, 0, 'SO_DETACH_FILTER')
    const result = this.native.attachFilter(this.#number, encodeProgram(filter))
    check(result, 'setsockopt', `SO_ATTACH_FILTER (${this.#subject})`)
    return undefined
  }

  /** Packets the kernel did not give us, of its filter or for want of room: a 32-bit count that wraps. @throws {SocketError} */
  drops(): number {
    const info = this.getOption(Level.socket, Option.memoryInfo, MEMORY_INFO_LENGTH, 'SO_MEMINFO')
    return info.length < MEMORY_INFO_LENGTH ? 0 : viewOf(info).getUint32(MEMORY_INFO_DROPS, LITTLE_ENDIAN)
  }

  /** Hands the descriptor over: the caller closes it. @throws {SocketError} EBADF when it is closed */
  release(): number {
    const number = this.#number
    check(this.native.release(number), 'close', this.#subject)
    this.#number = -1
    this.#readiness.close()
    return number
  }

  /** Stops watching and closes. Safe to call twice. */
  close(): void {
    if (this.closed) return
    this.native.close(this.#number)
    this.#number = -1
    this.#readiness.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** A C `int` in this machine's order. */
export function encodeInt(value: number): Uint8Array {
  const octets = new Uint8Array(4)
  viewOf(octets).setInt32(0, value, LITTLE_ENDIAN)
  return octets
}
