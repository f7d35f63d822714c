import { capabilitiesLength, encodeCapabilities } from '../wire/capability/index.js'
import {
  Afi,
  familyName,
  HEADER_LENGTH,
  lastCapability,
  openAsn,
  WireError,
  type AddPathFamily,
  type Capability,
  type Family,
  type FamilyName,
  type OpenMessage,
} from '../wire/index.js'
import { createOpen, localAs, type LocalSpeaker, type RemoteAs } from './open.js'
import { checkRoles, type RoleName } from './roles.js'
import type { Seconds } from './timers.js'

/** What the peer's Graceful Restart capability says, RFC 4724 section 3, of the families that the session carries. */
export interface PeerGracefulRestart {
  /** Restart State (R): the peer has restarted and holds back its routes until it has heard its peers. */
  readonly restarting: boolean
  /** Both sides keep routes through NOTIFICATIONs and the HoldTimer, RFC 8538. */
  readonly notification: boolean
  /** How long to wait for the peer to come back. */
  readonly restartTime: Seconds
  /** Families whose routes are to be kept meanwhile. */
  readonly families: readonly {
    readonly family: FamilyName
    /** Forwarding State (F): the peer has gone on forwarding through its last restart. */
    readonly forwardingPreserved: boolean
  }[]
}

/** A family of the peer's Long-Lived Graceful Restart capability, RFC 9494 section 3.1. */
export interface PeerLongLivedFamily {
  readonly family: FamilyName
  readonly forwardingPreserved: boolean
  /** How long to keep stale routes after the Restart Time. */
  readonly staleTime: Seconds
}

/** What two OPEN messages agree on. */
export interface Negotiated {
  readonly peerAsn: number
  readonly peerBgpIdentifier: number
  /** The peer is in our AS. */
  readonly internal: boolean
  /** The peer is in our confederation, in another member AS (RFC 5065). */
  readonly confederation: boolean
  /** The smaller of both; 0 means neither hold timer nor KEEPALIVE (RFC 4271 section 4.2). */
  readonly holdTime: Seconds
  /** Both sides know 4-octet AS numbers, RFC 6793. */
  readonly fourOctetAs: boolean
  /** Families that both sides carry, RFC 4760 section 8. */
  readonly families: readonly FamilyName[]
  /** Families with a Path Identifier in each direction, RFC 7911 section 4. */
  readonly addPath: { readonly receive: readonly FamilyName[]; readonly send: readonly FamilyName[] }
  /** Our messages may have up to 65,535 octets: both sides take such ones, RFC 8654. */
  readonly extendedMessage: boolean
  /** Families whose prefixes we may send with a next hop of the other family: both sides take them, RFC 8950. */
  readonly extendedNextHop: readonly FamilyName[]
  /**
   * What our OPEN has promised to take, and the peer may send without having said the same: RFC 8654 section 4, RFC 8950
   * section 4.
   */
  readonly promised: { readonly extendedMessage: boolean; readonly extendedNextHop: readonly FamilyName[] }
  /** The peer takes ROUTE-REFRESH, RFC 2918. */
  readonly routeRefresh: boolean
  /** Both sides mark where a refresh begins and ends, RFC 7313. */
  readonly enhancedRouteRefresh: boolean
  /** Ours to an external peer, RFC 9234; the peer's, if it has said one, belongs to it. */
  readonly role: RoleName | undefined
  /** What the peer said; `undefined` unless both sides have the capability. */
  readonly gracefulRestart: PeerGracefulRestart | undefined
  /** What the peer said; `undefined` unless both sides have this capability and that of graceful restart. */
  readonly longLivedGracefulRestart: readonly PeerLongLivedFamily[] | undefined
  /** AIGP is taken and sent, RFC 7311 section 3.2. */
  readonly aigp: boolean
  /** Neither side comes to Established before BFD is Up, draft-ietf-idr-bgp-bfd-strict-mode section 6. */
  readonly bfdStrictMode: boolean
  /** All that the peer's OPEN said; octets of their own, which stay. */
  readonly peerCapabilities: readonly Capability[]
}

