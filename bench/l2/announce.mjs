// Five thousand addresses that fail over at once: how long until every neighbour was told.
import { setTimeout as sleep } from 'node:timers/promises'

const ADDRESSES = 5000
/** Addresses that are answered for all the time. */
const STANDING = 1000
const RATE = 20_000
/** Milliseconds for all of them. */
const GOAL = 250
/** The second round comes 1.1 s after the first: what is not there by then is lost. Milliseconds. */
const LIMIT = 1000
const NANOSECONDS = 1e6

/** Requests for the addresses that stand, until the others are announced. */
async function besides(run, { kind, farEnd }, protocol, title, work) {
  const asking = farEnd.steady(protocol, STANDING, { rate: RATE, seconds: run.quick ? 1.5 : 2.5, range: 'others' })
  await sleep(500)
  await work()
  const { asked, answered, unread, seconds } = await asking.result
  run.samples.add(kind.id, `${title}: requests lost`, 'count', asked - answered - unread, { goal: 0 })
  run.say(kind, `${title}: ${(asked / seconds / 1000).toFixed(1)} k/s, ${asked - answered} of ${asked} lost`)
}

async function once(run, scene, protocol, title) {
  const { kind, farEnd } = scene
  const { samples } = run
  const { result } = await farEnd.watch(protocol, ADDRESSES, { limit: LIMIT })
  const { called } = await scene.ask('own', { protocol, first: ADDRESSES, others: STANDING })
  const { missing, first, last, unread } = await result
  const took = (last - first) / NANOSECONDS
  samples.add(kind.id, `${title}: first frame to last`, 'ms', took, { goal: GOAL })
  if (kind.ours) samples.add(kind.id, `${title}: from the call to the last frame`, 'ms', last / NANOSECONDS - called)
  samples.add(kind.id, `${title}: frames lost`, 'count', missing - unread, { goal: 0 })
  run.say(kind, `${title}: ${took.toFixed(1)} ms, ${missing} lost${unread > 0 ? `, ${unread} by ourselves` : ''}`)
}

async function announceOf(run, protocol) {
  const quiet = `${protocol}, ${ADDRESSES} ${protocol === 'arp' ? 'pairs' : 'advertisements'}`
  const asked = `${quiet}, 20 k/s come in`
  const fits = kind => kind.process === true
  const settings = { protocol, count: STANDING, range: 'others' }
  // Each trial in processes that have not announced so much before: a failover is the first thing that they do.
  for (let trial = 0; trial < run.trials; trial++) {
    await run.together(
      quiet,
      settings,
      scenes => run.once(quiet, scenes, scene => once(run, scene, protocol, quiet)),
      fits,
    )
    await run.together(
      asked,
      settings,
      scenes =>
        run.once(asked, scenes, scene => besides(run, scene, protocol, asked, () => once(run, scene, protocol, asked))),
      fits,
    )
  }
}

export async function announce(run) {
  console.error(`announce: ${ADDRESSES} addresses at once`)
  for (const protocol of run.protocols) await announceOf(run, protocol)
}
