import type { Address, Pool } from '@typemetal/cluster'
import { quote, quoteAddresses, sameAddresses } from './address.js'
import type { Allocation } from './allocation.js'
import { chooseAdditional, chooseAny, chooseFrom, familyOrder, incompatible, type Choice } from './choose.js'
import { PoolSet } from './pool-set.js'
import { isCompatible, type PoolCounters, type PoolState } from './pool-state.js'
import type { AddressRequest, Refusal } from './request.js'

/** Characters of the longest name in Kubernetes. */
const LONGEST_NAME = 253

/** An {@link Allocation} and the pool that counts it. */
interface Held {
  readonly allocation: Allocation
  readonly pool: PoolState
}

/**
 * Who has which address. Does no I/O and reads no clock: the same calls always give the same addresses, the lowest ones
 * that fit. Every operation is O(log n) in what is allocated; no address is ever enumerated.
 *
 * Refusals are values that say why; nothing has changed after one.
 */
export class Allocator {
  #pools = new PoolSet(new Map())
  readonly #held = new Map<string, Held>()
  #touched = new Set<string>()
  #openings = 0

  /** How many pools there are. */
  get poolCount(): number {
    return this.#pools.size
  }

  /** Services that hold addresses, as `namespace/name`. */
  get services(): ReadonlySet<string> {
    return new Set(this.#held.keys())
  }

  /**
   * Grows whenever something became free or shareable, that is, whenever a Service that was refused may fit now: an address
   * was released, a sharing key came or changed, a shared address lost a port, or the pools changed.
   */
  get openings(): number {
    return this.#openings
  }

  /**
   * Takes a new set of pools, by name. Allocations whose addresses are all in one pool are kept, whatever it is called now;
   * the others are released. Whether the pool still admits their Services is not asked.
   *
   * @returns the Services whose allocation was released
   */
  setPools(configs: ReadonlyMap<string, Pool>): readonly string[] {
    const before = this.#pools
    this.#pools = new PoolSet(configs, before)
    this.#openings++
    for (const pool of [...before.values(), ...this.#pools.values()]) this.#touched.add(pool.name)
    const released: string[] = []
    for (const [service, { allocation, pool }] of this.#held) {
      if (this.#pools.get(pool.name) === pool) continue
      const owner = this.#pools.ownerOf(allocation.addresses)
      this.#held.delete(service)
      if (owner) this.#place(owner, { ...allocation, pool: owner.name })
      else released.push(service)
    }
    return released
  }

  /** What a Service holds. */
  get(service: string): Allocation | undefined {
    return this.#held.get(service)?.allocation
  }

  /** Name of the pool that contains all of these addresses, `avoidBuggyIPs` respected. */
  ownerOf(addresses: readonly Address[]): string | undefined {
    return this.#pools.ownerOf(addresses)?.name
  }

  /** Use of a pool. */
  counters(pool: string): PoolCounters | undefined {
    return this.#pools.get(pool)?.counters
  }

  /** Names of the pools whose counters may have changed since the last call, vanished pools included. */
  takeTouchedPools(): ReadonlySet<string> {
    const touched = this.#touched
    this.#touched = new Set()
    return touched
  }

  /** Gives a Service exactly these addresses, of any pool that admits it; what it held before is released. */
  assign(request: AddressRequest, addresses: readonly Address[]): Allocation | Refusal {
    const pool = this.#pools.ownerOf(addresses)
    if (!pool) return { refusal: `${quoteAddresses(addresses)} is not allowed in config` }
    const refusal = refusalOf(pool, request, addresses)
    if (refusal !== undefined) return { refusal }
    return this.#give(request, { pool, addresses }, this.#held.get(request.service))
  }

  /** As {@link assign}, but only if the addresses are of one pool in particular. */
  assignFrom(poolName: string, request: AddressRequest, addresses: readonly Address[]): Allocation | Refusal {
    const pool = this.#pools.ownerOf(addresses)
    const refusal = pool && refusalOf(pool, request, addresses)
    if (!pool || refusal !== undefined || pool.name === poolName) return this.assign(request, addresses)
    return {
      refusal: `requested loadBalancer IP(s) ${quoteAddresses(addresses)} is not compatible with requested address pool ${poolName}`,
    }
  }

  /** Gives a Service addresses of the best pool that it may have unasked. What it holds already, it keeps. */
  allocate(request: AddressRequest): Allocation | Refusal {
    const held = this.get(request.service)
    if (held) return this.assign(request, held.addresses)
    return this.#give(request, chooseAny(this.#pools, request), undefined)
  }

  /** Gives a Service addresses of the pool that it asks for by name. What it holds already, it keeps. */
  allocateFrom(poolName: string, request: AddressRequest): Allocation | Refusal {
    const held = this.get(request.service)
    if (held) return this.assign(request, held.addresses)
    const pool = this.#pools.get(poolName)
    // No object has a longer name; what a user wrote may be longer by far.
    if (!pool) return { refusal: `unknown pool ${quote(poolName.slice(0, LONGEST_NAME))}` }
    return this.#give(request, chooseFrom(pool, request), undefined)
  }

  /**
   * Adds an address of the missing family to a Service that holds one, from the same pool. It comes second, unless the
   * Service's `ipFamilies` say otherwise.
   */
  addFamily(request: AddressRequest): Allocation | Refusal {
    const held = this.#held.get(request.service)
    const [present, ...others] = held?.allocation.addresses ?? []
    if (!held || !present || others.length > 0)
      return { refusal: `${quote(request.service)} does not hold one address` }
    const added = chooseAdditional(held.pool, present.family, request)
    if ('refusal' in added) return added
    const both = [present, added]
    const [first] = familyOrder(request.families)
    const addresses = request.families.length > 1 && first === added.family ? both.toReversed() : both
    return this.assign(request, addresses)
  }

  /** Releases what a Service holds. Safe to call twice. */
  release(service: string): void {
    const held = this.#held.get(service)
    if (!held) return
    this.#remove(held)
    this.#openings++
  }

  /** @param before what the Service holds */
  #give(request: AddressRequest, choice: Choice | Refusal, before: Held | undefined): Allocation | Refusal {
    if ('refusal' in choice) return choice
    const { service, ports, sharingKey, backendKey } = request
    const allocation = { service, pool: choice.pool.name, addresses: choice.addresses, ports, sharingKey, backendKey }
    if (before && sameAllocation(before.allocation, allocation)) return before.allocation
    if (opens(before?.allocation, allocation)) this.#openings++
    if (before) this.#remove(before)
    this.#place(choice.pool, allocation)
    return allocation
  }

  #place(pool: PoolState, allocation: Allocation): void {
    for (const address of allocation.addresses) {
      const place = pool.locate(address)
      place?.space.place(place.rank, allocation)
    }
    this.#held.set(allocation.service, { allocation, pool })
    this.#touched.add(pool.name)
  }

  #remove({ allocation, pool }: Held): void {
    for (const address of allocation.addresses) {
      const place = pool.locate(address)
      place?.space.remove(place.rank, allocation)
    }
    this.#held.delete(allocation.service)
    this.#touched.add(pool.name)
  }
}

/** Everything that speaks against these addresses of `pool`, in the order in which MetalLB says it. */
function refusalOf(pool: PoolState, request: AddressRequest, addresses: readonly Address[]): string | undefined {
  if (!isCompatible(pool.config, request)) return incompatible(pool)
  const [first, second, third] = addresses
  if (third) return `more than two addresses ${quoteAddresses(addresses)}`
  if (first && second && first.family === second.family) {
    return `${quote(first.text)} ${quote(second.text)} has the same family`
  }
  for (const address of addresses) {
    const place = pool.locate(address)
    const refusal = place?.space.refusal(place.rank, request)
    if (refusal !== undefined) return refusal
  }
  return undefined
}

const sameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item, index) => item === b[index])

const sameKeys = (a: Allocation, b: Allocation): boolean =>
  a.sharingKey === b.sharingKey && a.backendKey === b.backendKey

const sameAllocation = (a: Allocation, b: Allocation): boolean =>
  a.pool === b.pool && sameAddresses(a.addresses, b.addresses) && sameKeys(a, b) && sameList(a.ports, b.ports)

/** Whether going from one allocation to the next may let another Service in. */
function opens(before: Allocation | undefined, after: Allocation): boolean {
  const sharable = after.sharingKey !== '' || (before !== undefined && before.sharingKey !== '')
  if (!before) return sharable
  const kept = before.addresses.every(address => after.addresses.some(({ text }) => text === address.text))
  return !kept || (sharable && !(sameKeys(before, after) && before.ports.every(port => after.ports.includes(port))))
}
