/** What has changed for people, as lines of a page. Pure. */
import type { Happening } from '@typemetal/cluster/page'
import type { Transition } from '../core/transitions.js'
import { inWords, protocolName, verdictOf } from './reasons.js'

/** A line without its time. */
export type Line = Omit<Happening, 'at'>

/** Lines of one kind that one step of the decider may add: more are told as one, so that a start does not push out all else. */
const MOST_ALIKE = 20

/** The lines that one step of the decider is worth, in its order. */
export function linesOf(transitions: readonly Transition[]): readonly Line[] {
  const groups = new Map<string, Line[]>()
  for (const transition of transitions) {
    const line = lineOf(transition)
    if (!line) continue
    const kind = transition.type === 'announced' ? `announced ${transition.protocol}` : `${line.what} ${line.why ?? ''}`
    const alike = groups.get(kind)
    if (alike) alike.push(line)
    else groups.set(kind, [line])
  }
  return [...groups.values()].flatMap(lines => (lines.length <= MOST_ALIKE ? lines : summary(lines)))
}

function lineOf(transition: Transition): Line | undefined {
  const object = `Service ${transition.service}`
  switch (transition.type) {
    case 'announced': {
      const { protocol, addresses, pool } = transition
      const why = `${addresses.join(', ')} of pool ${pool}`
      return { verdict: 'good', object, what: `announced by ${protocolName(protocol)}`, why }
    }
    case 'withdrawn':
      return { verdict: 'note', object, what: 'no longer announced', why: inWords(transition.reason) }
    case 'announceFailed': {
      const why = `none of these interfaces exists: ${transition.missing.join(', ')}`
      return { verdict: 'bad', object, what: 'cannot be announced by layer 2', why }
    }
    case 'skipped': {
      // Who does not announce is everyday life, and told with the Service; who is wrong is news.
      const { protocol, reason, detail } = transition
      if (verdictOf(reason) !== 'bad' || reason === 'noMatchingInterface') return undefined
      return { verdict: 'bad', object, what: `refused for ${protocolName(protocol)}`, why: inWords(reason, detail) }
    }
    default:
      return transition satisfies never
  }
}

function summary(lines: readonly Line[]): Line {
  const [first] = lines
  const { verdict, what } = first!
  const named = lines.slice(0, 3).map(({ object }) => object.slice('Service '.length))
  const why = `${named.join(', ')} and ${lines.length - named.length} more`
  return { verdict, object: `${lines.length} Services`, what, why }
}
