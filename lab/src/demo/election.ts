/** The election rule, written down a second time: the demo must not ask the speakers' own code whether they are right. */
import { createHash } from 'node:crypto'

/** The node whose SHA-256 of `<node>#<ip>` is smallest announces the address at layer 2. @param ip canonical text */
export function expectedOwner(ip: string, nodes: readonly string[]): string | undefined {
  const ranked = nodes.map(node => ({ node, hash: createHash('sha256').update(`${node}#${ip}`).digest('hex') }))
  return ranked.toSorted((a, b) => (a.hash < b.hash ? -1 : 1))[0]?.node
}
