import type { Address, IPFamily } from '@typemetal/cluster'
import { isCompatible, type PoolState } from './pool-state.js'
import type { PoolSet } from './pool-set.js'
import type { AddressRequest, Refusal } from './request.js'

/** Addresses for a Service and the pool they are of. */
export interface Choice {
  readonly pool: PoolState
  readonly addresses: readonly Address[]
}

/** The best pool that a Service may have without asking for one, and its lowest addresses there. */
export function chooseAny(pools: PoolSet, request: AddressRequest): Choice | Refusal {
  for (const candidates of pools.candidates(request)) {
    if (request.family !== 'dual') {
      const choice = firstWith(request.family, candidates, request)
      if (choice) return choice
      continue
    }
    const pool = bestPool(candidates, request)
    const addresses = pool && pick(pool, request)
    if (addresses) return { pool, addresses }
  }
  return { refusal: 'no available IPs' }
}

/** The lowest addresses of a pool that was asked for by name. */
export function chooseFrom(pool: PoolState, request: AddressRequest): Choice | Refusal {
  if (!pool.lowestFor('IPv4', request) && !pool.lowestFor('IPv6', request)) {
    return { refusal: `no available IPs in pool ${pool.name}` }
  }
  const addresses = pick(pool, request)
  if (!addresses)
    return { refusal: `no available IPs in pool ${pool.name} for ${request.family.toLowerCase()} IPFamily` }
  if (!isCompatible(pool.config, request)) return { refusal: incompatible(pool) }
  return { pool, addresses }
}

/** The lowest address of the other family in the pool that serves a Service already. */
export function chooseAdditional(pool: PoolState, present: IPFamily, request: AddressRequest): Address | Refusal {
  const missing = otherFamily(present)
  return (
    pool.lowestFor(missing, request) ?? {
      refusal: `no available IPs in pool ${pool.name} for ${missing.toLowerCase()} IPFamily`,
    }
  )
}

/** Why an address of this pool cannot be had by a Service that the pool's `serviceAllocation` does not admit. */
export const incompatible = (pool: PoolState): string => `pool ${pool.name} not compatible for ip assignment`

/** The order in which a Service wants two addresses: as its `ipFamilies` say, else IPv4 first. */
export const familyOrder = (families: readonly IPFamily[]): readonly [IPFamily, IPFamily] =>
  families[0] === 'IPv6' ? ['IPv6', 'IPv4'] : ['IPv4', 'IPv6']

const otherFamily = (family: IPFamily): IPFamily => (family === 'IPv4' ? 'IPv6' : 'IPv4')

/** The first pool with an address of the one family that is wanted, and that address. */
function firstWith(family: IPFamily, pools: readonly PoolState[], request: AddressRequest): Choice | undefined {
  for (const pool of pools) {
    const address = pool.lowestFor(family, request)
    if (address) return { pool, addresses: [address] }
  }
  return undefined
}

/**
 * The first pool that has both families. A dual-stack Service that only prefers both families is content, if there is
 * no such pool, with the first that has its primary family, or else the secondary.
 */
function bestPool(pools: readonly PoolState[], request: AddressRequest): PoolState | undefined {
  const [primary, secondary] = familyOrder(request.families)
  let withPrimary: PoolState | undefined
  let withSecondary: PoolState | undefined
  for (const pool of pools) {
    const hasPrimary = pool.lowestFor(primary, request) !== undefined
    const hasSecondary = pool.lowestFor(secondary, request) !== undefined
    if (hasPrimary && hasSecondary) return pool
    if (hasPrimary) withPrimary ??= pool
    if (hasSecondary) withSecondary ??= pool
  }
  return request.policy === 'PreferDualStack' ? (withPrimary ?? withSecondary) : undefined
}

/** What a pool can give to a Service: one address, or one of each family in the wanted order. */
function pick(pool: PoolState, request: AddressRequest): readonly Address[] | undefined {
  const { family, policy } = request
  if (family === 'dual' && policy === 'SingleStack') return undefined
  const wanted = family === 'dual' ? familyOrder(request.families) : [family]
  const found = wanted.map(each => pool.lowestFor(each, request)).filter(address => address !== undefined)
  const enough = found.length === wanted.length || (policy === 'PreferDualStack' && found.length > 0)
  return enough ? found : undefined
}
