/** Advertisements that say less than their author thinks. */
import type { BGPAdvertisement, L2Advertisement, LabelSelector } from '@typemetal/cluster'
import { matchesAny, matchesSelector } from '@typemetal/cluster'
import { warn } from './warning.js'
import type { Scene, Warning } from './warnings.js'

/** Interfaces that speakers leave alone unless told otherwise (MetalLB's own list). */
const EXCLUDED = /^(?:docker|cbr|dummy|virbr|lxcbr|veth|cali|tunl|flannel|kube-ipvs|cni|nodelocaldns|lxc)|^lo$/

/** Names that do not exist, selectors that match nothing, peers without routes and routes without peers. */
export function advertisementWarnings(scene: Scene): readonly Warning[] {
  const { snapshot, config } = scene
  const l2 = [...snapshot.objects('L2Advertisement').values()]
  const bgp = [...snapshot.objects('BGPAdvertisement').values()]
  return [
    ...[...l2, ...bgp].flatMap(object => reachWarnings(scene, object)),
    ...l2.flatMap(object => interfaceWarnings(scene, object)),
    ...bgp.flatMap(object => unknownPeers(scene, object)),
    ...(config.peers.size === 0
      ? bgp.map(object => warn(scene, object, 'spec', 'there is no BGPPeer: nobody is told'))
      : []),
  ]
}

function reachWarnings(scene: Scene, object: L2Advertisement | BGPAdvertisement): readonly Warning[] {
  const { ipAddressPools = [], ipAddressPoolSelectors = [], nodeSelectors = [] } = object.spec ?? {}
  const pools = [...scene.config.pools.values()]
  const nodes = [...scene.snapshot.objects('Node').values()]
  return [
    ...ipAddressPools.flatMap((name, i) =>
      scene.config.pools.has(name)
        ? []
        : [warn(scene, object, `spec.ipAddressPools[${i}]`, `there is no IPAddressPool "${name}"`)],
    ),
    ...ipAddressPoolSelectors.flatMap((selector, i) =>
      pools.some(pool => matchesSelector(selector, pool.labels))
        ? []
        : [warn(scene, object, `spec.ipAddressPoolSelectors[${i}]`, 'matches no IPAddressPool')],
    ),
    ...(nodes.length > 0 &&
    nodeSelectors.length > 0 &&
    !nodes.some(node => matchesAny(nodeSelectors, node.metadata.labels))
      ? [warn(scene, object, 'spec.nodeSelectors', 'matches no Node: nothing is announced')]
      : []),
  ]
}

function interfaceWarnings(scene: Scene, object: L2Advertisement): readonly Warning[] {
  const { interfaces = [], preferredNodeSelectors = [] } = object.spec ?? {}
  const nodes = [...scene.snapshot.objects('Node').values()]
  const matchesNone = (selector: LabelSelector): boolean =>
    nodes.length > 0 && !nodes.some(node => matchesSelector(selector, node.metadata.labels))
  return [
    ...interfaces.flatMap((name, i) =>
      EXCLUDED.test(name)
        ? [
            warn(
              scene,
              object,
              `spec.interfaces[${i}]`,
              `"${name}" is on the list of interfaces that speakers leave alone`,
            ),
          ]
        : [],
    ),
    ...preferredNodeSelectors.flatMap(({ preference }, i) =>
      matchesNone(preference)
        ? [warn(scene, object, `spec.preferredNodeSelectors[${i}].preference`, 'matches no Node: it prefers nobody')]
        : [],
    ),
  ]
}

const unknownPeers = (scene: Scene, object: BGPAdvertisement): readonly Warning[] =>
  (object.spec?.peers ?? []).flatMap((name, i) =>
    scene.config.peers.has(name) ? [] : [warn(scene, object, `spec.peers[${i}]`, `there is no BGPPeer "${name}"`)],
  )
