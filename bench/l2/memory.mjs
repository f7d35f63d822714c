// What addresses cost: memory that is no file's, before they are set and when their announcements are over.
import { setTimeout as sleep } from 'node:timers/promises'

const ADDRESSES = 1000
/** Set before, so that what addresses need once is there. */
const FIRST = 10
/** Until the announcements are over, milliseconds. */
const BURST = 5600
const MB = 1e6
const GOAL = 2

async function weigh(run, scene, protocol) {
  const before = await scene.weigh()
  await scene.ask('own', { protocol, first: ADDRESSES })
  await sleep(BURST)
  const cost = ((await scene.weigh()) - before) / MB
  run.samples.add(scene.kind.id, `${protocol}, ${ADDRESSES} addresses: memory`, 'MB', cost, { goal: GOAL })
  run.say(scene.kind, `${protocol}: ${cost.toFixed(2)} MB for ${ADDRESSES} addresses`)
}

export async function memory(run) {
  console.error(`memory: ${ADDRESSES} addresses`)
  for (const protocol of run.protocols) {
    for (let trial = 0; trial < run.trials; trial++) {
      await run.together(
        'memory',
        { protocol, count: FIRST },
        scenes => Promise.all(scenes.map(scene => weigh(run, scene, protocol))),
        kind => kind.ours === true,
      )
    }
  }
}
