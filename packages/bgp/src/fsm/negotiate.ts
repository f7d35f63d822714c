import {
  encodeOpen,
  familyName,
  familyOf,
  openAsn,
  AS_TRANS,
  HEADER_LENGTH,
  WireError,
  type Capability,
  type FamilyName,
  type OpenMessage,
} from '../wire/index.js'
import type { Seconds } from './timers.js'

/** AS number that the peer must have: this one, ours (`internal`), or any but ours (`external`). */
export type RemoteAs = number | 'internal' | 'external'

/** What we say of ourselves in an OPEN. */
export interface LocalSpeaker {
  readonly asn: number
  readonly bgpIdentifier: number
  readonly holdTime: Seconds
  readonly families: readonly FamilyName[]
}

/** What two OPEN messages agree on. */
export interface Negotiated {
  readonly peerAsn: number
  readonly peerBgpIdentifier: number
  /** The peer is in our AS. */
  readonly internal: boolean
  /** The smaller of both; 0 means neither hold timer nor KEEPALIVE (RFC 4271 section 4.2). */
  readonly holdTime: Seconds
  /** Both sides know 4-octet AS numbers, RFC 6793. */
  readonly fourOctetAs: boolean
  /** Families that both sides carry, RFC 4760 section 8. */
  readonly families: readonly FamilyName[]
  /** The peer takes ROUTE-REFRESH, RFC 2918. */
  readonly routeRefresh: boolean
  /** All that the peer's OPEN said. */
  readonly peerCapabilities: readonly Capability[]
}

/** The OPEN we send: one multiprotocol capability for each family, route refresh, 4-octet AS. */
export function createOpen({ asn, bgpIdentifier, holdTime, families }: LocalSpeaker): OpenMessage {
  const capabilities: Capability[] = families.map(name => ({ type: 'multiprotocol', ...familyOf(name) }))
  capabilities.push({ type: 'route-refresh' }, { type: 'four-octet-as', asn })
  return { type: 'open', version: 4, asn: asn > 0xffff ? AS_TRANS : asn, holdTime, bgpIdentifier, capabilities }
}

function checkPeerAs(peerAsn: number, localAsn: number, expected: RemoteAs): void {
  const fits =
    typeof expected === 'number' ? peerAsn === expected : (peerAsn === localAsn) === (expected === 'internal')
  // RFC 7607: AS number 0 is never right, not in capability 65 either.
  if (!fits || peerAsn === 0) throw new WireError(`peer AS ${peerAsn}, expected ${expected}`, HEADER_LENGTH + 1, [2, 2])
}

/** Families of a speaker; IPv4 unicast when its OPEN has no multiprotocol capability at all (RFC 4760 section 8). */
function familiesOf(open: OpenMessage): readonly FamilyName[] {
  const multiprotocol = open.capabilities.filter(capability => capability.type === 'multiprotocol')
  if (multiprotocol.length === 0) return ['ipv4-unicast']
  return multiprotocol.map(familyName).filter(name => name !== undefined)
}

function commonFamilies(local: LocalSpeaker, remote: OpenMessage): readonly FamilyName[] {
  const theirs = familiesOf(remote)
  const common = local.families.filter(name => theirs.includes(name))
  if (common.length > 0) return common
  // RFC 5492 section 5: the data of Unsupported Capability lists what the peer should have had.
  const ours = createOpen(local)
  const wanted = { ...ours, capabilities: ours.capabilities.filter(({ type }) => type === 'multiprotocol') }
  const data = encodeOpen(wanted).subarray(HEADER_LENGTH + 12)
  throw new WireError('no address family in common', HEADER_LENGTH + 9, [2, 7], 'session-reset', data)
}

/**
 * Checks the peer's OPEN against what we expect and works out what the session may do, RFC 4271 section 6.2.
 *
 * @throws {WireError} 2/2 Bad Peer AS, 2/3 Bad BGP Identifier (RFC 6286), 2/7 no family in common (RFC 5492)
 */
export function negotiate(local: LocalSpeaker, remote: OpenMessage, expected: RemoteAs): Negotiated {
  const peerAsn = openAsn(remote)
  checkPeerAs(peerAsn, local.asn, expected)
  const internal = peerAsn === local.asn
  if (internal && remote.bgpIdentifier === local.bgpIdentifier) {
    throw new WireError('BGP Identifier is our own', HEADER_LENGTH + 5, [2, 3])
  }
  const has = (type: Capability['type']): boolean => remote.capabilities.some(capability => capability.type === type)
  return {
    peerAsn,
    peerBgpIdentifier: remote.bgpIdentifier,
    internal,
    holdTime: Math.min(local.holdTime, remote.holdTime),
    fourOctetAs: has('four-octet-as'),
    families: commonFamilies(local, remote),
    routeRefresh: has('route-refresh'),
    peerCapabilities: remote.capabilities,
  }
}
