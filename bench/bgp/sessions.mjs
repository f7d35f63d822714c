// Many sessions: how soon they all stand when all connect at once, and what one costs that only keeps alive.
import { setTimeout as sleep } from 'node:timers/promises'
import { CROWD, crowdAddress, DAEMON } from './place.mjs'
import { cpuOfAll } from './rest.mjs'
import { now } from './session.mjs'

/** Longest that the sessions may take to stand, milliseconds. */
const limitOf = ({ quick }) => (quick ? 5000 : 30_000)

const crowd = count =>
  Array.from({ length: count }, (_, i) => ({ address: crowdAddress(i), asn: CROWD.asn, range: CROWD.range }))

/** All sessions at once. @returns milliseconds until both sides hold all of them for Established; `Infinity` after the limit */
async function establish(run, daemon, count, limit) {
  const { feeder } = run.place
  const started = now()
  const { took, up } = await feeder.ask('dialMany', { count, limit, to: DAEMON.address, ...CROWD })
  if (up < count) return { took: Infinity, up }
  // The daemon counts a session a moment after we do; when its first answer has them all, that moment was not long.
  let first = true
  while (now() - started < limit) {
    const established = await daemon.established()
    if (established === undefined || established >= count) return { took: first ? took : now() - started, up }
    first = false
  }
  return { took: Infinity, up: await daemon.established() }
}

/** Sessions that all come at the same moment, as after a restart. */
export async function sessions(run) {
  const count = run.quick ? 100 : 500
  console.error(`sessions: ${count} at once`)
  const limit = limitOf(run)
  const more = { limit, ...(!run.quick && { goal: 300 }) }
  await run.each('sessions', kind =>
    run.withDaemon(kind, crowd(count), async daemon => {
      const { took, up } = await establish(run, daemon, count, limit)
      run.samples.add(kind.id, `${count} sessions at once: all Established`, 'ms', took, more)
      run.say(
        kind,
        took === Infinity ? `${up} of ${count} stood after ${limit} ms` : `${count} in ${took.toFixed(1)} ms`,
      )
      return took !== Infinity // it would take as long again
    }),
  )
}

/** Sessions that stand and do nothing: what each costs, its neighbour's configuration included. */
export async function hold(run) {
  const count = run.quick ? 100 : 2000
  const seconds = run.quick ? 3 : 60
  const limit = limitOf(run)
  console.error(`hold: ${count} sessions for ${seconds} s`)
  await run.each(
    'hold',
    async kind => {
      const base = await run.withDaemon(kind, crowd(1), daemon => run.weigh(daemon))
      return run.withDaemon(kind, crowd(count), async daemon => {
        const { took, up } = await establish(run, daemon, count, limit)
        if (took === Infinity) {
          run.say(kind, `${up} of ${count} sessions stood after ${limit} ms`)
          return false
        }
        await sleep(run.calm)
        const before = cpuOfAll(daemon.pids)
        await sleep(seconds * 1000)
        const cpu = (cpuOfAll(daemon.pids) - before) / seconds
        const memory = ((await run.weigh(daemon)) - base) / count
        const standing = (await daemon.established()) ?? count
        if (standing !== count) throw new Error(`${standing} of ${count} sessions stand after ${seconds} s`)
        const goals = run.quick ? [{}, {}] : [{ goal: 25 }, { goal: 0.003 }]
        run.samples.add(kind.id, `${count} sessions: memory a session`, 'KB', memory / 1000, goals[0])
        run.samples.add(kind.id, `${count} sessions: CPU a session`, '% of a core', (cpu / count) * 100, goals[1])
        run.say(kind, `${(memory / 1000).toFixed(1)} KB and ${((cpu / count) * 100).toFixed(5)} % of a core a session`)
        return true
      })
    },
    { peerTrials: 1 },
  )
}
