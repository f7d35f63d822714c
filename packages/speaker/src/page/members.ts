/** Who is in the gossip ring, and since when. Pure: time is an argument. */
import type { Line, MemberFacts, Timestamp } from '@typemetal/cluster/page'
import type { GossipMember } from '../gossip/ring.js'

/** Remembers members by their names. */
export class MemberMemory {
  #known: ReadonlyMap<string, { readonly state: string; readonly since: Timestamp }>

  /** @param members as they are now: no news */
  constructor(members: readonly GossipMember[], now: Timestamp) {
    this.#known = new Map(members.map(({ name, state }) => [name, { state, since: now }]))
  }

  /** Something about the members has changed. @returns what of it is news */
  follow(members: readonly GossipMember[], now: Timestamp): readonly Line[] {
    const before = this.#known
    const lines: Line[] = []
    const after = new Map<string, { readonly state: string; readonly since: Timestamp }>()
    for (const { name, state } of members) {
      const known = before.get(name)
      after.set(name, known?.state === state ? known : { state, since: now })
      if (known?.state !== state) lines.push(lineOf(name, known?.state, state))
    }
    for (const name of before.keys()) {
      if (!after.has(name)) lines.push({ verdict: 'bad', object: `node ${name}`, what: 'gone from the ring' })
    }
    this.#known = after
    return lines
  }

  /** @param counted names of those that take part in elections */
  rows(members: readonly GossipMember[], counted: ReadonlySet<string>): readonly MemberFacts[] {
    return [...members]
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, address, state }) => {
        const since = this.#known.get(name)?.since
        return {
          node: name,
          verdict: !counted.has(name) ? 'bad' : state === 'alive' ? 'good' : 'note',
          address,
          state,
          ...(since !== undefined && { since }),
        }
      })
  }
}

function lineOf(name: string, before: string | undefined, state: string): Line {
  const object = `node ${name}`
  if (before === undefined) return { verdict: 'good', object, what: 'joined the ring' }
  return state === 'alive'
    ? { verdict: 'good', object, what: 'answers again' }
    : { verdict: 'note', object, what: 'does not answer', why: 'it counts until that is certain' }
}
