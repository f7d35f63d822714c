/** Loopback addresses that no other test has at the same time. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { randomInt } from 'node:crypto'

/** Whoever has bound this address of a block has the block. */
const CLAIM = { host: '255.254', port: 7946 } as const

/**
 * Claims a block of 127.0.0.0/8 for this process, as long as it lives; it holds no process alive.
 *
 * @returns its first two octets: `127.42`
 */
export async function claimLoopback(): Promise<string> {
  for (;;) {
    const block = `127.${randomInt(1, 255)}`
    const socket = createSocket('udp4')
    try {
      socket.bind({ address: `${block}.${CLAIM.host}`, port: CLAIM.port, exclusive: true })
      await once(socket, 'listening')
      socket.unref()
      return block
    } catch (error) {
      socket.close()
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    }
  }
}
