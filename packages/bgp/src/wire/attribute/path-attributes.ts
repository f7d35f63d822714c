import type { Aggregator } from './aggregator.js'
import type { AsPath } from './as-path.js'
import type { ExtendedCommunity } from './extended-communities.js'
import type { Ipv6ExtendedCommunity } from './ipv6-extended-communities.js'
import type { LargeCommunity } from './large-communities.js'
import type { MpReachNlri } from './mp-reach-nlri.js'
import type { MpUnreachNlri } from './mp-unreach-nlri.js'
import type { Origin } from './origin.js'

/** The values of the path attributes that this package knows, by the RFC's name. */
export interface KnownAttributes {
  readonly origin?: Origin
  readonly asPath?: AsPath
  /** An IPv4 address. After decoding: a view into the input, so copy to keep. */
  readonly nextHop?: Uint8Array
  readonly multiExitDisc?: number
  readonly localPref?: number
  readonly atomicAggregate?: true
  readonly aggregator?: Aggregator
  readonly communities?: readonly number[]
  readonly originatorId?: number
  readonly clusterList?: readonly number[]
  readonly mpReachNlri?: MpReachNlri
  readonly mpUnreachNlri?: MpUnreachNlri
  readonly as4Path?: AsPath
  readonly as4Aggregator?: Aggregator
  readonly extendedCommunities?: readonly ExtendedCommunity[]
  /** IPv6 Address Specific Extended Communities. */
  readonly ipv6ExtendedCommunities?: readonly Ipv6ExtendedCommunity[]
  /** Accumulated IGP metric. */
  readonly aigp?: bigint
  /** Only to Customer (OTC): an AS number. */
  readonly onlyToCustomer?: number
  readonly largeCommunities?: readonly LargeCommunity[]
}

/** An attribute this package does not know; carried as it came. */
export interface UnknownAttribute {
  readonly code: number
  /** Attribute Flags without Extended Length, which follows from the value's length. */
  readonly flags: number
  /** After decoding: a view into the input, so copy to keep. */
  readonly value: Uint8Array
}

/** The path attributes of an UPDATE, RFC 4271 section 4.3. */
export interface PathAttributes extends KnownAttributes {
  /** Type Codes of known attributes that came with the Partial bit; absent when there is none. */
  readonly partial?: readonly number[]
  /** In ascending order of Type Code; absent when there is none. */
  readonly unknown?: readonly UnknownAttribute[]
}
