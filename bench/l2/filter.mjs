// Many requests of which few are for us, as on any network with many hosts: what does it cost to leave the others alone?
const RATE = 50_000
/** Of the requests that are for us, %. */
const PERCENT = 1
const SIZES = [10, 500, 5000]
/** % of a core. */
const GOAL = 25

async function endure(run, scene, protocol, title) {
  const { kind, farEnd, count } = scene
  const asking = farEnd.steady(protocol, count, { rate: RATE, seconds: run.quick ? 1 : 3, percent: PERCENT })
  // The answers that are waited for at the end are no load.
  const { all } = await scene.load(() => asking.over)
  const { asked, answered, seconds, sent, cpu } = await asking.result
  run.samples.add(kind.id, `${title}: CPU`, '% of a core', all, { goal: GOAL })
  run.samples.add(kind.id, `${title}: CPU of who sends`, '% of a core', (100 * cpu) / seconds)
  run.samples.add(kind.id, `${title}: lost`, 'count', asked - answered, { goal: 0 })
  run.say(
    kind,
    `${title}: ${(sent / seconds / 1000).toFixed(0)} k/s, CPU ${all.toFixed(1)} %, of who sends ${((100 * cpu) / seconds).toFixed(1)} %, ` +
      `${asked - answered} of ${asked} lost`,
  )
}

export async function filter(run) {
  console.error(`filter: ${RATE} requests a second, ${PERCENT} % of them for us`)
  for (const protocol of run.protocols) {
    for (const count of SIZES) {
      const title = `${protocol}, ${count} addresses`
      const fits = kind => kind.process === true
      await run.together(
        'filter',
        { protocol, count },
        scenes => run.inTurn(title, scenes, scene => endure(run, scene, protocol, title)),
        fits,
      )
    }
  }
}
