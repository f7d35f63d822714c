import { parseAddress } from '../address/address.js'
import { parseBlocks } from '../address/block.js'
import type { Namespace } from '../resources/core.js'
import type { IPAddressPool } from '../resources/metallb.js'
import { checkDuplicates, checkSelectorDuplicates, checkSelectors } from '../selector/check.js'
import { matchesAny } from '../selector/match.js'
import type { AddressBlock, Pool, ServiceAllocation } from './config.js'
import type { ErrorList } from './error-list.js'

/** A pool before advertisements are attached, with the CIDRs that each item of its spec became. */
export interface PoolDraft {
  readonly object: IPAddressPool
  readonly pool: Omit<Pool, 'l2Advertisements' | 'bgpAdvertisements'>
  readonly items: readonly PoolItem[]
}

/** One item of `spec.addresses`. */
export interface PoolItem {
  /** As written. */
  readonly text: string
  readonly index: number
  readonly blocks: readonly AddressBlock[]
}

/** Reads pools: addresses and who may use them. Items with faults are left out. */
export function buildPools(
  pools: readonly IPAddressPool[],
  namespaces: readonly Namespace[],
  errors: ErrorList,
): readonly PoolDraft[] {
  return pools.map(object => {
    const spec = object.spec ?? {}
    const items = buildItems(object, errors)
    const serviceAllocation = buildServiceAllocation(object, namespaces, errors)
    const pool = {
      name: object.metadata.name,
      labels: object.metadata.labels ?? {},
      blocks: items.flatMap(({ blocks }) => blocks),
      autoAssign: spec.autoAssign ?? true,
      avoidBuggyIPs: spec.avoidBuggyIPs ?? false,
      ...(serviceAllocation && { serviceAllocation }),
    }
    return { object, pool, items }
  })
}

function buildItems(object: IPAddressPool, errors: ErrorList): readonly PoolItem[] {
  const addresses = object.spec?.addresses ?? []
  if (addresses.length === 0) errors.add(object, 'spec.addresses', 'pool has no prefixes defined')
  return addresses.flatMap((text, index) => {
    try {
      return [{ text, index, blocks: parseBlocks(text) }]
    } catch (error) {
      const { message } = error as RangeError
      const name = object.metadata.name
      const why = message.startsWith('invalid CIDR') ? hintForCIDR(text) : `: ${message}`
      errors.add(object, `spec.addresses[${index}]`, `invalid CIDR "${text}" in pool "${name}"${why}`)
      return []
    }
  })
}

/** What to write instead, for the two usual slips. */
function hintForCIDR(text: string): string {
  if (text !== text.trim()) return ': blanks around it'
  return parseAddress(text) ? ': a single address needs its length, /32 or /128' : ''
}

function buildServiceAllocation(
  object: IPAddressPool,
  namespaces: readonly Namespace[],
  errors: ErrorList,
): ServiceAllocation | undefined {
  const allocation = object.spec?.serviceAllocation
  if (!allocation) return undefined
  const { namespaces: names = [], namespaceSelectors = [], serviceSelectors = [] } = allocation
  const field = 'spec.serviceAllocation'
  errors.addAll(object, [
    ...checkDuplicates(names, `${field}.namespaces`, 'namespaces field:'),
    ...checkSelectorDuplicates(namespaceSelectors, `${field}.namespaceSelectors`, 'namespaceSelectors'),
    ...checkSelectorDuplicates(serviceSelectors, `${field}.serviceSelectors`, 'serviceSelectors'),
    ...named(checkSelectors(namespaceSelectors, `${field}.namespaceSelectors`), 'invalid namespace label selector'),
    ...named(checkSelectors(serviceSelectors, `${field}.serviceSelectors`), 'invalid service label selector'),
  ])
  const restricted = names.length > 0 || namespaceSelectors.length > 0
  const selected = namespaces
    .filter(({ metadata }) => namespaceSelectors.length > 0 && matchesAny(namespaceSelectors, metadata.labels))
    .map(({ metadata }) => metadata.name)
  return {
    priority: allocation.priority ?? 0,
    ...(restricted && { namespaces: new Set([...names, ...selected]) }),
    // Pinned to nobody in particular is pinned to everybody, ahead of ordinary pools.
    serviceSelectors: restricted || serviceSelectors.length > 0 ? serviceSelectors : [{}],
  }
}

const named = (faults: ReturnType<typeof checkSelectors>, what: string): ReturnType<typeof checkSelectors> =>
  faults.map(({ field, reason }) => ({ field, reason: `${what}: ${reason}` }))
