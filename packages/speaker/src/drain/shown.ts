/** What statuses and metrics say while a drain keeps the announcers from doing what the plan says. */
import type { Outcome } from '../core/decider.js'
import type { ServiceDecision } from '../plan/types.js'
import type { DrainScope } from './types.js'

/**
 * An outcome in which nothing is announced by BGP once all routes were taken back. Layer 2 needs nothing: the plan knows who left the ring.
 * @param before what was shown last, if that was with another scope: then every Service may differ
 */
export function shownOutcome(outcome: Outcome, withdrawn: DrainScope, before?: Outcome): Outcome {
  if (withdrawn !== 'all' && before === undefined) return outcome
  const { plan, delta } = outcome
  const touched = new Set([...(before?.plan.services.keys() ?? []), ...plan.services.keys(), ...delta.services])
  const all = { ...outcome, delta: { ...delta, services: touched } }
  if (withdrawn !== 'all') return all
  const services = new Map([...plan.services].map(([key, decision]) => [key, withoutBGP(decision)]))
  return { ...all, plan: { ...plan, services, peersOf: new Map() } }
}

function withoutBGP(decision: ServiceDecision): ServiceDecision {
  return decision.bgp.announce ? { ...decision, bgp: { announce: false, reason: 'draining' } } : decision
}
