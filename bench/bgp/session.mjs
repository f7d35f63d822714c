// A BGP session by raw octets, the same towards every daemon: it says what it must, floods, and counts what comes.
import { once } from 'node:events'
import { createConnection } from 'node:net'
import { PrefixSet, Scanner } from './scan.mjs'
import { writeFrame } from './traffic.mjs'

const OPEN = 1
const NOTIFICATION = 3
const KEEPALIVE = 4
/** Seconds, as most daemons propose. */
const HOLD_TIME = 90
/** So much is given to the socket at a time. */
const PIECE = 1 << 18

/** Milliseconds of the clock that all processes of this machine share. */
export const now = () => Number(process.hrtime.bigint()) / 1e6

const octetsOf = address => address.split('.').map(Number)

function frame(type, body) {
  const octets = new Uint8Array(19 + body.length)
  octets.set(body, 19)
  writeFrame(octets, 0, octets.length, type)
  return octets
}

const keepalive = frame(KEEPALIVE, [])

/** OPEN with the capabilities that every speaker has: IPv4 unicast, route refresh, 4-octet AS. */
function open(asn, identifier) {
  const as4 = [asn >>> 24, (asn >>> 16) & 255, (asn >>> 8) & 255, asn & 255]
  const capabilities = [1, 4, 0, 1, 0, 1, 2, 0, 65, 4, ...as4]
  const parameters = [2, capabilities.length, ...capabilities]
  const as2 = asn > 0xffff ? [0x5b, 0xa0] : as4.slice(2)
  return frame(OPEN, [4, ...as2, 0, HOLD_TIME, ...octetsOf(identifier), parameters.length, ...parameters])
}

function deferred() {
  const settle = {}
  settle.promise = new Promise((resolve, reject) => Object.assign(settle, { resolve, reject }))
  settle.promise.catch(() => {})
  return settle
}

/** One session. */
export class RawSession {
  /** Settles when the daemon's KEEPALIVE has come. */
  established
  /** When our KEEPALIVE went, with which the daemon may speak. */
  upAt
  /** When the first announcement came. */
  firstAt
  /** When each announcement came, once somebody has put a list here. */
  arrivals
  /** What the daemon has announced to us; without a table nothing is counted. */
  prefixes
  #socket
  #scanner
  #established = deferred()
  #goal
  #timer
  #ended
  #over = deferred()

  /** @param options `{ asn, identifier, table }` */
  constructor(socket, { asn, identifier, table }) {
    this.#socket = socket
    this.established = this.#established.promise
    this.prefixes = table ? new PrefixSet() : undefined
    this.#scanner = new Scanner(this.prefixes, (type, octets) => this.#message(type, octets))
    socket.setNoDelay(true)
    socket.on('error', error => this.#end(error.code ?? error.message))
    socket.on('close', () => this.#end('closed by the daemon'))
    socket.write(open(asn, identifier))
  }

  /** Connects. @param options `{ to, port, from, asn, table }`; `from` is our BGP Identifier too */
  static async dial({ to, port = 179, from, asn, table }) {
    let session
    const socket = createConnection({
      host: to,
      port,
      localAddress: from,
      onread: {
        buffer: new Uint8Array(table ? PIECE : 4096),
        callback: (count, buffer) => session.receive(buffer.subarray(0, count)),
      },
    })
    await once(socket, 'connect')
    session = new RawSession(socket, { asn, identifier: from, table })
    return session
  }

  /** Octets from the daemon; not kept. */
  receive(chunk) {
    const at = now() // before we spend time of our own on it
    const { prefixes } = this
    const announced = prefixes?.announced
    this.#scanner.push(chunk)
    if (!prefixes) return
    const fresh = prefixes.announced - announced
    if (fresh > 0) {
      this.firstAt ??= at
      this.arrivals?.push(...Array.from({ length: fresh }, () => at))
    }
    const goal = this.#goal
    if (goal && prefixes.size === goal.size) {
      this.#goal = undefined
      goal.resolve(at)
    }
  }

  /** @returns when exactly `size` prefixes stood, or `Infinity` if they do not within `limit` ms */
  async reach(size, limit) {
    if (this.prefixes.size === size) return now()
    const goal = { ...deferred(), size }
    this.#goal = goal
    if (this.#ended) goal.reject(new Error(this.#ended))
    const timer = setTimeout(() => goal.resolve(Infinity), limit)
    try {
      return await goal.promise
    } finally {
      clearTimeout(timer)
    }
  }

  /** Writes a KEEPALIVE. */
  keepAlive() {
    if (!this.#ended) this.#socket.write(keepalive)
  }

  /** Writes octets at once. */
  write(octets) {
    this.#socket.write(octets)
  }

  /** Writes any amount as the daemon takes it. @returns settles when the kernel has it all */
  async feed(octets) {
    for (let at = 0; at < octets.length; at += PIECE) {
      if (this.#ended) throw new Error(`the daemon has ended the session: ${this.#ended}`)
      if (this.#socket.write(octets.subarray(at, at + PIECE))) continue
      await Promise.race([once(this.#socket, 'drain'), this.#over.promise])
    }
  }

  /** Closes the connection, without NOTIFICATION. */
  close() {
    this.#end('closed')
    this.#socket.destroy()
  }

  #message(type, octets) {
    if (type === OPEN) {
      this.#socket.write(keepalive)
      this.upAt = now()
      this.#timer = setInterval(() => this.keepAlive(), (HOLD_TIME / 3) * 1000)
    } else if (type === KEEPALIVE) {
      this.#established.resolve(now())
    } else if (type === NOTIFICATION) {
      this.#end(`NOTIFICATION ${octets[19]}/${octets[20]}`)
    }
  }

  #end(reason) {
    if (this.#ended) return
    this.#ended = reason
    clearInterval(this.#timer)
    this.#over.resolve()
    const error = new Error(reason)
    this.#established.reject(error)
    this.#goal?.reject(error)
  }
}
