/** How a cluster is: pools, Services, nodes, sessions, and what keeps the newest configuration from being in force. Pure. */
import type { ConfigurationState, ObjectKey } from '@typemetal/cluster'
import { addressesOf } from '../allocation.js'
import { announcers, reachingPeers } from '../compare/compare.js'
import type { View } from '../view.js'
import { nodeStatuses, type NodeStatus } from './nodes.js'
import { poolStatuses, type PoolStatus } from './pools.js'
import { type SessionStatus, sessionStatuses } from './sessions.js'
import type { SpeakerReading } from './metrics.js'

/** A Service of type LoadBalancer, and who announces it. */
export interface ServiceStatus {
  readonly service: ObjectKey
  readonly addresses: readonly string[]
  readonly pool?: string
  /** The node that should answer for its addresses, and what the speakers say. */
  readonly layer2: { readonly node?: string; readonly reported?: readonly string[] }
  readonly bgp: { readonly nodes: readonly string[]; readonly reported?: readonly string[] }
  /** Why nobody announces it, or why its addresses are missing. */
  readonly reason?: string
}

/** What a component says about the newest configuration. */
export interface ComponentState {
  readonly component: string
  readonly result: string
  readonly summary?: string
}

/** Everything at one moment. */
export interface StatusReport {
  readonly pools: readonly PoolStatus[]
  readonly services: readonly ServiceStatus[]
  readonly nodes: readonly NodeStatus[]
  readonly sessions: readonly SessionStatus[]
  readonly configuration: readonly ComponentState[]
}

/** @param readings what speakers said themselves, by node; empty when they were not asked */
export function report(
  view: View,
  namespace: string,
  readings: ReadonlyMap<string, SpeakerReading> = new Map(),
): StatusReport {
  return {
    pools: poolStatuses(view, namespace),
    services: serviceStatuses(view),
    nodes: nodeStatuses(view, readings),
    sessions: sessionStatuses(view, readings),
    configuration: states([...view.snapshot.objects('ConfigurationState').values()]),
  }
}

function serviceStatuses(view: View): readonly ServiceStatus[] {
  const { snapshot, plans } = view
  const l2 = statusNodes([...snapshot.objects('ServiceL2Status').values()])
  const bgp = statusNodes([...snapshot.objects('ServiceBGPStatus').values()])
  const balanced = [...snapshot.objects('Service')].filter(([, { spec }]) => spec?.type === 'LoadBalancer')
  return balanced.map(([service, object]) => {
    const addresses = addressesOf(object)
    const [plan] = plans.values()
    const pool = plan?.services.get(service)?.pool
    const [owner] = announcers(view, service, 'layer2')
    const speakers = reachingPeers(view, service)
    const reason = owner === undefined && speakers.length === 0 ? whyNobody(view, service) : undefined
    return {
      service,
      addresses,
      ...(pool !== undefined && { pool }),
      layer2: { ...(owner !== undefined && { node: owner }), ...reported(l2, service) },
      bgp: { nodes: speakers, ...reported(bgp, service) },
      ...(reason !== undefined && { reason }),
    }
  })
}

type Reported = ReadonlyMap<ObjectKey, readonly string[]>

/** Nodes that say they announce, by Service. `undefined` where no speaker writes such statuses. */
function statusNodes(
  objects: readonly {
    readonly status?: { readonly node?: string; readonly serviceName?: string; readonly serviceNamespace?: string }
  }[],
): Reported | undefined {
  if (objects.length === 0) return undefined
  const nodes = new Map<ObjectKey, readonly string[]>()
  for (const { status } of objects) {
    const key = `${status?.serviceNamespace}/${status?.serviceName}`
    nodes.set(key, [...(nodes.get(key) ?? []), status?.node ?? '?'].toSorted())
  }
  return nodes
}

const reported = (all: Reported | undefined, service: ObjectKey): { readonly reported?: readonly string[] } =>
  all ? { reported: all.get(service) ?? [] } : {}

/** The reason that most nodes give for each protocol, or what the controller says about the missing address. */
function whyNobody({ plans, events }: View, service: ObjectKey): string {
  const said = events.findLast(
    ({ type, regarding }) => type === 'Warning' && `${regarding.namespace}/${regarding.name}` === service,
  )
  if (said) return said.message
  const counts = new Map<string, number>()
  for (const { services } of plans.values()) {
    const decision = services.get(service)
    for (const part of [decision?.layer2, decision?.bgp]) {
      if (part && !part.announce) counts.set(part.reason, (counts.get(part.reason) ?? 0) + 1)
    }
  }
  if ([...plans.values()].some(({ services }) => services.get(service)?.bgp.announce))
    return 'no BGPPeer selects the nodes that would announce it'
  const [most] = [...counts].toSorted(([, a], [, b]) => b - a)
  return most?.[0] ?? 'there is no node'
}

const states = (objects: readonly ConfigurationState[]): readonly ComponentState[] =>
  objects
    .map(({ metadata, status }) => ({
      component: metadata.name,
      result: status?.result ?? 'Unknown',
      ...(status?.errorSummary && { summary: status.errorSummary }),
    }))
    .toSorted((a, b) => (a.component < b.component ? -1 : 1))
