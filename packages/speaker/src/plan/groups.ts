/** What several Services want of one thing, such as an address or a prefix: grouped by it, and kept up to date by difference. */
import type { LayeredMap, ObjectKey } from '@typemetal/cluster'
import type { DecisionChanges } from './decisions.js'
import type { ServiceDecision } from './types.js'

/** One Service's share in a group. */
export interface Claim {
  readonly service: ObjectKey
}

/** Claims by what they are about. No group is empty. */
export type Groups<T extends Claim> = LayeredMap<string, readonly T[]>

/**
 * Brings groups in line with changed decisions.
 * @param claimsOf what a decision claims, with the name of the group
 * @returns the groups, and the names of those that have changed or are gone
 */
export function regroup<T extends Claim>(
  groups: Groups<T>,
  changes: DecisionChanges,
  claimsOf: (decision: ServiceDecision) => Iterable<readonly [string, T]>,
): { readonly groups: Groups<T>; readonly affected: ReadonlySet<string> } {
  const added = new Map<string, T[]>()
  const affected = new Set<string>()
  for (const { before, after } of changes.values()) {
    for (const [name] of before ? claimsOf(before) : []) affected.add(name)
    for (const [name, claim] of after ? claimsOf(after) : []) {
      affected.add(name)
      const list = added.get(name)
      if (list) list.push(claim)
      else added.set(name, [claim])
    }
  }
  if (affected.size === 0) return { groups, affected }
  const entries = [...affected].map(name => {
    const kept = (groups.get(name) ?? []).filter(({ service }) => !changes.has(service))
    const fresh = added.get(name) ?? []
    // Nearly always it is one alone, which needs no list with room for more: there are thousands.
    const claims = kept.length === 0 ? fresh : [...kept, ...fresh]
    return [name, claims.length > 0 ? claims : undefined] as const
  })
  return { groups: groups.with(entries), affected }
}
