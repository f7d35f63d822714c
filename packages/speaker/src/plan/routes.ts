/** The route that a session is told for one prefix, put together from all Services that want it. */
import type { ObjectKey } from '@typemetal/cluster'
import { isInternal } from './sessions.js'
import type { AdvertisedPrefix, MergeNote, RoutePlan, ServiceDecision, SessionPlan } from './types.js'

/** What routers assume when no LOCAL_PREF is configured, and what is sent to iBGP peers then. */
export const DEFAULT_LOCAL_PREF = 100

/** What one Service wants for a prefix. */
export interface Wish {
  readonly service: ObjectKey
  readonly advertised: AdvertisedPrefix
}

/** The wishes of one Service, by prefix. */
export function* wishesOf({ service, bgp }: ServiceDecision): Generator<readonly [string, Wish]> {
  if (!bgp.announce) return
  for (const advertised of bgp.prefixes) yield [advertised.prefix, { service, advertised }]
}

/** Whether a session is told of a prefix by this wish: it carries the family, and the advertisement is meant for its peer. */
export function reaches({ advertised }: Wish, session: SessionPlan): boolean {
  const family = advertised.family === 'IPv4' ? 'ipv4' : 'ipv6'
  const { peers } = advertised
  return session.families.includes(family) && (peers.length === 0 || peers.includes(session.name))
}

/** A route, and what had to be merged for it. */
export interface MergedRoute {
  readonly route: RoutePlan
  readonly note?: MergeNote
}

/**
 * Unites the wishes that reach a session: the highest LOCAL_PREF, all communities.
 * @returns `undefined` when none reaches it
 */
export function routeFor(prefix: string, all: readonly Wish[], session: SessionPlan): MergedRoute | undefined {
  const wanted = all.filter(wish => reaches(wish, session))
  const [only] = wanted
  if (!only) return undefined
  return wanted.length === 1 ? { route: routeOf(only.advertised, isInternal(session)) } : merge(prefix, wanted, session)
}

// Fields by name: V8 gives each object that begins with a spread a shape of its own, ten times as large as the object.
const routeOf = ({ prefix, communities, localPref }: AdvertisedPrefix, internal: boolean): RoutePlan =>
  internal
    ? { prefix, nextHop: 'self', communities, localPref: localPref || DEFAULT_LOCAL_PREF }
    : { prefix, nextHop: 'self', communities }

function merge(prefix: string, wishes: readonly Wish[], session: SessionPlan): MergedRoute {
  const wanted = wishes.map(({ advertised }) => advertised)
  const localPrefs = [...new Set(wanted.map(({ localPref }) => localPref || DEFAULT_LOCAL_PREF))].toSorted(
    (a, b) => a - b,
  )
  const localPref = localPrefs.at(-1) ?? DEFAULT_LOCAL_PREF
  const communities = unite(wanted)
  const services = [...new Set(wishes.map(wish => wish.service))].toSorted()
  const route: RoutePlan = { prefix, nextHop: 'self', communities, ...(isInternal(session) && { localPref }) }
  if (services.length === 1 || !disagree(wanted)) return { route }
  return { route, note: { prefix, peer: session.name, services, localPrefs, localPref, communities } }
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
