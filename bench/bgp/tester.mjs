// The process on the other end of every session: takes commands as lines of JSON and answers each with one.
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { answerCommands } from './commands.mjs'
import { PrefixSet, Scanner } from './scan.mjs'
import { now, RawSession } from './session.mjs'
import { announcements, spare, withdrawals, writeUpdate } from './traffic.mjs'

/**
 * A peer that takes a table says KEEPALIVE so often, milliseconds: BIRD 2.0.12 falls asleep for three seconds in the middle of
 * sending one unless something comes in, which elsewhere is always the case.
 */
const WAKING = 20

/** Longest that one session may take to stand, milliseconds. */
const PATIENCE = 30_000

const sessions = new Map()
const kept = new Map()
let server

/** Made once for all daemons. */
function keep(key, make) {
  if (!kept.has(key)) kept.set(key, make())
  return kept.get(key)
}

const octetsOf = address => address.split('.').map(Number)
const updatesOf = (size, { asn, from }) =>
  keep(`announce ${size} ${asn}`, () => announcements(size, { asn, nextHop: octetsOf(from) }))
const withdrawalsOf = size => keep(`withdraw ${size}`, () => withdrawals(size))

async function dial(name, options) {
  const session = await RawSession.dial({ ...options, table: options.table ?? true })
  sessions.set(name, Object.assign(session, { options }))
  return session
}

/** The same, and waits until it is Established. */
async function connect(name, options) {
  const session = await dial(name, options)
  const late = sleep(PATIENCE, undefined, { ref: false })
  if ((await Promise.race([session.established, late])) === undefined) throw new Error('not Established in 30 s')
  return session
}

/** Several dials at once, each from an address of its own. @returns when the last one was Established */
async function dialMany(count, { net, ...options }, limit) {
  const started = now()
  const dials = Array.from({ length: count }, async (_, i) => {
    const from = `${net}.${1 + (i >> 7)}.${1 + (i & 127)}`
    const session = await dial(from, { ...options, from, table: false })
    return session.established
  })
  const late = sleep(limit, Infinity, { ref: false })
  const ends = await Promise.all(dials.map(end => Promise.race([end.catch(() => Infinity), late])))
  return { took: Math.max(...ends) - started, up: ends.filter(Number.isFinite).length }
}

const COMMANDS = {
  prepare({ size, ...options }) {
    return { octets: updatesOf(size, options).length, withdrawals: withdrawalsOf(size).length }
  },

  /** A session. */
  async dial({ name, ...options }) {
    await connect(name, options)
  },

  /** A session that takes a table: milliseconds from the KEEPALIVE that lets the daemon speak. */
  async take({ name, size, limit, ...options }) {
    const session = await connect(name, options)
    const waking = setInterval(() => session.keepAlive(), WAKING)
    const last = await session.reach(size, limit)
    clearInterval(waking)
    const { firstAt = Infinity, upAt, prefixes } = session
    return { first: firstAt - upAt, last: last - upAt, size: prefixes.size }
  },

  /** Announces or withdraws `size` prefixes. @returns when the first octet was given away, and when the last was */
  async feed({ name, size, withdraw }) {
    const session = sessions.get(name)
    const octets = withdraw ? withdrawalsOf(size) : updatesOf(size, session.options)
    const started = now()
    await session.feed(octets)
    return { started, fed: now() }
  },

  /** When exactly `size` prefixes stand. */
  async reach({ name, size, limit }) {
    return { at: await sessions.get(name).reach(size, limit), size: sessions.get(name).prefixes.size }
  },

  /** One route into one session, and how long until it comes out of another; one after the other, at any moment. */
  async propagate({ from, to, count, gap, limit }) {
    const source = sessions.get(from)
    const sink = sessions.get(to)
    const { asn, from: address } = source.options
    const took = []
    const into = new Uint8Array(128)
    for (let i = 0; i < count; i++) {
      await sleep(gap * (0.5 + Math.random()))
      const route = { prefixes: [spare(i)], asPath: [asn, 64_999, 100_000 + i], nextHop: octetsOf(address) }
      const end = writeUpdate(into, 0, route)
      const size = sink.prefixes.size + 1
      const started = now()
      source.write(into.slice(0, end))
      took.push((await sink.reach(size, limit)) - started)
      if (took.at(-1) === Infinity) break
    }
    return { took }
  },

  /** Once `count` announcements have come. */
  async announced({ name, count, limit }) {
    const { prefixes } = sessions.get(name)
    const deadline = now() + limit
    while (prefixes.announced < count && now() < deadline) await sleep(5)
    if (prefixes.announced < count) throw new Error(`${prefixes.announced} of ${count} announcements have come`)
  },

  /** Remembers from now on when each announcement came. */
  record({ name }) {
    sessions.get(name).arrivals = []
  },

  /** When announcements came since {@link record}, once there are `count`. */
  async recorded({ name, count, limit }) {
    const session = sessions.get(name)
    const deadline = now() + limit
    while (session.arrivals.length < count && now() < deadline) await sleep(5)
    return { at: session.arrivals }
  },

  async dialMany({ count, limit, ...options }) {
    return dialMany(count, options, limit)
  },

  close({ name }) {
    sessions.get(name)?.close()
    sessions.delete(name)
  },

  closeAll() {
    for (const session of sessions.values()) session.close()
    sessions.clear()
  },

  /** Takes one connection and counts what comes, as a daemon that does nothing else. */
  async listen({ address, port }) {
    server = createServer(socket => {
      const session = new RawSession(socket, { asn: 64_512, identifier: address, table: true })
      socket.on('data', chunk => session.receive(chunk))
      sessions.set('incoming', session)
    })
    server.listen({ host: address, port })
    await once(server, 'listening')
  },

  unlisten() {
    server?.close()
    server = undefined
  },
}

/** The first daemon shall not be the one for which our scanner is compiled. */
function warmUp() {
  const octets = announcements(100_000, { asn: 64_601, nextHop: [10, 0, 0, 2] })
  const prefixes = new PrefixSet()
  for (let round = 0; round < 5; round++) new Scanner(prefixes, () => {}).push(octets)
}

warmUp()
answerCommands(COMMANDS)
