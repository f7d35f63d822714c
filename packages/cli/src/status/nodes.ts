/** What each node announces, and what keeps it from it. */
import { isExcluded, isNetworkUnavailable } from '@typemetal/speaker'
import type { View } from '../view.js'
import type { Sample, SpeakerReading } from './metrics.js'

/** A node as announcing sees it. */
export interface NodeStatus {
  readonly node: string
  /** Whether its speaker is taken to be alive. */
  readonly alive: boolean
  /** Services whose addresses it should answer for at layer 2, and that it should announce by BGP. */
  readonly layer2: number
  readonly bgp: number
  readonly sessions: number
  /** Why it is left out, or a drain, or that it does not answer. */
  readonly notes: readonly string[]
}

/** Nodes in order of their names. */
export function nodeStatuses(
  { snapshot, plans, members }: View,
  readings: ReadonlyMap<string, SpeakerReading>,
): readonly NodeStatus[] {
  return [...plans.values()].map(({ node, services, sessions }) => {
    const object = snapshot.objects('Node').get(node)
    const decisions = [...services.values()]
    const reading = readings.get(node)
    return {
      node,
      alive: members.includes(node),
      layer2: decisions.filter(({ layer2 }) => layer2.announce).length,
      bgp: decisions.filter(({ bgp }) => bgp.announce).length,
      sessions: sessions.size,
      notes: [
        ...(isExcluded(object) ? ['exclude-from-external-load-balancers'] : []),
        ...(isNetworkUnavailable(object) ? ['NetworkUnavailable'] : []),
        ...(object?.spec?.unschedulable ? ['cordoned'] : []),
        ...(reading && 'failure' in reading ? [reading.failure] : []),
        ...(reading && 'samples' in reading ? [...drainOf(reading.samples), ...staleness(reading.samples)] : []),
      ],
    }
  })
}

const drainOf = (samples: readonly Sample[]): readonly string[] =>
  samples
    .filter(
      ({ name, labels, value }) => name === 'typemetal_drain_state' && value > 0 && labels['state'] !== 'announcing',
    )
    .map(({ labels }) => `drain: ${labels['state'] ?? 'under way'}`)

/** MetalLB's metric, which ours has too. */
const staleness = (samples: readonly Sample[]): readonly string[] =>
  samples.some(({ name, value }) => name === 'metallb_k8s_client_config_stale_bool' && value > 0)
    ? ['its newest configuration is not in force']
    : []
