// What many sessions cost: CPU and memory of a daemon with all of them up and nothing happening.
const MULTIPLIER = 3
/** Percent of a core. */
const GOAL = { one: 1, further: 0.3 }

/** A quick run has fewer: bfdd takes ten seconds to come up with 500. */
const crowds = quick => [
  { count: 1, interval: 50 },
  { count: quick ? 20 : 100, interval: 50 },
  { count: quick ? 100 : 500, interval: 300 },
]

/** How long a daemon has for what it does after its sessions are up, and how long it is watched, milliseconds. */
const lengths = quick => (quick ? { calm: 500, watched: 2000 } : { calm: 3000, watched: 30_000 })

export async function sessions(run) {
  const { calm, watched } = lengths(run.quick)
  /** By kind, of one session. */
  const alone = new Map()
  const crowd = async ({ count, interval }) => {
    const title = `${count} at ${interval}x${MULTIPLIER}`
    console.error(`sessions: ${title}`)
    const work = async daemon => {
      const { id, ours } = daemon.kind
      await daemon.load(calm)
      const memory = await daemon.weigh()
      daemon.farEnd.reset()
      const { all, worker } = await daemon.load(watched)
      const { downs, gapMax } = await daemon.farEnd.stats()
      const { samples } = run
      samples.add(id, `${title}: CPU`, '% of a core', all, count === 1 ? { goal: GOAL.one } : {})
      if (ours) samples.add(id, `${title}: CPU of the worker`, '% of a core', worker)
      samples.add(id, `${title}: memory`, 'MB', memory / 1e6)
      if (count === 1) alone.set(id, { all, memory })
      const first = alone.get(id)
      if (count > 1 && first !== undefined) {
        const goal = interval === 50 ? { goal: GOAL.further } : {}
        samples.add(id, `${title}: CPU of each further`, '% of a core', (all - first.all) / (count - 1), goal)
        samples.add(id, `${title}: memory of each further`, 'kB', (memory - first.memory) / 1e3 / (count - 1))
      }
      run.say(
        daemon.kind,
        `${title}: CPU ${all.toFixed(2)} %, ${(memory / 1e6).toFixed(1)} MB, ${downs} Downs, gaps up to ${gapMax} ms`,
      )
    }
    await run.inTurn(title, { count, interval, multiplier: MULTIPLIER }, work)
  }
  const [one, ...more] = crowds(run.quick)
  await crowd(one)
  if (run.quick) await Promise.all(more.map(crowd))
  else for (const next of more) await crowd(next)
}
