import type { AddressBlock, IPFamily } from '@typemetal/cluster'
import { PoolAddress, quote } from './address.js'
import type { Allocation } from './allocation.js'
import type { Rank } from './rank.js'
import { RankMap } from './rank-map.js'
import { Ranks } from './ranks.js'
import type { AddressRequest } from './request.js'
import { RunSet } from './run-set.js'
import { type SharedAddress, SharingGroup } from './sharing-group.js'

/** What an address must know of who wants it. */
export type Tenant = Pick<AddressRequest, 'service' | 'ports' | 'sharingKey' | 'backendKey'>

/** One family of one pool: which addresses there are, who is on them, and which is the lowest that fits. */
export class AddressSpace {
  readonly family: IPFamily
  readonly ranks: Ranks
  readonly #used = new RunSet()
  /** Addresses that nobody may share, by rank. */
  readonly #exclusive = new RankMap<Allocation>()
  /** Addresses whose Services allow sharing, by rank. */
  readonly #shared = new Map<Rank, SharedAddress>()
  readonly #groups = new Map<string, SharingGroup>()

  constructor(family: IPFamily, blocks: readonly AddressBlock[], avoidBuggyIPs: boolean) {
    this.family = family
    this.ranks = new Ranks(
      blocks.filter(block => block.family === family),
      avoidBuggyIPs,
    )
  }

  /** Distinct addresses in use. */
  get assigned(): bigint {
    return BigInt(this.#used.size)
  }

  /** The lowest address, in the order of the pool, that is free or may be shared with the Services on it. */
  lowestFor(tenant: Tenant): PoolAddress | undefined {
    const free = this.#used.lowestGap()
    const shareable =
      tenant.sharingKey === '' ? undefined : this.#groups.get(groupKey(tenant))?.lowestWithout(tenant.ports)
    const rank = shareable !== undefined && shareable < free ? shareable : free
    return rank < this.ranks.end ? new PoolAddress(this.family, this.ranks.valueAt(rank)) : undefined
  }

  /**
   * Why this Service may not be on the address with the others that are, or `undefined`. A Service that is alone on an
   * address may change its own keys in place.
   */
  refusal(rank: Rank, tenant: Tenant): string | undefined {
    const owner = this.#exclusive.get(rank)
    if (owner) return owner.service === tenant.service ? undefined : cannotChange(tenant, [owner.service])
    const shared = this.#shared.get(rank)
    if (!shared) return undefined
    const others = [...shared.services].filter(service => service !== tenant.service)
    if (others.length > 0 && !keysMatch(shared, tenant)) return cannotChange(tenant, others)
    const taken = tenant.ports.find(port => (shared.ports.get(port) ?? tenant.service) !== tenant.service)
    if (taken === undefined) return undefined
    const { text } = new PoolAddress(this.family, this.ranks.valueAt(rank))
    return `port ${taken} is already in use on ${quote(text)}`
  }

  /** Puts a Service on an address; {@link refusal} must have had nothing against it. */
  place(rank: Rank, allocation: Allocation): void {
    this.#used.add(rank)
    if (allocation.sharingKey === '') this.#exclusive.add(rank, allocation)
    else this.#join(rank, allocation)
  }

  /** Takes a Service off an address it was placed on with the same keys and ports. */
  remove(rank: Rank, allocation: Allocation): void {
    const shared = this.#shared.get(rank)
    if (shared) this.#leave(rank, shared, allocation)
    else this.#exclusive.delete(rank)
    if (!shared || shared.services.size === 0) this.#used.delete(rank)
  }

  #join(rank: Rank, allocation: Allocation): void {
    const { service, ports, sharingKey, backendKey } = allocation
    const known = this.#shared.get(rank)
    const shared = known ?? { sharingKey, backendKey, services: new Set(), ports: new Map() }
    shared.services.add(service)
    for (const port of ports) shared.ports.set(port, service)
    const group = this.#groups.get(groupKey(shared)) ?? new SharingGroup()
    this.#groups.set(groupKey(shared), group)
    if (known) group.refresh(rank)
    else {
      this.#shared.set(rank, shared)
      group.add(rank, shared)
    }
  }

  #leave(rank: Rank, shared: SharedAddress, { service, ports }: Allocation): void {
    shared.services.delete(service)
    for (const port of ports) if (shared.ports.get(port) === service) shared.ports.delete(port)
    const key = groupKey(shared)
    const group = this.#groups.get(key)
    if (shared.services.size > 0) {
      group?.refresh(rank)
      return
    }
    this.#shared.delete(rank)
    group?.delete(rank)
    if (group?.size === 0) this.#groups.delete(key)
  }
}

const groupKey = (keys: Pick<Tenant, 'sharingKey' | 'backendKey'>): string => `${keys.sharingKey}\0${keys.backendKey}`

const keysMatch = (shared: SharedAddress, tenant: Tenant): boolean =>
  shared.sharingKey === tenant.sharingKey && shared.backendKey === tenant.backendKey

const cannotChange = (tenant: Tenant, others: readonly string[]): string =>
  `can't change sharing key for ${quote(tenant.service)}, address also in use by ${others.toSorted().join(',')}`
