/** Which endpoints carry a Service right now. */
import type { Endpoint, EndpointSlice, ObjectKey } from '@typemetal/cluster'

/** Layer 2 counts endpoints without an address, BGP does not. */
export interface EndpointRule {
  readonly needsAddress: boolean
}

/** Layer 2's {@link EndpointRule}. */
export const LAYER2_ENDPOINTS: EndpointRule = { needsAddress: false }
/** BGP's {@link EndpointRule}. */
export const BGP_ENDPOINTS: EndpointRule = { needsAddress: true }

/** Ready (or not said), else serving: terminating pods that still serve count. */
export function isActive(endpoint: Endpoint): boolean {
  const { ready, serving } = endpoint.conditions ?? {}
  // The API sends null for "unknown" where the type says absent.
  return (ready ?? true) || serving === true
}

const counts = (endpoint: Endpoint, rule: EndpointRule): boolean =>
  isActive(endpoint) && (!rule.needsAddress || (endpoint.addresses?.length ?? 0) > 0)

/** Whether any endpoint anywhere is active. */
export function hasActiveEndpoint(slices: readonly EndpointSlice[], rule: EndpointRule): boolean {
  return slices.some(slice => (slice.endpoints ?? []).some(endpoint => counts(endpoint, rule)))
}

/** Names of the nodes that have an active endpoint; endpoints without a node count for none. */
export function nodesWithActiveEndpoint(slices: readonly EndpointSlice[], rule: EndpointRule): ReadonlySet<string> {
  const nodes = new Set<string>()
  for (const slice of slices) {
    for (const endpoint of slice.endpoints ?? []) {
      if (endpoint.nodeName && counts(endpoint, rule)) nodes.add(endpoint.nodeName)
    }
  }
  return nodes
}

/** Label by which a slice names its Service. */
export const SERVICE_LABEL = 'kubernetes.io/service-name'

/** The Service that a slice belongs to; `undefined` when it does not say. */
export function serviceOfSlice({ metadata }: EndpointSlice): ObjectKey | undefined {
  const name = metadata.labels?.[SERVICE_LABEL]
  return name === undefined ? undefined : `${metadata.namespace ?? ''}/${name}`
}
