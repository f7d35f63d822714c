/** Layer 2: does this node answer for a Service's addresses, and on which interfaces. */
import { matchesAny } from '@typemetal/cluster'
import type { EndpointSlice, L2AdvertisementConfig, Pool, Service } from '@typemetal/cluster'
import { electionWinner } from '../election.js'
import type { StandingElection } from '../election.js'
import { LAYER2_ENDPOINTS, hasActiveEndpoint, nodesWithActiveEndpoint } from '../endpoints.js'
import type { Context } from './context.js'
import type { Interfaces, Layer2Decision } from './types.js'

/** Their presence, whatever their value, says that the Service shares its address. */
export const SHARED_IP_ANNOTATIONS: readonly string[] = [
  'metallb.io/allow-shared-ip',
  'metallb.universe.tf/allow-shared-ip',
]

/**
 * Decides for a Service whose addresses all lie in `pool`.
 * @param firstAddress canonical text of the first ingress address: the key of the election for all of them
 * @param standing the election before this one, where nothing but the candidates has changed since
 */
export function decideLayer2(
  context: Context,
  service: Service,
  slices: readonly EndpointSlice[],
  pool: Pool,
  firstAddress: string,
  standing?: StandingElection,
): Layer2Decision {
  if (!hasActiveEndpoint(slices, LAYER2_ENDPOINTS)) return refuse('notOwner')
  const { electionLevel: level, node } = context
  const labels = service.metadata.labels ?? {}
  const ads =
    level === '0.15'
      ? pool.l2Advertisements
      : pool.l2Advertisements.filter(ad => matchesAny(ad.serviceSelectors, labels))
  if (level === 'main' && sharesAddress(service) && ads.some(ad => ad.serviceSelectors.length > 0)) {
    return refuse('sharedIPWithServiceSelector')
  }
  const mine = ads.filter(ad => ad.nodes.has(node))
  if (mine.length === 0) return refuse(level === '0.15' ? 'notOwner' : 'noMatchingAdvertisement')
  const candidates = layer2Candidates(context, service, slices, ads)
  const scores = level === 'main' ? preferenceScores(ads) : undefined
  const owner = electionWinner(candidates, firstAddress, scores, standing)
  if (owner === undefined) return refuse('notOwner')
  if (owner !== node) return { announce: false, reason: 'notOwner', owner }
  return onInterfaces(announcedInterfaces(mine), context.interfaces)
}

/**
 * Nodes that stand for election: usable, listed by at least one of the Service's advertisements (not only by those
 * that list this node, so that all speakers see the same list) and, with policy Local, holding an active endpoint.
 */
export function layer2Candidates(
  context: Pick<Context, 'candidates'>,
  service: Service,
  slices: readonly EndpointSlice[],
  ads: readonly L2AdvertisementConfig[],
): readonly string[] {
  const listed = context.candidates.filter(name => ads.some(ad => ad.nodes.has(name)))
  if (service.spec?.externalTrafficPolicy !== 'Local') return listed
  const local = nodesWithActiveEndpoint(slices, LAYER2_ENDPOINTS)
  return listed.filter(name => local.has(name))
}

/** Sum of the preferred-node weights of all advertisements, by node. */
export function preferenceScores(ads: readonly L2AdvertisementConfig[]): ReadonlyMap<string, number> {
  const scores = new Map<string, number>()
  for (const ad of ads) {
    for (const [node, weight] of ad.preferredNodes) scores.set(node, (scores.get(node) ?? 0) + weight)
  }
  return scores
}

/** What most Services get: one object for all of them. */
const EVERYWHERE: Layer2Decision = { announce: true, interfaces: 'all' }

const refuse = (reason: 'notOwner' | 'noMatchingAdvertisement' | 'sharedIPWithServiceSelector'): Layer2Decision => ({
  announce: false,
  reason,
})

const sharesAddress = (service: Service): boolean =>
  SHARED_IP_ANNOTATIONS.some(key => service.metadata.annotations?.[key] !== undefined)

function announcedInterfaces(ads: readonly L2AdvertisementConfig[]): Interfaces {
  if (ads.some(ad => ad.allInterfaces)) return 'all'
  return [...new Set(ads.flatMap(ad => ad.interfaces))].toSorted()
}

function onInterfaces(interfaces: Interfaces, known: readonly string[] | undefined): Layer2Decision {
  const names = interfaces === 'all' ? known : interfaces
  if (known && names && !names.some(name => known.includes(name))) {
    return { announce: false, reason: 'noMatchingInterface', missing: names }
  }
  return interfaces === 'all' ? EVERYWHERE : { announce: true, interfaces }
}
