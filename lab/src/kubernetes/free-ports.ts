/** TCP ports of loopback that nobody uses now. */
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Below the ports that Linux gives to outgoing connections: a server that restarts finds its port free, and nobody who calls it
 * meanwhile is connected to himself.
 */
const RANGE = [20_000, 32_768] as const

/** Finds free ports, all different. Somebody else may take one before it is used: who starts a server on it must be ready to try again. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>()
  while (ports.size < count) {
    const port = randomInt(...RANGE)
    if (await isFree(port)) ports.add(port)
  }
  return [...ports]
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}
