import { encodeMd5Signature } from '../wire/md5-signature.js'
import type { InternetAddress } from '../wire/socket-address.js'
import { checkInteger } from './check-integer.js'
import { waitForConnect, type ConnectWait } from './connect-wait.js'
import { Descriptor, Level, Option, SocketType, type OptionTarget } from './descriptor.js'
import { bindToDevice, domainOf, endpointText, nameOf, setIpv6Only, setMinTtl, setTtl } from './internet.js'
import { ipVersion } from './socket-kinds.js'
import { check } from './system-error.js'

/** A key of the TCP MD5 Signature Option (RFC 2385). */
export interface Md5Key {
  /** The peer's address, or a prefix's first one. */
  readonly address: string
  /** Makes the key hold for all peers within; bits. Needs Linux 4.13. @default the one address */
  readonly prefixLength?: number
  /** 1 to 80 octets; text is taken as UTF-8. */
  readonly key: string | Uint8Array
}

const TCP_MD5SIG = 14
const TCP_USER_TIMEOUT = 18
const TCP_SAVE_SYN = 27
const TCP_MD5SIG_EXT = 32
const EINPROGRESS = 115
/** Connections that wait to be accepted, as in Node.js. */
const BACKLOG = 511
/** Milliseconds, nearly 25 days: the longest that the kernel takes. */
const LONGEST_USER_TIMEOUT = 0x7fff_ffff

/**
 * A TCP socket whose options are set before it connects or listens, where Node.js has no say. Then {@link TcpSocket.release}
 * gives the file descriptor to `new net.Socket({ fd })` or `server.listen({ fd })`; {@link connectTcp} and
 * {@link listenTcp} do all of it in one go.
 */
export class TcpSocket implements Disposable {
  readonly family: 4 | 6
  readonly #descriptor: Descriptor

  /**
   * @throws {TypeError | RangeError} `family` is neither 4 nor 6
   * @throws {SocketError} `EAFNOSUPPORT` without IPv6, `EMFILE`; `ENOSYS` off Linux
   */
  constructor(family: 4 | 6) {
    this.family = ipVersion('family', family)
    this.#descriptor = new Descriptor(domainOf(family), SocketType.stream, 0, `TCP over IPv${family}`)
  }

