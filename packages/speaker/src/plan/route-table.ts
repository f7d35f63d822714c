/** The routes of all Services for all sessions, kept up to date by difference. */
import { LayeredMap } from '@typemetal/cluster'
import type { ObjectKey } from '@typemetal/cluster'
import { sameList } from './context.js'
import type { DecisionChanges } from './decisions.js'
import type { RouteDelta } from './delta.js'
import { regroup } from './groups.js'
import type { Groups } from './groups.js'
import { reaches, wishesOf } from './routes.js'
import type { Wish } from './routes.js'
import { diffRoutes, groupSessions, updateShare } from './shares.js'
import type { Share } from './shares.js'
import type { MergeNote, Plan, ServiceDecision, SessionPlan } from './types.js'

/** Everything that BGP is told, with what it was put together from. */
export interface RouteTable {
  readonly wishes: Groups<Wish>
  readonly shares: readonly Share[]
  /** Names of the peers that are told of a prefix, sorted; none for a prefix that nobody is told of. */
  readonly peersByPrefix: LayeredMap<string, readonly string[]>
  readonly routes: Plan['routes']
  readonly peersOf: LayeredMap<ObjectKey, readonly string[]>
  readonly notes: readonly MergeNote[]
}

/** What {@link updateRoutes} changed. */
export interface RouteTableDelta {
  readonly routes: ReadonlyMap<string, RouteDelta>
  /** Services with other peers. */
  readonly services: ReadonlySet<ObjectKey>
}

type Sessions = ReadonlyMap<string, SessionPlan>

const EMPTY: RouteTable = {
  wishes: new LayeredMap(),
  shares: [],
  peersByPrefix: new LayeredMap(),
  routes: new Map(),
  peersOf: new LayeredMap(),
  notes: [],
}

/**
 * Brings the table in line with changed decisions, and with the sessions.
 * @param services all decisions, the changed ones included
 * @param separate whether advertisements name peers
 */
export function updateRoutes(
  changes: DecisionChanges,
  services: ReadonlyMap<ObjectKey, ServiceDecision>,
  sessions: Sessions,
  separate: boolean,
  previous: RouteTable = EMPTY,
): { readonly table: RouteTable; readonly delta: RouteTableDelta } {
  const { groups: wishes, affected } = regroup(previous.wishes, changes, wishesOf)
  const { shares, deltas } = updateShares(previous.shares, wishes, affected, groupSessions(sessions.values(), separate))
  const sameSessions = sameKinds(previous.shares, shares)
  const routes = sameSessions && deltas.size === 0 ? previous.routes : routesOf(shares)
  const looked = sameSessions ? affected : new Set([...previous.wishes.keys(), ...wishes.keys()])
  const reach = updateReach(previous.peersByPrefix, wishes, shares, looked)
  const concerned = new Set(changes.keys())
  for (const prefix of reach.changed) for (const { service } of wishes.get(prefix) ?? []) concerned.add(service)
  const peers = updatePeers(previous.peersOf, reach.peersByPrefix, services, concerned)
  const notes = sameNotes(previous.shares, shares) ? previous.notes : notesOf(shares)
  return {
    table: { wishes, shares, peersByPrefix: reach.peersByPrefix, routes, peersOf: peers.peersOf, notes },
    delta: { routes: deltas, services: peers.changed },
  }
}

function updateShares(
  previous: readonly Share[],
  wishes: Groups<Wish>,
  affected: ReadonlySet<string>,
  wanted: readonly Share[],
): { readonly shares: readonly Share[]; readonly deltas: ReadonlyMap<string, RouteDelta> } {
  const deltas = new Map<string, RouteDelta>()
  const shareBefore = new Map(previous.flatMap(share => share.sessions.map(({ name }) => [name, share] as const)))
  const shares = wanted.map(empty => {
    const old = previous.find(share => isOfKind(share, empty))
    const { share, delta } = old
      ? updateShare({ ...old, sessions: empty.sessions }, wishes, affected)
      : updateShare(empty, wishes, wishes.keys())
    for (const { name } of share.sessions) {
      const before = shareBefore.get(name)
      const own = before === old ? delta : diffRoutes(before?.routes ?? [], share.routes)
      if (own.size > 0) deltas.set(name, own)
    }
    return share
  })
  return { shares, deltas }
}

