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

/** What one Service wants for a prefix. */
interface Wish {
  readonly service: ObjectKey
  readonly advertised: AdvertisedPrefix
}

type Wishes = ReadonlyMap<string, readonly Wish[]>

/** What sessions of one kind are told, and the Services that reach them. */
interface Share {
  readonly routes: readonly RoutePlan[]
  readonly services: ReadonlySet<ObjectKey>
}

/**
 * Unites the prefixes of all Services per session: one route a prefix, the highest LOCAL_PREF, all communities.
 * Prefixes of a family that the session does not carry are left out. Sessions that are told the same share one list.
 */
export function aggregateRoutes(
  decisions: Iterable<ServiceDecision>,
  sessions: ReadonlyMap<string, SessionPlan>,
): Routes {
  const wishes = wishesByPrefix(decisions)
  const anyNamed = [...wishes.values()].some(list => list.some(({ advertised }) => advertised.peers.length > 0))
  const shares = new Map<string, Share>()
  const routes = new Map<string, readonly RoutePlan[]>()
  const peers = new Map<ObjectKey, string[]>()
  const notes: MergeNote[] = []
  for (const session of [...sessions.values()].toSorted(byName)) {
    const kind = anyNamed ? session.name : `${session.families.join()} ${isInternal(session)}`
    const share = shares.get(kind) ?? shareOf(wishes, session, notes)
    shares.set(kind, share)
    routes.set(session.name, share.routes)
    for (const service of share.services) append(peers, service, session.name)
  }
  return { routes, peersOf: peers, notes }
}

const byName = (a: SessionPlan, b: SessionPlan): number => (a.name < b.name ? -1 : 1)

function wishesByPrefix(decisions: Iterable<ServiceDecision>): Wishes {
  const wishes = new Map<string, Wish[]>()
  for (const { service, bgp } of decisions) {
    if (!bgp.announce) continue
    for (const advertised of bgp.prefixes) append(wishes, advertised.prefix, { service, advertised })
  }
  return new Map([...wishes].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function shareOf(wishes: Wishes, session: SessionPlan, notes: MergeNote[]): Share {
  const routes: RoutePlan[] = []
  const services = new Set<ObjectKey>()
  for (const [prefix, all] of wishes) {
    const wanted = all.every(wish => reaches(wish, session)) ? all : all.filter(wish => reaches(wish, session))
    const [only] = wanted
    if (!only) continue
    routes.push(
      wanted.length === 1 ? routeOf(only.advertised, isInternal(session)) : merge(prefix, wanted, session, notes),
    )
    // Every Service on the prefix is reachable through this peer, also one whose own advertisement did not name it.
    for (const { service } of all) services.add(service)
  }
  return { routes, services }
}

function reaches({ advertised }: Wish, session: SessionPlan): boolean {
  const family = advertised.family === 'IPv4' ? 'ipv4' : 'ipv6'
  const { peers } = advertised
  return session.families.includes(family) && (peers.length === 0 || peers.includes(session.name))
}

// Most prefixes are wanted once, and decisions live for long: their routes are made once and compare by identity.
const routesOf = new WeakMap<AdvertisedPrefix, Readonly<Record<'internal' | 'external', RoutePlan>>>()

function routeOf(advertised: AdvertisedPrefix, internal: boolean): RoutePlan {
  let made = routesOf.get(advertised)
  if (!made) {
    const { prefix, communities, localPref } = advertised
    const external = { prefix, nextHop: 'self', communities } as const
    made = { external, internal: { ...external, localPref: localPref || DEFAULT_LOCAL_PREF } }
    routesOf.set(advertised, made)
  }
  return internal ? made.internal : made.external
}

function merge(prefix: string, wishes: readonly Wish[], session: SessionPlan, notes: MergeNote[]): RoutePlan {
  const wanted = wishes.map(({ advertised }) => advertised)
  const localPrefs = [...new Set(wanted.map(({ localPref }) => localPref || DEFAULT_LOCAL_PREF))].toSorted(
    (a, b) => a - b,
  )
  const localPref = localPrefs.at(-1) ?? DEFAULT_LOCAL_PREF
  const communities = unite(wanted)
  const services = [...new Set(wishes.map(wish => wish.service))].toSorted()
  if (services.length > 1 && disagree(wanted)) {
    notes.push({ prefix, peer: session.name, services, localPrefs, localPref, communities })
  }
  return { prefix, nextHop: 'self', communities, ...(isInternal(session) && { localPref }) }
}

const disagree = (wanted: readonly AdvertisedPrefix[]): boolean =>
  new Set(wanted.map(({ localPref, communities }) => `${localPref} ${communities.join(' ')}`)).size > 1

function unite(wanted: readonly AdvertisedPrefix[]): readonly string[] {
  const first = wanted[0]?.communities ?? []
  if (wanted.every(({ communities }) => communities === first)) return first
  return [...new Set(wanted.flatMap(({ communities }) => communities))].toSorted(compareCommunities)
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

function append<V>(map: Map<string, V[]>, key: string, value: V): void {
  const list = map.get(key)
  if (list) list.push(value)
  else map.set(key, [value])
}
