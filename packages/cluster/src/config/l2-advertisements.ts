import type { Node } from '../resources/core.js'
import type { L2Advertisement } from '../resources/metallb.js'
import { checkSelector, selectorText } from '../selector/check.js'
import { matchesSelector } from '../selector/match.js'
import { checkAdvertisement, selectedNodes, selectedPools } from './advertisement.js'
import type { L2AdvertisementConfig } from './config.js'
import type { ErrorList } from './error-list.js'
import type { PoolDraft } from './pools.js'

/** Advertisements by the pool they apply to, in order of their names. */
export function buildL2Advertisements(
  advertisements: readonly L2Advertisement[],
  drafts: readonly PoolDraft[],
  nodes: readonly Node[],
  errors: ErrorList,
): ReadonlyMap<PoolDraft, readonly L2AdvertisementConfig[]> {
  const attached = new Map<PoolDraft, L2AdvertisementConfig[]>(drafts.map(draft => [draft, []]))
  for (const object of advertisements) {
    const config = build(object, nodes, errors)
    for (const draft of selectedPools(object.spec ?? {}, drafts)) {
      const present = attached.get(draft)
      // One that says the same again adds nothing; but scores of preferences add up, so those are all kept.
      if (config.preferredNodes.size > 0 || !present?.some(other => equivalent(other, config))) present?.push(config)
    }
  }
  return attached
}

function build(object: L2Advertisement, nodes: readonly Node[], errors: ErrorList): L2AdvertisementConfig {
  const spec = object.spec ?? {}
  checkAdvertisement(object, spec, errors)
  for (const [i, { preference }] of (spec.preferredNodeSelectors ?? []).entries()) {
    errors.addAll(object, checkSelector(preference, `spec.preferredNodeSelectors[${i}].preference`))
  }
  const eligible = selectedNodes(spec.nodeSelectors, nodes)
  const interfaces = [...new Set(spec.interfaces)]
  return {
    name: object.metadata.name,
    nodes: eligible,
    interfaces,
    allInterfaces: interfaces.length === 0,
    serviceSelectors: spec.serviceSelectors ?? [],
    preferredNodes: scores(spec.preferredNodeSelectors ?? [], nodes, eligible),
  }
}

function scores(
  preferences: NonNullable<NonNullable<L2Advertisement['spec']>['preferredNodeSelectors']>,
  nodes: readonly Node[],
  eligible: ReadonlySet<string>,
): ReadonlyMap<string, number> {
  const sums = nodes
    .filter(({ metadata }) => eligible.has(metadata.name))
    .map(({ metadata }) => {
      const matching = preferences.filter(({ preference }) => matchesSelector(preference, metadata.labels))
      return [metadata.name, matching.reduce((sum, { weight }) => sum + weight, 0)] as const
    })
  return new Map(sums.filter(([, score]) => score > 0))
}

function equivalent(a: L2AdvertisementConfig, b: L2AdvertisementConfig): boolean {
  return (
    a.preferredNodes.size === 0 &&
    sameSet(a.nodes, b.nodes) &&
    sameSet(new Set(a.interfaces), new Set(b.interfaces)) &&
    a.serviceSelectors.map(selectorText).join(';') === b.serviceSelectors.map(selectorText).join(';')
  )
}

const sameSet = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean =>
  a.size === b.size && [...a].every(item => b.has(item))
