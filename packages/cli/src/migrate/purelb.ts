/** PureLB: ServiceGroups and the node agent's settings. */
import { type Conversion, unlessEmpty } from './conversion.js'
import { type Fields, fieldsOf, listOf, type RawObject, textOf } from './objects.js'

/** Converts a ServiceGroup. */
export function convertServiceGroup({ name, namespace, spec }: RawObject, conversion: Conversion): void {
  const subject = `ServiceGroup ${namespace}/${name}`
  if (spec['netbox'] !== undefined)
    conversion.note(subject, 'netbox: addresses from an IPAM system have no equal: write the range that it hands out')
  const local = { ...fieldsOf(spec, 'local'), ...fieldsOf(spec, 'remote') }
  const pools: readonly Fields[] = [
    // Before v4pool and v6pool there was one range, in the group itself.
    ...(textOf(local, 'pool') === undefined ? [] : [local]),
    ...['v4pool', 'v6pool'].map(key => fieldsOf(local, key)),
    ...listOf(local, 'v4pools'),
    ...listOf(local, 'v6pools'),
  ].filter(pool => textOf(pool, 'pool') !== undefined)
  if (pools.length === 0) {
    if (spec['netbox'] === undefined) conversion.note(subject, 'has no pool of addresses')
    return
  }
  const pool = conversion.add('IPAddressPool', name, {
    addresses: pools.map(each => textOf(each, 'pool')?.replaceAll(' ', '')),
    // PureLB uses "default" for Services that name no group; the others have to be asked for.
    ...(name !== 'default' && { autoAssign: false }),
  })
  if (name !== 'default')
    conversion.note(
      subject,
      `Services ask for it by metallb.io/address-pool: ${pool} instead of purelb.io/service-group: ${name}`,
    )
  conversion.add('L2Advertisement', pool, { ipAddressPools: [pool] })
  const lengths = pools
    .map(each => textOf(each, 'aggregation'))
    .filter(each => each !== undefined && each !== 'default')
  conversion.note(
    subject,
    `addresses of subnet ${pools.map(each => textOf(each, 'subnet') ?? '?').join(', ')} that are no subnet of the nodes were routed by PureLB's virtual interface and a router daemon: for those write BGPPeers and a BGPAdvertisement` +
      (lengths.length > 0 ? ` (aggregation ${lengths.join(', ')} is aggregationLength there)` : ''),
  )
}

/** Converts an LBNodeAgent. */
export function convertNodeAgent({ name, namespace, spec }: RawObject, conversion: Conversion): void {
  const subject = `LBNodeAgent ${namespace}/${name}`
  const local = fieldsOf(spec, 'local')
  const localInterface = textOf(local, 'localint')
  if (localInterface !== undefined && localInterface !== 'default') {
    conversion.note(
      subject,
      `localint ${localInterface}: write interfaces: [${unlessEmpty([localInterface])?.join()}] into the L2Advertisements`,
    )
  }
  if (textOf(local, 'extlbint') !== undefined)
    conversion.note(subject, 'extlbint: addresses are put on no interface here; BGP announces them')
}
