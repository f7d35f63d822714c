/** Who gives way when two hosts answer for one address. Pure, and the same on every node. */
import { electionWinner } from '../election.js'

/** What the election of an address is decided by. */
export interface AddressElection {
  /** Canonical text of the first address of the Service: the key of the election for all of them. */
  readonly key: string
  /** Sums of the preferred-node weights; an absent node has 0. */
  readonly scores: ReadonlyMap<string, number>
  /** Whether a node may own the address at all, in the ring or not. @default any node */
  readonly mayOwn?: (node: string) => boolean
  /** This is knowledge of the past: the cluster cannot be read now. @default false */
  readonly outdated?: boolean
}

/** `defend`: announce the address again and go on; `yield`: be silent until the other one has gone. */
export type Resolution = 'defend' | 'yield'

/**
 * The one of the two nodes that comes first in the election order of the address keeps it, whatever each of them takes for the ring:
 * they may not hear of each other, but both can work this out. A host that is none of the nodes has no right to the address, and no
 * more has a node that may not own it, such as one that cannot read the cluster and has not heard that the endpoints have moved: what
 * reached it would be lost.
 *
 * Of two nodes never both yield, however little they know. Exactly one does when each knows the other for a node that may own the address.
 * @param node this node
 * @param claimant the node that claims the address too; `undefined` when the host is none
 */
export function resolveConflict(node: string, claimant: string | undefined, election: AddressElection): Resolution {
  if (claimant === undefined || claimant === node || election.mayOwn?.(claimant) === false) return 'defend'
  return electionWinner([node, claimant], election.key, election.scores) === node ? 'defend' : 'yield'
}
