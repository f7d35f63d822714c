// How long after the last packet a daemon says Down on the wire, which is the same for all; ours also when the program learns it.
import { setTimeout as sleep } from 'node:timers/promises'
import { percentile } from '../bgp/samples.mjs'

const INTERVALS = [300, 50, 10]
const MULTIPLIER = 3
/** Milliseconds beyond the Detection Time, of a median and of each. */
const GOAL = { median: 1, all: 2 }
const NANOSECONDS = 1e6

/** When the program was told of the one Down that there was. */
async function toldAt(daemon) {
  for (;;) {
    const { downs } = await daemon.ask('downs')
    if (downs.length > 0) return downs[0]
    await sleep(5)
  }
}

/** Cuts at any moment, one after the other. @returns milliseconds from the last packet to the daemon's word, and to our event */
async function cuts(run, daemon, interval) {
  const took = []
  const told = []
  for (let i = 0; i < run.cuts; i++) {
    await sleep(interval * (1 + Math.random()))
    const { sent, down } = await daemon.farEnd.cut(0)
    took.push((down - sent) / NANOSECONDS)
    await daemon.farEnd.settle(1)
    if (!daemon.kind.ours) continue
    told.push(((await toldAt(daemon)) - sent) / NANOSECONDS)
  }
  return { took, told }
}

async function profile(run, interval) {
  const title = `${interval}x${MULTIPLIER}`
  const theory = interval * MULTIPLIER
  const add = (id, what, values) => {
    const late = values.map(value => value - theory)
    const of = `${title}: ${what}, later than ${theory} ms`
    for (const value of late) run.samples.add(id, of, 'ms', value, { goal: GOAL.median, worst: true })
    run.samples.add(id, `${of}: 99th percentile`, 'ms', percentile(late, 0.99))
    run.samples.add(id, `${of}: longest`, 'ms', Math.max(...late), { goal: GOAL.all })
  }
  const work = async daemon => {
    const { took, told } = await cuts(run, daemon, interval)
    add(daemon.kind.id, 'Down on the wire', took)
    if (daemon.kind.ours) add(daemon.kind.id, 'Down told to the program', told)
    run.say(daemon.kind, `${title}: ${percentile(took, 0.5).toFixed(2)} ms, at most ${Math.max(...took).toFixed(2)}`)
  }
  await run.together(title, { interval, multiplier: MULTIPLIER }, daemons => run.all(title, daemons, work))
}

/** One interval after the other; a quick run has all at once. */
export async function detection(run) {
  console.error(`detection: ${run.cuts} cuts each`)
  if (run.quick) await Promise.all(INTERVALS.map(interval => profile(run, interval)))
  else for (const interval of INTERVALS) await profile(run, interval)
}
