/** Manifests that several suites have in their folders. */

/** A Service of type LoadBalancer with this address, and an endpoint on node n1. */
export const serviceManifest = (name: string, ip: string): string => `
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { type: LoadBalancer }
status: { loadBalancer: { ingress: [{ ip: "${ip}" }] } }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${name}-1, labels: { kubernetes.io/service-name: ${name} } }
addressType: IPv4
endpoints: [{ addresses: [10.10.0.11], nodeName: n1 }]
`
