// What a settled ring of ten costs while nothing happens: CPU, packets, memory.
import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { cpuOf, loopbackOf, memoryOf } from './proc.mjs'

const COUNT = 10
/** The time is cut into so many windows, each of which gives a sample of the packets. */
const WINDOWS = 4

const round = (value, digits) => Number(value.toFixed(digits))

/** Cost per node of one ring over some seconds. */
async function cost(ring, seconds) {
  const pids = ring.nodes.map(node => node.pid)
  const before = pids.map(cpuOf)
  const packets = []
  const octets = []
  let last = { at: performance.now(), ...loopbackOf(pids[0]) }
  const started = last.at
  for (let i = 0; i < WINDOWS; i++) {
    await sleep((seconds * 1000) / WINDOWS)
    const next = { at: performance.now(), ...loopbackOf(pids[0]) }
    const share = ((next.at - last.at) / 1000) * COUNT
    packets.push(round((next.packets - last.packets) / share, 2))
    octets.push(Math.round((next.octets - last.octets) / share))
    last = next
  }
  const elapsed = (performance.now() - started) / 1000
  const memory = pids.map(memoryOf)
  return {
    cpu: pids.map((pid, i) => round(((cpuOf(pid) - before[i]) / elapsed) * 100, 3)),
    packets,
    octets,
    resident: memory.map(({ resident }) => round(resident, 1)),
    anonymous: memory.map(({ anonymous }) => round(anonymous, 1)),
  }
}

/** Memory of a Node.js process that does nothing, MB. */
async function bareNode() {
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'inherit'] })
  await sleep(1000)
  const { resident, anonymous } = memoryOf(child.pid)
  const ended = once(child, 'exit')
  child.stdin.end()
  await ended
  return { resident: round(resident, 1), anonymous: round(anonymous, 1) }
}

/** Long enough for each node to have probed each other, milliseconds. */
const WARM_UP = 10_000

/** Rows of one preset. */
async function idleOf(sides, preset, seconds) {
  return sides.withRings({ preset, count: COUNT }, async rings => {
    await sleep(WARM_UP)
    const costs = await sides.together(kind => cost(rings[kind], seconds))
    const pick = key => Object.fromEntries(sides.kinds.map(kind => [kind, costs[kind][key]]))
    const row = (what, unit, key) => sides.row(`idle, ${preset}, ${COUNT} nodes: ${what}`, unit, pick(key))
    return [
      row('CPU a node', '% of a core', 'cpu'),
      ...(sides.place.isolated
        ? [
            row('packets a node and second', 'packets', 'packets'),
            row('octets a node and second, IP headers included', 'octets', 'octets'),
          ]
        : []),
      row('memory of a process, resident', 'MB', 'resident'),
      row('memory of a process, anonymous', 'MB', 'anonymous'),
    ]
  })
}

/** All rings are looked at over the same seconds. */
export async function idle(sides) {
  const seconds = sides.quick ? 5 : 20
  console.error(`idle: lan and fast, ${COUNT} nodes for ${seconds} s`)
  const bare = await bareNode()
  const [lan, fast] = await Promise.all(['lan', 'fast'].map(preset => idleOf(sides, preset, seconds)))
  return [
    ...lan,
    ...fast,
    { what: 'a bare Node.js process: memory, resident', unit: 'MB', ours: [bare.resident] },
    { what: 'a bare Node.js process: memory, anonymous', unit: 'MB', ours: [bare.anonymous] },
  ]
}
