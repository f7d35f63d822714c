/** What can happen to the ring, and how often. */
import type { ChurnRing } from './ring.js'
import type { Slot } from './slot.js'

/** Something that is going to happen. */
export interface ChurnEvent {
  /** For the log. */
  readonly text: string
  /** To whom; nothing else happens to them at the same time. */
  readonly slots: readonly Slot[]
  /** @returns when that happened on which all have to agree, by the process's clock; nothing when there is nothing to agree on */
  run(): Promise<number | undefined>
}

/** What an event is chosen by. */
export interface Choice {
  readonly ring: ChurnRing
  /** Places to which nothing else happens at the moment. */
  readonly free: readonly Slot[]
  readonly random: () => number
}

/** Makes an event of its kind, when there is a place for it. */
type Kind = (choice: Choice) => ChurnEvent | undefined

/** Fewer nodes than this part of the places are not left running. */
const LEAST = 0.5
/** Longest stop, milliseconds: a suspicion lasts 4 s at least. */
const LONGEST_STOP = 3800
/** Part of the nodes on the smaller side of a cut; the fewer they are, the longer they take to find all others dead. */
const SMALLEST_SIDE = 1 / 3
/** Part of the events that come several at a time. */
const BURSTS = 0.3

/** One of them; the list is not empty. */
const pick = <T>(list: readonly T[], random: () => number): T | undefined => list[Math.floor(random() * list.length)]

/** One that runs. */
const pickRunning = ({ free, random }: Choice): Slot | undefined =>
  pick(
    free.filter(({ node }) => node),
    random,
  )

/** One that may end, because enough others go on. */
function pickVictim(choice: Choice): Slot | undefined {
  const { ring, free } = choice
  const going = ring.slots.filter(slot => !free.includes(slot)).length
  return ring.running.length - going > ring.slots.length * LEAST ? pickRunning(choice) : undefined
}

/** One or two through which to join, that stay what they are meanwhile. */
function pickSeeds({ free, random }: Choice, slot: Slot): readonly Slot[] {
  const candidates = free.filter(other => other !== slot && other.node)
  const seeds = new Set([pick(candidates, random), pick(candidates, random)])
  return [...seeds].filter(seed => seed !== undefined)
}

/** What leaves nothing to agree on. */
const withoutChange = (work: Promise<void>): Promise<undefined> => work.then(() => undefined)

const kill: Kind = choice => {
  const slot = pickVictim(choice)
  return slot && { text: `kill ${slot.name}`, slots: [slot], run: () => choice.ring.kill(slot) }
}

const leave: Kind = choice => {
  const slot = pickVictim(choice)
  return slot && { text: `leave ${slot.name}`, slots: [slot], run: () => choice.ring.leave(slot) }
}

const join: Kind = choice => {
  const { ring, free, random } = choice
  const slot = pick(
    free.filter(({ node }) => !node),
    random,
  )
  const seeds = slot && pickSeeds(choice, slot)
  if (!slot || !seeds?.length) return undefined
  return {
    text: `join ${slot.name} through ${seeds.map(({ name }) => name).join(', ')}`,
    slots: [slot, ...seeds],

    run: () => ring.start(slot, seeds),
  }
}

/** Ends and is back before or after the others have noticed; now and then as the other implementation. */
const restart: Kind = choice => {
  const { ring, random } = choice
  const slot = pickVictim(choice)
  const seeds = slot && pickSeeds(choice, slot)
  if (!slot || !seeds?.length) return undefined
  const other = slot.kind === 'go' ? 'node' : 'go'
  const isRare = ring.slots.filter(({ kind }) => kind === other).length <= ring.slots.length / 2
  const kind = isRare && random() < 0.25 ? other : slot.kind
  const pause = random() < 0.5 ? 0 : random() * 3000
  return {
    text: `restart ${slot.name} after ${Math.round(pause)} ms as ${kind}`,
    slots: [slot, ...seeds],

    async run() {
      await ring.kill(slot)
      await ring.sleep(pause)
      slot.kind = kind
      return ring.start(slot, seeds)
    },
  }
}

