/**
 * `load-main.js udp|tcp|ask ADDRESS RATE`: so many requests a second, evenly, until a line comes on standard input; then one JSON line,
 * a {@link LoadResult}. A request is one datagram, one connection, or one question who has the address (broadcast, as a client without
 * a cache asks). It fails when nobody has answered in time; nothing is sent twice.
 */
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { resolve } from '@typemetal/arp-ndp'

/**
 * Milliseconds: long, because nothing is sent twice, so that patience hides no loss, and this process may itself be kept from reading
 * answers that are there.
 */
const TIMEOUT = { udp: 5_000, tcp: 5_000, ask: 5_000 } as const
const PORT = 9000
/** Flows that a router can tell apart. */
const SOCKETS = 64

/** What became of the requests. Times in milliseconds on the clock of `Date.now`. */
export interface LoadResult {
  readonly sent: number
  readonly answered: number
  readonly failures: readonly { readonly started: number; readonly ended: number; readonly reason: string }[]
  /** Answers by who gave them. */
  readonly by: Readonly<Record<string, number>>
  /** Longest time without any answer. */
  readonly longestGap: number
  /** Of one answer. */
  readonly slowest: number
}

const [kind = 'udp', address = '', rate = '1000'] = process.argv.slice(2)
const failures: { started: number; ended: number; reason: string }[] = []
const by: Record<string, number> = {}
const began = performance.now()
let sent = 0
let answered = 0
let last: number | undefined
let longestGap = 0
let slowest = 0

function answer(who: string, started: number): void {
  const now = performance.now()
  answered++
  by[who] = (by[who] ?? 0) + 1
  if (last !== undefined) longestGap = Math.max(longestGap, now - last)
  last = now
  slowest = Math.max(slowest, now - started)
}

function fail(started: number, reason: string): void {
  const ended = Date.now()
  failures.push({ started: Math.round(ended - (performance.now() - started)), ended, reason })
}

const waiting = new Map<number, number>()

/** One datagram on one of many sockets. */
function udpSender(): (id: number) => void {
  const sockets = Array.from({ length: SOCKETS }, () => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
    socket.on('message', octets => {
      const [id = '', who = ''] = octets.toString().split(' ')
      const started = waiting.get(Number(id))
      if (started === undefined || !waiting.delete(Number(id))) return
      answer(who, started)
    })
    return socket
  })
  setInterval(() => {
    const now = performance.now()
    for (const [id, started] of waiting) {
      if (now - started < TIMEOUT.udp) break
      waiting.delete(id)
      fail(started, 'no answer')
    }
  }, 50)
  return id => {
    const started = performance.now()
    waiting.set(id, started)
    sockets[id % SOCKETS]?.send(String(id), PORT, address, error => {
      if (error && waiting.delete(id)) fail(started, String(error))
    })
  }
}

/** One connection, closed by us without a trace. */
function tcpRequest(id: number): void {
  const started = performance.now()
  const socket = connect({ host: address, port: PORT })
  let done = false
  const end = (reason?: string): void => {
    if (done) return
    done = true
    waiting.delete(id)
    clearTimeout(timer)
    if (reason !== undefined) fail(started, reason)
    socket.resetAndDestroy()
  }
  const timer = setTimeout(() => end('no answer'), TIMEOUT.tcp)
  waiting.set(id, started)
  socket.on('connect', () => socket.write(String(id)))
  socket.on('data', octets => {
    answer(octets.toString().split(' ')[1] ?? '', started)
    end()
  })
  socket.on('error', error => end((error as NodeJS.ErrnoException).code ?? error.message))
  socket.on('close', () => end('closed'))
}

async function ask(id: number): Promise<void> {
  const started = performance.now()
  waiting.set(id, started)
  try {
    const answers = await resolve({ interface: 'eth0', address, timeout: TIMEOUT.ask, attempts: 1, collect: 'first' })
    for (const mac of new Set(answers.map(({ mac }) => mac))) answer(mac, started)
    if (answers.length === 0) fail(started, 'nobody has it')
  } catch (error) {
    fail(started, String(error))
  }
  waiting.delete(id)
}

const send = kind === 'udp' ? udpSender() : kind === 'tcp' ? tcpRequest : (id: number) => void ask(id)
/** Most requests of one moment: more would overflow the buffers of whoever answers, and prove nothing. */
const BURST = 50
let due = 0
const timer = setInterval(() => {
  const wanted = Math.floor(((performance.now() - began) / 1000) * Number(rate))
  const now = Math.min(wanted - due, BURST)
  // What this process was too late for is left out.
  due = wanted
  for (let i = 0; i < now; i++) send(sent++)
}, 1)

console.log('loading')
createInterface(process.stdin).once('line', () => {
  clearInterval(timer)
  const finish = setInterval(() => {
    if (waiting.size > 0) return
    clearInterval(finish)
    console.log(JSON.stringify({ sent, answered, failures, by, longestGap, slowest } satisfies LoadResult))
    process.exit()
  }, 20)
})
