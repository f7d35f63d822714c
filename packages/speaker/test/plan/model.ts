/** What a plan's sums must be, written down as plainly as can be: every Service, address and prefix is looked at each time. */
import { compareCommunities, isInternal } from '@typemetal/speaker'
import type { Interfaces, Plan, RoutePlan, ServiceDecision, SessionPlan } from '@typemetal/speaker'

type Decisions = Iterable<ServiceDecision>

/** Addresses to answer for, from the decisions alone. */
export function layer2Of(decisions: Decisions): Map<string, Interfaces> {
  const answers = new Map<string, Interfaces>()
  for (const { addresses, layer2 } of decisions) {
    for (const address of layer2.announce ? addresses : []) {
      const more = layer2.announce ? layer2.interfaces : []
      const known = answers.get(address) ?? []
      answers.set(address, known === 'all' || more === 'all' ? 'all' : [...new Set([...known, ...more])].toSorted())
    }
  }
  return answers
}

/** Routes of one session, sorted by prefix. */
export function routesOf(decisions: Decisions, session: SessionPlan): RoutePlan[] {
  const routes = new Map<string, { localPref: number; communities: Set<string> }>()
  for (const { bgp } of decisions) {
    for (const { prefix, family, localPref, communities, peers } of bgp.announce ? bgp.prefixes : []) {
      if (!session.families.includes(family === 'IPv4' ? 'ipv4' : 'ipv6')) continue
      if (peers.length > 0 && !peers.includes(session.name)) continue
      const known = routes.get(prefix)
      routes.set(prefix, {
        localPref: Math.max(known?.localPref ?? 0, localPref === 0 ? 100 : localPref),
        communities: new Set([...(known?.communities ?? []), ...communities]),
      })
    }
  }
  return [...routes]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([prefix, { localPref, communities }]) => ({
      prefix,
      nextHop: 'self',
      communities: [...communities].toSorted(compareCommunities),
      ...(isInternal(session) && { localPref }),
    }))
}

/** Peers by Service: those that are told of one of its prefixes, by whomever. */
export function peersOf({ services, sessions }: Plan): Map<string, string[]> {
  const decisions = [...services.values()]
  const told = [...sessions.values()].map(
    session => [session.name, new Set(routesOf(decisions, session).map(({ prefix }) => prefix))] as const,
  )
  const peers = decisions.map(({ service, bgp }) => {
    const prefixes = bgp.announce ? bgp.prefixes.map(({ prefix }) => prefix) : []
    const names = told.filter(([, known]) => prefixes.some(prefix => known.has(prefix))).map(([name]) => name)
    return [service, names.toSorted()] as const
  })
  return new Map(peers.filter(([, names]) => names.length > 0))
}
