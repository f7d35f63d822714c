/** Kubernetes objects for tests, as short as can be. */
import type { AnyObject } from '../scenario/cluster.js'

const here = 'metallb-system'

export const node = (name: string, address = '10.0.0.1', labels: Record<string, string> = {}): AnyObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels },
  status: { addresses: [{ type: 'InternalIP', address }] },
})

export const metallb = (kind: string, name: string, spec: object = {}): AnyObject =>
  ({
    apiVersion: kind === 'BGPPeer' ? 'metallb.io/v1beta2' : 'metallb.io/v1beta1',
    kind,
    metadata: { name, namespace: here },
    spec,
  }) as AnyObject

export const pool = (addresses: readonly string[], name = 'p'): AnyObject =>
  metallb('IPAddressPool', name, { addresses })

export const peer = (name: string, spec: object = {}): AnyObject =>
  metallb('BGPPeer', name, { myASN: 64512, peerASN: 64513, peerAddress: '127.0.0.1', ...spec })

/** A Service with an address, and the slice with its endpoint. */
export const service = (name: string, ip: string, spec: object = {}): readonly AnyObject[] => [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default' },
    spec: { type: 'LoadBalancer', ...spec },
    status: { loadBalancer: { ingress: [{ ip }] } },
  } as AnyObject,
  {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-1`, namespace: 'default', labels: { 'kubernetes.io/service-name': name } },
    endpoints: [{ addresses: ['10.244.0.1'], nodeName: 'n1' }],
  } as AnyObject,
]
