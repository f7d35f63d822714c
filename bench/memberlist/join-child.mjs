// Fifty nodes in this process, on sockets of the loopback interface, join through one of them at once. Argument: trials.
// Sends to its parent how long each took until all saw all, in milliseconds; a warm-up trial comes first.
import { setTimeout as sleep } from 'node:timers/promises'
import { Memberlist } from '@typemetal/memberlist'

const COUNT = 50
const LIMIT = 60_000

async function trial() {
  const nodes = Array.from(
    { length: COUNT },
    (_, i) => new Memberlist({ name: `n${String(i).padStart(3, '0')}`, bindAddress: '127.0.0.1', bindPort: 0 }),
  )
  await Promise.all(nodes.map(node => node.start()))
  const started = performance.now()
  const seed = `127.0.0.1:${nodes[0].port}`
  const joins = Promise.allSettled(nodes.slice(1).map(node => node.join([seed])))
  const whole = () => nodes.every(node => node.members().length === COUNT)
  while (!whole() && performance.now() - started < LIMIT) await sleep(5)
  const took = whole() ? Math.round(performance.now() - started) : Infinity
  await joins
  await Promise.all(nodes.map(node => node.close()))
  return took
}

await trial()
const took = []
for (let trials = Number(process.argv[2]); trials > 0 && process.connected; trials--) took.push(await trial())
process.send?.(took)
process.disconnect?.()
