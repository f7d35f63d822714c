/** The one place that decides what this node announces. Pure: same input, same plan. */
import type { Config, EndpointSlice, ObjectKey, Service, Snapshot } from '@typemetal/cluster'
import type { Context } from './context.js'
import { createContext, sameContext, sameList } from './context.js'
import { aggregateRoutes } from './routes.js'
import { planService } from './service.js'
import { wantedSessions } from './sessions.js'
import type { Interfaces, Plan, PlanOptions, ServiceDecision } from './types.js'

/** A decision with the objects it was made from, which tell whether it still holds. */
interface Remembered {
  readonly service: Service
  readonly slices: readonly EndpointSlice[]
  readonly decision: ServiceDecision
}

/** What {@link plan} keeps in its result to spare the Services that an event did not touch. */
export interface PlanMemory {
  readonly context: Context
  readonly decisions: ReadonlyMap<ObjectKey, Remembered>
}

/** A {@link Plan} that the next one can be made from. */
export interface RememberingPlan extends Plan {
  readonly memory: PlanMemory
}

/**
 * Says what `node` should announce, and for each Service why not.
 * @param config newest valid configuration; `undefined` before the first
 * @param members names of the live gossip members, this node included; `undefined` when gossip is off
 * @param previous the plan before this one: makes it cheaper, never different
 */
export function plan(
  snapshot: Snapshot,
  config: Config | undefined,
  node: string,
  members: readonly string[] | undefined,
  options: PlanOptions = {},
  previous?: RememberingPlan,
): RememberingPlan {
  const context = createContext(snapshot, config, node, members, options)
  const usable = previous && sameContext(previous.memory.context, context) ? previous.memory.decisions : undefined
  const decisions = new Map<ObjectKey, Remembered>()
  const services = new Map<ObjectKey, ServiceDecision>()
  for (const [key, service] of snapshot.objects('Service')) {
    const slices = snapshot.endpointSlicesOf(key)
    const entry = stillHolds(usable?.get(key), service, slices) ?? decide(context, key, service, slices)
    decisions.set(key, entry)
    services.set(key, entry.decision)
  }
  const sessions = config ? wantedSessions(config, snapshot.objects('Node').get(node)) : new Map()
  return {
    node,
    services,
    layer2: aggregateLayer2(services.values()),
    sessions,
    ...aggregateRoutes(services.values(), sessions),
    memory: { context, decisions },
  }
}

function stillHolds(
  entry: Remembered | undefined,
  service: Service,
  slices: readonly EndpointSlice[],
): Remembered | undefined {
  return entry?.service === service && sameList(entry.slices, slices) ? entry : undefined
}

function decide(context: Context, key: ObjectKey, service: Service, slices: readonly EndpointSlice[]): Remembered {
  return { service, slices, decision: planService(context, key, service, slices) }
}

/** Addresses that some Service answers for here; a shared address is answered on the interfaces of all its Services. */
export function aggregateLayer2(decisions: Iterable<ServiceDecision>): ReadonlyMap<string, Interfaces> {
  const wanted = new Map<string, Interfaces>()
  for (const { addresses, layer2 } of decisions) {
    if (!layer2.announce) continue
    for (const address of addresses) wanted.set(address, uniteInterfaces(wanted.get(address), layer2.interfaces))
  }
  return wanted
}

function uniteInterfaces(a: Interfaces | undefined, b: Interfaces): Interfaces {
  if (a === undefined || a === b) return b
  if (a === 'all' || b === 'all') return 'all'
  return [...new Set([...a, ...b])].toSorted()
}
