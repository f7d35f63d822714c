/** core/v1 Events about an address that two hosts answer for. */
import type { ClusterEvent, ObjectKey } from '@typemetal/cluster'
import { COMPONENT, splitKey } from '../core/events.js'
import type { Conflict } from './conflict-machine.js'

/** Reason of the Events, for people and their tooling. */
export const CONFLICT_REASON = 'addressConflict'

/**
 * One for each Service that this node announces the address for.
 * @param node this node
 */
export function conflictEvents(
  { address, interface: on, mac, node: other, resolution }: Conflict,
  services: readonly ObjectKey[],
  node: string,
): readonly ClusterEvent[] {
  const who = other === undefined ? `host ${mac}` : `node "${other}" (${mac})`
  const what =
    resolution === 'yield' ? `node "${node}" leaves it to that one` : `node "${node}" keeps it and announces it again`
  return services.map(key => ({
    regarding: { apiVersion: 'v1', kind: 'Service', ...splitKey(key) },
    component: COMPONENT,
    host: node,
    type: 'Warning',
    reason: CONFLICT_REASON,
    message: `${who} answers for LB IP "${address}" on interface "${on}" too: ${what}`,
  }))
}
