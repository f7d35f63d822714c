/**
 * Leader election by a Lease of Kubernetes: one of several processes works, the others stand by. {@link lead} does it;
 * {@link LeaderElection} are its decisions, without clock and network.
 *
 * ```ts
 * import { LeaderElection } from '@typemetal/cluster/leader'
 *
 * const election = new LeaderElection({ identity: 'pod-1' })
 * const now = 0 // milliseconds on a clock that never goes back
 * const bid = election.consider(undefined, '2026-01-01T00:00:00.000000Z', now)
 * console.log(bid.type === 'write' ? bid.reason : bid.holder) // absent
 * console.log(election.leads(now)) // false
 * ```
 *
 * @packageDocumentation
 */
export {
  type Bid,
  checkElectionTimes,
  ELECTION_TIMES,
  type ElectionOptions,
  type ElectionTimes,
  LeaderElection,
  type Milliseconds,
} from './election.js'
export { type ElectionClock, lead, type LeadOptions, type Term } from './lead.js'
export type { Lease, LeaseClient, LeaseSpec } from './lease.js'
