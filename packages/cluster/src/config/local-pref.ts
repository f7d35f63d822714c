import type { BGPAdvertisementDraft } from './bgp-advertisements.js'
import type { BGPAdvertisementConfig } from './config.js'
import type { ErrorList } from './error-list.js'
import type { PoolDraft } from './pools.js'

/**
 * Reports an advertisement that would give a pool's prefixes another LOCAL_PREF than one that is already on the pool, to
 * the same peer, from the same node. With service selectors it is decided for each Service when it is announced
 * ({@link localPrefConflicts}).
 */
export function checkLocalPref(
  { object, config }: BGPAdvertisementDraft,
  present: readonly BGPAdvertisementDraft[],
  { pool }: PoolDraft,
  errors: ErrorList,
): void {
  if (config.serviceSelectors.length > 0) return
  const families = new Set(pool.blocks.map(({ family }) => family))
  const other = present.find(
    draft => draft.config.serviceSelectors.length === 0 && localPrefConflicts(config, draft.config, families),
  )
  if (!other) return
  errors.add(
    object,
    'spec.localPref',
    `invalid local preference ${config.localPref}: local preference ${other.config.localPref} was already set for the same ` +
      `type of BGP update by BGPAdvertisement "${other.config.name}" on pool "${pool.name}". ` +
      'Check existing BGP advertisements with common pools and aggregation lengths',
  )
}

/**
 * Whether two advertisements would send one prefix of a pool with different LOCAL_PREF to one peer from one node.
 *
 * @param families that the pool has addresses of
 */
export function localPrefConflicts(
  a: BGPAdvertisementConfig,
  b: BGPAdvertisementConfig,
  families: ReadonlySet<'IPv4' | 'IPv6'>,
): boolean {
  return a.localPref !== b.localPref && samePrefixes(a, b, families) && sharePeer(a, b) && shareNode(a, b)
}

function samePrefixes(
  a: BGPAdvertisementConfig,
  b: BGPAdvertisementConfig,
  families: ReadonlySet<'IPv4' | 'IPv6'>,
): boolean {
  return (
    (families.has('IPv4') && a.aggregationLength === b.aggregationLength) ||
    (families.has('IPv6') && a.aggregationLengthV6 === b.aggregationLengthV6)
  )
}

const sharePeer = (a: BGPAdvertisementConfig, b: BGPAdvertisementConfig): boolean =>
  a.peers.length === 0 || b.peers.length === 0 || a.peers.some(peer => b.peers.includes(peer))

const shareNode = (a: BGPAdvertisementConfig, b: BGPAdvertisementConfig): boolean =>
  [...a.nodes].some(node => b.nodes.has(node))
