/** Objects that a real API server takes. */
import type { IPAddressPool, KubernetesObject, Service } from '@typemetal/cluster'
import { NAMESPACE } from '@typemetal/lab/kubernetes'

/** A `metallb.io` object; its spec may break every rule. */
export const metallb = (kind: string, name: string, spec: object, version = 'v1beta1'): KubernetesObject =>
  ({
    apiVersion: `metallb.io/${version}`,
    kind,
    metadata: { name, namespace: NAMESPACE },
    spec,
  }) as KubernetesObject

/** An IPAddressPool. */
export const pool = (name: string, ...addresses: readonly string[]): IPAddressPool =>
  metallb('IPAddressPool', name, { addresses }) as IPAddressPool

/** A BGPPeer of v1beta2. */
export const peer = (name: string, spec: object = {}): KubernetesObject =>
  metallb('BGPPeer', name, { myASN: 64_512, peerASN: 64_513, peerAddress: '10.0.0.1', ...spec }, 'v1beta2')

/** A Service of type LoadBalancer in namespace `default`. */
export const service = (
  name: string,
  spec: Service['spec'] = {},
  annotations: Readonly<Record<string, string>> = {},
): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default', annotations },
  spec: { type: 'LoadBalancer', ports: [{ port: 80, protocol: 'TCP' }], ...WITHOUT_NODE_PORTS, ...spec },
})

/** So the API server is twice as fast. */
const WITHOUT_NODE_PORTS = { allocateLoadBalancerNodePorts: false }

/** Addresses in the status of a Service. */
export const addressesOf = ({ status }: Service): readonly string[] =>
  (status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip ?? '')
