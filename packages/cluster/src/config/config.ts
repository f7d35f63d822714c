/** The configuration both processes run on: resolved, checked, immutable. */
import type { LabelSelector } from '../resources/core.js'

/** IPv4 or IPv6, as Kubernetes spells it. */
export type IPFamily = 'IPv4' | 'IPv6'

/** One CIDR block as integers, so that membership and counting need no parsing. */
export interface AddressBlock {
  readonly family: IPFamily
  /** First and last address, inclusive, as unsigned integers (32 or 128 bits). */
  readonly first: bigint
  readonly last: bigint
  /** Canonical text, e.g. `192.0.2.0/24`. */
  readonly cidr: string
  readonly prefixLength: number
}

/** A validated list of label selectors: ORed; empty means "everything". */
export type Selectors = readonly LabelSelector[]

/** An IPAddressPool with the advertisements that apply to it. */
export interface Pool {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** In the order of the spec; ranges expanded to minimal ascending CIDRs. */
  readonly blocks: readonly AddressBlock[]
  readonly autoAssign: boolean
  readonly avoidBuggyIPs: boolean
  /** Absent: an ordinary pool, usable by every Service. */
  readonly serviceAllocation?: ServiceAllocation
  readonly l2Advertisements: readonly L2AdvertisementConfig[]
  readonly bgpAdvertisements: readonly BGPAdvertisementConfig[]
}

/** Who may use a pinned pool. */
export interface ServiceAllocation {
  /** Lower positive number first; 0 = no priority = last. A bigint beyond 2^53. */
  readonly priority: number | bigint
  /** Named namespaces and those the selectors matched. `undefined`: no namespace rule; empty: nobody (decision 13). */
  readonly namespaces?: ReadonlySet<string>
  readonly serviceSelectors: Selectors
}

/** An L2Advertisement with its selectors resolved to node names. */
export interface L2AdvertisementConfig {
  readonly name: string
  readonly nodes: ReadonlySet<string>
  readonly interfaces: readonly string[]
  /** True when `interfaces` is empty. */
  readonly allInterfaces: boolean
  readonly serviceSelectors: Selectors
  /** Sum of the weights of matching preferences, nodes above 0 only. */
  readonly preferredNodes: ReadonlyMap<string, number>
}

/** A BGPAdvertisement with its selectors resolved. */
export interface BGPAdvertisementConfig {
  readonly name: string
  readonly aggregationLength: number
  readonly aggregationLengthV6: number
  /** 0 = unset. */
  readonly localPref: number
  /** Sorted, aliases resolved: `a:b` or `large:a:b:c`. */
  readonly communities: readonly string[]
  readonly nodes: ReadonlySet<string>
  /** BGPPeer names; empty = all. */
  readonly peers: readonly string[]
  readonly serviceSelectors: Selectors
}

/** A BGPPeer with durations in seconds and its secret read. */
export interface PeerConfig {
  readonly name: string
  readonly myASN: number
  /** Exactly one of `peerASN` and `dynamicASN` is set. */
  readonly peerASN?: number
  readonly dynamicASN?: 'internal' | 'external'
  readonly localASN?: number
  /** Canonical text. Exactly one of `peerAddress` and `interface` is set. */
  readonly peerAddress?: string
  readonly interface?: string
  readonly sourceAddress?: string
  readonly peerPort: number
  readonly holdTimeSeconds?: number
  readonly keepaliveTimeSeconds?: number
  readonly connectTimeSeconds?: number
  /** Dotted quad. */
  readonly routerID?: string
  /** Empty = every node. */
  readonly nodeSelectors: Selectors
  readonly password?: string
  readonly bfdProfile?: string
  readonly gracefulRestart: boolean
  readonly ebgpMultiHop: boolean
  readonly vrf?: string
  readonly dualStackAddressFamily: boolean
}

/** A BFDProfile; absent fields keep the daemon's defaults. */
export interface BFDProfileConfig {
  readonly name: string
  readonly receiveInterval?: number
  readonly transmitInterval?: number
  readonly detectMultiplier?: number
  readonly echoInterval?: number
  readonly echoMode: boolean
  readonly passiveMode: boolean
  readonly minimumTtl?: number
}

/** Everything a component runs on. Maps are keyed by object name, in ascending order of it. */
export interface Config {
  readonly pools: ReadonlyMap<string, Pool>
  readonly peers: ReadonlyMap<string, PeerConfig>
  readonly bfdProfiles: ReadonlyMap<string, BFDProfileConfig>
}

/** One reason why a configuration cannot be used. */
export interface ConfigError {
  readonly kind: string
  readonly namespace?: string
  readonly name: string
  /** Path in the object, e.g. `spec.addresses[1]`; empty when the object as a whole is meant. */
  readonly field: string
  /** One sentence, without the object's name. */
  readonly reason: string
  /** Where the object was read from, when it was a file. */
  readonly file?: string
  /** 1-based line in `file`. */
  readonly line?: number
  /** The fault may be an object that is still to come: a BFDProfile, a Secret, a community's name. Webhooks admit these. */
  readonly transient?: boolean
}
