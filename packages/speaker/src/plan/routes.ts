/** The routes of all Services, put together for each session. */
import type { ObjectKey } from '@typemetal/cluster'
import { isInternal } from './sessions.js'
import type { AdvertisedPrefix, MergeNote, RoutePlan, ServiceDecision, SessionPlan } from './types.js'

/** What routers assume when no LOCAL_PREF is configured, and what is sent to iBGP peers then. */
export const DEFAULT_LOCAL_PREF = 100

/** Routes by session, and what had to be merged. */
export interface Routes {
  readonly routes: ReadonlyMap<string, readonly RoutePlan[]>
  readonly peersOf: ReadonlyMap<ObjectKey, readonly string[]>
  readonly notes: readonly MergeNote[]
}

/** What every Service wants for one prefix to one peer. */
interface Wish extends AdvertisedPrefix {
  readonly service: ObjectKey
}

/**
 * Unites the prefixes of all Services per session: one route a prefix, the highest LOCAL_PREF, all communities.
 * Prefixes of a family that the session does not carry are left out.
 */
export function aggregateRoutes(
  decisions: Iterable<ServiceDecision>,
  sessions: ReadonlyMap<string, SessionPlan>,
): Routes {
  const wishes = wishesByPrefix(decisions)
  const routes = new Map<string, readonly RoutePlan[]>()
  const peers = new Map<ObjectKey, Set<string>>()
  const notes: MergeNote[] = []
  for (const session of sessions.values()) {
    const list: RoutePlan[] = []
    for (const [prefix, all] of wishes) {
      const wanted = all.filter(wish => reaches(wish, session))
      if (wanted.length === 0) continue
      list.push(merge(prefix, wanted, session, notes))
      // Every Service on the prefix is reachable through this peer, also one whose own advertisement did not name it.
      for (const { service } of all) addTo(peers, service, session.name)
    }
    routes.set(session.name, list)
  }
  return { routes, peersOf: sortedPeers(peers), notes }
}

function wishesByPrefix(decisions: Iterable<ServiceDecision>): ReadonlyMap<string, readonly Wish[]> {
  const wishes = new Map<string, Wish[]>()
  for (const { service, bgp } of decisions) {
    if (!bgp.announce) continue
    for (const prefix of bgp.prefixes) {
      const list = wishes.get(prefix.prefix)
      if (list) list.push({ ...prefix, service })
      else wishes.set(prefix.prefix, [{ ...prefix, service }])
    }
  }
  return new Map([...wishes].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function reaches(wish: Wish, session: SessionPlan): boolean {
  const family = wish.family === 'IPv4' ? 'ipv4' : 'ipv6'
  return session.families.includes(family) && (wish.peers.length === 0 || wish.peers.includes(session.name))
}

function merge(prefix: string, wishes: readonly Wish[], session: SessionPlan, notes: MergeNote[]): RoutePlan {
  const localPrefs = [...new Set(wishes.map(wish => wish.localPref || DEFAULT_LOCAL_PREF))].toSorted((a, b) => a - b)
  const localPref = localPrefs.at(-1) ?? DEFAULT_LOCAL_PREF
  const communities = unite(wishes)
  const services = [...new Set(wishes.map(wish => wish.service))].toSorted()
  if (services.length > 1 && disagree(wishes)) {
    notes.push({ prefix, peer: session.name, services, localPrefs, localPref, communities })
  }
  return { prefix, nextHop: 'self', communities, ...(isInternal(session) && { localPref }) }
}

const disagree = (wishes: readonly Wish[]): boolean =>
  new Set(wishes.map(wish => `${wish.localPref} ${wish.communities.join(' ')}`)).size > 1

function unite(wishes: readonly Wish[]): readonly string[] {
  const first = wishes[0]?.communities ?? []
  if (wishes.every(wish => wish.communities === first)) return first
  return [...new Set(wishes.flatMap(wish => wish.communities))].toSorted(compareCommunities)
}

/** MetalLB's order: as triples, a standard community `a:b` counting as (a·65536+b, 0, 0). */
export function compareCommunities(a: string, b: string): number {
  const left = triple(a)
  const right = triple(b)
  return left[0] - right[0] || left[1] - right[1] || left[2] - right[2] || Number(a > b) - Number(a < b)
}

function triple(community: string): readonly [number, number, number] {
  const numbers = community.split(':').map(Number)
  if (community.startsWith('large:')) return [numbers[1] ?? 0, numbers[2] ?? 0, numbers[3] ?? 0]
  return [(numbers[0] ?? 0) * 0x1_0000 + (numbers[1] ?? 0), 0, 0]
}

function addTo(map: Map<ObjectKey, Set<string>>, key: ObjectKey, name: string): void {
  const set = map.get(key)
  if (set) set.add(name)
  else map.set(key, new Set([name]))
}

const sortedPeers = (peers: ReadonlyMap<ObjectKey, ReadonlySet<string>>): ReadonlyMap<ObjectKey, readonly string[]> =>
  new Map([...peers].map(([service, names]) => [service, [...names].toSorted()]))
