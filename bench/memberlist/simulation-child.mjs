// The simulator's own process: a settled ring in virtual time. Arguments: nodes, seconds. Sends what it took to its parent.
import { setImmediate as turn } from 'node:timers/promises'
import { Simulator } from '@typemetal/memberlist/simulator'

const [nodes, seconds] = process.argv.slice(2).map(Number)
const before = process.memoryUsage().rss
const ring = new Simulator({ seed: 1, latency: [0.2, 1] })
const used = process.cpuUsage()
const started = performance.now()
ring.addSettledRing(nodes)
for (let i = 0; i < seconds && process.connected; i++) {
  ring.run(1000)
  await turn() // lets us hear that the parent is gone
}
const { user, system } = process.cpuUsage(used)
const wall = (performance.now() - started) / 1000
process.send?.({
  wall: Number(wall.toFixed(2)),
  cpu: Number(((user + system) / 1e6).toFixed(2)),
  memory: Math.round((process.memoryUsage().rss - before) / nodes / 1000),
  perDatagram: Number(((wall * 1e6) / ring.packets).toFixed(2)),
})
process.disconnect?.()
