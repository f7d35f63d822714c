/** BGP: does this node announce a Service's addresses, and as which prefixes. */
import { localPrefConflicts, matchesAny } from '@typemetal/cluster'
import type { Address, BGPAdvertisementConfig, EndpointSlice, Pool, Service } from '@typemetal/cluster'
import { BGP_ENDPOINTS, hasActiveEndpoint, nodesWithActiveEndpoint } from '../endpoints.js'
import { maskedPrefix } from './addresses.js'
import type { Context } from './context.js'
import type { AdvertisedPrefix, BGPDecision, BGPReason } from './types.js'

/** Decides for a Service whose addresses all lie in `pool`. */
export function decideBGP(
  context: Context,
  service: Service,
  slices: readonly EndpointSlice[],
  pool: Pool,
  addresses: readonly Address[],
): BGPDecision {
  const onNode = pool.bgpAdvertisements.filter(ad => ad.nodes.has(context.node))
  if (onNode.length === 0) return refuse('notOwner')
  const ads = onNode.filter(ad => matchesAny(ad.serviceSelectors, service.metadata.labels ?? {}))
  if (ads.length === 0) return refuse('noMatchingAdvertisement')
  const conflict = localPrefConflict(pool, ads)
  if (conflict) return { announce: false, reason: 'conflictingAdvertisements', detail: conflict }
  if (context.networkUnavailable) return refuse('nodeNetworkUnavailable')
  if (context.excluded) return refuse('nodeLabeledExcludeBalancers')
  const missing = missingEndpoints(context.node, service, slices)
  if (missing) return refuse(missing)
  const prefixes = addresses.flatMap(address => ads.map(ad => advertise(address, ad)))
  // A list that has grown has room for more than a dozen others, its copy has not: there are thousands.
  return { announce: true, prefixes: [...prefixes] }
}

/**
 * Whether two advertisements give one prefix two LOCAL_PREF values.
 * @returns a sentence naming both, or `undefined`
 */
export function localPrefConflict(pool: Pool, ads: readonly BGPAdvertisementConfig[]): string | undefined {
  const families = new Set(pool.blocks.map(({ family }) => family))
  for (const [i, a] of ads.entries()) {
    const b = ads.slice(i + 1).find(other => localPrefConflicts(a, other, families))
    if (!b) continue
    return `BGPAdvertisements ${a.name} (localPref ${a.localPref}) and ${b.name} (localPref ${b.localPref}) give pool ${pool.name} two local preferences for one prefix`
  }
  return undefined
}

const refuse = (reason: BGPReason): BGPDecision => ({ announce: false, reason })

function missingEndpoints(node: string, service: Service, slices: readonly EndpointSlice[]): BGPReason | undefined {
  if (service.spec?.externalTrafficPolicy === 'Local') {
    return nodesWithActiveEndpoint(slices, BGP_ENDPOINTS).has(node) ? undefined : 'noLocalEndpoints'
  }
  return hasActiveEndpoint(slices, BGP_ENDPOINTS) ? undefined : 'noEndpoints'
}

function advertise(address: Address, ad: BGPAdvertisementConfig): AdvertisedPrefix {
  const length = address.family === 'IPv4' ? ad.aggregationLength : ad.aggregationLengthV6
  return {
    prefix: maskedPrefix(address, length),
    family: address.family,
    localPref: ad.localPref,
    communities: ad.communities,
    peers: ad.peers,
  }
}
