/** The `metallb.io` resources as they are written by users, field for field. */
import type { Condition, KubernetesObject, LabelSelector } from './core.js'

/** `status` of the kinds about which nothing is observed. */
export type EmptyStatus = Readonly<Record<string, never>>

/** metallb.io/v1beta1 IPAddressPool. */
export interface IPAddressPool extends KubernetesObject {
  readonly kind: 'IPAddressPool'
  readonly spec: {
    /** CIDRs and `start-end` ranges of either family. */
    readonly addresses: readonly string[]
    /** @default true */
    readonly autoAssign?: boolean
    /** @default false */
    readonly avoidBuggyIPs?: boolean
    /** Pins the pool; also `{}` does. */
    readonly serviceAllocation?: {
      /** The lowest positive number is tried first; 0, the default, last. */
      readonly priority?: number | bigint
      readonly namespaces?: readonly string[]
      readonly namespaceSelectors?: readonly LabelSelector[]
      readonly serviceSelectors?: readonly LabelSelector[]
    }
  }
  readonly status?: IPAddressPoolStatus
}

/** Counters are bigint: an IPv6 pool counts to 2^63-1. */
export interface IPAddressPoolStatus {
  readonly assignedIPv4: number | bigint
  readonly assignedIPv6: number | bigint
  readonly availableIPv4: number | bigint
  readonly availableIPv6: number | bigint
}

/** metallb.io/v1beta1 L2Advertisement. */
export interface L2Advertisement extends KubernetesObject {
  readonly kind: 'L2Advertisement'
  readonly spec?: {
    readonly ipAddressPools?: readonly string[]
    readonly ipAddressPoolSelectors?: readonly LabelSelector[]
    readonly nodeSelectors?: readonly LabelSelector[]
    readonly interfaces?: readonly string[]
    readonly serviceSelectors?: readonly LabelSelector[]
    readonly preferredNodeSelectors?: readonly { readonly weight: number; readonly preference: LabelSelector }[]
  }
  readonly status?: EmptyStatus
}

/** metallb.io/v1beta1 BGPAdvertisement. */
export interface BGPAdvertisement extends KubernetesObject {
  readonly kind: 'BGPAdvertisement'
  readonly spec?: {
    /** @default 32 */
    readonly aggregationLength?: number
    /** @default 128 */
    readonly aggregationLengthV6?: number
    /** 0 counts as absent. */
    readonly localPref?: number
    /** `a:b`, `large:a:b:c`, or names of Community objects. */
    readonly communities?: readonly string[]
    readonly ipAddressPools?: readonly string[]
    readonly ipAddressPoolSelectors?: readonly LabelSelector[]
    readonly nodeSelectors?: readonly LabelSelector[]
    readonly peers?: readonly string[]
    readonly serviceSelectors?: readonly LabelSelector[]
  }
  readonly status?: EmptyStatus
}

/** metallb.io/v1beta2 BGPPeer. */
export interface BGPPeer extends KubernetesObject {
  readonly kind: 'BGPPeer'
  readonly spec: {
    readonly myASN: number
    /** 0 counts as absent. */
    readonly peerASN?: number
    /** `internal` or `external`; anything else is a configuration error. */
    readonly dynamicASN?: string
    readonly localASN?: number
    /** IPv4 or IPv6. Empty texts count as absent, here and below. */
    readonly peerAddress?: string
    readonly interface?: string
    readonly sourceAddress?: string
    /** @default 179 */
    readonly peerPort?: number
    /** Go duration, e.g. `90s`. */
    readonly holdTime?: string
    readonly keepaliveTime?: string
    readonly connectTime?: string
    readonly routerID?: string
    readonly nodeSelectors?: readonly LabelSelector[]
    readonly password?: string
    /** `namespace` is not used. */
    readonly passwordSecret?: { readonly name?: string; readonly namespace?: string }
    readonly bfdProfile?: string
    /** Cannot be changed while both versions of the object have it. */
    readonly enableGracefulRestart?: boolean
    readonly ebgpMultiHop?: boolean
    readonly vrf?: string
    /** Deprecated; has no effect. @default false */
    readonly disableMP?: boolean
    /** @default false */
    readonly dualStackAddressFamily?: boolean
  }
  readonly status?: EmptyStatus
}

/** metallb.io/v1beta1 BGPPeer: deprecated, and converted to {@link BGPPeer} wherever it is read. */
export interface BGPPeerV1beta1 extends KubernetesObject {
  readonly kind: 'BGPPeer'
  readonly spec: {
    readonly myASN: number
    readonly peerASN: number
    readonly peerAddress: string
    readonly sourceAddress?: string
    /** 0 stands for 179. */
    readonly peerPort?: number
    readonly holdTime?: string
    readonly keepaliveTime?: string
    readonly routerID?: string
    readonly nodeSelectors?: readonly LabelSelector[]
    readonly password?: string
    readonly bfdProfile?: string
    readonly ebgpMultiHop?: boolean
  }
  readonly status?: EmptyStatus
}

/** metallb.io/v1beta1 BFDProfile; intervals in milliseconds. */
export interface BFDProfile extends KubernetesObject {
  readonly kind: 'BFDProfile'
  readonly spec?: {
    readonly receiveInterval?: number
    readonly transmitInterval?: number
    readonly detectMultiplier?: number
    readonly echoInterval?: number
    readonly echoMode?: boolean
    readonly passiveMode?: boolean
    readonly minimumTtl?: number
  }
  readonly status?: EmptyStatus
}

/** metallb.io/v1beta1 Community: names for community values. */
export interface Community extends KubernetesObject {
  readonly kind: 'Community'
  readonly spec?: { readonly communities?: readonly { readonly name?: string; readonly value?: string }[] }
  readonly status?: EmptyStatus
}

/** metallb.io/v1beta1 ServiceL2Status, written by the speaker that announces. */
export interface ServiceL2Status extends KubernetesObject {
  readonly kind: 'ServiceL2Status'
  readonly spec?: EmptyStatus
  readonly status?: {
    readonly node?: string
    readonly serviceName?: string
    readonly serviceNamespace?: string
    /** Absent when announced on all interfaces. */
    readonly interfaces?: readonly { readonly name?: string }[]
  }
}

/** metallb.io/v1beta1 ServiceBGPStatus, one per Service and node. */
export interface ServiceBGPStatus extends KubernetesObject {
  readonly kind: 'ServiceBGPStatus'
  readonly spec?: EmptyStatus
  readonly status?: {
    readonly node?: string
    readonly serviceName?: string
    readonly serviceNamespace?: string
    /** Sorted names of the BGPPeers the Service is announced to. */
    readonly peers?: readonly string[]
  }
}

/** metallb.io/v1beta1 ConfigurationState: whether a component could use the newest configuration. */
export interface ConfigurationState extends KubernetesObject {
  readonly kind: 'ConfigurationState'
  readonly status?: {
    readonly result?: 'Valid' | 'Invalid' | 'Unknown'
    readonly errorSummary?: string
    /** One of each type. */
    readonly conditions?: readonly Condition[]
  }
}
