/** Leader election by a Lease of Kubernetes: one of several processes works, the others stand by. */
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
