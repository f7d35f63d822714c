/** Pools whose addresses are somebody else's. */
import { isMetalLBKind, parseAddress, poolOf } from '@typemetal/cluster'
import { listed, warn } from './warning.js'
import type { Scene, Warning } from './warnings.js'

/** Pools that nobody announces, or that hold the addresses of nodes or Services' cluster IPs. */
export function addressWarnings(scene: Scene): readonly Warning[] {
  const { snapshot, config } = scene
  const inPool = new Map<string, string[]>()
  for (const node of snapshot.objects('Node').values()) {
    for (const { address: text } of node.status?.addresses ?? []) {
      const address = parseAddress(text)
      const pool = address && poolOf(config.pools, [address])
      if (pool)
        inPool.set(pool.name, [...(inPool.get(pool.name) ?? []), `${address.text} of Node ${node.metadata.name}`])
    }
  }
  return [...snapshot.objects('IPAddressPool').values()].flatMap(object => {
    const pool = config.pools.get(object.metadata.name)
    if (!pool || !isMetalLBKind(object.kind)) return []
    const taken = inPool.get(pool.name)
    const silent = pool.l2Advertisements.length + pool.bgpAdvertisements.length === 0
    return [
      ...(silent
        ? [
            warn(
              scene,
              object,
              'spec',
              'no advertisement applies to it: Services get its addresses, and nobody announces them',
            ),
          ]
        : []),
      ...(taken ? [warn(scene, object, 'spec.addresses', `holds ${listed(taken)}: a Service may get it`)] : []),
    ]
  })
}
