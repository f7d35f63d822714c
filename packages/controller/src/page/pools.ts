/** Pools and their use. Pure. */
import type { Config, IPAddressPool, Pool } from '@typemetal/cluster'
import type { PoolFacts, Verdict } from '@typemetal/cluster/page'
import type { PoolCounters } from '../allocator/pool-state.js'

/** How much of a pool is used, by family. */
type Counts = Pick<PoolCounters, 'assignedIPv4' | 'assignedIPv6' | 'availableIPv4' | 'availableIPv6'>

/** Percent of a family from which on a pool is worth a look, and from which on somebody has to do something. */
const NEARLY_FULL = 85
const FULL = 95

/**
 * The pools that addresses are given from, in the order of the configuration.
 *
 * @param objects IPAddressPools by name
 * @param counters what the allocator knows of a pool
 */
export function poolRows(
  config: Config,
  objects: ReadonlyMap<string, IPAddressPool>,
  counters: (pool: string) => PoolCounters | undefined,
): readonly PoolFacts[] {
  return [...config.pools.values()].map(pool => {
    const object = objects.get(pool.name)
    const addresses = object?.spec.addresses ?? pool.blocks.map(({ cidr }) => cidr)
    return poolFacts(pool.name, addresses, counters(pool.name) ?? NOTHING, rulesOf(pool))
  })
}

/** The same by what the one that leads has written into their statuses; pools without a status are left out. */
export function poolRowsByStatus(objects: Iterable<IPAddressPool>): readonly PoolFacts[] {
  return [...objects].flatMap(({ metadata, spec, status }) => {
    if (!status) return []
    const { assignedIPv4, assignedIPv6, availableIPv4, availableIPv6 } = status
    const counts = {
      assignedIPv4: BigInt(assignedIPv4),
      assignedIPv6: BigInt(assignedIPv6),
      availableIPv4: BigInt(availableIPv4),
      availableIPv6: BigInt(availableIPv6),
    }
    return [poolFacts(metadata.name, spec.addresses, counts, [])]
  })
}

const NOTHING: Counts = { assignedIPv4: 0n, assignedIPv6: 0n, availableIPv4: 0n, availableIPv6: 0n }

function poolFacts(pool: string, addresses: readonly string[], counts: Counts, rules: readonly string[]): PoolFacts {
  const { assignedIPv4, assignedIPv6, availableIPv4, availableIPv6 } = counts
  const assigned = assignedIPv4 + assignedIPv6
  const available = availableIPv4 + availableIPv6
  const families = [
    { family: 'IPv4', percent: percentOf(assignedIPv4, availableIPv4), left: availableIPv4 },
    { family: 'IPv6', percent: percentOf(assignedIPv6, availableIPv6), left: availableIPv6 },
  ]
  const fullest = Math.max(...families.map(({ percent }) => percent))
  const full = families
    .filter(({ percent }) => percent >= NEARLY_FULL)
    .map(({ family, left }) =>
      left === 0n ? `no ${family} address is left` : `only ${left} ${family} addresses are left`,
    )
  return {
    pool,
    verdict: verdictOf(fullest),
    addresses,
    assigned: String(assigned),
    available: String(available),
    percent: percentOf(assigned, available),
    notes: [...full, ...rules],
  }
}

function verdictOf(percent: number): Verdict {
  if (percent >= FULL) return 'bad'
  return percent >= NEARLY_FULL ? 'note' : 'good'
}

/** 0 to 100, rounded; of nothing 0. */
function percentOf(assigned: bigint, available: bigint): number {
  const all = assigned + available
  return all === 0n ? 0 : Number((assigned * 100n + all / 2n) / all)
}

/** Who may use a pool, and what of it. */
function rulesOf({ autoAssign, avoidBuggyIPs, serviceAllocation: rule }: Pool): readonly string[] {
  const namespaces = rule?.namespaces && [...rule.namespaces].toSorted()
  return [
    ...(autoAssign ? [] : ['only for Services that ask for it']),
    ...(avoidBuggyIPs ? ['without .0 and .255'] : []),
    ...(namespaces ? [namespaces.length === 0 ? 'for no namespace' : `for namespaces ${namespaces.join(', ')}`] : []),
    ...(rule && rule.serviceSelectors.length > 0 ? ['for Services with certain labels'] : []),
    ...(rule && BigInt(rule.priority) !== 0n ? [`priority ${rule.priority}`] : []),
  ]
}
