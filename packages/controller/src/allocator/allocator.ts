import type { Address, Pool } from '@typemetal/cluster'
import { quote, quoteAddresses, sameAddresses } from './address.js'
import type { Allocation } from './allocation.js'
import { chooseAdditional, chooseAny, chooseFrom, familyOrder, incompatible, type Choice } from './choose.js'
import { PoolSet } from './pool-set.js'
import { isCompatible, type PoolCounters, type PoolState } from './pool-state.js'
import type { AddressRequest, PortKey, Refusal } from './request.js'

/** Characters of the longest name in Kubernetes. */
const LONGEST_NAME = 253

/** An {@link Allocation} that stands. One object each, as there may be a million. */
class Held implements Allocation {
  readonly service: string
  readonly pool: string
  readonly addresses: readonly Address[]
  readonly ports: readonly PortKey[]
  readonly sharingKey: string
  readonly backendKey: string
  readonly #state: PoolState

  constructor(of: Pick<Allocation, 'service' | 'ports' | 'sharingKey' | 'backendKey'>, { pool, addresses }: Choice) {
    this.service = of.service
    this.pool = pool.name
    this.addresses = addresses
    this.ports = of.ports
    this.sharingKey = of.sharingKey
    this.backendKey = of.backendKey
    this.#state = pool
  }

  /** The pool that counts it. */
  get state(): PoolState {
    return this.#state
  }
}

/**
 * Who has which address. Does no I/O and reads no clock: the same calls always give the same addresses, the lowest ones
 * that fit. Every operation is O(log n) in what is allocated; no address is ever enumerated.
 *
 * Refusals are values that say why; nothing has changed after one.
 *
 * @example
 * ```ts
 * import { parseBlocks, type Pool } from '@typemetal/cluster'
 * import { Allocator } from '@typemetal/controller'
 *
 * const web: Pool = {
 *   name: 'web',
 *   labels: {},
 *   blocks: parseBlocks('192.0.2.0/31'),
 *   autoAssign: true,
 *   avoidBuggyIPs: false,
 *   l2Advertisements: [],
 *   bgpAdvertisements: [],
 * }
 * const allocator = new Allocator()
 * allocator.setPools(new Map([['web', web]]))
 * const answer = allocator.allocate({
 *   service: 'default/shop',
 *   namespace: 'default',
 *   labels: {},
 *   family: 'IPv4',
 *   policy: 'SingleStack',
 *   families: [],
 *   ports: ['TCP/443'],
 *   sharingKey: '',
 *   backendKey: '',
 * })
 * console.log('refusal' in answer ? answer.refusal : answer.addresses.map(({ text }) => text)) // [ '192.0.2.0' ]
 * ```
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
    for (const [service, held] of this.#held) {
      if (this.#pools.get(held.pool) === held.state) continue
      const { addresses } = held
      const owner = this.#pools.ownerOf(addresses)
      this.#held.delete(service)
      if (owner) this.#place(new Held(held, { pool: owner, addresses }))
      else released.push(service)
    }
    return released
  }

  /** What a Service holds. */
  get(service: string): Allocation | undefined {
    return this.#held.get(service)
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
    const [present, ...others] = held?.addresses ?? []
    if (!held || !present || others.length > 0)
      return { refusal: `${quote(request.service)} does not hold one address` }
    const added = chooseAdditional(held.state, present.family, request)
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
    const held = new Held(request, choice)
    if (before && sameAllocation(before, held)) return before
    if (opens(before, held)) this.#openings++
    if (before) this.#remove(before)
    this.#place(held)
    return held
  }

  #place(held: Held): void {
    for (const address of held.addresses) {
      const place = held.state.locate(address)
      place?.space.place(place.rank, held)
    }
    this.#held.set(held.service, held)
    this.#touched.add(held.pool)
  }

  #remove(held: Held): void {
    for (const address of held.addresses) {
      const place = held.state.locate(address)
      place?.space.remove(place.rank, held)
    }
    this.#held.delete(held.service)
    this.#touched.add(held.pool)
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
