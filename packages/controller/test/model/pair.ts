/** The allocator and the naive one, side by side: every operation must have the same effect on both. */
import assert from 'node:assert/strict'
import { type Address, addressOf, type Pool } from '@typemetal/cluster'
import { type AddressRequest, Allocator } from '@typemetal/controller'
import { addressesOf, NaiveAllocator } from './naive-allocator.js'

/** Something to do to both. */
export type Operation =
  | { readonly type: 'pools'; readonly pools: readonly Pool[] }
  | { readonly type: 'allocate'; readonly request: AddressRequest }
  | { readonly type: 'from'; readonly request: AddressRequest; readonly pool: string }
  | { readonly type: 'assign'; readonly request: AddressRequest; readonly picks: readonly number[] }
  | { readonly type: 'release'; readonly request: AddressRequest }

/** The texts of the addresses that were given, or `undefined`. */
export const textsOf = (answer: ReturnType<Allocator['allocate']>): readonly string[] | undefined =>
  'refusal' in answer ? undefined : answer.addresses.map(({ text }) => text)

const mapOf = (pools: readonly Pool[]): ReadonlyMap<string, Pool> => new Map(pools.map(pool => [pool.name, pool]))

/** Both allocators, side by side. */
export class Pair {
  readonly #ours = new Allocator()
  readonly #naive = new NaiveAllocator()
  #pools: readonly Pool[] = []

  constructor(pools: readonly Pool[]) {
    this.#setPools(pools)
  }

  run(operation: Operation): void {
    const before = structuredClone(this.#pools)
    const openings = this.#ours.openings
    const held = [...this.#naive.held.keys()]
    this.#perform(operation)
    this.#compare()
    if (operation.type === 'release' && held.includes(operation.request.service))
      assert.ok(this.#ours.openings > openings)
    if (operation.type !== 'pools') assert.deepEqual(this.#pools, before, '§13.5: the configuration is never changed')
  }

  #perform(operation: Operation): void {
    switch (operation.type) {
      case 'pools':
        return this.#setPools(operation.pools)
      case 'release':
        this.#naive.release(operation.request.service)
        return this.#ours.release(operation.request.service)
      case 'allocate':
        return assert.deepEqual(
          textsOf(this.#ours.allocate(operation.request)),
          this.#naive.allocate(operation.request),
        )
      case 'from':
        return assert.deepEqual(
          textsOf(this.#ours.allocateFrom(operation.pool, operation.request)),
          this.#naive.allocateFrom(operation.pool, operation.request),
        )
      case 'assign': {
        const addresses = operation.picks.map(pick => this.#candidate(pick))
        const ours = textsOf(this.#ours.assign(operation.request, addresses))
        return assert.deepEqual(ours, this.#naive.assign(operation.request, addresses))
      }
    }
  }

  #setPools(pools: readonly Pool[]): void {
    this.#pools = pools
    this.#ours.setPools(mapOf(pools))
    this.#naive.setPools(pools)
  }

  #candidate(pick: number): Address {
    const all = this.#pools.flatMap(pool => [...addressesOf(pool, 'IPv4'), ...addressesOf(pool, 'IPv6')])
    return all[pick] ?? addressOf('IPv4', BigInt(pick))
  }

  #compare(): void {
    const ours = [...this.#ours.services].map(service => [service, this.#ours.get(service)!.addresses.map(a => a.text)])
    const naive = [...this.#naive.held].map(([service, { addresses }]) => [service, addresses.map(a => a.text)])
    assert.deepEqual(new Map(ours as [string, string[]][]), new Map(naive as [string, string[]][]))
    for (const pool of this.#pools) {
      const counters = this.#ours.counters(pool.name)!
      for (const family of ['IPv4', 'IPv6'] as const) {
        const capacity = BigInt(addressesOf(pool, family).length)
        assert.equal(counters[`assigned${family}`], BigInt(this.#naive.assigned(pool.name, family)))
        assert.equal(counters[`available${family}`], capacity - counters[`assigned${family}`], '§13.6')
      }
    }
  }
}
