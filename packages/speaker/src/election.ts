/** Who answers for a layer-2 address. MUST be the same on every speaker of the cluster, MetalLB's included. */
import { hash } from 'node:crypto'

/**
 * Which release's election rules to follow, for clusters that still run older MetalLB speakers.
 * `0.15` ignores service selectors; `0.15` and `0.16` know neither preferred nodes nor the refusal of shared addresses
 * with service selectors. All levels agree where these features are not used.
 */
export type ElectionLevel = '0.15' | '0.16' | 'main'

/** Every {@link ElectionLevel}, oldest first. */
export const ELECTION_LEVELS: readonly ElectionLevel[] = ['0.15', '0.16', 'main']

/** Lower-case hex of SHA-256 over `<node>#<ip>` in UTF-8; hex compares as the octets do. */
export function electionDigest(node: string, ip: string): string {
  return hash('sha256', `${node}#${ip}`, 'hex')
}

/**
 * Sorts nodes into the order in which they own an address: higher score first, then the smaller digest.
 * The order of `nodes` does not matter, and nothing is remembered between calls.
 * @param ip canonical text of the Service's first address (RFC 5952 for IPv6)
 * @param scores sum of the preferred-node weights; an absent node has 0
 */
export function electionOrder(
  nodes: Iterable<string>,
  ip: string,
  scores: ReadonlyMap<string, number> = new Map(),
): readonly string[] {
  const ranked = [...new Set(nodes)].map(node => ({
    node,
    score: scores.get(node) ?? 0,
    digest: electionDigest(node, ip),
  }))
  ranked.sort((a, b) => b.score - a.score || (a.digest < b.digest ? -1 : 1))
  return ranked.map(({ node }) => node)
}

/** How an election came out the last time. */
export interface StandingElection {
  readonly winner: string
  /** Who stood then; with the same scores. */
  readonly among: ReadonlySet<string>
}

/**
 * The first of {@link electionOrder} without sorting, hashing only the nodes that share the highest score.
 * @param standing spares the hashes of those whom the winner has beaten already; changes nothing about the result
 * @returns `undefined` when there is no candidate
 */
export function electionWinner(
  nodes: Iterable<string>,
  ip: string,
  scores: ReadonlyMap<string, number> = new Map(),
  standing?: StandingElection,
): string | undefined {
  const best = challengers(withHighestScore(nodes, scores), standing)
  if (best.length <= 1) return best[0]
  let winner: string | undefined
  let smallest = ''
  for (const node of best) {
    const digest = electionDigest(node, ip)
    if (winner === undefined || digest < smallest) [winner, smallest] = [node, digest]
  }
  return winner
}

/** The last winner, if it still has the highest score, and those who have not stood against it. */
function challengers(best: readonly string[], standing: StandingElection | undefined): readonly string[] {
  if (!standing || !best.includes(standing.winner)) return best
  return best.filter(node => node === standing.winner || !standing.among.has(node))
}

function withHighestScore(nodes: Iterable<string>, scores: ReadonlyMap<string, number>): readonly string[] {
  let best: string[] = []
  let highest = -Infinity
  for (const node of nodes) {
    const score = scores.get(node) ?? 0
    if (score > highest) [best, highest] = [[], score]
    if (score === highest) best.push(node)
  }
  return best
}
