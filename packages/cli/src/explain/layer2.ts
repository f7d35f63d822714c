/** Who answers for a Service's addresses at layer 2, and what that looks like on the wire. */
import { matchesAny, parseAddress } from '@typemetal/cluster'
import type { L2AdvertisementConfig } from '@typemetal/cluster'
import {
  electionDigest,
  electionOrder,
  type ElectionLevel,
  isExcluded,
  isNetworkUnavailable,
  layer2Candidates,
  preferenceScores,
} from '@typemetal/speaker'
import { step, type Step, type Subject } from './step.js'

/** Election and, of the winner, frames. */
export function layer2Steps(subject: Subject, level: ElectionLevel): readonly Step[] {
  const { key, config, plans, service } = subject
  const [plan] = plans.values()
  const decision = plan?.services.get(key)
  const pool = decision?.pool === undefined ? undefined : config.pools.get(decision.pool)
  const [address] = decision?.addresses ?? []
  if (!plan || !pool || address === undefined) return []
  if (pool.l2Advertisements.length === 0)
    return [step('layer2', 'note', `no L2Advertisement applies to pool ${pool.name}`)]
  const labels = service.metadata.labels ?? {}
  const ads =
    level === '0.15'
      ? pool.l2Advertisements
      : pool.l2Advertisements.filter(ad => matchesAny(ad.serviceSelectors, labels))
  const names = ads.map(({ name }) => name).join(', ')
  if (ads.length === 0)
    return [step('layer2', 'bad', "no L2Advertisement's serviceSelectors match the Service's labels")]
  const scores = level === 'main' ? preferenceScores(ads) : new Map<string, number>()
  const order = electionOrder(layer2Candidates(plan.memory.context, service, subject.slices, ads), address, scores)
  return [
    step('layer2', 'good', `advertised by ${names}${interfacesText(ads)}`),
    electionStep(subject, ads, order, address, scores),
    ...verdicts(subject, order),
  ]
}

function interfacesText(ads: readonly L2AdvertisementConfig[]): string {
  if (ads.some(({ allInterfaces }) => allInterfaces)) return ' on all interfaces'
  return ` on ${[...new Set(ads.flatMap(({ interfaces }) => interfaces))].toSorted().join(', ')}`
}

function electionStep(
  subject: Subject,
  ads: readonly L2AdvertisementConfig[],
  order: readonly string[],
  address: string,
  scores: ReadonlyMap<string, number>,
): Step {
  const ranks = order.map(node => {
    const score = scores.get(node)
    return `${node}: ${score === undefined ? '' : `preference ${score}, `}SHA-256 of ${node}#${address} is ${electionDigest(node, address).slice(0, 8)}…`
  })
  const out = [...subject.plans.keys()]
    .filter(node => !order.includes(node))
    .map(node => `${node} does not stand: ${whyNot(subject, ads, node)}`)
  if (order.length === 0) return step('election', 'bad', 'no node can be elected', out)
  return step('election', 'good', `${order.join(' > ')}: highest preference, then smallest hash`, [...ranks, ...out])
}

function whyNot({ snapshot, members }: Subject, ads: readonly L2AdvertisementConfig[], name: string): string {
  const node = snapshot.objects('Node').get(name)
  if (!members.includes(name)) return 'its speaker is not alive'
  if (isNetworkUnavailable(node)) return 'its condition NetworkUnavailable is True'
  if (!ads.some(ad => ad.nodes.has(name))) return 'no advertisement selects it'
  if (isExcluded(node)) return 'it is labelled node.kubernetes.io/exclude-from-external-load-balancers'
  return 'it has no ready endpoint (externalTrafficPolicy Local)'
}

function verdicts(subject: Subject, order: readonly string[]): readonly Step[] {
  const { key, plans } = subject
  return [...plans.values()].flatMap(({ node, services }) => {
    const decision = services.get(key)
    if (!decision) return []
    if (decision.layer2.announce) {
      return [
        step('layer2', 'good', `${node} announces`),
        step('frames', 'good', `${node} sends`, decision.addresses.flatMap(framesOf)),
      ]
    }
    const { reason, missing } = decision.layer2
    // The losers of an election are no news; a winner who cannot is.
    if (reason === 'notOwner' && node !== order[0]) return []
    return [step('layer2', 'bad', `${node} does not announce: ${reason}${missing ? ` (${missing.join(', ')})` : ''}`)]
  })
}

/** What the owner of an address sends. */
function framesOf(text: string): readonly string[] {
  const address = parseAddress(text)
  if (address?.family === 'IPv4') {
    return [
      `ARP replies to "who has ${text}?", with the MAC address of the interface that was asked`,
      `gratuitous ARP for ${text} on taking over: at once, then every 1.1 s for 5 s`,
    ]
  }
  return [
    `Neighbor Advertisements in answer to solicitations of ${text} (group ${solicitedNode(address?.value ?? 0n)})`,
    `unsolicited Neighbor Advertisements for ${text}, Override set, to ff02::1 on taking over: at once, then every 1.1 s for 5 s`,
  ]
}

/** RFC 4291 section 2.7.1. */
function solicitedNode(value: bigint): string {
  const low = value & 0xff_ffffn
  return `ff02::1:ff${(low >> 16n).toString(16).padStart(2, '0')}:${(low & 0xffffn).toString(16)}`
}
