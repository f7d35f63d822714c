// Answers a second, when there are always requests waiting.
/** IPv6 has a group for each, and Linux goes through the list of all for each packet to a group. */
const SIZES = [100, 1000]
const WINDOW = 512
/** Microseconds for each answer that are 100,000 a second. */
const GOAL = 10

async function rateOf(run, protocol, count) {
  const title = `${protocol}, ${count} addresses, ${WINDOW} outstanding`
  const seconds = run.quick ? 0.5 : 2
  await run.together('rate', { protocol, count, settled: false }, scenes =>
    run.inTurn(title, scenes, async ({ kind, farEnd }) => {
      await farEnd.rate(protocol, count, { window: WINDOW, seconds: 0.3 })
      const { perSecond, lost } = await farEnd.rate(protocol, count, { window: WINDOW, seconds })
      run.samples.add(kind.id, `${title}: time for an answer`, 'µs', 1e6 / perSecond, { goal: GOAL })
      run.samples.add(kind.id, `${title}: lost`, 'count', lost, { goal: 0 })
      run.say(kind, `${title}: ${Math.round(perSecond / 1000)} k/s, ${lost} lost`)
    }),
  )
}

export async function rate(run) {
  console.error(`rate: ${WINDOW} requests outstanding`)
  for (const protocol of run.protocols) for (const count of SIZES) await rateOf(run, protocol, count)
}
