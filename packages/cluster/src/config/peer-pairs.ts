import type { Node } from '../resources/core.js'
import { matchesAny } from '../selector/match.js'
import type { PeerConfig } from './config.js'
import type { ErrorList } from './error-list.js'
import type { PeerDraft } from './peers.js'

/**
 * Reports peers that are one and the same session on some node: same address or interface, port and VRF (decision 3).
 * With no Node known, every pair is assumed to meet on one.
 */
export function checkPeerPairs(peers: readonly PeerDraft[], nodes: readonly Node[], errors: ErrorList): void {
  const byIdentity = new Map<string, PeerDraft[]>()
  for (const draft of peers) {
    if (endpoint(draft.config) === '') continue
    const id = identity(draft.config)
    const same = byIdentity.get(id) ?? []
    const twin = same.find(other => shareNode(other.config, draft.config, nodes))
    if (twin) {
      const reason = `peer ${endpoint(draft.config)} already exists as "${twin.config.name}", duplicate BGPPeers selecting the same node are not supported`
      errors.add(draft.object, draft.config.peerAddress === undefined ? 'spec.interface' : 'spec.peerAddress', reason)
    }
    byIdentity.set(id, [...same, draft])
  }
}

const identity = (peer: PeerConfig): string => `${endpoint(peer)}:${peer.peerPort}`

function endpoint({ peerAddress, interface: name, vrf }: PeerConfig): string {
  return `${peerAddress ?? name ?? ''}${vrf === undefined ? '' : `-${vrf}`}`
}

function shareNode(a: PeerConfig, b: PeerConfig, nodes: readonly Node[]): boolean {
  if (nodes.length === 0) return true
  return nodes.some(
    ({ metadata: { labels } }) => matchesAny(a.nodeSelectors, labels) && matchesAny(b.nodeSelectors, labels),
  )
}
