/** What statuses and metrics say while a drain keeps the announcers from doing what the plan says. */
import type { Outcome } from '../core/decider.js'
import type { ServiceDecision } from '../plan/types.js'
import type { DrainScope } from './types.js'

/** What a drain has done to BGP. */
export interface Withdrawal {
  readonly withdrawn: DrainScope
  /** Prefixes that stay, for nobody else announces them. */
  readonly sole: ReadonlySet<string>
}

/**
 * An outcome in which nothing is announced by BGP that was taken back. Layer 2 needs nothing: the plan knows who left the ring.
 * @param before what was shown last, if that was with another scope: then every Service may differ
 */
export function shownOutcome(outcome: Outcome, { withdrawn, sole }: Withdrawal, before?: Outcome): Outcome {
  if (withdrawn !== 'all' && before === undefined) return outcome
  const { plan, delta } = outcome
  const touched = new Set([...(before?.plan.services.keys() ?? []), ...plan.services.keys(), ...delta.services])
  const all = { ...outcome, delta: { ...delta, services: touched } }
  if (withdrawn !== 'all') return all
  const services = new Map([...plan.services].map(([key, decision]) => [key, shown(decision, sole)]))
  const peersOf = new Map([...plan.peersOf].filter(([key]) => services.get(key)?.bgp.announce))
  return { ...all, plan: { ...plan, services, peersOf } }
}

function shown(decision: ServiceDecision, sole: ReadonlySet<string>): ServiceDecision {
  const { bgp } = decision
  if (!bgp.announce || bgp.prefixes.some(({ prefix }) => sole.has(prefix))) return decision
  return { ...decision, bgp: { announce: false, reason: 'draining' } }
}
