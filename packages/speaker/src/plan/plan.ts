/** The one place that decides what this node announces. Pure: same input, same plan. */
import type { Config, Snapshot } from '@typemetal/cluster'
import { updateAnswers } from './answers.js'
import type { Answers } from './answers.js'
import { createContext } from './context.js'
import type { Context } from './context.js'
import { decideServices } from './decisions.js'
import type { Decisions } from './decisions.js'
import type { PlanDelta } from './delta.js'
import { updateRoutes } from './route-table.js'
import type { RouteTable } from './route-table.js'
import { changedSessions, wantedSessions } from './sessions.js'
import type { Plan, PlanOptions } from './types.js'

/** What {@link plan} keeps in its result to spare the Services that an event did not touch. */
export interface PlanMemory extends Decisions {
  /** @internal */
  readonly answers: Answers
  /** @internal */
  readonly table: RouteTable
}

/** A {@link Plan} that the next one can be made from. */
export interface RememberingPlan extends Plan {
  /** What it changes against the plan it was made from; everything, when there was none. */
  readonly delta: PlanDelta
  /** Hand the whole plan over as `previous`; whoever asks why reads the context here. */
  readonly memory: PlanMemory
}

/**
 * Says what `node` should announce, and for each Service why not. An event on one Service costs work for that Service; a change of the
 * configuration, of a node's labels or conditions or of the members costs work for all.
 * @param config newest valid configuration; `undefined` before the first
 * @param members names of the live gossip members, this node included; `undefined` when gossip is off
 * @param previous the plan before this one: makes it cheaper, never different
 *
 * @example
 * ```ts
 * import { buildConfig, configResources, DirectoryStore } from '@typemetal/cluster'
 * import { plan } from '@typemetal/speaker'
 *
 * await using store = new DirectoryStore({ directory: 'manifests', component: 'example', readOnly: true })
 * await store.start()
 * const snapshot = store.snapshot()
 * const { config } = buildConfig(configResources(snapshot), { component: 'speaker', node: 'node-1', namespace: 'metallb-system' })
 * for (const { service, layer2, bgp } of plan(snapshot, config, 'node-1', ['node-1', 'node-2']).services.values()) {
 *   console.log(service, layer2.announce || layer2.reason, bgp.announce || bgp.reason)
 * }
 * ```
 */
export function plan(
  snapshot: Snapshot,
  config: Config | undefined,
  node: string,
  members: readonly string[] | undefined,
  options: PlanOptions = {},
  previous?: RememberingPlan,
): RememberingPlan {
  const memory = previous?.memory
  const context = createContext(snapshot, config, node, members, options, memory?.context)
  const { decisions, changes } = decideServices(context, snapshot, memory)
  const { services } = decisions
  const sessions = sessionsOf(context, previous)
  const { answers, delta: layer2 } = updateAnswers(changes, memory?.answers)
  const { table, delta } = updateRoutes(changes, services, sessions, namesPeers(config), memory?.table)
  return {
    node,
    services,
    layer2: answers.layer2,
    sessions,
    routes: table.routes,
    peersOf: table.peersOf,
    notes: table.notes,
    delta: {
      services: new Set([...changes.keys(), ...delta.services]),
      layer2,
      sessions: changedSessions(previous?.sessions, sessions),
      routes: delta.routes,
    },
    memory: { ...decisions, answers, table },
  }
}

/** The sessions of the plan before, where neither the configuration nor the own Node has changed. */
function sessionsOf({ config, node, population }: Context, previous: RememberingPlan | undefined): Plan['sessions'] {
  const own = population.nodes.get(node)
  const before = previous?.memory.context
  const same = before && before.config === config && before.node === node && before.population.nodes.get(node) === own
  return same ? previous.sessions : wantedSessions(config, own, previous?.sessions)
}

/** Whether any advertisement is meant for some peers only; if none is, sessions of one kind are told the same. */
function namesPeers(config: Config | undefined): boolean {
  return [...(config?.pools.values() ?? [])].some(pool => pool.bgpAdvertisements.some(ad => ad.peers.length > 0))
}
