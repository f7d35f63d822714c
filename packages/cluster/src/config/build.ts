import type { ConfigMap, Node } from '../resources/core.js'
import { deepFreeze } from '../freeze.js'
import { checkEcho } from './bfd-echo.js'
import { buildBFDProfiles } from './bfd-profiles.js'
import { buildBGPAdvertisements } from './bgp-advertisements.js'
import { buildAliases } from './community.js'
import type { Config, ConfigError, Pool } from './config.js'
import { ErrorList } from './error-list.js'
import { type BuildOptions, listOf, selectInputs } from './inputs.js'
import { buildL2Advertisements } from './l2-advertisements.js'
import { checkOverlaps } from './overlap.js'
import { checkPeerPairs } from './peer-pairs.js'
import { buildPeers } from './peers.js'
import { buildPools } from './pools.js'
import type { ConfigResources, ObjectsOf } from './resources.js'

/** A configuration, or all the reasons why there is none. */
export type BuildResult =
  | { readonly config: Config; readonly errors?: undefined }
  | { readonly config?: undefined; readonly errors: readonly ConfigError[] }

/** Stands for the nodes of a cluster of which only the configuration is known. */
const SOME_NODE: Node = { apiVersion: 'v1', kind: 'Node', metadata: { name: '*' } }

/**
 * Makes a configuration of resources, or says everything that is wrong with them. Controller, speaker, webhook and
 * `typemetal validate` call this one function.
 *
 * @returns an immutable Config, or at least one error
 *
 * @example
 * ```ts
 * import { buildConfig, formatConfigError, manifestResources, parseManifest } from '@typemetal/cluster'
 *
 * const text = `apiVersion: metallb.io/v1beta1
 * kind: IPAddressPool
 * metadata: { name: web, namespace: metallb-system }
 * spec: { addresses: [192.0.2.0/28], autoAsign: false }
 * `
 * const manifest = parseManifest(text, { file: 'pools.yaml', namespace: 'metallb-system' })
 * const { config, errors = [] } = buildConfig(manifestResources({ 'pools.yaml': manifest }), {
 *   component: 'validate',
 *   namespace: 'metallb-system',
 * })
 * console.log(config, errors.map(formatConfigError).join()) // undefined IPAddressPool metallb-system/web: spec.autoAsign: unknown field; …
 * ```
 */
export function buildConfig(resources: ConfigResources, options: BuildOptions): BuildResult {
  const errors = new ErrorList(resources.origin)
  errors.take(resources.faults ?? [])
  const inputs = selectInputs(resources, options, errors)
  const nodes = options.component === 'validate' && inputs.nodes.length === 0 ? [SOME_NODE] : inputs.nodes
  if (options.component !== 'controller') checkExtras(resources.ConfigMap, options, errors)

  const bfdProfiles = buildBFDProfiles(inputs.bfdProfiles)
  const peers = buildPeers(inputs.peers, inputs.secrets, inputs.bfdProfileNames, errors)
  checkPeerPairs(peers, options.component === 'speaker' ? [] : inputs.nodes, errors)
  const aliases = buildAliases(inputs.communities, errors)
  const drafts = buildPools(inputs.pools, inputs.namespaces, errors)
  checkOverlaps(drafts, errors, options.newcomer)
  const l2 = buildL2Advertisements(inputs.l2Advertisements, drafts, nodes, errors)
  const bgp = buildBGPAdvertisements(inputs.bgpAdvertisements, drafts, nodes, aliases, errors)
  checkEcho(bgp, peers, bfdProfiles, errors)
  if (errors.errors.length > 0) return { errors: errors.errors }

  const pools = drafts.map((draft): [string, Pool] => [
    draft.pool.name,
    {
      ...draft.pool,
      l2Advertisements: l2.get(draft) ?? [],
      bgpAdvertisements: (bgp.get(draft) ?? []).map(({ config }) => config),
    },
  ])
  const config = {
    pools: new Map(pools),
    peers: new Map(peers.map(peer => [peer.config.name, peer.config])),
    bfdProfiles,
  }
  return { config: deepFreeze(config) }
}

/** Raw FRR configuration has no meaning here, and half of it applied would be worse than none (decision 7). */
function checkExtras(
  configMaps: ObjectsOf<ConfigMap> | undefined,
  { namespace }: BuildOptions,
  errors: ErrorList,
): void {
  for (const object of listOf(configMaps)) {
    const { name, namespace: where } = object.metadata
    if (name !== 'bgpextras' || where !== namespace || !object.data?.['extras']) continue
    const reason =
      'bgp extra info is not supported: there is no FRR to hand it to. Say it with the fields of BGPPeer, BFDProfile and ' +
      'BGPAdvertisement, and delete this ConfigMap'
    errors.add(object, 'data.extras', reason)
  }
}
