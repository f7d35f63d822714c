// The cluster that every speaker of the benchmark sees: one node, one pool that is announced by BGP and by ARP, ten peers.
import { evenAddress } from '../controller/stock.mjs'

export const NAMESPACE = 'metallb-system'
export const NODE = 'n1'
export const PEERS = 10
/** The node's own address, the far end's, and that of the first peer there. */
export const PLACE = { node: '10.20.0.1', far: '10.20.0.2', peer: i => `10.20.0.${101 + i}`, mask: 24 }
export const ASN = { ours: 64512, theirs: 64513 }

/** Networks of the Services' addresses and of their cluster IPs. */
const ADDRESSES = 164
const CLUSTER_IPS = 100
const METALLB = 'metallb.io/v1beta1'
const PROFILE = 'bench'

const ours = (kind, name, spec, apiVersion = METALLB) => ({
  apiVersion,
  kind,
  metadata: { name, namespace: NAMESPACE },
  spec,
})

export const node = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: NODE, labels: { 'kubernetes.io/hostname': NODE } },
}
export const nodeStatus = {
  addresses: [{ type: 'InternalIP', address: PLACE.node }],
  conditions: [{ type: 'Ready', status: 'True' }],
}

/** The Pod that MetalLB's speaker looks for, with the account that it must have. */
export const POD = 'speaker'
export const podObjects = [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: POD, namespace: NAMESPACE } },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: POD, namespace: NAMESPACE },
    spec: {
      nodeName: NODE,
      serviceAccountName: POD,
      automountServiceAccountToken: false,
      hostNetwork: true,
      containers: [{ name: POD, image: 'none' }],
    },
  },
]

/** @param bfd whether the peers are watched by BFD, which has a thread of its own */
export const configuration = ({ bfd = false } = {}) => [
  ours('IPAddressPool', 'pool', { addresses: [`10.${ADDRESSES}.0.0/16`] }),
  ours('BGPAdvertisement', 'all', { ipAddressPools: ['pool'] }),
  ours('L2Advertisement', 'all', { ipAddressPools: ['pool'] }),
  ...(bfd ? [ours('BFDProfile', PROFILE, { receiveInterval: 300, transmitInterval: 300 })] : []),
  ...Array.from({ length: PEERS }, (_, i) => {
    const peer = { myASN: ASN.ours, peerASN: ASN.theirs, peerAddress: PLACE.peer(i), holdTime: '90s' }
    return ours('BGPPeer', `peer-${i}`, { ...peer, ...(bfd && { bfdProfile: PROFILE }) }, 'metallb.io/v1beta2')
  }),
]

/** Name, address and cluster IP of a Service by its number, which is below 10,000; each kind of text is equally long for all. */
export const nameOf = i => `service-${100_000 + i}`
export const addressOf = i => evenAddress(ADDRESSES, i)
export const clusterIPOf = i => evenAddress(CLUSTER_IPS, i)

/** A Service whose traffic stays on the nodes of its endpoints, so that a change of these is a change of what is announced. */
export const service = i => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: nameOf(i), namespace: 'default' },
  spec: {
    type: 'LoadBalancer',
    externalTrafficPolicy: 'Local',
    allocateLoadBalancerNodePorts: false,
    clusterIP: clusterIPOf(i),
    clusterIPs: [clusterIPOf(i)],
    selector: { app: nameOf(i) },
    ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
  },
})
export const serviceStatus = i => ({ loadBalancer: { ingress: [{ ip: addressOf(i) }] } })

/** @param ready whether the one endpoint, on our node, takes traffic */
export const slice = (i, ready = true) => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    name: `${nameOf(i)}-a`,
    namespace: 'default',
    labels: { 'kubernetes.io/service-name': nameOf(i) },
  },
  addressType: 'IPv4',
  ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
  endpoints: [{ addresses: ['10.244.0.9'], nodeName: NODE, conditions: { ready, serving: ready, terminating: false } }],
})
