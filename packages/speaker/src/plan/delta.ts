/** What a plan changes against the plan before it, for those who carry it out by difference. */
import type { ObjectKey } from '@typemetal/cluster'
import type { Interfaces, RoutePlan, SessionPlan } from './types.js'

/** Routes of one session that differ, by prefix; `undefined`: withdrawn. */
export type RouteDelta = ReadonlyMap<string, RoutePlan | undefined>

/**
 * Differences between a plan and the one before it; the first plan differs in everything. Whoever did not carry out the plan before
 * (it has just been started, say) takes the whole plan instead: the two always agree.
 */
export interface PlanDelta {
  /** Services whose decision or whose peers differ, those that are gone included. */
  readonly services: ReadonlySet<ObjectKey>
  /** Layer-2 addresses to answer for from now on, or on other interfaces; `undefined`: no longer. */
  readonly layer2: ReadonlyMap<string, Interfaces | undefined>
  /** Sessions that are new or differ, by BGPPeer name; `undefined`: no longer wanted. */
  readonly sessions: ReadonlyMap<string, SessionPlan | undefined>
  /** By session, those only whose routes differ; a new session has all of its routes here. Sessions told the same share one map. */
  readonly routes: ReadonlyMap<string, RouteDelta>
}
