import { checkOptions, flag, type Kinds, listOf, methods, optional, type Synonyms, whole } from '@typemetal/options'
import { once } from 'node:events'
import { createServer, Socket, type Server } from 'node:net'
import { SocketError } from '../errors.js'
import { parseAddress } from '../wire/address.js'
import { WAIT_KINDS, type ConnectWait } from './connect-wait.js'
import { Handle } from './handle.js'
import { setReusePort, TcpSocket, type Md5Key } from './tcp-socket.js'
import {
  address as addressKind,
  device as deviceKind,
  hops,
  md5Key as md5KeyKind,
  md5Secret,
  port as portKind,
  userTimeout as userTimeoutKind,
} from './socket-kinds.js'

/** What {@link connectTcp} connects to, and how. */
export interface ConnectTcpOptions extends ConnectWait {
  /** IPv4 or IPv6; a link-local one with its zone (`fe80::1%eth0`). */
  readonly address: string
  /** TCP port, 1 to 65535. */
  readonly port: number
  /** Address to connect from. @default the kernel's choice */
  readonly sourceAddress?: string
  /** Name of the only interface to use, or of a VRF. */
  readonly device?: string
  /** Time to Live or Hop Limit of what is sent. @default net.ipv4.ip_default_ttl, usually 64 */
  readonly ttl?: number
  /** Smallest Time to Live or Hop Limit taken in (GTSM, RFC 5082). @default any */
  readonly minTtl?: number
  /** Key of the TCP MD5 Signature Option (RFC 2385), 1 to 80 octets; text is taken as UTF-8. */
  readonly md5Key?: string | Uint8Array
  /** Milliseconds as for {@link TcpSocket.setUserTimeout}. @default the kernel's patience */
  readonly userTimeout?: number
}

/**
 * Connects with options Node.js has not.
 *
 * @returns an ordinary, connected socket
 * @throws {TypeError | RangeError} an option that cannot be, or an unknown one; the message begins with its name
 * @throws {SocketError} `ECONNREFUSED`, `EHOSTUNREACH`, `ETIMEDOUT`, `EADDRNOTAVAIL`, ...; the signal's reason when aborted
 *
 * @example
 * ```ts
 * import { connectTcp } from '@typemetal/sockets'
 *
 * // What a BGP session one hop away wants: GTSM (RFC 5082) and TCP-MD5 (RFC 2385).
 * const socket = await connectTcp({ address: '10.0.0.254', port: 179, ttl: 255, minTtl: 255, md5Key: 'secret', timeout: 5000 })
 * socket.on('data', octets => console.log(octets.length)).on('error', error => console.error(error.message))
 * ```
 */
export async function connectTcp(options: ConnectTcpOptions): Promise<Socket> {
  checkOptions(options, CONNECT_KINDS, CONNECT_SYNONYMS)
  const { address, port, sourceAddress, device, ttl, minTtl, md5Key, userTimeout } = options
  using socket = new TcpSocket(parseAddress(address).family)
  if (device !== undefined) socket.setDevice(device)
  if (ttl !== undefined) socket.setTtl(ttl)
  if (minTtl !== undefined) socket.setMinTtl(minTtl)
  if (md5Key !== undefined) socket.setMd5Key({ address, key: md5Key })
  if (userTimeout !== undefined) socket.setUserTimeout(userTimeout)
  if (sourceAddress !== undefined) socket.bind(sourceAddress)
  await socket.connect(address, port, options)
  return new Socket({ fd: socket.release(), readable: true, writable: true })
}

const CONNECT_KINDS: Kinds<ConnectTcpOptions> = {
  ...WAIT_KINDS,
  address: addressKind,
  port: whole(1, 0xffff),
  sourceAddress: optional(addressKind),
  device: optional(deviceKind),
  ttl: optional(hops),
  minTtl: optional(hops),
  md5Key: optional(md5Secret),
  userTimeout: optional(userTimeoutKind),
}
/** As Node.js has it. */
const CONNECT_SYNONYMS: Synonyms<ConnectTcpOptions> = {
  host: 'address',
  localAddress: 'sourceAddress',
  interface: 'device',
}

