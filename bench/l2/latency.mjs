// How long a request waits for its answer: one every 200 µs, from before it is sent until the answer arrives by the kernel's clock.
import os from 'node:os'
import { CONDITIONS, concerns } from './run.mjs'

const ADDRESSES = 1000
/** Microseconds between two requests. */
const GAP = 200
/** Of ours to those of the C responder, each alone on the machine. */
const RATIO = 1.7
/** Microseconds at the 99th percentile. */
const P99 = 2000

/** Where the scheduler puts somebody decides more than what he does: so it is asked for both ways as well, the same for all. */
const HELD = [
  { name: 'on the same core', core: 'same' },
  { name: 'on another core', core: 'other', awake: true },
].filter(({ core }) => core === 'same' || os.cpus().length > 1)
const ON_FIRST_CORE = ['taskset', '--cpu-list', '0']

async function ask(run, scene, { core }, title) {
  const { kind } = scene
  const requests = run.quick ? 2000 : 10_000
  const prefix = core ? ON_FIRST_CORE : []
  // What a process does for the first time runs through code that is not compiled yet.
  await scene.farEnd.latency(scene.protocol, ADDRESSES, { gap: GAP, requests: 2000, prefix })
  const options = { gap: GAP, requests, prefix }
  const { sent, answered, p50, p99, max } = await scene.farEnd.latency(scene.protocol, ADDRESSES, options)
  const { samples } = run
  samples.add(kind.id, `${title}: p50`, 'µs', p50)
  samples.add(kind.id, `${title}: p99`, 'µs', p99, { goal: P99 })
  samples.add(kind.id, `${title}: longest`, 'µs', max)
  samples.add(kind.id, `${title}: lost`, 'count', sent - answered, { goal: 0 })
  const times = `p50 ${p50.toFixed(1)} µs, p99 ${p99.toFixed(1)}, longest ${max.toFixed(0)}`
  run.say(kind, `${title}: ${times}, ${sent - answered} lost`)
}

async function latencyOf(run, protocol) {
  await run.together('latency', { protocol, count: ADDRESSES }, async scenes => {
    for (const condition of [...HELD, ...CONDITIONS]) {
      const title = `${protocol}, ${condition.name}`
      const concerned = scenes.filter(({ kind }) => concerns(condition, kind))
      await run.under(condition, concerned, () =>
        run.inTurn(title, concerned, scene => ask(run, scene, condition, title)),
      )
    }
  })
  const { samples } = run
  for (const { name } of [...HELD, { name: 'idle' }]) {
    const of = `${protocol}, ${name}: p50`
    samples.relate(`${of}, ours / C`, of, samples.median('c', of), RATIO)
  }
}

export async function latency(run) {
  console.error(`latency: a request every ${GAP} µs`)
  for (const protocol of run.protocols) await latencyOf(run, protocol)
}