  /** Uses only one interface (SO_BINDTODEVICE). @throws {SocketError} `ENODEV` */
  setDevice(name: string): void {
    bindToDevice(this.#descriptor, name)
  }

  /** Time to Live and Hop Limit of what is sent, 1 to 255. @throws {RangeError} */
  setTtl(ttl: number): void {
    setTtl(this.#descriptor, this.family, ttl)
  }

  /** Smallest Time to Live and Hop Limit taken in, 1 to 255; the kernel drops others (GTSM, RFC 5082). @throws {RangeError} */
  setMinTtl(minTtl: number): void {
    setMinTtl(this.#descriptor, this.family, minTtl)
  }

  /**
   * Milliseconds after which TCP gives the connection up when nothing of what waits is acknowledged or taken, as `ETIMEDOUT` (the user
   * timeout of RFC 9293 section 3.8.3; TCP_USER_TIMEOUT); 0: the kernel's own patience, about 15 minutes. While connecting it bounds the
   * SYNs, too.
   *
   * @throws {RangeError} the message begins with `userTimeout`
   */
  setUserTimeout(userTimeout: number): void {
    setUserTimeout(this.#descriptor, userTimeout)
  }

  /** Sets the MD5 key for a peer or a prefix. On a listening socket it must be there before the peer's SYN comes. */
  setMd5Key(key: Md5Key): void {
    setMd5Key(this.#descriptor, this.family, key)
  }

  /** Whether an IPv6 socket leaves IPv4 alone. @default the sysctl net.ipv6.bindv6only, usually no */
  setIpv6Only(only: boolean): void {
    setIpv6Only(this.#descriptor, only)
  }

  /** Lets a listening socket take a port that connections of an earlier one still use (SO_REUSEADDR). */
  setReuseAddress(): void {
    this.#descriptor.setOption(Level.socket, Option.reuseAddress, 1, 'SO_REUSEADDR')
  }

  /** Keeps the headers of each SYN that a listening socket takes, for {@link synTtl} (TCP_SAVE_SYN). */
  setSaveSyn(): void {
    setSaveSyn(this.#descriptor)
  }

  /** Whether other sockets that say so, too, may have the same address and port (SO_REUSEPORT). @default no */
  setReusePort(reuse: boolean): void {
    setReusePort(this.#descriptor, reuse)
  }

  /** @throws {SocketError} `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES` for a port that needs a privilege */
  bind(address: string, port = 0): void {
    this.#descriptor.bind(nameOf(address, port, this.family), endpointText(address, port))
  }

  /** @throws {SocketError} `EADDRINUSE` */
  listen(backlog = BACKLOG): void {
    const { address, port } = this.localAddress()
    const subject = endpointText(address, port)
    check(this.#descriptor.native.listen(this.#descriptor.number, backlog), 'listen', subject)
  }

  /**
   * Connects; the socket is closed when that fails.
   *
   * @throws {SocketError} `ECONNREFUSED`, `EHOSTUNREACH`, `ETIMEDOUT` after `timeout`, ...; the signal's reason when aborted
   */
  async connect(address: string, port: number, wait: ConnectWait = {}): Promise<void> {
    const subject = endpointText(address, port)
    try {
      wait.signal?.throwIfAborted()
      const result = this.#descriptor.native.connect(this.#descriptor.number, nameOf(address, port, this.family))
      if (result === -EINPROGRESS) await waitForConnect(this.#descriptor, subject, wait)
      else check(result, 'connect', subject)
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Address and port it is bound to. @throws {SocketError} `EBADF` when it is closed */
  localAddress(): InternetAddress {
    return this.#descriptor.localAddress()
  }

  /** Hands the file descriptor over: the caller closes it, this object is done. */
  release(): number {
    return this.#descriptor.release()
  }

  /** Safe to call twice; does nothing after {@link TcpSocket.release}. */
  close(): void {
    this.#descriptor.close()
  }

  /** As {@link close}. */
  [Symbol.dispose](): void {
    this.close()
  }
}

/** Keeps the headers of each SYN that a listening socket takes. */
export function setSaveSyn(target: OptionTarget): void {
  target.setOption(Level.tcp, TCP_SAVE_SYN, 1, 'TCP_SAVE_SYN')
}

/** How long TCP tries on with what nobody acknowledges; see {@link TcpSocket.setUserTimeout}. */
export function setUserTimeout(target: OptionTarget, userTimeout: number): void {
  checkInteger('userTimeout', userTimeout, 0, LONGEST_USER_TIMEOUT)
  target.setOption(Level.tcp, TCP_USER_TIMEOUT, userTimeout, 'TCP_USER_TIMEOUT')
}

/** Whether other sockets that say so, too, may have the same address and port. */
export function setReusePort(target: OptionTarget, reuse: boolean): void {
  target.setOption(Level.socket, Option.reusePort, reuse ? 1 : 0, 'SO_REUSEPORT')
}

/**
 * Sets the MD5 key of a peer on any TCP socket, listening ones included. An empty key takes the peer's key away.
 *
 * @throws {SocketError} `ENOENT` when there is no key to take away
 */
export function setMd5Key(target: OptionTarget, family: 4 | 6, { address, prefixLength, key }: Md5Key): void {
  const octets = typeof key === 'string' ? new TextEncoder().encode(key) : key
  const option = encodeMd5Signature(nameOf(address, 0, family), prefixLength, octets)
  const name = prefixLength === undefined ? TCP_MD5SIG : TCP_MD5SIG_EXT
  const peer = prefixLength === undefined ? address : `${address}/${prefixLength}`
  target.setOption(Level.tcp, name, option, `TCP_MD5SIG for ${peer}`)
}