/** Notes name the first session, so it has to be the same one. */
const isOfKind = (a: Share, b: Share): boolean => a.kind === b.kind && a.sessions[0].name === b.sessions[0].name

const sameKinds = (a: readonly Share[], b: readonly Share[]): boolean =>
  a.length === b.length &&
  a.every((share, i) => {
    const other = b[i]
    return other !== undefined && isOfKind(share, other) && sameList(namesOf(share), namesOf(other))
  })

const namesOf = ({ sessions }: Share): readonly string[] => sessions.map(({ name }) => name)

const routesOf = (shares: readonly Share[]): Plan['routes'] =>
  new Map(shares.flatMap(({ sessions, routes }) => sessions.map(({ name }) => [name, routes] as const)))

const sameNotes = (a: readonly Share[], b: readonly Share[]): boolean =>
  a.length === b.length &&
  a.every(({ notes }, i) => notes === b[i]?.notes || (notes.size === 0 && b[i]?.notes.size === 0))

const notesOf = (shares: readonly Share[]): readonly MergeNote[] =>
  shares.flatMap(({ notes }) => [...notes.values()].toSorted((a, b) => (a.prefix < b.prefix ? -1 : 1)))

function updateReach(
  previous: RouteTable['peersByPrefix'],
  wishes: Groups<Wish>,
  shares: readonly Share[],
  prefixes: ReadonlySet<string>,
): { readonly peersByPrefix: RouteTable['peersByPrefix']; readonly changed: ReadonlySet<string> } {
  const changed = new Map<string, readonly string[] | undefined>()
  // Nearly all prefixes reach the same peers: one list for all of them.
  const lists = new Map<string, readonly string[]>()
  for (const prefix of prefixes) {
    const all = wishes.get(prefix) ?? []
    const reached = shares.filter(({ sessions }) => all.some(wish => reaches(wish, sessions[0])))
    const kinds = reached.map(({ kind }) => kind).join('/')
    const peers = lists.get(kinds) ?? reached.flatMap(namesOf).toSorted()
    lists.set(kinds, peers)
    const now = peers.length > 0 ? peers : undefined
    if (!sameList(previous.get(prefix), now)) changed.set(prefix, now)
  }
  return { peersByPrefix: changed.size > 0 ? previous.with(changed) : previous, changed: new Set(changed.keys()) }
}

/** Every Service on a prefix is reachable through a peer that knows it, also one whose own advertisement did not name the peer. */
function updatePeers(
  previous: RouteTable['peersOf'],
  peersByPrefix: RouteTable['peersByPrefix'],
  services: ReadonlyMap<ObjectKey, ServiceDecision>,
  concerned: ReadonlySet<ObjectKey>,
): { readonly peersOf: RouteTable['peersOf']; readonly changed: ReadonlySet<ObjectKey> } {
  const changed = new Map<ObjectKey, readonly string[] | undefined>()
  for (const service of concerned) {
    const now = peersOf(services.get(service), peersByPrefix)
    if (!sameList(previous.get(service), now)) changed.set(service, now)
  }
  return { peersOf: changed.size > 0 ? previous.with(changed) : previous, changed: new Set(changed.keys()) }
}

function peersOf(
  decision: ServiceDecision | undefined,
  peersByPrefix: RouteTable['peersByPrefix'],
): readonly string[] | undefined {
  if (!decision?.bgp.announce) return undefined
  const lists = new Set(decision.bgp.prefixes.map(({ prefix }) => peersByPrefix.get(prefix) ?? []))
  const [only = []] = lists
  const peers = lists.size === 1 ? only : [...new Set([...lists].flat())].toSorted()
  return peers.length > 0 ? peers : undefined
}
