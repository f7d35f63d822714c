// How long does a ring of so many nodes take to come together, and to find a dead host and a dead process?
//
//     node packages/memberlist/examples/size.mjs 30 lan 0.01
import { Simulator } from '@typemetal/memberlist/simulator'

const [count = '10', preset = 'lan', loss = '0'] = process.argv.slice(2)
if (!/^\d+$/.test(count) || Number(count) < 3 || !(Number(loss) >= 0 && Number(loss) < 1)) {
  console.error('usage: node size.mjs [NODES, at least 3] [lan, wan, local or fast] [LOSS from 0 to 1]')
  process.exit(2)
}
const rows = []
for (let seed = 1; seed <= 10; seed++) {
  const ring = new Simulator({ seed, latency: [0.2, 1] })
  const nodes = ring.addRing(Number(count), { preset, enableCompression: false })
  const took = () => Math.round(ring.runUntil(() => ring.converged(), 300_000) ?? Infinity)
  const join = took()
  ring.network.set({ loss: Number(loss) })
  ring.run(20_000 + ring.random() * 5000)
  nodes[1].kill()
  const process = took()
  ring.run(5000)
  nodes[2].disconnect()
  rows.push({ seed, 'join ms': join, 'dead process ms': process, 'dead host ms': took() })
}
console.table(rows)
