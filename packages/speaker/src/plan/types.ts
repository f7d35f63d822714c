/** What a plan says. Plain values: `typemetal plan` prints them, announcers carry them out, scenarios compare them. */
import type { IPFamily, ObjectKey } from '@typemetal/cluster'
import type { ElectionLevel } from '../election.js'

/** MetalLB's names of the two ways to announce. */
export type Protocol = 'bgp' | 'layer2'

/** Both protocols, in the order in which they are asked. */
export const PROTOCOLS: readonly Protocol[] = ['bgp', 'layer2']

/** Why a Service is not looked at further, whatever the protocol. */
export type ServiceReason =
  'notLoadBalancer' | 'loadBalancerClass' | 'noConfig' | 'noIPAllocated' | 'invalidIP' | 'ipNotAllowed'

/**
 * Why layer 2 does not announce here. `noMatchingInterface`: elected, but no named interface exists on the node. `draining`: the node is
 * being emptied; a plan never says it, who carries a drain out does.
 */
export type Layer2Reason =
  'notOwner' | 'noMatchingAdvertisement' | 'sharedIPWithServiceSelector' | 'noMatchingInterface' | 'draining'

/** Why BGP does not announce here; `draining` as in {@link Layer2Reason}. */
export type BGPReason =
  | 'notOwner'
  | 'noMatchingAdvertisement'
  | 'conflictingAdvertisements'
  | 'nodeNetworkUnavailable'
  | 'nodeLabeledExcludeBalancers'
  | 'noLocalEndpoints'
  | 'noEndpoints'
  | 'draining'

/** Why something announced before is not any longer; also logged. */
export type WithdrawReason = ServiceReason | Layer2Reason | BGPReason | 'serviceDeleted' | 'loadBalancerIPChanged'

/** Interface names, or every interface the announcer knows. */
export type Interfaces = 'all' | readonly string[]

/** What layer 2 does with one Service on this node. */
export type Layer2Decision =
  | { readonly announce: true; readonly interfaces: Interfaces }
  | {
      readonly announce: false
      readonly reason: ServiceReason | Layer2Reason
      /** With `notOwner`: the node that is; absent when none can be. */
      readonly owner?: string
      /** With `noMatchingInterface`: the names that were looked for, sorted. */
      readonly missing?: readonly string[]
    }

/** One prefix that one advertisement makes of one address. */
export interface AdvertisedPrefix {
  /** Canonical CIDR text, host bits cleared. */
  readonly prefix: string
  readonly family: IPFamily
  /** 0 = unset. */
  readonly localPref: number
  /** Sorted, spelt as in the resource: `a:b` or `large:a:b:c`. */
  readonly communities: readonly string[]
  /** BGPPeer names; empty = all. */
  readonly peers: readonly string[]
}

/** What BGP does with one Service on this node. */
export type BGPDecision =
  | { readonly announce: true; readonly prefixes: readonly AdvertisedPrefix[] }
  | { readonly announce: false; readonly reason: ServiceReason | BGPReason; readonly detail?: string }

/** Everything this node decides about one Service. */
export interface ServiceDecision {
  readonly service: ObjectKey
  /** Canonical text, in the order of the status; empty when none could be read. */
  readonly addresses: readonly string[]
  /** The pool that holds all addresses. */
  readonly pool?: string
  readonly layer2: Layer2Decision
  readonly bgp: BGPDecision
}

/** Address family of a BGP session. */
export type SessionFamily = 'ipv4' | 'ipv6'

/** BFD beside a session (RFC 5880): what its BFDProfile says, defaults filled in. Intervals in milliseconds. */
export interface BFDPlan {
  /** bfd.RequiredMinRxInterval. @default 300 */
  readonly receiveInterval: number
  /** bfd.DesiredMinTxInterval once the session is Up. @default 300 */
  readonly transmitInterval: number
  /** bfd.DetectMult. @default 3 */
  readonly detectMultiplier: number
  /** Least interval between echo packets; counts with `echoMode` only. @default 50 */
  readonly echoInterval: number
  readonly echoMode: boolean
  /** Say nothing until the peer has been heard. */
  readonly passiveMode: boolean
  /** Least TTL taken over several hops (RFC 5883). @default 254 */
  readonly minimumTtl: number
}

