// The process under test of ours: a program with BFD sessions as anybody would make one. Takes commands as lines of JSON.
// Argument: a file with `{ peers, interval, multiplier }`, addresses and milliseconds.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Bfd, LEAST_INTERVAL } from '@typemetal/bgp/bfd'
import { answerCommands } from '../bgp/commands.mjs'
import { Hasty } from './hasty.mjs'
import { MainLoad } from './main-load.mjs'

const { peers, interval, multiplier } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const bfd = interval < LEAST_INTERVAL ? await Hasty.start() : await Bfd.start()
const load = new MainLoad()
/** When sessions went Down, nanoseconds of CLOCK_MONOTONIC. */
const downs = []

const sessions = peers.map(address => {
  const options = { receiveInterval: interval, transmitInterval: interval, detectMultiplier: multiplier }
  const session = bfd.session({ address, ...options })
  session.on('state', (to, from) => {
    if (from === 'Up' && to === 'Down') downs.push(Number(process.hrtime.bigint()))
  })
  return session
})

answerCommands({
  /** When sessions went Down since the last time this was asked. */
  downs() {
    return { downs: downs.splice(0) }
  },

  /** What the worker tells: of one session, and of packets that are no session's. */
  look() {
    const { discards, packetsReceived, transmitLateness, arrivalInterval } = sessions[0].snapshot()
    return { session: { discards, packetsReceived, transmitLateness, arrivalInterval }, ...bfd.counters() }
  },

  /** Collects garbage, as an idle process does sooner or later. */
  async collect() {
    for (let i = 0; i < 3; i++) {
      globalThis.gc()
      await sleep(50)
    }
  },

  /** Keeps the main thread busy from now on. */
  busy() {
    load.start()
  },

  /** @returns the longest stall of the main thread meanwhile, milliseconds */
  idle() {
    return load.stop()
  },
})
