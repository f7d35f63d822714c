/** Sessions that are told the same, and what they are told. */
import { isDeepStrictEqual } from 'node:util'
import { sameList } from './context.js'
import type { RouteDelta } from './delta.js'
import type { Groups } from './groups.js'
import { routeFor } from './routes.js'
import type { Wish } from './routes.js'
import { isInternal } from './sessions.js'
import type { MergeNote, RoutePlan, SessionPlan } from './types.js'

/** Routes of sessions that differ in nothing that matters to routes. */
export interface Share {
  /** What the sessions have in common. */
  readonly kind: string
  /** In order of their names, at least one: the first stands for all. */
  readonly sessions: readonly [SessionPlan, ...SessionPlan[]]
  /** Sorted by prefix. */
  readonly routes: readonly RoutePlan[]
  /** What had to be merged, by prefix. */
  readonly notes: ReadonlyMap<string, MergeNote>
}

/** A share without routes for each kind of session. @param separate advertisements name peers, so that no two sessions are alike */
export function groupSessions(sessions: Iterable<SessionPlan>, separate: boolean): readonly Share[] {
  const kinds = new Map<string, [SessionPlan, ...SessionPlan[]]>()
  for (const session of [...sessions].toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const family = `${session.families.toSorted().join()} ${isInternal(session)}`
    const kind = separate ? `${family} ${session.name}` : family
    const same = kinds.get(kind)
    if (same) same.push(session)
    else kinds.set(kind, [session])
  }
  return [...kinds].map(([kind, members]) => ({ kind, sessions: members, routes: [], notes: new Map() }))
}

/** Brings the routes of a share in line with wishes of which those for some prefixes have changed. */
export function updateShare(
  share: Share,
  wishes: Groups<Wish>,
  affected: Iterable<string>,
): { readonly share: Share; readonly delta: RouteDelta } {
  const { routes, sessions, notes: before } = share
  const delta = new Map<string, RoutePlan | undefined>()
  let notes: Map<string, MergeNote> | undefined
  for (const prefix of [...affected].toSorted()) {
    const merged = routeFor(prefix, wishes.get(prefix) ?? [], sessions[0])
    if (!sameRoute(merged?.route, routeTo(routes, prefix))) delta.set(prefix, merged?.route)
    if (isDeepStrictEqual(merged?.note, before.get(prefix))) continue
    notes ??= new Map(before)
    if (merged?.note) notes.set(prefix, merged.note)
    else notes.delete(prefix)
  }
  if (delta.size === 0 && !notes) return { share, delta }
  return { share: { ...share, routes: patch(routes, delta), notes: notes ?? before }, delta }
}

/** What leads from one sorted list of routes to another. */
export function diffRoutes(before: readonly RoutePlan[], after: readonly RoutePlan[]): RouteDelta {
  if (before === after) return new Map()
  const old = new Map(before.map(route => [route.prefix, route]))
  const delta = new Map<string, RoutePlan | undefined>()
  for (const route of after) {
    if (!sameRoute(old.get(route.prefix), route)) delta.set(route.prefix, route)
    old.delete(route.prefix)
  }
  for (const prefix of old.keys()) delta.set(prefix, undefined)
  return delta
}

const sameRoute = (a: RoutePlan | undefined, b: RoutePlan | undefined): boolean =>
  a === b || (a?.prefix === b?.prefix && a?.localPref === b?.localPref && sameList(a?.communities, b?.communities))

const routeTo = (routes: readonly RoutePlan[], prefix: string): RoutePlan | undefined => {
  const route = routes[positionOf(routes, prefix, 0)]
  return route?.prefix === prefix ? route : undefined
}

/** Up to so many routes are put one by one into a copy: V8 moves the thousands around them at once. */
const FEW = 16

/** @param delta its prefixes in ascending order */
function patch(routes: readonly RoutePlan[], delta: RouteDelta): readonly RoutePlan[] {
  return delta.size <= FEW ? patchFew(routes, delta) : merge(routes, delta)
}

function patchFew(routes: readonly RoutePlan[], delta: RouteDelta): readonly RoutePlan[] {
  const patched = [...routes]
  for (const [prefix, route] of delta) {
    const at = positionOf(patched, prefix, 0)
    const count = patched[at]?.prefix === prefix ? 1 : 0
    if (route) patched.splice(at, count, route)
    else patched.splice(at, count)
  }
  return patched
}

function merge(routes: readonly RoutePlan[], delta: RouteDelta): readonly RoutePlan[] {
  const patched: RoutePlan[] = []
  let next = 0
  for (const [prefix, route] of delta) {
    const at = positionOf(routes, prefix, next)
    for (; next < at; next++) patched.push(routes[next]!)
    if (route) patched.push(route)
    if (routes[at]?.prefix === prefix) next++
  }
  for (; next < routes.length; next++) patched.push(routes[next]!)
  return patched
}

/** Index of the first route that does not come before a prefix. */
function positionOf(routes: readonly RoutePlan[], prefix: string, from: number): number {
  let low = from
  let high = routes.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (routes[middle]!.prefix < prefix) low = middle + 1
    else high = middle
  }
  return low
}
