import type { PageFacts, Section, SessionFacts, ServiceFacts, Verdict } from '../facts.js'
import { SEVERITY } from './words.js'

/** Something that is not good. */
export interface Problem {
  readonly verdict: Verdict
  /** What kind of thing it is; the same for those that are counted together. */
  readonly noun: string
  /** Its name; absent where there is but one. */
  readonly name?: string
  readonly text: string
  readonly details?: readonly string[]
  readonly since?: string | undefined
  /** The table that has it, and words that find it there. */
  readonly section?: Section
  readonly filter?: string
}

/** All that is not good, the wrong first; in the order in which an operator would ask. */
export function problemsOf(facts: Partial<PageFacts>): readonly Problem[] {
  const {
    server,
    notices = [],
    services = [],
    sessions = [],
    nodes = [],
    pools = [],
    layer2 = [],
    members = [],
  } = facts
  const all: readonly Problem[] = [
    ...(server && server.ready !== true ? [notReady(server.component, server.ready)] : []),
    ...notices.map(({ verdict, what, details = [], since }) => ({
      verdict,
      noun: 'notice',
      text: what,
      details,
      since,
    })),
    ...services.map(serviceProblem),
    ...sessions.map(sessionProblem),
    ...nodes.map(({ verdict, node, alive, notes }) => {
      const text = [...(alive === false ? ['its speaker is not heard'] : []), ...notes].join(', ')
      return { verdict, noun: 'Node', name: node, text, section: 'nodes', filter: node } as const
    }),
    ...pools.map(({ verdict, pool, percent, notes }) => {
      const text = [`${percent} % in use`, ...notes].join(', ')
      return { verdict, noun: 'Pool', name: pool, text, section: 'pools', filter: pool } as const
    }),
    ...layer2.map(({ verdict, address, reason = 'somebody else answers as well' }) => {
      return { verdict, noun: 'Address', name: address, text: reason, section: 'layer2', filter: address } as const
    }),
    ...members.map(({ verdict, node, state }) => {
      return {
        verdict,
        noun: 'Member',
        name: node,
        text: `its gossip is ${state}`,
        section: 'members',
        filter: node,
      } as const
    }),
  ]
  return all.filter(({ verdict }) => verdict !== 'good').toSorted((a, b) => SEVERITY[a.verdict] - SEVERITY[b.verdict])
}

const notReady = (component: string, why: string): Problem => ({
  verdict: 'bad',
  noun: 'notice',
  text: `This ${component} is not ready: ${why}`,
})

function serviceProblem({ verdict, service, addresses, reason }: ServiceFacts): Problem {
  const text = reason ?? (addresses.length === 0 ? 'it has no address' : 'nobody announces it')
  return { verdict, noun: 'Service', name: service, text, section: 'services', filter: service }
}

function sessionProblem({ verdict, node, peer, target, state, since, bfd, reason }: SessionFacts): Problem {
  const watched = bfd && bfd.verdict !== 'good' ? [`BFD ${bfd.state}${bfd.reason ? ` (${bfd.reason})` : ''}`] : []
  const text = [state, ...watched, ...(reason === undefined ? [] : [reason])].join(', ')
  const worst = bfd && SEVERITY[bfd.verdict] < SEVERITY[verdict] ? bfd.verdict : verdict
  const name = `${peer} of ${node}`
  return {
    verdict: worst,
    noun: 'Session',
    name,
    text,
    since,
    section: 'sessions',
    filter: `${peer} ${node} ${target}`,
  }
}
