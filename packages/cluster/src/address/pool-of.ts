import type { AddressBlock, IPFamily, Pool } from '../config/config.js'
import type { Address } from './address.js'
import { blockContains } from './block.js'

/** What of an address says where it lies. */
export type Located = Pick<Address, 'family' | 'value'>
/** Blocks of one family with their pool, ascending. */
type Index = Readonly<Record<IPFamily, readonly { readonly block: AddressBlock; readonly pool: Pool }[]>>

// The pools of a Config never change and never overlap, so one sorted index for each Config answers by bisection.
const indexes = new WeakMap<ReadonlyMap<string, Pool>, Index>()

/**
 * The pool that all `addresses` may be given from, or `undefined`: also when they lie in different pools or when there are none.
 * An IPv4 address ending in .0 or .255 may not be given from a pool with `avoidBuggyIPs`.
 *
 * @param pools those of a {@link Config}: not changed after the first call
 */
export function poolOf(pools: ReadonlyMap<string, Pool>, addresses: readonly Located[]): Pool | undefined {
  const pool = poolHolding(pools, addresses)
  return pool && addresses.every(address => usable(pool, address)) ? pool : undefined
}

/**
 * The pool in whose blocks all `addresses` lie, or `undefined`: also when they lie in different pools or when there are none. An address
 * that was given once is announced even when it would not be given again (`avoidBuggyIPs`).
 *
 * @param pools those of a {@link Config}: not changed after the first call
 */
export function poolHolding(pools: ReadonlyMap<string, Pool>, addresses: readonly Located[]): Pool | undefined {
  const index = indexOf(pools)
  const [first, ...rest] = addresses
  const pool = first && owner(index, first)
  return pool && rest.every(address => owner(index, address) === pool) ? pool : undefined
}

/** Whether an address may be given from a pool: in one of its blocks, and not one that `avoidBuggyIPs` excludes. */
export function poolContains(pool: Pool, address: Located): boolean {
  return usable(pool, address) && pool.blocks.some(block => blockContains(block, address))
}

/** Whether an address is IPv4 and ends in .0 or .255, which some old clients refuse. */
export function isBuggyAddress(address: Located): boolean {
  const lastOctet = address.value & 0xffn
  return address.family === 'IPv4' && (lastOctet === 0n || lastOctet === 255n)
}

const usable = (pool: Pool, address: Located): boolean => !(pool.avoidBuggyIPs && isBuggyAddress(address))

function owner(index: Index, address: Located): Pool | undefined {
  const entries = index[address.family]
  let low = 0
  let high = entries.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const entry = entries[middle]!
    if (address.value < entry.block.first) high = middle - 1
    else if (address.value > entry.block.last) low = middle + 1
    else return entry.pool
  }
  return undefined
}

function indexOf(pools: ReadonlyMap<string, Pool>): Index {
  const known = indexes.get(pools)
  if (known) return known
  const entries = [...pools.values()].flatMap(pool => pool.blocks.map(block => ({ block, pool })))
  entries.sort((a, b) => (a.block.first < b.block.first ? -1 : 1))
  const index = {
    IPv4: entries.filter(({ block }) => block.family === 'IPv4'),
    IPv6: entries.filter(({ block }) => block.family === 'IPv6'),
  }
  indexes.set(pools, index)
  return index
}
