/** What has changed for people, as lines of a page. Pure. */
import { condense } from '@typemetal/cluster/page'
import type { Line } from '@typemetal/cluster/page'
import type { Transition } from '../core/transitions.js'
import { inWords, protocolName, verdictOf } from './reasons.js'

/** The lines that one step of the decider is worth, in its order. */
export const linesOf = (transitions: readonly Transition[]): readonly Line[] =>
  condense(transitions.flatMap(transition => lineOf(transition) ?? []))

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
