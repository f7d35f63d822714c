/** Sessions and plans in short, for tests of the BGP announcer. */
import type { Plan, RoutePlan, SessionPlan } from '@typemetal/speaker'

/** One session, with a router id so that nothing is asked of the machine. */
export const session = (changes: Partial<SessionPlan> = {}): SessionPlan => ({
  name: 'r',
  peerAddress: '192.0.2.1',
  peerPort: 179,
  myASN: 64512,
  peerASN: 64513,
  holdTimeSeconds: 90,
  keepaliveTimeSeconds: 30,
  ebgpMultiHop: false,
  gracefulRestart: false,
  families: ['ipv4'],
  routerID: '10.0.0.1',
  ...changes,
})

export const route = (prefix: string, communities: readonly string[] = []): RoutePlan => ({
  prefix,
  nextHop: 'self',
  communities,
})

/** A plan of these sessions, each of which is told the same. */
export function planOf(sessions: readonly SessionPlan[], routes: readonly RoutePlan[] = []): Plan {
  const byName = new Map(sessions.map(one => [one.name, one]))
  return {
    node: 'n1',
    services: new Map(),
    layer2: new Map(),
    sessions: byName,
    routes: new Map(sessions.map(({ name }) => [name, routes])),
    peersOf: new Map(),
    notes: [],
  }
}
