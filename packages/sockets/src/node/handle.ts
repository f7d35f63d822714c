import type { Server, Socket } from 'node:net'
import { viewOf, LITTLE_ENDIAN } from '../wire/endian.js'
import { AddressFamily } from '../wire/socket-address.js'
import { encodeInt, Level, Option, type OptionTarget } from './descriptor.js'
import { native } from './native.js'
import { check } from './system-error.js'

/** What Node.js keeps behind a socket or a server; `fd` is not in its documentation, but in every version since 0.10. */
interface Handled {
  readonly _handle?: { readonly fd?: unknown } | null
}

/**
 * The open TCP descriptor of a `net.Socket` or `net.Server`. It stays theirs: look it up for each use and never keep it, since
 * after they have closed it the number may be somebody else's.
 */
export class Handle implements OptionTarget {
  readonly #number: number
  /** 6 also for an IPv6 socket that carries IPv4. */
  readonly family: 4 | 6

  /** @throws {TypeError} when it is closed, not connected yet, or no Internet socket (a pipe, one of another process) */
  constructor(owner: Socket | Server) {
    const { _handle: handle } = owner as unknown as Handled
    const number = handle?.fd
    if (typeof number !== 'number' || number < 0) throw new TypeError('not an open TCP socket')
    this.#number = number
    const domain = viewOf(this.getOption(Level.socket, Option.domain, 4, 'SO_DOMAIN')).getInt32(0, LITTLE_ENDIAN)
    if (domain !== AddressFamily.inet && domain !== AddressFamily.inet6) throw new TypeError('not an Internet socket')
    this.family = domain === AddressFamily.inet ? 4 : 6
  }

  /** @throws {SocketError} when setsockopt fails; `what` names the option in the message */
  setOption(level: number, name: number, value: Uint8Array | number, what: string, advice?: string): void {
    const octets = typeof value === 'number' ? encodeInt(value) : value
    check(native().setOption(this.#number, level, name, octets), 'setsockopt', what, advice)
  }

  /** @throws {SocketError} when getsockopt fails */
  getOption(level: number, name: number, length: number, what: string): Uint8Array {
    const into = new Uint8Array(length)
    return into.subarray(0, check(native().getOption(this.#number, level, name, into), 'getsockopt', what))
  }
}
