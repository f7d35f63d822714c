/** A well-behaved peer beside those that are not: it keeps what it is told, and says when that is malformed. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createOpen } from '@typemetal/bgp/fsm'
import {
  decodeMessage,
  encodeMessage,
  Framer,
  updateChanges,
  type MessageContext,
  type Nlri,
  type UpdateMessage,
} from '@typemetal/bgp/wire'
import { formatPrefix } from '../../dist/address.js'

const CONTEXT: MessageContext = { fourOctetAs: true, internal: false }

/** Waits for a fact; gives up in silence. */
export async function untilTrue(fact: () => boolean, milliseconds: number): Promise<void> {
  const end = performance.now() + milliseconds
  for (let turns = 0; !fact() && performance.now() < end; turns++) {
    await new Promise(resolve => (turns < 50 ? setImmediate(resolve) : setTimeout(resolve, 2)))
  }
}

export class Witness {
  readonly #socket: Socket
  readonly #framer = new Framer()
  readonly #prefixes = new Set<string>()
  #established = false
  #closing = false
  /** The first thing that should not have come. */
  trouble: string | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Uint8Array) => this.#receive(chunk))
    socket.on('error', error => this.#complain(error.message))
    socket.on('close', () => this.#closing || this.#complain('the session has ended'))
  }

  /** Sets up a session, AS numbers of 4 octets and both families, without graceful restart or anything else. */
  static async connect(port: number, localAddress: string, asn: number): Promise<Witness> {
    const socket = connect({ host: '127.0.0.1', port, localAddress })
    await once(socket, 'connect')
    const witness = new Witness(socket)
    const families = ['ipv4-unicast', 'ipv6-unicast'] as const
    socket.write(encodeMessage(createOpen({ asn, bgpIdentifier: 99, holdTime: 0, families, extendedMessage: false })))
    socket.write(encodeMessage({ type: 'keepalive' }))
    await untilTrue(() => witness.#established || witness.trouble !== undefined, 60_000)
    return witness
  }

  /** All that it knows a way to. */
  get prefixes(): readonly string[] {
    return [...this.#prefixes]
  }

  has(prefix: string): boolean {
    return this.#prefixes.has(prefix)
  }

  close(): void {
    this.#closing = true
    this.#socket.destroy()
  }

  #complain(trouble: string): void {
    this.trouble ??= trouble
  }

  #receive(chunk: Uint8Array): void {
    this.#framer.push(chunk)
    try {
      for (let octets = this.#framer.next(); octets; octets = this.#framer.next()) this.#take(octets)
    } catch (error) {
      this.#complain(String(error))
    }
  }

  #take(octets: Uint8Array): void {
    const message = decodeMessage(octets, CONTEXT)
    if (message.type === 'update') this.#hear(message, octets)
    else if (message.type === 'keepalive') this.#established = true
    else if (message.type === 'notification') this.#complain(`${message.errorCode}/${message.errorSubcode}`)
  }

  #hear(update: UpdateMessage, octets: Uint8Array): void {
    for (const { message } of update.faults ?? []) {
      this.#complain(`${message} in ${Buffer.from(octets).toString('hex')}`)
    }
    for (const { family, withdrawn, reachable } of updateChanges(update)) {
      const textOf = (nlri: Nlri): string => formatPrefix(family.afi === 1 ? 'ipv4-unicast' : 'ipv6-unicast', nlri)
      for (const nlri of withdrawn) this.#prefixes.delete(textOf(nlri))
      for (const nlri of reachable) this.#prefixes.add(textOf(nlri))
    }
  }
}
