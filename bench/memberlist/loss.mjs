// Whether live nodes are held for dead while a fifth of all packets is lost.
import { setTimeout as sleep } from 'node:timers/promises'
import { filterPackets } from '@typemetal/lab'

const COUNT = 10
const LOSS = 20
/** Nodes that say of the same node that it is gone within so many milliseconds speak of one false death. */
const EPISODE = 5000

/** Counts the false deaths of a ring from now on. */
function watch(ring) {
  const counts = { events: 0, deaths: 0 }
  const last = new Map()
  for (const node of ring.nodes) {
    node.listen(({ event, node: about, at }) => {
      if (event !== 'leave') return
      counts.events++
      if (at - (last.get(about) ?? -Infinity) > EPISODE) counts.deaths++
      last.set(about, at)
    })
  }
  return counts
}

/** Rings of both kinds lose packets over the same minutes. @param lossMinutes for how long */
export async function loss(sides, { lossMinutes }) {
  if (!sides.place.firewall) return []
  const seconds = lossMinutes === undefined ? (sides.quick ? 20 : 60) : lossMinutes * 60
  console.error(`loss: fast, ${COUNT} nodes, ${LOSS} % of all packets for ${seconds} s`)
  return sides.withRings({ preset: 'fast', count: COUNT }, async rings => {
    const counts = await sides.together(async kind => {
      const watched = watch(rings[kind])
      await filterPackets(rings[kind].hosts[0], { percent: LOSS })
      return watched
    })
    await sleep(seconds * 1000)
    const what = `${LOSS} % loss for ${seconds} s, fast, ${COUNT} nodes`
    const pick = key => Object.fromEntries(sides.kinds.map(kind => [kind, [counts[kind][key]]]))
    return [
      sides.row(`${what}: live nodes held dead`, 'false deaths', pick('deaths'), { goal: 0 }),
      sides.row(`${what}: events of that`, 'events', pick('events')),
    ]
  })
}
