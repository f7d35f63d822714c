// How soon the survivors know that a node is gone: its process killed, its host silenced, or after a goodbye.
import { setTimeout as sleep } from 'node:timers/promises'
import { filterPackets } from '@typemetal/lab'
import { anyMoment, anyOf } from './ring.mjs'

/** Longest that a trial may take, milliseconds. */
const LIMIT = 60_000
/** How long a ring is left alone before something is done to it, milliseconds. */
const CALM = { lan: 2000, fast: 1000 }
/** Up to so many nodes, rings of both kinds run at the same time and take turns; of more, one after the other. */
const SIDE_BY_SIDE = 10

/** All shall know within so many milliseconds; of `fast`, which is for small rings, all of at most ten. */
const GOAL = { lan: 1500, fast: 1000 }
const SMALL = 10

const labelOf = (preset, count) => `${preset}, ${count} nodes`

/** One trial on one ring. @param harm what is done to the victim */
async function trial(sides, ring, preset, harm) {
  await anyMoment(preset)
  const victim = anyOf(ring)
  const { first, all } = await ring.gone(victim, () => harm(ring, victim), LIMIT)
  sides.say(ring.kind, `first ${first} ms, all ${all} ms`)
  return { victim, first, all }
}

/** Any number of trials on rings of each kind. @returns samples by kind, and false deaths by kind */
async function trials(sides, { preset, count, samples, harm, room, heal = async () => {} }) {
  const results = Object.fromEntries(sides.kinds.map(kind => [kind, { first: [], all: [], falseDeaths: 0 }]))
  const round = async rings => {
    const victims = new Map()
    await sleep(CALM[preset])
    for (const ring of Object.values(rings)) {
      const { victim, first, all } = await trial(sides, ring, preset, harm)
      results[ring.kind].first.push(first)
      results[ring.kind].all.push(all)
      victims.set(ring, victim)
    }
    return victims
  }
  const measure = async rings => {
    for (let i = 0; i < samples; i++) {
      const victims = await round(rings)
      if (i === samples - 1) break
      const repair = async ([ring, victim]) => {
        await heal(ring, victim)
        await ring.replace(victim)
      }
      await Promise.all([...victims].map(repair))
    }
    for (const ring of Object.values(rings)) results[ring.kind].falseDeaths += ring.falseDeaths
  }
  if (count <= SIDE_BY_SIDE) await sides.withRings({ preset, count }, measure, room)
  else await sides.inTurn(kind => sides.only(kind).withRings({ preset, count }, measure, room))
  return results
}

/** Rows of one kind of trial. */
function rows(sides, what, results, goal) {
  const pick = key => Object.fromEntries(sides.kinds.map(kind => [kind, results[kind][key]]))
  const more = { limit: LIMIT, worst: true }
  const falseDeaths = Object.fromEntries(sides.kinds.map(kind => [kind, [results[kind].falseDeaths]]))
  return [
    sides.row(`${what}: first knows`, 'ms', pick('first'), more),
    sides.row(`${what}: all know`, 'ms', pick('all'), { ...more, goal }),
    ...(results.node.falseDeaths + (results.go?.falseDeaths ?? 0) > 0
      ? [sides.row(`${what}: others falsely held dead meanwhile`, 'events', falseDeaths)]
      : []),
  ]
}

const kill = (_, victim) => void victim.signal('SIGKILL')

/** SIGKILL. */
export async function detection(sides) {
  const plan = sides.quick
    ? [
        ['lan', 10, 1],
        ['fast', 10, 3],
      ]
    : [
        ['lan', 3, 5],
        ['lan', 10, 5],
        ['lan', 50, 3],
        ['fast', 3, 5],
        ['fast', 10, 20],
        ['fast', 50, 3],
      ]
  const table = []
  for (const [preset, count, samples] of plan) {
    console.error(`killed process: ${labelOf(preset, count)}`)
    const results = await trials(sides, { preset, count, samples, harm: kill })
    const goal = preset === 'fast' && count > SMALL ? undefined : GOAL[preset]
    table.push(...rows(sides, `killed, ${labelOf(preset, count)}`, results, goal))
  }
  return table
}

/** Drops all that a host sends and gets, so that nothing resets a connection. */
async function silence({ nodes, hosts }, victim) {
  await filterPackets(hosts[nodes.indexOf(victim)], { silent: true })
}

async function unsilence({ nodes, hosts }, victim) {
  await filterPackets(hosts[nodes.indexOf(victim)], {})
}

/** A host that is silent from one moment on, as with its power cut. */
export async function silent(sides) {
  if (!sides.place.firewall) return []
  const plan = sides.quick
    ? [['fast', 1]]
    : [
        ['lan', 5],
        ['fast', 20],
      ]
  const table = []
  for (const [preset, samples] of plan) {
    console.error(`silent host: ${labelOf(preset, 10)}`)
    const room = () => sides.place.houses(10)
    const results = await trials(sides, { preset, count: 10, samples, harm: silence, heal: unsilence, room })
    table.push(
      ...rows(sides, `silent host, ${labelOf(preset, 10)}`, results, preset === 'fast' ? GOAL.fast : undefined),
    )
  }
  return table
}

/** From the command to leave until the last of the others knows. */
export async function leave(sides) {
  const plan = sides.quick
    ? [['lan', 10, 1]]
    : [
        ['lan', 3, 5],
        ['lan', 10, 5],
        ['lan', 50, 3],
        ['fast', 10, 5],
      ]
  const table = []
  for (const [preset, count, samples] of plan) {
    console.error(`leave: ${labelOf(preset, count)}`)
    const goodbyes = []
    const harm = (_, victim) => void goodbyes.push(victim.command('leave').catch(() => {}))
    const heal = async () => {
      await Promise.race([Promise.allSettled(goodbyes), sleep(5000)])
    }
    const results = await trials(sides, { preset, count, samples, harm, heal })
    table.push(...rows(sides, `leave, ${labelOf(preset, count)}`, results))
  }
  return table
}
