// Who has an address? By ARP for IPv4, by Neighbor Discovery for IPv6, as arping and ndisc6 ask.
//
//   sudo node arping.mjs eth0 192.0.2.1
import { parseArgs } from 'node:util'
import { setTimeout } from 'node:timers/promises'
import { Layer2, probe, resolve } from '@typemetal/arp-ndp'

const HELP = `usage: node arping.mjs [OPTIONS] INTERFACE ADDRESS

  -c, --count N       questions, 0 until Ctrl-C (3); with -U rounds
  -f, --first         stop at the first answer
  -w, --wait MS       milliseconds to wait for the answers to a question (1000)
  -s, --source ADDR   ask from this address; 0.0.0.0 gives away none of ours
  -t, --to MAC        ask only this neighbour
  -D, --duplicate     may we use the address? nobody learns that we ask (RFC 5227, RFC 4862)
  -U, --unsolicited   tell everybody that the address is here, and answer for it meanwhile (-A is the same)
  -q, --quiet         only the exit code
  -h, --help

exit code: 0 one host has it (-D: it is free), 1 nobody (-D: it is in use), 3 several hosts have it, 2 an error`

const options = {
  count: { type: 'string', short: 'c', default: '3' },
  first: { type: 'boolean', short: 'f', default: false },
  wait: { type: 'string', short: 'w', default: '1000' },
  source: { type: 'string', short: 's' },
  to: { type: 'string', short: 't' },
  duplicate: { type: 'boolean', short: 'D', default: false },
  unsolicited: { type: 'boolean', short: 'U', default: false },
  answer: { type: 'boolean', short: 'A', default: false },
  quiet: { type: 'boolean', short: 'q', default: false },
  help: { type: 'boolean', short: 'h', default: false },
}
/** Milliseconds between two rounds of announcements, and the rounds of one burst. */
const ROUND = 1100
const BURST = 5

const stopped = new AbortController()
process.once('SIGINT', () => stopped.abort())
const { signal } = stopped
const pause = milliseconds => setTimeout(milliseconds, undefined, { signal }).catch(() => {})

/** Asks again and again. */
async function ask({ interface: name, address, count, wait, first, source, to, say }) {
  const roundTrips = []
  const hosts = new Set()
  let sent = 0
  const question = { interface: name, address, attempts: 1, interval: wait, timeout: wait, signal }
  const whom = { ...(source && { source }), ...(to && { to }), ...(first && { collect: 'first' }) }
  while (sent < count && !signal.aborted) {
    const begin = performance.now()
    const answers = await resolve({ ...question, ...whom })
    sent++
    for (const { mac, roundTrip } of answers) {
      say(`${address} is at ${mac}  ${roundTrip.toFixed(3)} ms`)
      hosts.add(mac)
      roundTrips.push(roundTrip)
    }
    if (answers.length === 0 && !signal.aborted) say(`no answer within ${wait} ms`)
    if (first && hosts.size > 0) break
    const rest = begin + wait - performance.now()
    if (rest > 0 && sent < count) await pause(rest)
  }
  say(`${sent} sent, ${roundTrips.length} answered by ${[...hosts].join(', ') || 'nobody'}`)
  if (roundTrips.length > 0) {
    const mean = roundTrips.reduce((sum, time) => sum + time, 0) / roundTrips.length
    const [least, most] = [Math.min(...roundTrips), Math.max(...roundTrips)]
    say(`round trip min/avg/max ${[least, mean, most].map(time => time.toFixed(3)).join('/')} ms`)
  }
  if (hosts.size > 1) say(`${hosts.size} hosts claim ${address}`)
  return hosts.size > 1 ? 3 : 1 - hosts.size
}

/** Is the address free? */
async function detect({ interface: name, address, say }) {
  const result = await probe({ interface: name, address, signal })
  say(`${address} is ${result.free ? 'free' : `in use: ${result.kind} ${result.mac}`}`)
  return result.free ? 0 : 1
}

/** Tells everybody that it is here. */
async function announce({ interface: name, address, count, say }) {
  const others = `^(?!${name.replaceAll(/[^\w-]/g, '\\$&')}$)`
  const layer2 = await Layer2.start({ excludeInterfaces: [others] })
  try {
    layer2.on('error', error => say(error.message))
    layer2.on('conflict', ({ mac, kind }) => say(`${address} is wanted by ${mac} as well (${kind})`))
    layer2.setAddresses([{ address, interfaces: [name] }])
    for (let round = 1; round < count && !signal.aborted; round++) {
      await pause(ROUND)
      if (round % BURST === 0) layer2.announce(address)
    }
    // There is one, whose text may be another than ours: 2001:DB8:0::1 is 2001:db8::1.
    const [{ gratuitousSent, responsesSent } = { gratuitousSent: 0, responsesSent: 0 }] = (
      await layer2.counters()
    ).values()
    say(`${gratuitousSent} announcements of ${address} sent, ${responsesSent} questions answered`)
    return gratuitousSent > 0 ? 0 : 1
  } finally {
    await layer2[Symbol.asyncDispose]()
  }
}

async function run({ count, wait, quiet, duplicate, unsolicited, answer, ...values }, [name, address, ...rest]) {
  const milliseconds = Number(wait)
  if (address === undefined || rest.length > 0 || !(milliseconds > 0)) throw new TypeError(HELP)
  const say = quiet ? () => {} : line => console.log(line)
  const what = duplicate ? detect : unsolicited || answer ? announce : ask
  return what({ ...values, interface: name, address, count: Number(count) || Infinity, wait: milliseconds, say })
}

try {
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  if (values.help) console.log(HELP)
  else process.exitCode = await run(values, positionals)
} catch (error) {
  if (!signal.aborted) {
    console.error(error.message)
    process.exitCode = 2
  }
}
