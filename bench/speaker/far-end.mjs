// `far-end.mjs PORT INTERFACE`: ten BGP peers by raw octets, and an ear for ARP, in a namespace of its own. Who connects to PORT asks by
// lines of JSON what has come and when, by the clock that all processes of this machine share.
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { ETH_P_ARP, listLinks, PacketSocket } from '@typemetal/sockets'
import { ASN, PEERS, PLACE } from './objects.mjs'

const [port, interfaceName] = process.argv.slice(2)
const OPEN = 1
const UPDATE = 2
const HEADER = 19
const HOLD_TIME = 90
/** Of an ARP packet within an Ethernet frame. */
const ARP = { senderProtocolAddress: 28, targetProtocolAddress: 38, length: 42 }

const now = () => Number(process.hrtime.bigint()) / 1e6
const octetsOf = address => address.split('.').map(Number)
const numberOf = address => octetsOf(address).reduce((sum, octet) => sum * 256 + octet, 0)

function message(type, body = []) {
  const octets = Buffer.alloc(HEADER + body.length, 0xff, 'latin1')
  octets.writeUInt16BE(octets.length, 16)
  octets[18] = type
  octets.set(body, HEADER)
  return octets
}

const KEEPALIVE = message(4)
const open = identifier => {
  const capabilities = [1, 4, 0, 1, 0, 1, 2, 0, 65, 4, 0, 0, ASN.theirs >> 8, ASN.theirs & 255]
  const parameters = [2, capabilities.length, ...capabilities]
  const head = [4, ASN.theirs >> 8, ASN.theirs & 255, 0, HOLD_TIME]
  return message(OPEN, [...head, ...octetsOf(identifier), parameters.length, ...parameters])
}

/** What has come, and who waits for what. */
class Ledger {
  /** Peer → addresses that it has a route to. */
  #routes = Array.from({ length: PEERS }, () => new Set())
  #announced = new Set()
  #goals = []
  #armed = new Map()
  updates = 0

  route(peer, address, stands, at) {
    const routes = this.#routes[peer]
    if (stands) routes.add(address)
    else routes.delete(address)
    this.#armed.get(address)?.route(peer, at)
  }

  /** A gratuitous ARP. */
  announce(address, at) {
    this.#announced.add(address)
    this.#armed.get(address)?.announce(at)
    this.check(at)
  }

  /** Some peer's session has ended. */
  forget(peer) {
    this.#routes[peer].clear()
  }

  /** After a message: whether something that is waited for has come true. */
  check(at) {
    this.#goals = this.#goals.filter(({ routes, announced, tell }) => {
      const there = routes === undefined || this.#routes.every(each => each.size === routes)
      const heard = announced === undefined || this.#announced.size >= announced
      if (there && heard) tell(at)
      return !(there && heard)
    })
  }

  wait(goal) {
    this.#goals.push(goal)
    this.check(now())
  }

  forgetAnnounced() {
    this.#announced.clear()
  }

  arm(address, watcher) {
    this.#armed.set(address, watcher)
  }

  get sizes() {
    return this.#routes.map(({ size }) => size)
  }

  has(peer, address) {
    return this.#routes[peer].has(address)
  }
}

const ledger = new Ledger()
/** Peer → its session. */
const sessions = new Map()

function* prefixes(octets, from, to) {
  for (let at = from; at < to;) {
    const length = octets[at]
    const bytes = (length + 7) >> 3
    let value = 0
    for (let i = 0; i < 4; i++) value = value * 256 + (i < bytes ? octets[at + 1 + i] : 0)
    yield value
    at += 1 + bytes
  }
}

function takeUpdate(peer, octets, at) {
  ledger.updates++
  const withdrawn = octets.readUInt16BE(HEADER)
  const attributesAt = HEADER + 2 + withdrawn
  for (const address of prefixes(octets, HEADER + 2, attributesAt)) ledger.route(peer, address, false, at)
  const nlriAt = attributesAt + 2 + octets.readUInt16BE(attributesAt)
  for (const address of prefixes(octets, nlriAt, octets.length)) ledger.route(peer, address, true, at)
}

function serve(peer, socket) {
  socket.setNoDelay(true)
  sessions.set(peer, socket)
  let rest = Buffer.alloc(0)
  let timer
  socket.on('data', chunk => {
    const at = now() // before we spend time of our own on it
    rest = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
    let updates = 0
    while (rest.length >= HEADER && rest.length >= rest.readUInt16BE(16)) {
      const length = rest.readUInt16BE(16)
      const octets = rest.subarray(0, length)
      rest = rest.subarray(length)
      if (octets[18] === OPEN) {
        socket.write(Buffer.concat([open(PLACE.peer(peer)), KEEPALIVE]))
        timer = setInterval(() => socket.write(KEEPALIVE), (HOLD_TIME * 1000) / 3)
      } else if (octets[18] === UPDATE) {
        takeUpdate(peer, octets, at)
        updates++
      }
    }
    if (updates > 0) ledger.check(at)
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    clearInterval(timer)
    ledger.forget(peer)
  })
}

/** Tells when the first and the last peer have heard of an address again, and the first gratuitous ARP. */
class Watcher {
  #tell
  #heard = new Set()
  #first

  constructor(tell) {
    this.#tell = tell
  }

  route(peer, at) {
    if (this.#heard.has(peer)) return
    this.#heard.add(peer)
    this.#first ??= at
    if (this.#heard.size === PEERS) this.#tell('routes', { first: this.#first, last: at })
  }

  announce(at) {
    this.#tell('announced', { at })
  }
}

function answer(socket, { id, ask, ...question }) {
  const tell = (what, more = {}) => socket.write(`${JSON.stringify({ id, what, ...more })}\n`)
  if (ask === 'arm') {
    ledger.arm(numberOf(question.address), new Watcher(tell))
    tell('armed')
  } else if (ask === 'goal') {
    ledger.wait({ ...question, tell: at => tell('reached', { at }) })
  } else if (ask === 'forget') {
    ledger.forgetAnnounced()
    tell('forgotten')
  } else if (ask === 'drop') {
    sessions.get(question.peer)?.destroy()
    tell('dropped')
  } else if (ask === 'state') {
    tell('state', { sizes: ledger.sizes, updates: ledger.updates })
  } else if (ask === 'routes') {
    tell('routes', { present: question.addresses.map(address => ledger.has(0, numberOf(address))) })
  }
}

for (let peer = 0; peer < PEERS; peer++) {
  createServer(socket => serve(peer, socket)).listen(179, PLACE.peer(peer))
}

const link = listLinks().find(({ name }) => name === interfaceName)
const ear = new PacketSocket({
  interfaceIndex: link.index,
  etherType: ETH_P_ARP,
  receiveBuffer: 16 * 1024 * 1024,
  onFrames(frames) {
    const at = now()
    for (const frame of frames) {
      if (frame.length < ARP.length) continue
      const octets = Buffer.from(frame.buffer, frame.byteOffset, frame.length)
      const sender = octets.readUInt32BE(ARP.senderProtocolAddress)
      if (sender === octets.readUInt32BE(ARP.targetProtocolAddress)) ledger.announce(sender, at)
    }
  },
  onError: error => console.error(error.message),
})

createServer(socket => {
  socket.on('error', () => {})
  createInterface({ input: socket }).on('line', line => answer(socket, JSON.parse(line)))
}).listen(Number(port), PLACE.far, () => console.log('listening'))
process.once('SIGTERM', () => {
  ear.close()
  process.exit()
})
