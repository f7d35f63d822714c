/** What the BGP engine objects to, in the words of the BGPPeer. */
import type { PeerLimit } from './limits.js'

/** Fields of a BGPPeer by the engine's option that is made of them. */
const FIELDS: Readonly<Record<string, string>> = {
  address: 'spec.peerAddress',
  interface: 'spec.interface',
  port: 'spec.peerPort',
  asn: 'spec.peerASN',
  localAsn: 'spec.localASN',
  bgpIdentifier: 'spec.routerID',
  holdTime: 'spec.holdTime',
  keepaliveTime: 'spec.keepaliveTime',
  connectRetryTime: 'spec.connectTime',
  sourceAddress: 'spec.sourceAddress',
  device: 'spec.vrf',
  md5Key: 'spec.password',
  multihop: 'spec.ebgpMultiHop',
  bfd: 'spec.bfdProfile',
}

/** @param consequence what becomes of the session, one clause */
export function refusalOf(peer: string, error: unknown, consequence: string, notOpened: boolean): PeerLimit {
  const message = error instanceof Error ? error.message : String(error)
  const option = /^\w+/.exec(message)?.[0] ?? ''
  const field = FIELDS[option]
  return {
    peer,
    field: field ?? 'spec',
    // The engine's name of the option means nothing to who wrote the BGPPeer.
    reason: `${field === undefined ? message : message.replace(/^[\w.]+ /, '')}: ${consequence}`,
    notOpened,
  }
}
