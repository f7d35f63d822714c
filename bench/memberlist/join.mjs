// How long a ring takes to be complete when all its nodes join at the same moment through one of them.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { until } from '@typemetal/lab'
import { Ring, wallClock } from './ring.mjs'

/** A trial that takes longer is given up, milliseconds. */
const LIMIT = 60_000
/** Of many trials, the peer gets so many: one that it does not finish takes a minute. */
const PEER_TRIALS = 10

/** Fresh processes, one simultaneous join. @returns milliseconds until all saw all */
async function trial(sides, kind, count) {
  const ring = await Ring.start(await sides.place.room(), { kind, preset: 'lan', count })
  try {
    let last = 0
    for (const node of ring.nodes) {
      node.listen(({ event, at }) => {
        if (event === 'join' && node.size === count) last = Math.max(last, at)
      })
    }
    const started = wallClock()
    const joins = ring.nodes.slice(1).map(node => node.command(`join ${ring.nodes[0].address}`))
    const joined = Promise.allSettled(joins)
    const whole = await until('all to see all', () => ring.complete || undefined, { timeout: LIMIT }).catch(() => false)
    const took = whole ? Math.round(last - started) : Infinity
    if (whole) await joined
    sides.say(kind, `${count} joined in ${took} ms, false deaths ${ring.falseDeaths}`)
    return { took, falseDeaths: ring.falseDeaths }
  } finally {
    await ring.close()
  }
}

/** The same of 50 nodes of one process, so that the protocol is measured and not the start of 50 JavaScript engines. */
async function inOneProcess(samples) {
  console.error(`join: 50 nodes of one process, ${samples} times`)
  const child = fork(new URL('join-child.mjs', import.meta.url), [String(samples)])
  const ended = once(child, 'exit')
  const [took] = await Promise.race([once(child, 'message'), ended.then(([code]) => [code])])
  await ended
  if (!Array.isArray(took)) throw new Error(`the nodes' process ended with code ${took}`)
  return { what: 'join, lan, 50 nodes of one process: all see all', unit: 'ms', ours: took, worst: true, goal: 3000 }
}

/** @param joinTrials with 50 nodes; the peer gets a tenth of many */
export async function join(sides, { joinTrials }) {
  const plan = sides.quick
    ? [[10, 1]]
    : [
        [10, 5],
        [50, joinTrials],
      ]
  const table = []
  for (const [count, samples] of plan) {
    console.error(`join: ${count} nodes through one`)
    const took = Object.fromEntries(sides.kinds.map(kind => [kind, []]))
    const falseDeaths = Object.fromEntries(sides.kinds.map(kind => [kind, [0]]))
    const everyNth = Math.ceil(samples / PEER_TRIALS)
    for (let i = 0; i < samples; i++) {
      for (const kind of sides.kinds) {
        if (kind === 'go' && i % everyNth !== 0) continue
        const result = await trial(sides, kind, count)
        took[kind].push(result.took)
        falseDeaths[kind][0] += result.falseDeaths
      }
    }
    const more = { limit: LIMIT, worst: true, goal: 3000 }
    table.push(sides.row(`join, lan, ${count} nodes at once: all see all`, 'ms', took, more))
    table.push(sides.row(`join, lan, ${count} nodes at once: falsely held dead`, 'events', falseDeaths))
  }
  table.push(await inOneProcess(sides.quick ? 3 : 100))
  return table
}