function checkPeerAs(peerAsn: number, ours: number, expected: RemoteAs): void {
  const fits = typeof expected === 'number' ? peerAsn === expected : (peerAsn === ours) === (expected === 'internal')
  // RFC 7607: AS number 0 is never right, not in capability 65 either.
  if (!fits || peerAsn === 0) throw new WireError(`peer AS ${peerAsn}, expected ${expected}`, HEADER_LENGTH + 1, [2, 2])
}

/** RFC 5492 section 3: Unsupported Capability, with what the peer should have had. */
function unsupported(text: string, wanted: readonly Capability[]): WireError {
  const data = new Uint8Array(capabilitiesLength(wanted))
  encodeCapabilities(wanted, data, 0)
  return new WireError(text, HEADER_LENGTH + 9, [2, 7], 'session-reset', data)
}

/** Families of a speaker; IPv4 unicast when its OPEN has no multiprotocol capability at all (RFC 4760 section 8). */
function familiesOf(open: OpenMessage): readonly FamilyName[] {
  const multiprotocol = open.capabilities.filter(capability => capability.type === 'multiprotocol')
  if (multiprotocol.length === 0) return ['ipv4-unicast']
  return multiprotocol.map(familyName).filter(name => name !== undefined)
}

function commonFamilies(sent: OpenMessage, remote: OpenMessage): readonly FamilyName[] {
  const theirs = familiesOf(remote)
  const common = familiesOf(sent).filter(name => theirs.includes(name))
  if (common.length > 0) return common
  const wanted = sent.capabilities.filter(({ type }) => type === 'multiprotocol')
  throw unsupported('no address family in common', wanted)
}

const has = (open: OpenMessage, type: Capability['type']): boolean =>
  open.capabilities.some(capability => capability.type === type)

function checkRequired({ requireCapabilities = [] }: LocalSpeaker, sent: OpenMessage, remote: OpenMessage): void {
  const missing = requireCapabilities.filter(type => !has(remote, type))
  if (missing.length === 0) return
  const wanted = sent.capabilities.filter(({ type }) => missing.includes(type))
  throw unsupported(`without the capability ${missing.join(', ')}`, wanted)
}

/** Entries of a capability for families that the session carries, each with the family's name. */
function known<F extends Family>(list: readonly F[], carried: readonly FamilyName[]): (F & { family: FamilyName })[] {
  const named = list.map(entry => ({ ...entry, family: familyName(entry) }))
  return named.filter((entry): entry is F & { family: FamilyName } => !!entry.family && carried.includes(entry.family))
}

/** RFC 7911 section 4: one side sends where the other one receives. */
function addPathFamilies(
  sent: OpenMessage,
  remote: OpenMessage,
  carried: readonly FamilyName[],
): Negotiated['addPath'] {
  const list = (open: OpenMessage, which: (family: AddPathFamily) => boolean): readonly FamilyName[] =>
    known(lastCapability(open.capabilities, 'add-path')?.families ?? [], carried)
      .filter(which)
      .map(({ family }) => family)
  const both = (a: readonly FamilyName[], b: readonly FamilyName[]): FamilyName[] => a.filter(name => b.includes(name))
  return {
    receive: both(
      list(sent, ({ receive }) => receive),
      list(remote, ({ send }) => send),
    ),
    send: both(
      list(sent, ({ send }) => send),
      list(remote, ({ receive }) => receive),
    ),
  }
}

/** Families whose prefixes a speaker takes with next hops of the other of both address families. */
function extendedNextHops(open: OpenMessage, carried: readonly FamilyName[]): readonly FamilyName[] {
  const list = known(lastCapability(open.capabilities, 'extended-next-hop')?.families ?? [], carried)
  const wanted = (afi: Afi): Afi => (afi === Afi.IPv4 ? Afi.IPv6 : Afi.IPv4)
  return list.filter(({ afi, nextHopAfi }) => nextHopAfi === wanted(afi)).map(({ family }) => family)
}

