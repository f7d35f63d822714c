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

/** How a conflict has gone so far. */
export interface Dispute {
  /** The claimant has heard of us long enough ago to have given way, and answers on. @default false */
  readonly stands?: boolean
  /** The address, when both have given way before: then nothing but it and the names of the two counts. */
  readonly bare?: string | undefined
}

/**
 * The one of the two nodes that comes first in the election order of the address keeps it, whatever each of them takes for the ring:
 * they may not hear of each other, but both can work this out. A host that is none of the nodes has no right to the address, and no
 * more has a node that may not own it, such as one that cannot read the cluster and has not heard that the endpoints have moved: what
 * reached it would be lost.
 *
 * Of two nodes never both yield, however little they know of each other and whatever each of them takes for the preferences: who would
 * have the address without preferences leaves it to a preferred node only when that one stands by its claim, which a node that sees it
 * the other way round does not. Exactly one yields when each knows the other for a node that may own the address, and both know the same
 * preferences. Should they not even agree on the key of the election, both may yield once, and not a second time.
 * @param node this node
 * @param claimant the node that claims the address too; `undefined` when the host is none
 */
export function resolveConflict(
  node: string,
  claimant: string | undefined,
  election: AddressElection,
  { stands = false, bare }: Dispute = {},
): Resolution {
  const { key, scores, mayOwn } = election
  if (claimant === undefined || claimant === node || mayOwn?.(claimant) === false) return 'defend'
  const both = [node, claimant]
  if (bare !== undefined) return electionWinner(both, bare) === node ? 'defend' : 'yield'
  if (electionWinner(both, key, scores) === node) return 'defend'
  return stands || electionWinner(both, key) === claimant ? 'yield' : 'defend'
}
