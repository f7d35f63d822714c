/** The allocator's rules again, as simply as they can be written: lists are walked and addresses enumerated. */
import { type Address, addressOf, type IPFamily, isBuggyAddress, type Pool } from '@typemetal/cluster'
import type { AddressRequest } from '@typemetal/controller'

interface Held {
  readonly request: AddressRequest
  readonly addresses: readonly Address[]
}

/** Pools must be small. Answers with texts of addresses, or `undefined` where the allocator refuses. */
export class NaiveAllocator {
  #pools: readonly Pool[] = []
  readonly held = new Map<string, Held>()

  setPools(pools: readonly Pool[]): void {
    this.#pools = pools.toSorted((a, b) => (a.name < b.name ? -1 : 1))
    for (const [service, { addresses }] of this.held) if (!this.#owner(addresses)) this.held.delete(service)
  }

  assign(request: AddressRequest, addresses: readonly Address[]): readonly string[] | undefined {
    const pool = this.#owner(addresses)
    const families = new Set(addresses.map(({ family }) => family))
    if (!pool || !admits(pool, request) || families.size < addresses.length) return undefined
    if (!addresses.every(address => this.#mayJoin(request, address))) return undefined
    this.held.set(request.service, { request, addresses })
    return addresses.map(({ text }) => text)
  }

  allocate(request: AddressRequest): readonly string[] | undefined {
    const held = this.held.get(request.service)
    if (held) return this.assign(request, held.addresses)
    const mine = this.#pools.filter(pool => pool.autoAssign && admits(pool, request))
    const pinned = mine.filter(pool => pool.serviceAllocation)
    const byPriority = pinned.toSorted((a, b) => priorityOf(a) - priorityOf(b))
    for (const pools of [byPriority, mine.filter(pool => !pool.serviceAllocation)]) {
      const found = this.#best(pools, request)
      if (found) return this.assign(request, found)
    }
    return undefined
  }

  allocateFrom(name: string, request: AddressRequest): readonly string[] | undefined {
    const held = this.held.get(request.service)
    if (held) return this.assign(request, held.addresses)
    const pool = this.#pools.find(each => each.name === name)
    const found = pool && this.#pick(pool, request)
    return found && this.assign(request, found)
  }

  release(service: string): void {
    this.held.delete(service)
  }

  /** Distinct addresses of a pool in use. */
  assigned(name: string, family: IPFamily): number {
    const pool = this.#pools.find(each => each.name === name)
    const all = [...this.held.values()].flatMap(({ addresses }) => addresses)
    const inPool = all.filter(address => address.family === family && pool && contains(pool, address))
    return new Set(inPool.map(({ text }) => text)).size
  }

  #best(pools: readonly Pool[], request: AddressRequest): readonly Address[] | undefined {
    const [primary, secondary] = order(request)
    const has = (pool: Pool, family: IPFamily): boolean => this.#lowest(pool, family, request) !== undefined
    const complete = pools.find(pool =>
      request.family === 'dual' ? has(pool, 'IPv4') && has(pool, 'IPv6') : has(pool, request.family),
    )
    const partial = pools.find(pool => has(pool, primary)) ?? pools.find(pool => has(pool, secondary))
    const pool = complete ?? (request.family === 'dual' && request.policy === 'PreferDualStack' ? partial : undefined)
    return pool && this.#pick(pool, request)
  }

  #pick(pool: Pool, request: AddressRequest): readonly Address[] | undefined {
    if (request.family !== 'dual') return listOf(this.#lowest(pool, request.family, request))
    if (request.policy === 'SingleStack') return undefined
    const found = order(request).flatMap(family => this.#lowest(pool, family, request) ?? [])
    return found.length === 2 || (found.length === 1 && request.policy === 'PreferDualStack') ? found : undefined
  }

  #lowest(pool: Pool, family: IPFamily, request: AddressRequest): Address | undefined {
    return addressesOf(pool, family).find(address => this.#mayJoin(request, address))
  }

  #mayJoin(request: AddressRequest, { text }: Address): boolean {
    const others = [...this.held.values()].filter(
      ({ request: other, addresses }) => other.service !== request.service && addresses.some(a => a.text === text),
    )
    return others.every(({ request: other }) => maySharePair(request, other))
  }

  #owner(addresses: readonly Address[]): Pool | undefined {
    return this.#pools.find(pool => addresses.length > 0 && addresses.every(address => contains(pool, address)))
  }
}

/** Whether two Services may be on one address. */
export function maySharePair(a: AddressRequest, b: AddressRequest): boolean {
  const sameKeys = a.sharingKey !== '' && a.sharingKey === b.sharingKey && a.backendKey === b.backendKey
  return sameKeys && !a.ports.some(port => b.ports.includes(port))
}

function admits({ serviceAllocation: rule }: Pool, { namespace }: AddressRequest): boolean {
  return !rule?.namespaces || rule.namespaces.has(namespace)
}

const order = ({ families }: AddressRequest): readonly [IPFamily, IPFamily] =>
  families[0] === 'IPv6' ? ['IPv6', 'IPv4'] : ['IPv4', 'IPv6']

const priorityOf = ({ serviceAllocation }: Pool): number =>
  Number(serviceAllocation?.priority ?? 0) || Number.MAX_SAFE_INTEGER

const listOf = (address: Address | undefined): readonly Address[] | undefined => address && [address]

const contains = (pool: Pool, { family, text }: Address): boolean =>
  addressesOf(pool, family).some(address => address.text === text)

const known = new WeakMap<Pool, Map<IPFamily, readonly Address[]>>()

/** Every usable address, in the order of the pool. */
export function addressesOf(pool: Pool, family: IPFamily): readonly Address[] {
  const families = known.get(pool) ?? new Map<IPFamily, readonly Address[]>()
  known.set(pool, families)
  const list = families.get(family) ?? enumerate(pool, family)
  families.set(family, list)
  return list
}

function enumerate(pool: Pool, family: IPFamily): readonly Address[] {
  const all: Address[] = []
  for (const block of pool.blocks.filter(each => each.family === family)) {
    for (let value = block.first; value <= block.last; value++) all.push(addressOf(family, value))
  }
  return pool.avoidBuggyIPs ? all.filter(address => !isBuggyAddress(address)) : all
}
