/** The `metallb.io` resources as they are written by users, field for field. */
import type { KubernetesObject, LabelSelector } from './core.js'

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
    readonly serviceAllocation?: {
      readonly priority?: number
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
}

/** metallb.io/v1beta1 BGPAdvertisement. */
export interface BGPAdvertisement extends KubernetesObject {
  readonly kind: 'BGPAdvertisement'
  readonly spec?: {
    /** @default 32 */
    readonly aggregationLength?: number
    /** @default 128 */
    readonly aggregationLengthV6?: number
    readonly localPref?: number
    readonly communities?: readonly string[]
    readonly ipAddressPools?: readonly string[]
    readonly ipAddressPoolSelectors?: readonly LabelSelector[]
    readonly nodeSelectors?: readonly LabelSelector[]
    readonly peers?: readonly string[]
    readonly serviceSelectors?: readonly LabelSelector[]
  }
}

/** metallb.io/v1beta2 BGPPeer. */
export interface BGPPeer extends KubernetesObject {
  readonly kind: 'BGPPeer'
  readonly spec: {
    readonly myASN: number
    readonly peerASN?: number
    readonly dynamicASN?: string
    readonly localASN?: number
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
    readonly passwordSecret?: { readonly name?: string; readonly namespace?: string }
    readonly bfdProfile?: string
    readonly enableGracefulRestart?: boolean
    readonly ebgpMultiHop?: boolean
    readonly vrf?: string
    readonly disableMP?: boolean
    readonly dualStackAddressFamily?: boolean
  }
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
}

/** metallb.io/v1beta1 Community: names for community values. */
export interface Community extends KubernetesObject {
  readonly kind: 'Community'
  readonly spec?: { readonly communities?: readonly { readonly name?: string; readonly value?: string }[] }
}

/** metallb.io/v1beta1 ServiceL2Status, written by the speaker that announces. */
export interface ServiceL2Status extends KubernetesObject {
  readonly kind: 'ServiceL2Status'
  readonly status?: {
    readonly node?: string
    readonly serviceName?: string
    readonly serviceNamespace?: string
    /** Absent when announced on all interfaces. */
    readonly interfaces?: readonly { readonly name: string }[]
  }
}

/** metallb.io/v1beta1 ServiceBGPStatus, one per Service and node. */
export interface ServiceBGPStatus extends KubernetesObject {
  readonly kind: 'ServiceBGPStatus'
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
    readonly conditions?: readonly {
      readonly type: string
      readonly status: 'True' | 'False' | 'Unknown'
      readonly reason: string
      readonly message: string
      readonly lastTransitionTime: string
    }[]
  }
}
