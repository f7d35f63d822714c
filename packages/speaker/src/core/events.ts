/** core/v1 Events of the speaker. The texts are MetalLB's to the letter: people's tooling compares them. */
import type { ClusterEvent, ObjectKey, ObjectReference } from '@typemetal/cluster'
import type { Transition } from './transitions.js'

/** Source component of every event. */
export const COMPONENT = 'metallb-speaker'

/** The events that one transition is worth on the Service. */
export function eventsOf(transition: Transition, node: string): readonly ClusterEvent[] {
  const common = { regarding: serviceReference(transition.service), component: COMPONENT, host: node }
  if (transition.type === 'announced') {
    const message = `announcing from node "${node}" with protocol "${transition.protocol}"`
    return [{ ...common, type: 'Normal', reason: 'nodeAssigned', message }]
  }
  if (transition.type !== 'announceFailed') return []
  return transition.addresses.map(ip => ({
    ...common,
    type: 'Warning',
    reason: 'announceFailed',
    message: `the interfaces specified by LB IP "${ip}" doesn't exist in assigned node "${node}" with protocol "layer2"`,
  }))
}

/** Splits `namespace/name`. */
export function splitKey(key: ObjectKey): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf('/')
  return { namespace: key.slice(0, Math.max(slash, 0)), name: key.slice(slash + 1) }
}

const serviceReference = (key: ObjectKey): ObjectReference => ({ apiVersion: 'v1', kind: 'Service', ...splitKey(key) })
