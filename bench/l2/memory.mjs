// What a thousand addresses cost: memory that is no file's, before some thousands more are set and when their announcements are
// over. The heaps' own to and fro is of the size of a thousand's share, so it is looked for among more.
import { setTimeout as sleep } from 'node:timers/promises'

const THOUSANDS = 4
const ADDRESSES = 1000 * THOUSANDS
/** Set before, so that what the work itself takes, not the addresses, is there. */
const STANDING = 1000
/** Until the announcements are over, milliseconds. */
const BURST = 5600
const MB = 1e6
const GOAL = 2

async function weigh(run, scene, protocol) {
  const before = await scene.weigh()
  await scene.ask('own', { protocol, first: ADDRESSES, others: STANDING })
  await sleep(BURST)
  const cost = ((await scene.weigh()) - before) / MB / THOUSANDS
  run.samples.add(scene.kind.id, `${protocol}, 1000 addresses: memory`, 'MB', cost, { goal: GOAL })
  run.say(scene.kind, `${protocol}: ${cost.toFixed(2)} MB for 1000 addresses`)
}

export async function memory(run) {
  console.error(`memory: ${ADDRESSES} addresses more`)
  for (const protocol of run.protocols) {
    for (let trial = 0; trial < run.trials; trial++) {
      await run.together(
        'memory',
        { protocol, count: STANDING, range: 'others' },
        scenes => run.all('memory', scenes, scene => weigh(run, scene, protocol)),
        kind => kind.ours === true,
      )
    }
  }
}
