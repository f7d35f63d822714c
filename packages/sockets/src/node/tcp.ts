import { once } from 'node:events'
import { createServer, Socket, type Server } from 'node:net'
import { SocketError } from '../errors.js'
import { parseAddress } from '../wire/address.js'
import type { ConnectWait } from './connect-wait.js'
import { setMd5Key, TcpSocket, type Md5Key } from './tcp-socket.js'

export interface ConnectTcpOptions extends ConnectWait {
  /** IPv4 or IPv6; a link-local one with its zone (`fe80::1%eth0`). */
  readonly address: string
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
}

/**
 * Connects with options Node.js has not.
 *
 * @returns an ordinary, connected socket
 * @throws {SocketError} `ECONNREFUSED`, `EHOSTUNREACH`, `ETIMEDOUT`, `EADDRNOTAVAIL`, ...; the signal's reason when aborted
 */
export async function connectTcp(options: ConnectTcpOptions): Promise<Socket> {
  const { address, port, sourceAddress, device, ttl, minTtl, md5Key } = options
  using socket = new TcpSocket(parseAddress(address).family)
  if (device !== undefined) socket.setDevice(device)
  if (ttl !== undefined) socket.setTtl(ttl)
  if (minTtl !== undefined) socket.setMinTtl(minTtl)
  if (md5Key !== undefined) socket.setMd5Key({ address, key: md5Key })
  if (sourceAddress !== undefined) socket.bind(sourceAddress)
  await socket.connect(address, port, options)
  return new Socket({ fd: socket.release(), readable: true, writable: true })
}

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
  /** Connections that wait to be accepted. @default 511 */
  readonly backlog?: number
}

/** The descriptor and family of the servers made here: later keys need them. */
const listening = new WeakMap<Server, { readonly descriptor: number; readonly family: 4 | 6 }>()

/**
 * Listens with options Node.js has not.
 *
 * @returns an ordinary, listening server; add its `connection` listener before the next turn of the loop
 * @throws {SocketError} `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES` for a port below 1024 without the privilege, ...
 */
export async function listenTcp(options: ListenTcpOptions): Promise<Server> {
  using socket = openListening(options)
  const { family } = socket
  const server = createServer()
  const descriptor = socket.release()
  server.listen({ fd: descriptor, ...(options.backlog === undefined ? {} : { backlog: options.backlog }) })
  await once(server, 'listening')
  listening.set(server, { descriptor, family })
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
    socket.bind(address, port)
    socket.listen(backlog)
    return socket
  } catch (error) {
    socket.close()
    throw error
  }
}

/**
 * Sets the MD5 key of one more peer, or another key, on a server of {@link listenTcp}. Connections that stand keep theirs.
 *
 * @throws {TypeError} when the server is not one of them, or has been closed
 */
export function setServerMd5Key(server: Server, key: Md5Key): void {
  const { descriptor, family } = descriptorOf(server)
  setMd5Key(descriptor, family, key)
}

/**
 * Takes a peer's MD5 key off a server of {@link listenTcp}.
 *
 * @throws {SocketError} `ENOENT` when the peer has none
 * @throws {TypeError} when the server is not one of them, or has been closed
 */
export function removeServerMd5Key(server: Server, peer: Omit<Md5Key, 'key'>): void {
  const { descriptor, family } = descriptorOf(server)
  setMd5Key(descriptor, family, { ...peer, key: '' })
}

function descriptorOf(server: Server): { readonly descriptor: number; readonly family: 4 | 6 } {
  const known = listening.get(server)
  // A closed server's descriptor may be somebody else's by now.
  if (!known || !server.listening) throw new TypeError('not a listening server of listenTcp')
  return known
}
