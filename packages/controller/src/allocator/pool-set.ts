import type { Address, IPFamily, Pool } from '@typemetal/cluster'
import { PoolState, isCompatible, sameAddressPlan } from './pool-state.js'
import type { AddressRequest } from './request.js'

/** One block and the pool it belongs to. */
interface Extent {
  readonly first: bigint
  readonly last: bigint
  readonly pool: PoolState
}

/** All pools of one configuration: which one owns an address, and in which order a Service tries them. */
export class PoolSet {
  readonly #byName: ReadonlyMap<string, PoolState>
  /** Ascending; blocks never overlap. */
  readonly #extents: Readonly<Record<IPFamily, readonly Extent[]>>
  /** Pools with a `serviceAllocation`: priority above 0 ascending, then priority 0; by name among equals. */
  readonly #pinned: readonly PoolState[]
  /** Pools for everybody, by name. */
  readonly #open: readonly PoolState[]
  readonly #openOnly: readonly (readonly PoolState[])[]

  /**
   * @param configs pools by name
   * @param previous states of pools whose addresses did not change are taken over from here, with their use
   */
  constructor(configs: ReadonlyMap<string, Pool>, previous?: PoolSet) {
    const pools = [...configs.values()].toSorted(byName).map(config => adopt(config, previous))
    this.#byName = new Map(pools.map(pool => [pool.name, pool]))
    this.#extents = { IPv4: extentsOf(pools, 'IPv4'), IPv6: extentsOf(pools, 'IPv6') }
    const automatic = pools.filter(pool => pool.config.autoAssign)
    // toSorted keeps equal elements in order, and they are in the order of their names.
    this.#pinned = automatic.filter(pool => pool.config.serviceAllocation).toSorted(byPriority)
    this.#open = automatic.filter(pool => !pool.config.serviceAllocation)
    this.#openOnly = [this.#open]
  }

  get size(): number {
    return this.#byName.size
  }

  get(name: string): PoolState | undefined {
    return this.#byName.get(name)
  }

  /** All pools by name. */
  values(): Iterable<PoolState> {
    return this.#byName.values()
  }

  /** The pool that contains all of these addresses as usable ones. O(log blocks). */
  ownerOf(addresses: readonly Address[]): PoolState | undefined {
    const [first] = addresses
    const pool = first && this.#owner(first)
    return pool && addresses.every(address => pool.locate(address)) ? pool : undefined
  }

  /** The pools that a Service may be given an address from unasked: first those pinned to it, then the ones for everybody. */
  candidates(request: AddressRequest): readonly (readonly PoolState[])[] {
    if (this.#pinned.length === 0) return this.#openOnly
    return [this.#pinned.filter(pool => isCompatible(pool.config, request)), this.#open]
  }

  #owner({ family, value }: Address): PoolState | undefined {
    const extents = this.#extents[family]
    let low = 0
    let high = extents.length - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      const extent = extents[middle]!
      if (value < extent.first) high = middle - 1
      else if (value > extent.last) low = middle + 1
      else return extent.pool
    }
    return undefined
  }
}

function adopt(config: Pool, previous: PoolSet | undefined): PoolState {
  const state = previous?.get(config.name)
  if (!state || !sameAddressPlan(state.config, config)) return new PoolState(config)
  state.config = config
  return state
}

function extentsOf(pools: readonly PoolState[], family: IPFamily): readonly Extent[] {
  const extents = pools.flatMap(pool =>
    pool.config.blocks.filter(block => block.family === family).map(({ first, last }) => ({ first, last, pool })),
  )
  return extents.toSorted((a, b) => (a.first < b.first ? -1 : 1))
}

const byName = (a: Pool, b: Pool): number => (a.name < b.name ? -1 : 1)

/** Compared, not subtracted: that is exact also where one is a number and the other a bigint. */
function byPriority(a: PoolState, b: PoolState): number {
  const [one, other] = [priorityOf(a), priorityOf(b)]
  return one < other ? -1 : one > other ? 1 : 0
}

/** Only positive numbers are priorities; a pool without one comes last. */
function priorityOf({ config }: PoolState): number | bigint {
  const priority = config.serviceAllocation?.priority ?? 0
  return priority > 0 ? priority : Infinity
}
