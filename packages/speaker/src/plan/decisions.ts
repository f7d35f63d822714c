/** The decisions about all Services, made anew only where something was touched. */
import { isDeepStrictEqual } from 'node:util'
import { LayeredMap, changedKeys } from '@typemetal/cluster'
import type { ObjectKey, Snapshot } from '@typemetal/cluster'
import { serviceOfSlice } from '../endpoints.js'
import type { Context } from './context.js'
import { sameContext } from './context.js'
import { planService } from './service.js'
import type { ServiceDecision } from './types.js'

/** A decision before and after; absent: there was, or is, no such Service. */
export interface DecisionChange {
  readonly before: ServiceDecision | undefined
  readonly after: ServiceDecision | undefined
}

/** Decisions that differ, by Service. */
export type DecisionChanges = ReadonlyMap<ObjectKey, DecisionChange>

/** Decisions with what they were made from. */
export interface Decisions {
  readonly context: Context
  readonly snapshot: Snapshot
  readonly services: LayeredMap<ObjectKey, ServiceDecision>
}

/** Decides about every Service that is touched; a decision that comes out as it was stays the same object. */
export function decideServices(
  context: Context,
  snapshot: Snapshot,
  previous: Decisions | undefined,
): { readonly decisions: Decisions; readonly changes: DecisionChanges } {
  const before = previous?.services ?? new LayeredMap<ObjectKey, ServiceDecision>()
  const changes = new Map<ObjectKey, DecisionChange>()
  const existing = snapshot.objects('Service')
  for (const key of touchedServices(context, snapshot, previous)) {
    const service = existing.get(key)
    const old = before.get(key)
    const now = service && planService(context, key, service, snapshot.endpointSlicesOf(key))
    if (!isDeepStrictEqual(old, now)) changes.set(key, { before: old, after: now })
  }
  const services = changes.size === 0 ? before : before.with(entriesAfter(changes))
  return { decisions: { context, snapshot, services }, changes }
}

function* entriesAfter(changes: DecisionChanges): Generator<readonly [ObjectKey, ServiceDecision | undefined]> {
  for (const [key, { after }] of changes) yield [key, after]
}

function touchedServices(context: Context, snapshot: Snapshot, previous: Decisions | undefined): Iterable<ObjectKey> {
  const services = snapshot.objects('Service')
  if (!previous) return services.keys()
  if (!sameContext(previous.context, context)) return new Set([...previous.services.keys(), ...services.keys()])
  const touched = new Set(changedKeys(previous.snapshot.objects('Service'), services))
  const older = previous.snapshot.objects('EndpointSlice')
  const newer = snapshot.objects('EndpointSlice')
  for (const key of changedKeys(older, newer)) {
    // A slice may have been moved from one Service to another.
    for (const slice of [older.get(key), newer.get(key)]) {
      const service = slice && serviceOfSlice(slice)
      if (service !== undefined) touched.add(service)
    }
  }
  return touched
}
