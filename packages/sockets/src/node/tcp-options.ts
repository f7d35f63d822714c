import { checkOptions, type Kind, type Kinds, optional, wrongType } from '@typemetal/options'
import type { Server, Socket } from 'node:net'
import { ttlOfHeader } from '../wire/ip-header.js'
import { Level } from './descriptor.js'
import { Handle } from './handle.js'
import { setMinTtl, setTtl } from './internet.js'
import { setMd5Key, setSaveSyn, setUserTimeout, type Md5Key } from './tcp-socket.js'
import { hops, md5Key as md5KeyKind, md5Secret, userTimeout as userTimeoutKind } from './socket-kinds.js'

/** Options of a TCP connection that stands. What is left out stays as it is. */
export interface TcpOptions {
  /** Time to Live or Hop Limit of what is sent, 1 to 255; `default` is the kernel's (net.ipv4.ip_default_ttl, usually 64). */
  readonly ttl?: number | 'default'
  /** Smallest Time to Live or Hop Limit taken in (GTSM, RFC 5082); 1 takes all. */
  readonly minTtl?: number
  /**
   * Key of the TCP MD5 Signature Option (RFC 2385) from now on, up to 80 octets; text is taken as UTF-8, and an empty one ends
   * the signing. Segments that the other side signs with the key of before are dropped, as ours are there, and TCP sends them
   * again: the connection lives if the other side changes its key before either gives up (BGP: within the hold time).
   */
  readonly md5Key?: string | Uint8Array
  /**
   * Milliseconds after which TCP gives the connection up, as `ETIMEDOUT`, when nothing of what waits is acknowledged by the other host
   * or taken by whoever reads there, or when a connection that keepalives watch is silent for so long (RFC 9293 section 3.8.3,
   * TCP_USER_TIMEOUT); 0: the kernel's own patience, about 15 minutes. It looks with each retransmission, so it may be a little later.
   */
  readonly userTimeout?: number
}

/** Options of a server that listens. What is left out stays as it is. */
export interface ServerTcpOptions {
  /** Time to Live or Hop Limit of what is sent, the SYN-ACK first of all, 1 to 255; connections inherit it. */
  readonly ttl?: number
  /** Smallest Time to Live or Hop Limit taken in, for all peers (GTSM, RFC 5082); 1 takes all. */
  readonly minTtl?: number
  /** Keeps the headers of each SYN, for {@link synTtl}; about 100 octets a connection until they are asked for. */
  readonly saveSyn?: true
}

const ttlOrDefault: Kind<number | 'default'> = (name, value) => {
  if (value === 'default') return value
  if (typeof value !== 'number') throw wrongType(name, "a whole number from 1 to 255, or 'default'", value)
  return hops(name, value)
}
const TCP_KINDS: Kinds<TcpOptions> = {
  ttl: optional(ttlOrDefault),
  minTtl: optional(hops),
  md5Key: optional(md5Secret),
  userTimeout: optional(userTimeoutKind),
}
const on: Kind<true> = (name, value) => {
  if (value === true) return value
  throw wrongType(name, 'true', value)
}
const SERVER_KINDS: Kinds<ServerTcpOptions> = { ttl: optional(hops), minTtl: optional(hops), saveSyn: optional(on) }

const TCP_SAVED_SYN = 28
const LONGEST_HEADERS = 60 + 60 // IPv4 and TCP, each with all its options
const ENOENT = 'ENOENT'

/**
 * Sets options Node.js has not on a connection, whoever made it.
 *
 * @throws {TypeError | RangeError} an option that cannot be, or an unknown one; the message begins with its name
 * @throws {TypeError} when the socket is not connected any more, or not over TCP
 * @throws {SocketError} when the kernel refuses
 */
export function setTcpOptions(socket: Socket, options: TcpOptions): void {
  checkOptions(options, TCP_KINDS)
  const { ttl, minTtl, md5Key, userTimeout } = options
  const handle = new Handle(socket)
  if (ttl !== undefined) setTtl(handle, handle.family, ttl)
  if (minTtl !== undefined) setMinTtl(handle, handle.family, minTtl)
  if (userTimeout !== undefined) setUserTimeout(handle, userTimeout)
  if (md5Key === undefined) return
  const { remoteAddress } = socket
  if (remoteAddress === undefined) throw new TypeError('not a connected socket')
  try {
    setMd5Key(handle, handle.family, { address: remoteAddress, key: md5Key })
  } catch (error) {
    // No key to take away is what was asked for.
    if (md5Key.length > 0 || (error as { code?: unknown }).code !== ENOENT) throw error
  }
}

/**
 * Sets options Node.js has not on any listening server; they hold for connections to come.
 *
 * @throws {TypeError | RangeError} an option that cannot be, or an unknown one; the message begins with its name
 * @throws {TypeError} when the server does not listen, or not on TCP
 * @throws {SocketError} when the kernel refuses
 */
export function setServerTcpOptions(server: Server, options: ServerTcpOptions): void {
  checkOptions(options, SERVER_KINDS)
  const { ttl, minTtl, saveSyn } = options
  const handle = new Handle(server)
  if (ttl !== undefined) setTtl(handle, handle.family, ttl)
  if (minTtl !== undefined) setMinTtl(handle, handle.family, minTtl)
  if (saveSyn) setSaveSyn(handle)
}

/**
 * Sets the MD5 key of one more peer, or another key, on any listening server. Connections that stand keep theirs.
 *
 * @throws {TypeError} when the server does not listen, or not on TCP
 * @throws {SocketError} `ENOMEM` with more keys than net.core.optmem_max has room for
 */
export function setServerMd5Key(server: Server, key: Md5Key): void {
  md5KeyKind('key', key)
  const handle = new Handle(server)
  setMd5Key(handle, handle.family, key)
}

/**
 * Takes a peer's MD5 key off a listening server. Connections that stand keep theirs.
 *
 * @throws {SocketError} `ENOENT` when the peer has none
 * @throws {TypeError} when the server does not listen, or not on TCP
 */
export function removeServerMd5Key(server: Server, peer: Omit<Md5Key, 'key'>): void {
  setServerMd5Key(server, { ...peer, key: '' })
}

/**
 * The Time to Live or Hop Limit that the SYN of an accepted connection came with, so that a server whose peers have different
 * minimums can judge each (GTSM, RFC 5082 section 3). The kernel tells it once.
 *
 * @returns `undefined` the second time, where the server does not save SYNs, or when the kernel took the connection by a SYN
 * cookie
 * @throws {TypeError} when the socket is not connected any more, or not over TCP
 */
export function synTtl(socket: Socket): number | undefined {
  const headers = new Handle(socket).getOption(Level.tcp, TCP_SAVED_SYN, LONGEST_HEADERS, 'TCP_SAVED_SYN')
  return ttlOfHeader(headers)
}
