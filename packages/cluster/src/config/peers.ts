import { parseAddress } from '../address/address.js'
import type { Secret } from '../resources/core.js'
import type { BGPPeer } from '../resources/metallb.js'
import { checkSelectorDuplicates, checkSelectors } from '../selector/check.js'
import type { PeerConfig } from './config.js'
import type { ErrorList } from './error-list.js'
import { buildPassword } from './peer-password.js'
import { buildTimers } from './timers.js'

/** A peer with the object it was made of. */
export interface PeerDraft {
  readonly object: BGPPeer
  readonly config: PeerConfig
}

/** Reads peers; values with faults are left out of the result. */
export function buildPeers(
  peers: readonly BGPPeer[],
  secrets: ReadonlyMap<string, Secret>,
  bfdProfileNames: ReadonlySet<string>,
  errors: ErrorList,
): readonly PeerDraft[] {
  return peers.map(object => {
    const peer: BGPPeer = { ...object, spec: object.spec ?? {} }
    checkASNs(peer, errors)
    checkEndpoint(peer, errors)
    const { nodeSelectors = [], bfdProfile } = peer.spec
    errors.addAll(peer, checkSelectorDuplicates(nodeSelectors, 'spec.nodeSelectors', 'nodeSelectors'))
    errors.addAll(peer, checkSelectors(nodeSelectors, 'spec.nodeSelectors'))
    if (bfdProfile && !bfdProfileNames.has(bfdProfile)) {
      const reason = `peer ${peer.metadata.name} referencing non existing bfd profile ${bfdProfile}`
      errors.add(peer, 'spec.bfdProfile', reason, { transient: true })
    }
    return { object: peer, config: build(peer, secrets, errors) }
  })
}

function build(peer: BGPPeer, secrets: ReadonlyMap<string, Secret>, errors: ErrorList): PeerConfig {
  const { spec } = peer
  const peerAddress = canonical(peer, 'peerAddress', 'invalid BGPPeer address', errors)
  const sourceAddress = canonical(peer, 'sourceAddress', 'invalid source IP', errors)
  const routerID = buildRouterID(peer, errors)
  const password = buildPassword(peer, secrets, errors)
  return {
    name: peer.metadata.name,
    myASN: spec.myASN,
    ...(spec.peerASN ? { peerASN: spec.peerASN } : {}),
    ...(isDynamic(spec.dynamicASN) && { dynamicASN: spec.dynamicASN }),
    ...(spec.localASN ? { localASN: spec.localASN } : {}),
    ...(peerAddress !== undefined && { peerAddress }),
    ...(spec.interface && { interface: spec.interface }),
    ...(sourceAddress !== undefined && { sourceAddress }),
    peerPort: spec.peerPort ?? 179,
    ...buildTimers(peer, errors),
    ...(routerID !== undefined && { routerID }),
    nodeSelectors: spec.nodeSelectors ?? [],
    ...(password !== undefined && { password }),
    ...(spec.bfdProfile && { bfdProfile: spec.bfdProfile }),
    gracefulRestart: spec.enableGracefulRestart ?? false,
    ebgpMultiHop: spec.ebgpMultiHop ?? false,
    ...(spec.vrf && { vrf: spec.vrf }),
    dualStackAddressFamily: spec.dualStackAddressFamily ?? false,
  }
}

function checkASNs(peer: BGPPeer, errors: ErrorList): void {
  const { myASN, peerASN, dynamicASN, ebgpMultiHop } = peer.spec
  if (!myASN) errors.add(peer, 'spec.myASN', 'missing local ASN')
  if (!peerASN && !dynamicASN) errors.add(peer, 'spec.peerASN', 'missing peer ASN and dynamicASN')
  if (peerASN && dynamicASN) errors.add(peer, 'spec.dynamicASN', 'both peer ASN and dynamicASN specified')
  if (myASN && peerASN === myASN && ebgpMultiHop) {
    errors.add(peer, 'spec.ebgpMultiHop', 'invalid ebgp-multihop parameter set for an ibgp peer')
  }
}

function checkEndpoint(peer: BGPPeer, errors: ErrorList): void {
  const { peerAddress, interface: name } = peer.spec
  if (!peerAddress && !name) errors.add(peer, 'spec.peerAddress', 'peer has no Address or Interface specified')
  if (peerAddress && name) errors.add(peer, 'spec.interface', 'peer has both Address and Interface specified')
}

function canonical(
  peer: BGPPeer,
  name: 'peerAddress' | 'sourceAddress',
  what: string,
  errors: ErrorList,
): string | undefined {
  const text = peer.spec[name]
  if (!text) return undefined
  const address = parseAddress(text)
  if (!address) errors.add(peer, `spec.${name}`, `${what} "${text}"`)
  return address?.text
}

/** A BGP Identifier is four octets (RFC 6286), so an IPv6 text, which the reference lets pass here, cannot be one. */
function buildRouterID(peer: BGPPeer, errors: ErrorList): string | undefined {
  const text = peer.spec.routerID
  if (!text) return undefined
  const address = parseAddress(text)
  if (address?.family === 'IPv4') return address.text
  errors.add(peer, 'spec.routerID', `invalid router ID "${text}": must be written as an IPv4 address`)
  return undefined
}

const isDynamic = (text: string | undefined): text is 'internal' | 'external' =>
  text === 'internal' || text === 'external'
