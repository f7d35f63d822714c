// Twenty thousand requests a second, whatever else goes on: is each answered?
import { CONDITIONS, concerns } from './run.mjs'

const ADDRESSES = 1000
const RATE = 20_000
const ALL = [...CONDITIONS, { name: 'cores loaded, main thread blocked', blocked: true, loaded: true }]

async function ask(run, { kind, farEnd }, protocol, title) {
  const asking = farEnd.steady(protocol, ADDRESSES, { rate: RATE, seconds: run.quick ? 1 : 5 })
  const { sent, asked, answered, unread, seconds } = await asking.result
  run.samples.add(kind.id, `${title}: lost`, 'count', asked - answered - unread, { goal: 0 })
  const rate = `${(sent / seconds / 1000).toFixed(1)} k/s for ${seconds.toFixed(0)} s`
  run.say(
    kind,
    `${title}: ${rate}, ${asked - answered} of ${asked} lost${unread > 0 ? `, ${unread} by ourselves` : ''}`,
  )
}

export async function loss(run) {
  console.error(`loss: ${RATE} requests a second`)
  for (const protocol of run.protocols) {
    await run.together('loss', { protocol, count: ADDRESSES, settled: false }, async scenes => {
      for (const condition of ALL) {
        const title = `${protocol}, 20 k/s, ${condition.name}`
        const concerned = scenes.filter(({ kind }) => concerns(condition, kind))
        await run.under(condition, concerned, () =>
          run.inTurn(title, concerned, scene => ask(run, scene, protocol, title)),
        )
      }
    })
  }
}
