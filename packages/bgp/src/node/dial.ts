import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { BgpSocketError } from '../errors.js'
import type { Seconds } from '../fsm/index.js'
import { systemClock, type Clock } from './clock.js'
import { SilenceWatch } from './silence.js'
import { loadSockets, missingSockets } from './sockets.js'

/** How to reach a peer. */
export interface DialOptions {
  /** A link-local one with its zone (`fe80::1%eth0`). */
  readonly address: string
  readonly port: number
  /** Local address to connect from. @default the kernel's choice */
  readonly sourceAddress?: string
  /** The only interface to use, or a VRF; needs `@typemetal/sockets`. */
  readonly device?: string
  /** Key of TCP-MD5 (RFC 2385); needs `@typemetal/sockets`. */
  readonly md5Key?: string
  /** TTL or hop limit of what we send; needs `@typemetal/sockets`. */
  readonly ttl?: number
  /** Smallest TTL or hop limit of what we take (GTSM, RFC 5082), from the SYN-ACK on; needs `@typemetal/sockets`. */
  readonly minTtl?: number
  /** Longest wait for TCP. @default 10 */
  readonly connectTime?: Seconds
}

/**
 * Opens a TCP connection to a peer.
 *
 * @throws {BgpSocketError} it did not come about; the message is one sentence that says why. Or the signal's reason
 */
export type Dial = (options: DialOptions, signal: AbortSignal, clock?: Clock) => Promise<Socket>

const CONNECT_TIME: Seconds = 10
/** The wait is ours to end, by the clock that we were given. */
const NEVER = 0x7fff_ffff

/** {@link Dial} over the machine's own TCP. */
export const dialTcp: Dial = async (options, signal, clock = systemClock) => {
  signal.throwIfAborted()
  const { connectTime = CONNECT_TIME } = options
  using silence = new SilenceWatch(clock)
  const patience = new AbortController()
  const cancel = clock.after(connectTime * 1000, () =>
    patience.abort(new BgpSocketError(`no answer within ${connectTime} s: ${silence.explain()}`)),
  )
  try {
    return await open(options, AbortSignal.any([signal, patience.signal]))
  } catch (error) {
    signal.throwIfAborted()
    patience.signal.throwIfAborted()
    throw explain(options, error)
  } finally {
    cancel()
  }
}

/** Node.js does it where it can: a peer without such options needs no addon. */
async function open(options: DialOptions, signal: AbortSignal): Promise<Socket> {
  const { address, port, sourceAddress, device, md5Key, ttl, minTtl } = options
  if ([device, md5Key, ttl, minTtl].every(option => option === undefined)) return openPlain(options, signal)
  const { connectTcp } = await loadSockets()
  const optional = {
    ...(sourceAddress !== undefined && { sourceAddress }),
    ...(device !== undefined && { device }),
    ...(md5Key !== undefined && { md5Key }),
    ...(ttl !== undefined && { ttl }),
    ...(minTtl !== undefined && { minTtl }),
  }
  return connectTcp({ address, port, ...optional, signal, timeout: NEVER })
}

async function openPlain({ address, port, sourceAddress }: DialOptions, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ host: address, port, ...(sourceAddress !== undefined && { localAddress: sourceAddress }) })
  try {
    await once(socket, 'connect', { signal })
    return socket
  } catch (error) {
    // Whoever aborts need not hear what the socket says afterwards.
    socket.on('error', () => {})
    socket.destroy()
    throw error
  }
}

type Sentence = (options: DialOptions) => string

const SENTENCES: Readonly<Record<string, Sentence>> = {
  ECONNREFUSED: ({ port }) => `connection refused: nothing listens on port ${port} there, or a firewall says so`,
  ECONNRESET: () => 'connection reset while it was opened',
  EHOSTUNREACH: () => 'host unreachable: nobody on the link answers for it, or a router says so',
  ENETUNREACH: () => 'no route to it',
  ETIMEDOUT: () => 'no answer: TCP has given up',
  EADDRNOTAVAIL: ({ sourceAddress }) =>
    sourceAddress === undefined
      ? 'no local address or port left to connect from'
      : `the source address ${sourceAddress} is not one of this machine, or still tentative`,
  EINVAL: () => 'not an address that can be connected to; a link-local one needs its zone',
  ENODEV: ({ device, address }) => `no interface ${device ?? address.split('%')[1]} on this machine`,
}

/** A failed system call as one sentence; the caller's own mistakes stay what they are. */
function explain(options: DialOptions, error: unknown): unknown {
  const { code = '', syscall, message } = error as NodeJS.ErrnoException
  if (syscall === undefined) return error
  const sentence = SENTENCES[code]?.(options)
  if (sentence === undefined) return new BgpSocketError(message, { cause: error })
  return new BgpSocketError(`${options.address}: ${sentence} (${code})`, { cause: error })
}

/** What of a peer's link can change while a connection stands. */
export interface LiveLink {
  readonly md5Key: string | undefined
  readonly ttl: number | undefined
  readonly minTtl: number | undefined
}

/** Takes all that comes. */
const ANY_TTL = 1

/**
 * Applies what differs to a connection that stands; needs `@typemetal/sockets`. Of another TCP-MD5 key (RFC 2385 leaves the change to
 * the two sides) both ends must know: what is signed with the key of before is dropped on the way, and TCP sends it again, so the
 * session lives if the other side changes its key, too, within the hold time.
 *
 * @throws {BgpSocketError} the kernel refuses, or the package is missing
 * @throws {TypeError} the connection is closed
 */
export async function changeLink(socket: Socket, before: LiveLink, after: LiveLink): Promise<void> {
  const options = {
    ...(before.md5Key !== after.md5Key && { md5Key: after.md5Key ?? '' }),
    ...(before.ttl !== after.ttl && { ttl: after.ttl ?? ('default' as const) }),
    ...(before.minTtl !== after.minTtl && { minTtl: after.minTtl ?? ANY_TTL }),
  }
  if (Object.keys(options).length === 0) return
  const { setTcpOptions } = await loadSockets()
  try {
    setTcpOptions(socket, options)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error
    throw new BgpSocketError((error as Error).message, { cause: error })
  }
}

/**
 * Bounds how long TCP tries on with what does not get through to the peer. It is a help, nothing that a session needs: where
 * `@typemetal/sockets` is missing, or has no addon for this machine, the kernel's own patience stays.
 *
 * @param userTimeout 0 gives the kernel its own patience back
 */
export async function limitPatience(socket: Socket, userTimeout: Seconds): Promise<void> {
  if (missingSockets() !== undefined) return
  try {
    const { setTcpOptions } = await loadSockets()
    if (!socket.destroyed) setTcpOptions(socket, { userTimeout: userTimeout * 1000 })
  } catch {
    // Closed meanwhile, no TCP, or no addon.
  }
}

/**
 * {@link changeLink} for the TCP-MD5 key alone.
 *
 * @param key 1 to 80 octets of UTF-8; an empty one ends the signing
 */
export function changeMd5Key(socket: Socket, key: string): Promise<void> {
  const same = { ttl: undefined, minTtl: undefined }
  return changeLink(socket, { ...same, md5Key: undefined }, { ...same, md5Key: key })
}