/** What {@link listenTcp} listens on, and for whom. */
export interface ListenTcpOptions {
  /** @default `::` for both families, `0.0.0.0` where there is no IPv6 */
  readonly address?: string
  /** 0 lets the kernel choose. */
  readonly port: number
  /** Name of the only interface to use, or of a VRF. */
  readonly device?: string
  /** Time to Live or Hop Limit of what is sent. @default net.ipv4.ip_default_ttl, usually 64 */
  readonly ttl?: number
  /** Smallest Time to Live or Hop Limit taken in, for all peers (GTSM, RFC 5082). @default any */
  readonly minTtl?: number
  /** A peer that one of these is for must sign with it; others must not sign at all. */
  readonly md5Keys?: readonly Md5Key[]
  /** Whether an IPv6 address leaves IPv4 alone. @default false */
  readonly ipv6Only?: boolean
  /** Keeps the headers of each SYN, for `synTtl`. @default false */
  readonly saveSyn?: boolean
  /**
   * A server of this process on the same address and port: with `device`, this one takes the connections that come in by that
   * interface or VRF, and the other one the rest. One for each device: the kernel does not refuse a second.
   */
  readonly besides?: Server
  /** Connections that wait to be accepted. @default 511 */
  readonly backlog?: number
}

const LISTEN_KINDS: Kinds<ListenTcpOptions> = {
  address: optional(addressKind),
  port: portKind,
  device: optional(deviceKind),
  ttl: optional(hops),
  minTtl: optional(hops),
  md5Keys: optional(listOf(md5KeyKind)),
  ipv6Only: optional(flag),
  saveSyn: optional(flag),
  besides: optional(methods<Server>('listen', 'address')),
  backlog: optional(whole(0, 0x7fff_ffff)),
}
/** As Node.js has it. */
const LISTEN_SYNONYMS: Synonyms<ListenTcpOptions> = { host: 'address', interface: 'device', md5Key: 'md5Keys' }

/**
 * Listens with options Node.js has not.
 *
 * @returns an ordinary, listening server; add its `connection` listener before the next turn of the loop
 * @throws {TypeError | RangeError} an option that cannot be, or an unknown one; the message begins with its name
 * @throws {SocketError} `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES` for a port below 1024 without the privilege, ...
 */
export async function listenTcp(options: ListenTcpOptions): Promise<Server> {
  checkOptions(options, LISTEN_KINDS, LISTEN_SYNONYMS)
  using socket = openListening(options)
  const server = createServer()
  server.listen({ fd: socket.release(), ...(options.backlog === undefined ? {} : { backlog: options.backlog }) })
  await once(server, 'listening')
  return server
}

function openListening(options: ListenTcpOptions): TcpSocket {
  if (options.address !== undefined) return bindAndListen(options.address, options)
  try {
    return bindAndListen('::', options)
  } catch (error) {
    if (error instanceof SocketError && ['EAFNOSUPPORT', 'EADDRNOTAVAIL'].includes(error.code))
      return bindAndListen('0.0.0.0', options)
    throw error
  }
}

function bindAndListen(address: string, options: ListenTcpOptions): TcpSocket {
  const { port, device, ttl, minTtl, md5Keys = [], ipv6Only = false, backlog } = options
  const socket = new TcpSocket(parseAddress(address).family)
  try {
    socket.setReuseAddress()
    if (socket.family === 6) socket.setIpv6Only(ipv6Only)
    if (device !== undefined) socket.setDevice(device)
    if (ttl !== undefined) socket.setTtl(ttl)
    if (minTtl !== undefined) socket.setMinTtl(minTtl)
    for (const key of md5Keys) socket.setMd5Key(key)
    if (options.saveSyn) socket.setSaveSyn()
    sharing(options.besides, socket, () => {
      socket.bind(address, port)
      socket.listen(backlog)
    })
    return socket
  } catch (error) {
    socket.close()
    throw error
  }
}

/** Linux lets a socket for one device take a port beside one for all only if both say so, which is taken back at once. */
function sharing(besides: Server | undefined, socket: TcpSocket, take: () => void): void {
  if (!besides) return take()
  const handle = new Handle(besides)
  setReusePort(handle, true)
  try {
    socket.setReusePort(true)
    take()
    return socket.setReusePort(false)
  } finally {
    setReusePort(handle, false)
  }
}
