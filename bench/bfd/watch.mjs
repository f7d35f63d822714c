// Nothing is wrong: who says Down all the same, and who is silent for so long that others would have to?
import { setTimeout as sleep } from 'node:timers/promises'

const MULTIPLIER = 3

/** Watches daemons for a while. @returns what each far end has seen */
async function watch(daemons, milliseconds) {
  for (const { farEnd } of daemons) farEnd.reset()
  await sleep(milliseconds)
  return Promise.all(daemons.map(async daemon => ({ daemon, seen: await daemon.farEnd.stats() })))
}

function note(run, title, { kind }, seen, goal) {
  const { samples } = run
  const falseDowns = seen.downs - seen.ownDowns
  samples.add(kind.id, `${title}: false Downs`, 'count', falseDowns, { goal })
  samples.add(kind.id, `${title}: silences that are a Down to others`, 'count', seen.silences, { goal })
  samples.add(kind.id, `${title}: longest gap between packets`, 'ms', seen.gapMax)
  const gaps = `gaps ${seen.gapMin} to ${seen.gapMax} ms, deviation ${seen.gapDeviation}`
  const own = `far end late by ${seen.ownLate} ms at most${seen.ownDowns > 0 ? `, ${seen.ownDowns} Downs its own fault` : ''}`
  run.say(
    kind,
    `${title}: ${falseDowns} false Downs, ${seen.silences} silences of ${seen.packets} packets, ${gaps}; ${own}`,
  )
}

const minutes = milliseconds => (milliseconds < 60_000 ? `${milliseconds / 1000} s` : `${milliseconds / 60_000} min`)

/**
 * 50x3 while nobody has any time. Without CAP_SYS_NICE by itself, as its main thread is a load more; a quick run has all at once.
 */
export async function busy(run) {
  const length = run.minutes * 60_000
  const title = `50x3, all busy, ${minutes(length)}`
  console.error(title)
  const work = daemons =>
    run.loaded(daemons, async () => {
      for (const { daemon, seen } of await watch(daemons, length)) note(run, title, daemon, seen, 0)
    })
  const settings = { interval: 50, multiplier: MULTIPLIER }
  if (run.quick) await run.together(title, settings, work)
  else {
    await run.together(title, settings, work, ({ id }) => id !== 'plain')
    await run.together(title, settings, work, ({ id }) => id === 'plain')
  }
}

/** 10x3 while nothing else runs. */
export async function idle(run) {
  const length = run.quick ? 5000 : run.minutes * 60_000
  const title = `10x3, idle, ${minutes(length)}`
  console.error(title)
  await run.together(title, { interval: 10, multiplier: MULTIPLIER }, async daemons => {
    for (const { daemon, seen } of await watch(daemons, length)) note(run, title, daemon, seen, 0)
  })
}

/** Where the platform ends: ever shorter intervals, idle and busy; below 10 ms without the check that refuses them. */
export async function floor(run) {
  const length = run.quick ? 1500 : 30_000
  for (const interval of run.intervals) {
    const title = `floor ${interval}x3`
    console.error(`${title}, ${minutes(length)} each`)
    await run.together(title, { interval, multiplier: MULTIPLIER }, async daemons => {
      for (const { daemon, seen } of await watch(daemons, length)) note(run, `${title}, idle`, daemon, seen)
      await run.loaded(daemons, async () => {
        for (const { daemon, seen } of await watch(daemons, length)) note(run, `${title}, busy`, daemon, seen)
      })
    })
  }
}
