/** What Typemetal reads of core Kubernetes. Fields it never looks at are left out; unknown ones are carried as they are. */

/** `metadata` of any object. */
export interface ObjectMeta {
  readonly name: string
  /** Absent on cluster-scoped objects. */
  readonly namespace?: string
  readonly generateName?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  /** RFC 3339. */
  readonly creationTimestamp?: string
  /** RFC 3339; set while finalizers hold back the deletion of the object. */
  readonly deletionTimestamp?: string
  readonly finalizers?: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: readonly OwnerReference[]
}

/** `metadata.ownerReferences[]`. */
export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
  readonly blockOwnerDeletion?: boolean
}

/** Any Kubernetes object, before its kind is known. */
export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
}

/** The standard label selector: requirements are ANDed, `{}` matches everything. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly LabelSelectorRequirement[]
}

/** One requirement of a {@link LabelSelector}. */
export interface LabelSelectorRequirement {
  readonly key: string
  /** `In`, `NotIn`, `Exists` or `DoesNotExist`; anything else is a configuration error. */
  readonly operator: string
  readonly values?: readonly string[]
}

/** `metav1.Condition`. */
export interface Condition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  /** One word. */
  readonly reason: string
  readonly message: string
  /** RFC 3339. */
  readonly lastTransitionTime: string
  readonly observedGeneration?: number
}

/** v1 Service. */
export interface Service extends KubernetesObject {
  readonly kind: 'Service'
  readonly spec?: {
    /** `ClusterIP` when absent. */
    readonly type?: string
    readonly loadBalancerClass?: string
    readonly loadBalancerIP?: string
    /** `None` for headless Services. */
    readonly clusterIP?: string
    readonly clusterIPs?: readonly string[]
    readonly ipFamilyPolicy?: 'SingleStack' | 'PreferDualStack' | 'RequireDualStack'
    readonly ipFamilies?: readonly ('IPv4' | 'IPv6')[]
    readonly ports?: readonly ServicePort[]
    /** `Cluster` or `Local`. */
    readonly externalTrafficPolicy?: string
    readonly selector?: Readonly<Record<string, string>>
  }
  readonly status?: {
    readonly loadBalancer?: { readonly ingress?: readonly LoadBalancerIngress[] }
    /** Others' business: written back as they were read. */
    readonly conditions?: readonly unknown[]
  }
}

/** `spec.ports[]` of a Service. */
export interface ServicePort {
  readonly name?: string
  /** `TCP` when absent. */
  readonly protocol?: string
  readonly port: number
  /** A number, or the name of a port of the pods. */
  readonly targetPort?: number | string
  readonly nodePort?: number
}

/** `status.loadBalancer.ingress[]` of a Service. */
export interface LoadBalancerIngress {
  readonly ip?: string
  readonly hostname?: string
  /** `VIP` or `Proxy`. */
  readonly ipMode?: string
  readonly ports?: readonly unknown[]
}

/** discovery.k8s.io/v1 EndpointSlice. */
export interface EndpointSlice extends KubernetesObject {
  readonly kind: 'EndpointSlice'
  /** `IPv4`, `IPv6` or `FQDN`. */
  readonly addressType?: string
  readonly endpoints?: readonly Endpoint[]
  readonly ports?: readonly unknown[]
}

/** `endpoints[]` of an EndpointSlice. */
export interface Endpoint {
  readonly addresses?: readonly string[]
  readonly nodeName?: string
  /** An absent `ready` means ready. */
  readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean }
}

/** v1 Node. */
export interface Node extends KubernetesObject {
  readonly kind: 'Node'
  readonly spec?: {
    readonly unschedulable?: boolean
    readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[]
  }
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
    readonly addresses?: readonly { readonly type: string; readonly address: string }[]
  }
}

/** v1 Namespace. */
export interface Namespace extends KubernetesObject {
  readonly kind: 'Namespace'
}

/** v1 Secret; `data` is base64 as on the API, `stringData` is honoured where manifests are read from files. */
export interface Secret extends KubernetesObject {
  readonly kind: 'Secret'
  readonly type?: string
  readonly data?: Readonly<Record<string, string>>
  readonly stringData?: Readonly<Record<string, string>>
}

/** v1 ConfigMap. */
export interface ConfigMap extends KubernetesObject {
  readonly kind: 'ConfigMap'
  readonly data?: Readonly<Record<string, string>>
}

/** v1 Pod: where a speaker runs, and who owns what it writes. */
export interface Pod extends KubernetesObject {
  readonly kind: 'Pod'
  readonly spec?: { readonly nodeName?: string }
  readonly status?: {
    readonly phase?: string
    readonly podIP?: string
    /** One of each family. */
    readonly podIPs?: readonly { readonly ip: string }[]
  }
}

/** apps/v1 Deployment: owner of what the controller makes. */
export interface Deployment extends KubernetesObject {
  readonly kind: 'Deployment'
}

/** v1 Event, as it is written and as `kubectl describe` reads it. */
export interface Event extends KubernetesObject {
  readonly kind: 'Event'
  readonly involvedObject: ObjectReference & { readonly uid?: string; readonly resourceVersion?: string }
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
  readonly source?: { readonly component?: string; readonly host?: string }
  /** RFC 3339. */
  readonly firstTimestamp?: string
  readonly lastTimestamp?: string
  /** How often it happened between the two. */
  readonly count?: number
}

/** What an emitted core/v1 Event says; the store fills in name, times and count. */
export interface ClusterEvent {
  /** The object it is about. */
  readonly regarding: ObjectReference
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
  /** Source component, e.g. `metallb-speaker`. */
  readonly component: string
  /** Node that reports it, for the speaker. */
  readonly host?: string
}

/** Names one object. */
export interface ObjectReference {
  readonly apiVersion?: string
  readonly kind: string
  /** Absent for cluster-scoped kinds. */
  readonly namespace?: string
  readonly name: string
}
