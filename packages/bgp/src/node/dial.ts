import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { loadSockets } from './sockets.js'

/** How to reach a peer. */
export interface DialOptions {
  readonly address: string
  readonly port: number
  readonly sourceAddress?: string
  /** Key of TCP-MD5 (RFC 2385); needs `@typemetal/sockets`. */
  readonly md5Key?: string
  /** TTL or hop limit of what we send; needs `@typemetal/sockets`. */
  readonly ttl?: number
}

/** Opens a TCP connection to a peer. Rejects with the signal's reason when it is aborted. */
export type Dial = (options: DialOptions, signal: AbortSignal) => Promise<Socket>

async function dialPlain({ address, port, sourceAddress }: DialOptions, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ host: address, port, ...(sourceAddress && { localAddress: sourceAddress }) })
  try {
    await once(socket, 'connect', { signal })
    return socket
  } catch (error) {
    socket.destroy()
    signal.throwIfAborted()
    throw error
  }
}

/** {@link Dial} over the machine's own TCP. */
export const dialTcp: Dial = async (options, signal) => {
  const { md5Key, ttl } = options
  if (md5Key === undefined && ttl === undefined) return dialPlain(options, signal)
  const { connectTcp } = await loadSockets()
  return connectTcp({ ...options, signal })
}