/** One BGP session this node wants. All times in seconds, but those of {@link BFDPlan}. */
export interface SessionPlan {
  /** Name of the BGPPeer. */
  readonly name: string
  /** Canonical text. Exactly one of `peerAddress` and `interface` is set. */
  readonly peerAddress?: string
  /** The link of an unnumbered peer, which is found by its router advertisements. */
  readonly interface?: string
  readonly peerPort: number
  readonly myASN: number
  /** What the peer sees in OPEN and AS_PATH instead of `myASN`. */
  readonly localASN?: number
  /** Exactly one of `peerASN` and `dynamicASN` is set. */
  readonly peerASN?: number
  /** `internal`: the peer must have our AS; `external`: any but ours. */
  readonly dynamicASN?: 'internal' | 'external'
  readonly sourceAddress?: string
  /** Absent: derived from the connection: its local IPv4 address, the interface's, or CRC-32 of the node's name. */
  readonly routerID?: string
  /** Whole seconds, 0 (never expires) or at least 3: what the OPEN offers. */
  readonly holdTimeSeconds: number
  /** At most the hold time, perhaps with a fraction; 0: no KEEPALIVE is sent but the one that answers the OPEN. */
  readonly keepaliveTimeSeconds: number
  /** ConnectRetryTime, whole seconds; absent: RFC 4271's. */
  readonly connectTimeSeconds?: number
  readonly vrf?: string
  /** Key of TCP-MD5 (RFC 2385). */
  readonly password?: string
  /** Name of the BFDProfile that {@link bfd} was made of. */
  readonly bfdProfile?: string
  /** Present when the path is to be watched by BFD. */
  readonly bfd?: BFDPlan
  /** External peers only: the peer may be more than one hop away. */
  readonly ebgpMultiHop: boolean
  /** The peer keeps our routes while we restart (RFC 4724). */
  readonly gracefulRestart: boolean
  /** The family of `peerAddress`, or both: for a dual-stack session and for an unnumbered one. */
  readonly families: readonly SessionFamily[]
}

/** One route wanted on one session. */
export interface RoutePlan {
  readonly prefix: string
  readonly nextHop: 'self'
  /** Present on iBGP sessions only. */
  readonly localPref?: number
  readonly communities: readonly string[]
}

/** Services disagree about one prefix; what was made of it. Peers that are told the same are named by the first of them. */
export interface MergeNote {
  readonly prefix: string
  readonly peer: string
  readonly services: readonly ObjectKey[]
  readonly localPrefs: readonly number[]
  /** The one that is sent. */
  readonly localPref: number
  /** The union that is sent. */
  readonly communities: readonly string[]
}

/** What one node should announce, and why not the rest. */
export interface Plan {
  readonly node: string
  /** One for each Service in the snapshot. */
  readonly services: ReadonlyMap<ObjectKey, ServiceDecision>
  /** Wanted layer-2 answers by address; interfaces united over the Services that share it. */
  readonly layer2: ReadonlyMap<string, Interfaces>
  /** Wanted sessions by BGPPeer name. */
  readonly sessions: ReadonlyMap<string, SessionPlan>
  /** Whole wanted set of each session, sorted by prefix. A session without routes has an empty list. */
  readonly routes: ReadonlyMap<string, readonly RoutePlan[]>
  /** For each announced Service the sorted peers that get at least one of its prefixes. */
  readonly peersOf: ReadonlyMap<ObjectKey, readonly string[]>
  readonly notes: readonly MergeNote[]
}

/** How to plan: the binary's flags and what the node has. */
export interface PlanOptions {
  /** Comma-separated `--lb-class`; empty: only Services without a class. @default '' */
  readonly lbClass?: string
  /** Ignore the label node.kubernetes.io/exclude-from-external-load-balancers. @default false */
  readonly ignoreExcludeLb?: boolean
  /** @default 'main' */
  readonly electionLevel?: ElectionLevel
  /** The node's interfaces; absent: whatever an advertisement names exists. */
  readonly interfaces?: readonly string[]
}
