// Answers a second, when there are always requests waiting.
const ADDRESSES = 1000
const WINDOW = 512
/** Microseconds for each answer that are 100,000 a second. */
const GOAL = 10

export async function rate(run) {
  console.error(`rate: ${WINDOW} requests outstanding`)
  const seconds = run.quick ? 0.5 : 2
  for (const protocol of run.protocols) {
    const title = `${protocol}, ${WINDOW} outstanding`
    await run.together('rate', { protocol, count: ADDRESSES, settled: false }, scenes =>
      run.inTurn(title, scenes, async ({ kind, farEnd }) => {
        await farEnd.rate(protocol, ADDRESSES, { window: WINDOW, seconds: 0.3 })
        const { perSecond, lost } = await farEnd.rate(protocol, ADDRESSES, { window: WINDOW, seconds })
        run.samples.add(kind.id, `${title}: time for an answer`, 'µs', 1e6 / perSecond, { goal: GOAL })
        run.samples.add(kind.id, `${title}: lost`, 'count', lost, { goal: 0 })
        run.say(kind, `${title}: ${Math.round(perSecond / 1000)} k/s, ${lost} lost`)
      }),
    )
  }
}