/** Octets of unknown capabilities are views into what was received, and a session would keep all of that. */
const owned = (capability: Capability): Capability =>
  capability.type === 'unknown' ? { ...capability, value: capability.value.slice() } : capability

type Restarts = Pick<Negotiated, 'gracefulRestart' | 'longLivedGracefulRestart'>

/** RFC 4724 section 3, RFC 8538 section 2, RFC 9494 section 4.1: the long-lived form counts with the short one only. */
function restarts(sent: OpenMessage, remote: OpenMessage, carried: readonly FamilyName[]): Restarts {
  const ours = lastCapability(sent.capabilities, 'graceful-restart')
  const theirs = lastCapability(remote.capabilities, 'graceful-restart')
  if (!ours || !theirs) return { gracefulRestart: undefined, longLivedGracefulRestart: undefined }
  const { restarting, restartTime } = theirs
  const families = known(theirs.families, carried)
  const longLived = lastCapability(remote.capabilities, 'long-lived-graceful-restart')
  const longFamilies = known(longLived?.families ?? [], carried)
  return {
    gracefulRestart: {
      restarting,
      notification: ours.notification && theirs.notification,
      restartTime,
      families: families.map(({ family, forwardingPreserved }) => ({ family, forwardingPreserved })),
    },
    longLivedGracefulRestart:
      longLived && has(sent, 'long-lived-graceful-restart')
        ? longFamilies.map(({ family, forwardingPreserved, staleTime }) => ({ family, forwardingPreserved, staleTime }))
        : undefined,
  }
}

/**
 * Checks the peer's OPEN against what we expect and works out what the session may do, RFC 4271 section 6.2.
 *
 * @param sent our OPEN on the same connection
 * @throws {WireError} 2/2 Bad Peer AS, 2/3 Bad BGP Identifier (RFC 6286), 2/7 no family in common or a required capability
 *   missing (RFC 5492), 2/11 Role Mismatch (RFC 9234)
 */
export function negotiate(
  local: LocalSpeaker,
  remote: OpenMessage,
  expected: RemoteAs,
  sent: OpenMessage = createOpen(local, { remoteAs: expected }),
): Negotiated {
  const peerAsn = openAsn(remote)
  const ours = localAs(local, expected)
  checkPeerAs(peerAsn, ours, expected)
  const internal = peerAsn === ours
  if (internal && remote.bgpIdentifier === local.bgpIdentifier) {
    throw new WireError('BGP Identifier is our own', HEADER_LENGTH + 5, [2, 3])
  }
  const confederation = !internal && ours === local.asn && !!local.confederation?.members.includes(peerAsn)
  const { role, strictRole = false } = local
  if (role) checkRoles(role, strictRole, remote.capabilities)
  checkRequired(local, sent, remote)
  const families = commonFamilies(sent, remote)
  const both = (type: Capability['type']): boolean => has(sent, type) && has(remote, type)
  const ourNextHops = extendedNextHops(sent, families)
  const theirNextHops = extendedNextHops(remote, families)
  return {
    peerAsn,
    peerBgpIdentifier: remote.bgpIdentifier,
    internal,
    confederation,
    holdTime: Math.min(sent.holdTime, remote.holdTime),
    fourOctetAs: both('four-octet-as'),
    families,
    addPath: addPathFamilies(sent, remote, families),
    extendedMessage: both('extended-message'),
    extendedNextHop: ourNextHops.filter(name => theirNextHops.includes(name)),
    promised: { extendedMessage: has(sent, 'extended-message'), extendedNextHop: ourNextHops },
    routeRefresh: has(remote, 'route-refresh'),
    enhancedRouteRefresh: both('enhanced-route-refresh'),
    role,
    ...restarts(sent, remote, families),
    aigp: local.aigp ?? (internal || confederation),
    bfdStrictMode: both('bfd-strict-mode'),
    peerCapabilities: remote.capabilities.map(owned),
  }
}
