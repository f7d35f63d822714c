/** The decisions about all Services, made anew only where something was touched. */
import { LayeredMap, changedKeys } from '@typemetal/cluster'
import type { EndpointSlice, ObjectKey, Service, Snapshot } from '@typemetal/cluster'
import { serviceOfSlice } from '../endpoints.js'
import type { Context } from './context.js'
import { candidateChange } from './context.js'
import { sameDecision } from './same-decision.js'
import { planService, reelect } from './service.js'
import type { ServiceDecision } from './types.js'

/** A decision before and after; absent: there was, or is, no such Service. */
export interface DecisionChange {
  readonly before: ServiceDecision | undefined
  readonly after: ServiceDecision | undefined
}

/** Decisions that differ, by Service. */
export type DecisionChanges = ReadonlyMap<ObjectKey, DecisionChange>

/**
 * Objects that decisions were made from. Not the snapshot: that would keep, for as long as nothing is decided, what every other kind was
 * like then.
 */
interface Decided {
  readonly services: ReadonlyMap<ObjectKey, Service>
  readonly slices: ReadonlyMap<ObjectKey, EndpointSlice>
}

/** Decisions with what they were made from. */
export interface Decisions {
  readonly context: Context
  /** @internal */
  readonly from: Decided
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
  const compare = (key: ObjectKey, old: ServiceDecision | undefined, now: ServiceDecision | undefined): void => {
    if (!sameDecision(old, now)) changes.set(key, { before: old, after: now })
  }
  const since = previous && candidateChange(previous.context, context)
  const from = { services: snapshot.objects('Service'), slices: snapshot.objects('EndpointSlice') }
  const touched = previous && since ? touchedServices(previous.from, from) : allServices(from, before)
  const existing = from.services
  for (const key of touched) {
    const service = existing.get(key)
    compare(key, before.get(key), service && planService(context, key, service, snapshot.endpointSlicesOf(key)))
  }
  if (since && (since.came.length > 0 || since.gone.size > 0)) {
    for (const [key, old] of before) {
      const service = touched.has(key) ? undefined : existing.get(key)
      if (service) compare(key, old, reelect(context, service, snapshot.endpointSlicesOf(key), old, since))
    }
  }
  const services = changes.size === 0 ? before : before.with(entriesAfter(changes))
  return { decisions: { context, from, services }, changes }
}

function* entriesAfter(changes: DecisionChanges): Generator<readonly [ObjectKey, ServiceDecision | undefined]> {
  for (const [key, { after }] of changes) yield [key, after]
}

const allServices = ({ services }: Decided, before: ReadonlyMap<ObjectKey, unknown>): ReadonlySet<ObjectKey> =>
  new Set([...before.keys(), ...services.keys()])

/** Those whose objects have changed. */
function touchedServices(before: Decided, now: Decided): ReadonlySet<ObjectKey> {
  const touched = new Set(changedKeys(before.services, now.services))
  for (const key of changedKeys(before.slices, now.slices)) {
    // A slice may have been moved from one Service to another.
    for (const slice of [before.slices.get(key), now.slices.get(key)]) {
      const service = slice && serviceOfSlice(slice)
      if (service !== undefined) touched.add(service)
    }
  }
  return touched
}
