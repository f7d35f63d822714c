import type { IPAddressPool, IPAddressPoolStatus } from '@typemetal/cluster'
import type { PoolCounters } from '../allocator/pool-state.js'

const FIELDS = ['assignedIPv4', 'assignedIPv6', 'availableIPv4', 'availableIPv6'] as const

/** The pool with these counters in its status; the same object when it has them already. */
export function withCounters(pool: IPAddressPool, counters: PoolCounters): IPAddressPool {
  const { status } = pool
  if (status && FIELDS.every(field => sameCount(status[field], counters[field]))) return pool
  const wanted: IPAddressPoolStatus = {
    assignedIPv4: toJSONNumber(counters.assignedIPv4),
    assignedIPv6: toJSONNumber(counters.assignedIPv6),
    availableIPv4: toJSONNumber(counters.availableIPv4),
    availableIPv6: toJSONNumber(counters.availableIPv6),
  }
  return { ...pool, status: wanted }
}

/**
 * A number beyond 2^53 that was read as a float has lost its last digits; it counts as equal to what it is nearest to, as
 * writing it again would change nothing.
 */
function sameCount(present: number | bigint | undefined, wanted: bigint): boolean {
  return typeof present === 'bigint' ? present === wanted : present === Number(wanted)
}

/** Exact either way: a bigint only where a number is not. */
const toJSONNumber = (count: bigint): number | bigint => (count > Number.MAX_SAFE_INTEGER ? count : Number(count))
