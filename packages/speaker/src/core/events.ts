/** core/v1 Events of the speaker. The texts are MetalLB's to the letter: people's tooling compares them. */
import type { ClusterEvent, ObjectKey, ObjectReference } from '@typemetal/cluster'
import type { Transition } from './transitions.js'

/** Source component of every event. */
export const COMPONENT = 'metallb-speaker'

/** The events that one transition is worth on the Service. */
export function eventsOf(transition: Transition, node: string): readonly ClusterEvent[] {
  const regarding = serviceReference(transition.service)
  if (transition.type === 'announced') {
    const message = `announcing from node "${node}" with protocol "${transition.protocol}"`
    return [eventOf(regarding, node, 'Normal', 'nodeAssigned', message)]
  }
  if (transition.type !== 'announceFailed') return []
  return transition.addresses.map(ip => {
    const message = `the interfaces specified by LB IP "${ip}" doesn't exist in assigned node "${node}" with protocol "layer2"`
    return eventOf(regarding, node, 'Warning', 'announceFailed', message)
  })
}

// One literal for all: a recorder remembers thousands of them, and V8 gives objects that begin with a spread a shape each.
const eventOf = (
  regarding: ObjectReference,
  host: string,
  type: ClusterEvent['type'],
  reason: string,
  message: string,
): ClusterEvent => ({ regarding, component: COMPONENT, host, type, reason, message })

/** Splits `namespace/name`. */
export function splitKey(key: ObjectKey): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf('/')
  return { namespace: key.slice(0, Math.max(slash, 0)), name: key.slice(slash + 1) }
}

function serviceReference(key: ObjectKey): ObjectReference {
  const { namespace, name } = splitKey(key)
  return { apiVersion: 'v1', kind: 'Service', namespace, name }
}
