import type { ClusterEvent, ObjectReference, Service } from '@typemetal/cluster'

/** Source of the controller's events, as MetalLB names it. */
export const COMPONENT = 'metallb-controller'

/** The API server takes no longer event message. */
const MAX_MESSAGE = 1024

/** Reasons of the events on Services; the blanks in one of them are MetalLB's. */
export const Reason = {
  ipAllocated: 'IPAllocated',
  allocationFailed: 'AllocationFailed',
  clearAssignment: 'ClearAssignment',
  loadBalancerFailed: 'LoadBalancerFailed',
  additionalAssignFailed: 'AdditionalAssignFailed',
  notEnoughClusterIPs: 'not enough clusterips',
  noLoadBalancerFamily: 'nolbIPsIPFamily',
  noClusterFamily: 'noclusterIPsIPFamily',
  internalError: 'InternalError',
  deprecatedAnnotation: 'deprecatedAnnotation',
  configurationError: 'ConfigurationError',
} as const
/** Reason of an event. */
export type Reason = (typeof Reason)[keyof typeof Reason]

/** What an event says, whatever it is about. */
export interface Notice {
  readonly type: 'Normal' | 'Warning'
  readonly reason: Reason
  readonly message: string
}

/** The event that says a notice about an object. */
export function clusterEvent(regarding: ObjectReference, { type, reason, message }: Notice): ClusterEvent {
  const short = message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE - 1)}…` : message
  return { regarding, type, reason, message: short, component: COMPONENT }
}

/** The reference to a Service that its events carry. */
export function serviceReference({ apiVersion, metadata }: Service): ObjectReference {
  return { apiVersion, kind: 'Service', name: metadata.name, namespace: metadata.namespace ?? 'default' }
}
