import { type Address, type IPFamily, type Pool, matchesAny } from '@typemetal/cluster'
import { AddressSpace } from './address-space.js'
import type { Rank } from './rank.js'
import { saturate } from './ranks.js'
import type { AddressRequest } from './request.js'

/** How much of a pool is in use. `assigned + available = capacity` for each family, always. */
export interface PoolCounters {
  readonly assignedIPv4: bigint
  readonly assignedIPv6: bigint
  readonly availableIPv4: bigint
  readonly availableIPv6: bigint
  /** At most 2^63-1, as are the next two. */
  readonly capacity: bigint
  readonly capacityIPv4: bigint
  readonly capacityIPv6: bigint
}

/** A pool and the use that is made of it. */
export class PoolState {
  /** Replaced when only the rules of the pool changed, and not its addresses. */
  config: Pool
  readonly IPv4: AddressSpace
  readonly IPv6: AddressSpace

  constructor(config: Pool) {
    this.config = config
    this.IPv4 = new AddressSpace('IPv4', config.blocks, config.avoidBuggyIPs)
    this.IPv6 = new AddressSpace('IPv6', config.blocks, config.avoidBuggyIPs)
  }

  get name(): string {
    return this.config.name
  }

  /** The space of an address and its rank in it, or `undefined` when the pool has no such usable address. */
  locate(address: Pick<Address, 'family' | 'value'>): { space: AddressSpace; rank: Rank } | undefined {
    const space = this[address.family]
    const rank = space.ranks.rankOf(address.value)
    return rank === undefined ? undefined : { space, rank }
  }

  /** Lowest address of a family that fits, see {@link AddressSpace.lowestFor}. */
  lowestFor(family: IPFamily, request: AddressRequest): Address | undefined {
    return this[family].lowestFor(request)
  }

  get counters(): PoolCounters {
    const { IPv4, IPv6 } = this
    return {
      assignedIPv4: IPv4.assigned,
      assignedIPv6: IPv6.assigned,
      availableIPv4: IPv4.ranks.capacity - IPv4.assigned,
      availableIPv6: IPv6.ranks.capacity - IPv6.assigned,
      capacity: saturate(IPv4.ranks.capacity + IPv6.ranks.capacity),
      capacityIPv4: IPv4.ranks.capacity,
      capacityIPv6: IPv6.ranks.capacity,
    }
  }
}

/** Whether the `serviceAllocation` of a pool lets a Service use it, on its own or by request. */
export function isCompatible({ serviceAllocation: rule }: Pool, request: AddressRequest): boolean {
  if (!rule) return true
  if (rule.namespaces && !rule.namespaces.has(request.namespace)) return false
  return matchesAny(rule.serviceSelectors, request.labels)
}

/** Whether two versions of a pool have the same usable addresses in the same order. */
export function sameAddressPlan(a: Pool, b: Pool): boolean {
  if (a === b) return true
  if (a.avoidBuggyIPs !== b.avoidBuggyIPs || a.blocks.length !== b.blocks.length) return false
  return a.blocks.every((block, index) => block.cidr === b.blocks[index]?.cidr)
}
