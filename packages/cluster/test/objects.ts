/** Short hands for objects in tests. */
import type {
  BFDProfile,
  BGPAdvertisement,
  BGPPeer,
  Community,
  ConfigMap,
  ConfigResources,
  EndpointSlice,
  IPAddressPool,
  KubernetesObject,
  L2Advertisement,
  Namespace,
  Node,
  Secret,
  Service,
} from '@typemetal/cluster'

export const NAMESPACE = 'metallb-system'

type Labels = Readonly<Record<string, string>>
/** A spec that may break every rule: what users write is checked by code, not by the compiler. */
type AnySpec = Readonly<Record<string, unknown>>

const metallb = (kind: string, name: string, spec: AnySpec, labels?: Labels): KubernetesObject =>
  ({
    apiVersion: kind === 'BGPPeer' ? 'metallb.io/v1beta2' : 'metallb.io/v1beta1',
    kind,
    metadata: { name, namespace: NAMESPACE, ...(labels && { labels }) },
    spec,
  }) as KubernetesObject

export const pool = (name: string, spec: AnySpec | readonly unknown[], labels?: Labels): IPAddressPool =>
  metallb('IPAddressPool', name, Array.isArray(spec) ? { addresses: spec } : (spec as AnySpec), labels) as IPAddressPool
export const l2 = (name: string, spec: AnySpec = {}): L2Advertisement =>
  metallb('L2Advertisement', name, spec) as L2Advertisement
export const bgp = (name: string, spec: AnySpec = {}): BGPAdvertisement =>
  metallb('BGPAdvertisement', name, spec) as BGPAdvertisement
export const peer = (name: string, spec: AnySpec = {}): BGPPeer =>
  metallb('BGPPeer', name, { myASN: 64512, peerASN: 64513, peerAddress: '10.10.0.1', ...spec }) as BGPPeer
export const bfd = (name: string, spec: AnySpec = {}): BFDProfile => metallb('BFDProfile', name, spec) as BFDProfile
export const community = (name: string, values: Labels): Community =>
  metallb('Community', name, {
    communities: Object.entries(values).map(([alias, value]) => ({ name: alias, value })),
  }) as Community
export const node = (name: string, labels: Labels = {}): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels },
})
export const namespace = (name: string, labels: Labels = {}): Namespace => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
})
export const secret = (name: string, rest: Partial<Secret>): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: NAMESPACE },
  type: 'kubernetes.io/basic-auth',
  ...rest,
})
export const configMap = (name: string, data: Labels): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: NAMESPACE },
  data,
})
export const service = (name: string, rest: Partial<Service> = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default' },
  spec: {
    type: 'LoadBalancer',
    clusterIP: '10.96.0.1',
    clusterIPs: ['10.96.0.1'],
    ports: [{ port: 80, protocol: 'TCP' }],
  },
  ...rest,
})
export const slice = (name: string, of: string): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name, namespace: 'default', labels: { 'kubernetes.io/service-name': of } },
  addressType: 'IPv4',
  endpoints: [{ addresses: ['10.0.0.1'], nodeName: 'n1' }],
})

/** Objects by their kind, as `buildConfig` takes them. */
export function resources(...objects: readonly KubernetesObject[]): ConfigResources {
  const kinds: Record<string, KubernetesObject[]> = {}
  for (const object of objects) (kinds[object.kind] ??= []).push(object)
  return kinds
}
