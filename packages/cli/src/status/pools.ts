/** How much of each pool is in use. */
import { parseAddress } from '@typemetal/cluster'
import type { IPAddressPool, Pool } from '@typemetal/cluster'
import { poolContains } from '@typemetal/cluster'
import { Allocator } from '@typemetal/controller'
import { addressesOf } from '../allocation.js'
import type { View } from '../view.js'

/** A pool and its use; counts are exact. */
export interface PoolStatus {
  readonly pool: string
  readonly addresses: readonly string[]
  readonly assigned: bigint
  readonly available: bigint
  /** 0 to 100, rounded. */
  readonly percent: number
  /** How it is announced. */
  readonly announced: readonly string[]
  /** The controller has written these counts; otherwise they are counted here. */
  readonly reported: boolean
}

/** Pools in order of their names. */
export function poolStatuses({ config, snapshot }: View, namespace: string): readonly PoolStatus[] {
  const allocator = new Allocator()
  allocator.setPools(config.pools)
  const used = new Set([...snapshot.objects('Service').values()].flatMap(addressesOf))
  return [...config.pools.values()].map(pool => {
    const object = snapshot.objects('IPAddressPool').get(`${namespace}/${pool.name}`)
    const capacity = allocator.counters(pool.name)?.capacity ?? 0n
    const counted = written(object) ?? counts(pool, used, capacity)
    const total = counted.assigned + counted.available
    return {
      pool: pool.name,
      addresses: object?.spec.addresses ?? pool.blocks.map(({ cidr }) => cidr),
      ...counted,
      percent: total === 0n ? 0 : Number((counted.assigned * 100n + total / 2n) / total),
      announced: [
        ...(pool.l2Advertisements.length > 0 ? ['layer2'] : []),
        ...(pool.bgpAdvertisements.length > 0 ? ['bgp'] : []),
      ],
    }
  })
}

type Counts = Pick<PoolStatus, 'assigned' | 'available' | 'reported'>

function written(object: IPAddressPool | undefined): Counts | undefined {
  const { status } = object ?? {}
  if (!status) return undefined
  return {
    assigned: BigInt(status.assignedIPv4) + BigInt(status.assignedIPv6),
    available: BigInt(status.availableIPv4) + BigInt(status.availableIPv6),
    reported: true,
  }
}

function counts(pool: Pool, used: ReadonlySet<string>, capacity: bigint): Counts {
  const here = [...used].filter(text => {
    const address = parseAddress(text)
    return address !== undefined && poolContains(pool, address)
  })
  const assigned = BigInt(here.length)
  return { assigned, available: capacity - assigned, reported: false }
}
