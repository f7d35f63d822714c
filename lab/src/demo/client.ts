/** The demo's end of its client process. */
import { fileURLToPath } from 'node:url'
import { withResolvers } from '../command.js'
import type { Host } from '../host.js'
import { how, type LabProcess } from '../lab-process.js'
import type { ClientReply, ClientRequest, Outcome } from './client-protocol.js'

const PROGRAM = fileURLToPath(new URL('client-main.js', import.meta.url))

/** A request without its number. */
type Unnumbered<R> = R extends unknown ? Omit<R, 'id'> : never

/** A program in the client host that sends requests from there. */
export class Client {
  readonly process: LabProcess
  readonly #waiting = new Map<number, (reply: ClientReply) => void>()
  #ids = 0

  constructor(host: Host) {
    this.process = host.spawn([process.execPath, PROGRAM], { name: 'client' })
    this.process.on('line', line => {
      // a warning of Node.js on standard error is no reply
      if (!line.startsWith('{')) return
      const reply = JSON.parse(line) as ClientReply
      this.#waiting.get(reply.id)?.(reply)
    })
    void this.#reportEnd()
  }

  /** One GET on a new connection. @returns the body @throws {Error} with the reason (`ECONNREFUSED`, `timeout`, …) */
  async get(url: string, timeout = 1000): Promise<string> {
    const reply = await this.#request({ do: 'get', url, timeout })
    return 'body' in reply ? reply.body : ''
  }

  /** Asks the LAN who has an address (ARP, NDP) and collects the answers for `timeout` ms. @returns their MAC addresses */
  async resolve(address: string, timeout = 400): Promise<readonly string[]> {
    const reply = await this.#request({ do: 'resolve', address, timeout })
    return 'macs' in reply ? reply.macs : []
  }

  /** Starts asking `url` every `interval` ms. @returns what stops it, waits for the last answers and gives back all outcomes */
  ask(url: string, interval: number, timeout = 1000): { readonly outcomes: readonly Outcome[]; stop(): void } {
    const outcomes: Outcome[] = []
    const id = this.#send({ do: 'ask', url, interval, timeout }, reply => {
      if ('outcome' in reply) outcomes.push(reply.outcome)
    })
    const stop = (): void => this.process.write(JSON.stringify({ id, do: 'stop' } satisfies ClientRequest))
    return { outcomes, stop }
  }

  async #reportEnd(): Promise<void> {
    const exit = await this.process.exited
    for (const [id, answer] of this.#waiting) answer({ id, error: `the client ${how(exit)}${this.process.tail()}` })
  }

  async #request(request: Unnumbered<ClientRequest>): Promise<ClientReply> {
    const { promise, resolve, reject } = withResolvers<ClientReply>()
    const id = this.#send(request, reply => ('error' in reply ? reject(new Error(reply.error)) : resolve(reply)))
    try {
      return await promise
    } finally {
      this.#waiting.delete(id)
    }
  }

  #send(request: Unnumbered<ClientRequest>, onReply: (reply: ClientReply) => void): number {
    const id = ++this.#ids
    this.#waiting.set(id, onReply)
    this.process.write(JSON.stringify({ id, ...request }))
    return id
  }
}
