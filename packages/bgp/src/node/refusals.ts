import type { Socket } from 'node:net'
import { CeaseSubcode, createCease, encodeMessage } from '../wire/index.js'
import type { Clock } from './clock.js'

/** How long the other side has to read why, in milliseconds. */
const LINGER = 2000
/** Connections that have this time at once; more are closed without a word, for they may come from anybody. */
const MOST_REFUSALS = 256

/** Turns away connections that no peer takes, with Cease, Connection Rejected (RFC 4486 section 4). */
export class Refusals {
  readonly #clock: Clock
  readonly #open = new Set<Socket>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  refuse(socket: Socket): void {
    if (this.#open.size >= MOST_REFUSALS) {
      socket.on('error', () => {})
      socket.resetAndDestroy()
      return
    }
    this.#open.add(socket)
    // Not the socket's own timeout, which begins anew with each octet that comes.
    const cancel = this.#clock.after(LINGER, () => socket.destroy())
    socket.on('error', () => socket.destroy())
    socket.once('close', () => {
      cancel()
      this.#open.delete(socket)
    })
    socket.end(encodeMessage(createCease(CeaseSubcode.ConnectionRejected)))
    socket.resume()
  }
}
