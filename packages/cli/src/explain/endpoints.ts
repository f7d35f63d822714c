/** Where a Service's Pods are, as far as announcing depends on it. */
import {
  BGP_ENDPOINTS,
  hasActiveEndpoint,
  isActive,
  LAYER2_ENDPOINTS,
  nodesWithActiveEndpoint,
} from '@typemetal/speaker'
import { step, type Step, type Subject } from './step.js'

/** Endpoints and traffic policy. */
export function endpointStep({ service, slices }: Subject): Step {
  const all = slices.flatMap(({ endpoints = [] }) => endpoints)
  const policy = service.spec?.externalTrafficPolicy === 'Local' ? 'Local' : 'Cluster'
  const idle = all.filter(endpoint => !isActive(endpoint)).length
  const details = [
    policy === 'Local'
      ? 'externalTrafficPolicy Local: only nodes with a ready endpoint announce'
      : 'externalTrafficPolicy Cluster: every node may announce as long as one endpoint is ready anywhere',
    ...(idle > 0 ? [`${idle} of ${all.length} endpoints are neither ready nor serving`] : []),
  ]
  if (slices.length === 0)
    return step('endpoints', 'bad', 'there is no EndpointSlice for it, so nobody announces', details)
  if (!hasActiveEndpoint(slices, LAYER2_ENDPOINTS))
    return step('endpoints', 'bad', 'none is ready, so nobody announces', details)
  const nodes = [...nodesWithActiveEndpoint(slices, LAYER2_ENDPOINTS)].toSorted()
  const forBGP = hasActiveEndpoint(slices, BGP_ENDPOINTS) ? [] : ['none of them has an address, which BGP wants']
  return step('endpoints', 'good', `ready on ${nodes.join(', ') || 'no node by name'}`, [...details, ...forBGP])
}
