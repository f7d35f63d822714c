import type { Microseconds } from '../wire/index.js'
import type { CellWriter } from './cells.js'
import { interfaceOf, type Endpoint, type EndpointLink } from './endpoint.js'
import type { Log } from './logger.js'
import { plainError } from './messages.js'
import type { Platform, TransmitSocket } from './platform.js'
import type { SourcePorts } from './source-ports.js'

/** Destination ports of control packets: RFC 5881 section 4, RFC 5883 section 5. */
export const CONTROL_PORT = { singleHop: 3784, multihop: 4784 } as const
/** How long after a socket could not be opened it is tried again, unless links change before. */
const RETRY: Microseconds = 1_000_000

/** What a transmission has from the system it belongs to. */
export interface TransmissionContext {
  readonly platform: Platform
  readonly ports: SourcePorts
  readonly log: Log
}

/** The socket that one session sends from: opened as soon as its interface and address are there, and again when they are new. */
export class Transmission {
  /** Interface of the session; 0: any; -1: it is not there. */
  interfaceIndex = 0
  /** When opening is tried again; `Infinity`: it is open, or a change of links has to come first. */
  retryAt: Microseconds = Infinity
  readonly #context: TransmissionContext
  readonly #endpoint: Endpoint
  readonly #cells: CellWriter
  /** Of the interface or device that the socket is bound to. */
  #deviceIndex: number | undefined
  #socket: TransmitSocket | undefined
  #sourcePort: number | undefined
  /** Code of the last error: each is logged once until packets go out again. */
  #failure: string | undefined

  constructor(context: TransmissionContext, endpoint: Endpoint, cells: CellWriter) {
    this.#context = context
    this.#endpoint = endpoint
    this.#cells = cells
  }

  /** Finds the interface again after links have changed, and opens the socket anew where that is called for. */
  relink(links: readonly EndpointLink[]): void {
    const { device, interface: on = device } = this.#endpoint
    const index = interfaceOf(this.#endpoint, links)
    // A device that was removed and is there again is another one to the kernel; while it is away nothing better can be had.
    const deviceIndex = links.find(({ name }) => name === on)?.index ?? this.#deviceIndex
    if (index === this.interfaceIndex && deviceIndex === this.#deviceIndex && this.#socket !== undefined) return
    this.interfaceIndex = index
    this.#deviceIndex = deviceIndex
    this.open()
  }

  /** Opens the socket, or plans when to try again. */
  open(): void {
    this.retryAt = Infinity
    this.#socket?.close()
    this.#socket = undefined
    if (this.interfaceIndex < 0) return // the next change of links will tell
    const { platform, ports } = this.#context
    const { family, address, localAddress, interface: name, multihop } = this.#endpoint
    const device = name ?? this.#endpoint.device
    const port = multihop ? CONTROL_PORT.multihop : CONTROL_PORT.singleHop
    const scope = name === undefined ? 0 : this.interfaceIndex
    try {
      const opened = ports.open(this.#sourcePort, sourcePort =>
        platform.openTransmit({ family, address, port, sourcePort, localAddress, device, scope }),
      )
      this.#socket = opened.socket
      this.#sourcePort = opened.port
    } catch (error) {
      const { code, message } = plainError(error)
      this.#logFailure(code ?? message, message)
      this.retryAt = platform.now() + RETRY
    }
  }

  /** Sends one packet, and counts what comes of it. */
  send(octets: Uint8Array): void {
    const code = this.#socket === undefined ? 'ENOTCONN' : this.#socket.send(octets)
    if (code === undefined) {
      this.#cells.count('packetsSent')
      this.#failure = undefined
      return
    }
    this.#cells.count('sendErrors')
    if (this.#socket !== undefined) this.#logFailure(code, 'control packets cannot be sent')
  }

  /** Closes the socket and gives its port back. */
  close(): void {
    this.retryAt = Infinity
    this.#socket?.close()
    this.#socket = undefined
    if (this.#sourcePort !== undefined) this.#context.ports.release(this.#sourcePort)
  }

  #logFailure(code: string, error: string): void {
    if (code === this.#failure) return
    this.#failure = code
    const { address, interface: name } = this.#endpoint
    this.#context.log('warn', { address, interface: name, code, error }, 'a BFD session cannot send; it is tried again')
  }
}
