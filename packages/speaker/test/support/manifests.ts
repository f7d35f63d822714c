/** Manifests that several suites have in their folders. */
import { rename, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/**
 * Puts a file into a folder that a speaker reads, whole at once: who writes it in place empties it first, and where that takes long, the
 * emptiness is believed.
 */
export async function putManifest(path: string, text: string): Promise<void> {
  const aside = join(dirname(path), `.${basename(path)}`)
  await writeFile(aside, text)
  await rename(aside, path)
}

/** A Node with this InternalIP. */
export const nodeManifest = (name: string, address: string, { cordoned = false } = {}): string => `
apiVersion: v1
kind: Node
metadata: { name: ${name} }
spec: { unschedulable: ${cordoned} }
status: { addresses: [{ type: InternalIP, address: ${address} }] }
`

/** A Service of type LoadBalancer with these addresses, and an endpoint on node n1. */
export const serviceManifest = (name: string, ...ips: readonly string[]): string => `
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { type: LoadBalancer }
status: { loadBalancer: { ingress: [${ips.map(ip => `{ ip: "${ip}" }`).join(', ')}] } }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${name}-1, labels: { kubernetes.io/service-name: ${name} } }
addressType: IPv4
endpoints: [{ addresses: [10.10.0.11], nodeName: n1 }]
`

/** 10.10.0.200 to .203 and fd00:10::200 to ::203, by layer 2. */
export const LAYER2_MANIFESTS = `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: { name: lan }
spec: { addresses: [10.10.0.200-10.10.0.203, "fd00:10::200/126"] }
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: { name: lan }
spec: { ipAddressPools: [lan] }
`

/** 203.0.113.0 to .3 by BGP, to a router at 10.10.0.1. @param peer further fields of its spec: `, connectTime: 1s` */
export const bgpManifests = (peer = ''): string => `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: { name: bgp }
spec: { addresses: [203.0.113.0/30] }
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: { name: bgp }
spec: { ipAddressPools: [bgp] }
---
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: { name: router }
spec: { myASN: 64512, peerASN: 64513, peerAddress: 10.10.0.1, holdTime: 9s${peer} }
`

/** Some of these as one file. */
export const manifestFile = (...manifests: readonly string[]): string => manifests.join('---')
