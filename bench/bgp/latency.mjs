// One route at a time, with a table standing: passed on from one peer to another, and announced by ourselves.
import { DAEMON, FEEDER, SINK } from './place.mjs'
import { percentile } from './samples.mjs'
import { PEERS } from './table.mjs'

const STANDING = 10_000
/** Milliseconds between two routes, on average. */
const GAP = 10
const LIMIT = 30_000

function addPercentiles(run, kind, what, took, goals = {}) {
  for (const [name, share] of Object.entries({ p50: 0.5, p99: 0.99 })) {
    const more = { limit: LIMIT, ...(goals[name] !== undefined && { goal: goals[name] }) }
    run.samples.add(kind.id, `${what}: ${name}`, 'ms', percentile(took, share), more)
  }
  run.say(kind, `${what}: p50 ${percentile(took, 0.5).toFixed(3)} ms, p99 ${percentile(took, 0.99).toFixed(3)} ms`)
}

/** One route into one session until it comes out of the other, both sessions of one process. */
export async function propagate(run) {
  console.error(`propagate: one route, ${STANDING} standing`)
  const count = run.quick ? 50 : 200
  const { sink } = run.place
  const fits = ({ passesOn = true }) => passesOn
  const work = kind =>
    run.withDaemon(kind, PEERS, async () => {
      await sink.ask('prepare', { size: STANDING, ...FEEDER })
      await sink.ask('dial', { name: 'in', to: DAEMON.address, ...FEEDER })
      await sink.ask('dial', { name: 'out', to: DAEMON.address, ...SINK })
      await sink.ask('feed', { name: 'in', size: STANDING })
      const { at } = await sink.ask('reach', { name: 'out', size: STANDING, limit: LIMIT })
      if (at === Infinity) throw new Error(`${STANDING} routes did not come out within ${LIMIT} ms`)
      const { took } = await sink.ask('propagate', { from: 'in', to: 'out', count, gap: GAP, limit: LIMIT })
      addPercentiles(run, kind, 'propagate', took)
    })
  await run.each('propagate', work, { fits })
}

/** `announce()` until the octets are with the peer; the others have no such call. */
export async function announce(run) {
  console.error(`announce: one route, ${STANDING} standing`)
  const count = run.quick ? 200 : 1000
  const { sink } = run.place
  const work = kind =>
    run.withDaemon(kind, PEERS, async daemon => {
      await daemon.ask('announceMany', { from: 0, count: STANDING })
      // Our own routes are of 32 bits, 256 to a /24: counted as they come, not by what stands.
      await sink.ask('dial', { name: 'sink', to: DAEMON.address, ...SINK })
      await sink.ask('announced', { name: 'sink', count: STANDING, limit: LIMIT })
      await sink.ask('record', { name: 'sink' })
      const { at: announced } = await daemon.ask('announce', { from: STANDING, count, gap: GAP / 2 })
      const { at: arrived } = await sink.ask('recorded', { name: 'sink', count, limit: LIMIT })
      if (arrived.length !== count) throw new Error(`${arrived.length} of ${count} announcements have arrived`)
      const took = arrived.map((at, i) => at - announced[i])
      addPercentiles(run, kind, 'announce', took, { p50: 0.6, p99: 2 })
    })
  await run.each('announce', work, { fits: ({ id }) => id === 'ours' })
}
