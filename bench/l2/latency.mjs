// How long a request waits for its answer: one every 200 µs, from before it is sent until the answer arrives by the kernel's clock.
import { CONDITIONS, concerns } from './run.mjs'

const ADDRESSES = 1000
/** Microseconds between two requests. */
const GAP = 200
/** Of ours to those of the C responder, idle. */
const RATIO = 1.7
/** Microseconds at the 99th percentile. */
const P99 = 2000

async function ask(run, scene, title) {
  const { kind } = scene
  const requests = run.quick ? 2000 : 10_000
  // What a process does for the first time runs through code that is not compiled yet.
  await scene.farEnd.latency(scene.protocol, ADDRESSES, { gap: GAP, requests: 2000 })
  const { sent, answered, p50, p99, max } = await scene.farEnd.latency(scene.protocol, ADDRESSES, {
    gap: GAP,
    requests,
  })
  const { samples } = run
  samples.add(kind.id, `${title}: p50`, 'µs', p50)
  samples.add(kind.id, `${title}: p99`, 'µs', p99, { goal: P99 })
  samples.add(kind.id, `${title}: longest`, 'µs', max)
  samples.add(kind.id, `${title}: lost`, 'count', sent - answered, { goal: 0 })
  run.say(
    kind,
    `${title}: p50 ${p50.toFixed(1)} µs, p99 ${p99.toFixed(1)}, longest ${max.toFixed(0)}, ${sent - answered} lost`,
  )
}

async function latencyOf(run, protocol) {
  await run.together('latency', { protocol, count: ADDRESSES }, async scenes => {
    for (const condition of CONDITIONS) {
      const title = `${protocol}, ${condition.name}`
      const concerned = scenes.filter(({ kind }) => concerns(condition, kind))
      await run.under(condition, concerned, () => run.inTurn(title, concerned, scene => ask(run, scene, title)))
    }
  })
  for (const name of ['idle', 'cores awake']) {
    const of = `${protocol}, ${name}: p50`
    run.samples.relate(`${of}, ours / C`, of, run.samples.median('c', of), RATIO)
  }
}

export async function latency(run) {
  console.error(`latency: a request every ${GAP} µs`)
  for (const protocol of run.protocols) await latencyOf(run, protocol)
}
