import type { KubernetesObject, LabelSelector, Node } from '../resources/core.js'
import { checkDuplicates, checkSelectorDuplicates, checkSelectors } from '../selector/check.js'
import { matchesAny } from '../selector/match.js'
import type { ErrorList } from './error-list.js'
import type { PoolDraft } from './pools.js'

/** What both kinds of advertisement have in common. */
export interface AdvertisementSpec {
  readonly ipAddressPools?: readonly string[]
  readonly ipAddressPoolSelectors?: readonly LabelSelector[]
  readonly nodeSelectors?: readonly LabelSelector[]
  readonly serviceSelectors?: readonly LabelSelector[]
}

/** Reports duplicates and bad selectors in the fields that both kinds of advertisement have. */
export function checkAdvertisement(object: KubernetesObject, spec: AdvertisementSpec, errors: ErrorList): void {
  errors.addAll(object, checkDuplicates(spec.ipAddressPools ?? [], 'spec.ipAddressPools', 'ipAddressPools'))
  for (const name of ['ipAddressPoolSelectors', 'nodeSelectors', 'serviceSelectors'] as const) {
    const selectors = spec[name] ?? []
    errors.addAll(object, checkSelectorDuplicates(selectors, `spec.${name}`, name))
    errors.addAll(object, checkSelectors(selectors, `spec.${name}`))
  }
}

/** Pools by name, united with pools by label; all pools when the spec names none. Names without a pool are passed over. */
export function selectedPools(spec: AdvertisementSpec, drafts: readonly PoolDraft[]): readonly PoolDraft[] {
  const { ipAddressPools: names = [], ipAddressPoolSelectors: selectors = [] } = spec
  if (names.length === 0 && selectors.length === 0) return drafts
  return drafts.filter(
    ({ pool }) => names.includes(pool.name) || (selectors.length > 0 && matchesAny(selectors, pool.labels)),
  )
}

/** Names of the nodes that one of the selectors matches; all nodes when there is none. */
export function selectedNodes(selectors: readonly LabelSelector[] = [], nodes: readonly Node[]): ReadonlySet<string> {
  return new Set(
    nodes.filter(({ metadata }) => matchesAny(selectors, metadata.labels)).map(({ metadata }) => metadata.name),
  )
}
