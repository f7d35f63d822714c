// The process under test of ours: a program with a `Layer2` as anybody would make one. Takes commands as lines of JSON.
import { setTimeout as sleep } from 'node:timers/promises'
import { Layer2 } from '@typemetal/arp-ndp'
import { answerCommands } from '../bgp/commands.mjs'
import { RANGES } from './far-end.mjs'
import { following } from './following.mjs'

/** Milliseconds: the main thread has no time for so long, and then for as long nothing to do. */
const STALL = 200

const layer2 = await Layer2.start({ excludeInterfaces: ['^lo$'] })
layer2.on('error', error => {
  console.error(error)
  process.exitCode = 1
})
let blocking

function stall() {
  const started = performance.now()
  while (performance.now() - started < STALL);
}

answerCommands({
  /** Answers for so many addresses of a protocol's two ranges, and no others. @returns when that was asked for, by the clock */
  own({ protocol, first = 0, others = 0 }) {
    const ranges = RANGES[protocol]
    const addresses = [...following(ranges.first, first), ...following(ranges.others, others)]
    const wanted = addresses.map(address => ({ address, interfaces: 'all' }))
    const called = performance.timeOrigin + performance.now()
    layer2.setAddresses(wanted)
    return { called }
  },

  /** Keeps the main thread from its work, half of the time. */
  block() {
    blocking = setInterval(stall, 2 * STALL)
  },

  free() {
    clearInterval(blocking)
  },

  async statistics() {
    const statistics = await layer2.statistics()
    return { ports: statistics.map(port => ({ ...port, drops: Object.fromEntries(port.drops) })) }
  },

  /** Collects garbage, as an idle process does sooner or later. */
  async collect() {
    for (let i = 0; i < 3; i++) {
      globalThis.gc()
      await sleep(50)
    }
  },
})