const stop: Kind = choice => {
  const { ring, random } = choice
  const slot = pickRunning(choice)
  const time = 500 + random() * (LONGEST_STOP - 500)
  if (!slot) return undefined
  const text = `stop ${slot.name} (${slot.kind}) for ${Math.round(time)} ms`
  return { text, slots: [slot], run: () => withoutChange(ring.stop(slot, time)) }
}

const meta: Kind = choice => {
  const slot = pickRunning(choice)
  return slot && { text: `meta ${slot.name}`, slots: [slot], run: () => choice.ring.changeMeta(slot) }
}

const message: Kind = choice => {
  const { ring, free } = choice
  const from = pickRunning(choice)
  const to = from && pickRunning({ ...choice, free: free.filter(slot => slot !== from) })
  if (!from || !to) return undefined
  const text = `message ${from.name} (${from.kind}) to ${to.name} (${to.kind})`
  return { text, slots: [from, to], run: () => withoutChange(ring.message(from, to)) }
}

const rotate: Kind = ({ ring }) => ({
  text: 'rotate the keys',
  slots: ring.slots,

  run: () => withoutChange(ring.rotate()),
})

/** A cut that heals before anybody is taken for dead, or one after which either side is a ring of its own. */
const partition: Kind = ({ ring, random }) => {
  const side = ring.slots.filter(() => random() < 0.5)
  const here = ring.running.filter(slot => side.includes(slot))
  const there = ring.running.filter(slot => !side.includes(slot))
  const [from, to] = [pick(here, random), pick(there, random)]
  if (!from || !to || Math.min(here.length, there.length) < ring.running.length * SMALLEST_SIDE) return undefined
  const short = random() < 0.6 ? 500 + random() * 3000 : undefined
  const sides = `${here.map(({ name }) => name).join(' ')} | ${there.map(({ name }) => name).join(' ')}`
  return {
    text: `${short === undefined ? 'partition' : `partition for ${Math.round(short)} ms`} ${sides}`,
    slots: ring.slots,

    async run() {
      const cut = await ring.cut(side)
      if (short === undefined) await Promise.all([ring.agree(here, cut), ring.agree(there, cut)])
      else await ring.sleep(short)
      const healed = await ring.heal()
      if (short === undefined) await ring.join(from, [to]) // nobody else tells the sides of each other
      return healed
    },
  }
}

/** Kinds that concern one place and may come several at a time, and how often. */
const SMALL: readonly (readonly [weight: number, kind: Kind])[] = [
  [3, kill],
  [2, leave],
  [6, join],
  [4, restart],
  [2, stop],
  [2, meta],
  [2, message],
]
/** Kinds that concern all. */
const LARGE: readonly (readonly [weight: number, kind: Kind])[] = [[2, partition]]
const ENCRYPTED: readonly (readonly [weight: number, kind: Kind])[] = [[2, rotate]]

/** What happens next, all at the same time. */
export function nextEvents(ring: ChurnRing, encrypted: boolean, random: () => number): readonly ChurnEvent[] {
  const events: ChurnEvent[] = []
  const wanted = random() < BURSTS ? 2 + Math.floor(random() * 2) : 1
  const all = [...SMALL, ...LARGE, ...(encrypted ? ENCRYPTED : [])]
  for (let tries = 0; events.length < wanted && tries < 50; tries++) {
    const kind = pickWeighted(wanted > 1 ? SMALL : all, random)
    const busy = events.flatMap(({ slots }) => slots)
    const event = kind({ ring, free: ring.slots.filter(slot => !busy.includes(slot)), random })
    if (event) events.push(event)
  }
  return events
}

function pickWeighted(kinds: readonly (readonly [weight: number, kind: Kind])[], random: () => number): Kind {
  let rest = random() * kinds.reduce((sum, [weight]) => sum + weight, 0)
  for (const [weight, kind] of kinds) if ((rest -= weight) < 0) return kind
  return kinds[0]![1]
}
