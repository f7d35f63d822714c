// How fast the simulator is. It has no counterpart in the peer.
import { fork } from 'node:child_process'
import { once } from 'node:events'

const NODES = 1000

/** In a process of its own, so that nothing of the benchmark's is in its memory. */
export async function simulation({ quick }) {
  const seconds = quick ? 5 : 600
  console.error(`simulator: ${NODES} nodes, ${seconds} s of ring time`)
  const child = fork(new URL('simulation-child.mjs', import.meta.url), [String(NODES), String(seconds)])
  const ended = once(child, 'exit')
  const [result] = await Promise.race([once(child, 'message'), ended.then(([code]) => [{ code }])])
  await ended
  if (result.wall === undefined) throw new Error(`the simulation ended with code ${result.code}`)
  const what = `simulator, lan, ${NODES} nodes`
  return [
    { what: `${what}: wall time of ${seconds} s`, unit: 's', ours: [result.wall], ...(!quick && { goal: 60 }) },
    { what: `${what}: CPU time of ${seconds} s`, unit: 's', ours: [result.cpu] },
    { what: `${what}: memory a node, resident`, unit: 'kB', ours: [result.memory] },
    { what: `${what}: wall time a datagram`, unit: 'µs', ours: [result.perDatagram] },
  ]
}
