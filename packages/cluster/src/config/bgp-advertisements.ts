import type { Node } from '../resources/core.js'
import type { BGPAdvertisement } from '../resources/metallb.js'
import { checkDuplicates } from '../selector/check.js'
import { checkAdvertisement, selectedNodes, selectedPools } from './advertisement.js'
import { resolveCommunities } from './community.js'
import type { BGPAdvertisementConfig } from './config.js'
import type { ErrorList } from './error-list.js'
import { checkLocalPref } from './local-pref.js'
import type { PoolDraft, PoolItem } from './pools.js'

/** An advertisement with the object it was made of. */
export interface BGPAdvertisementDraft {
  readonly object: BGPAdvertisement
  readonly config: BGPAdvertisementConfig
}

/** Advertisements by the pool they apply to, in order of their names. */
export function buildBGPAdvertisements(
  advertisements: readonly BGPAdvertisement[],
  drafts: readonly PoolDraft[],
  nodes: readonly Node[],
  aliases: ReadonlyMap<string, string>,
  errors: ErrorList,
): ReadonlyMap<PoolDraft, readonly BGPAdvertisementDraft[]> {
  const attached = new Map<PoolDraft, BGPAdvertisementDraft[]>(drafts.map(draft => [draft, []]))
  for (const object of advertisements) {
    const advertisement = { object, config: build(object, nodes, aliases, errors) }
    for (const draft of selectedPools(object.spec ?? {}, drafts)) {
      const present = attached.get(draft) ?? []
      checkAggregation(advertisement, draft, errors)
      checkLocalPref(advertisement, present, draft, errors)
      present.push(advertisement)
    }
  }
  return attached
}

function build(
  object: BGPAdvertisement,
  nodes: readonly Node[],
  aliases: ReadonlyMap<string, string>,
  errors: ErrorList,
): BGPAdvertisementConfig {
  const spec = object.spec ?? {}
  checkAdvertisement(object, spec, errors)
  errors.addAll(object, checkDuplicates(spec.communities ?? [], 'spec.communities', 'community'))
  errors.addAll(object, checkDuplicates(spec.peers ?? [], 'spec.peers', 'peers'))
  checkLengths(object, errors)
  const { localPref = 0 } = spec
  // Without a sign (RFC 4271 section 5.1.5). MetalLB cannot read an advertisement with another number at all.
  if (localPref < 0 || localPref > MAX_LOCAL_PREF) {
    errors.add(object, 'spec.localPref', `invalid local preference ${localPref}, must be in 0-${MAX_LOCAL_PREF} range`)
  }
  return {
    name: object.metadata.name,
    aggregationLength: spec.aggregationLength ?? 32,
    aggregationLengthV6: spec.aggregationLengthV6 ?? 128,
    localPref,
    communities: resolveCommunities(spec.communities ?? [], aliases, (i, reason, transient) =>
      errors.add(object, `spec.communities[${i}]`, reason, { transient }),
    ),
    nodes: selectedNodes(spec.nodeSelectors, nodes),
    peers: spec.peers ?? [],
    serviceSelectors: spec.serviceSelectors ?? [],
  }
}

const MAX_LOCAL_PREF = 0xffff_ffff

const LENGTHS = [
  { field: 'aggregationLength', family: 'IPv4', most: 32 },
  { field: 'aggregationLengthV6', family: 'IPv6', most: 128 },
] as const

function checkLengths(object: BGPAdvertisement, errors: ErrorList): void {
  const { spec = {} } = object
  for (const { field, family, most } of LENGTHS) {
    const length = spec[field] ?? most
    if (length < 0 || length > most) {
      errors.add(object, `spec.${field}`, `invalid aggregation length ${length} for ${family}`)
    }
  }
}

/** One prefix must not reach beyond an item of the pool: its largest CIDR bounds the aggregation. */
function checkAggregation({ object, config }: BGPAdvertisementDraft, draft: PoolDraft, errors: ErrorList): void {
  for (const { field, family } of LENGTHS) {
    const length = config[field]
    for (const item of draft.items) {
      const shortest = shortestPrefix(item, family)
      if (shortest === undefined || length < 0 || length >= shortest) continue
      errors.add(
        object,
        `spec.${field}`,
        `invalid aggregation length ${length}: prefix ${shortest} in pool "${draft.pool.name}" is more specific than the ` +
          `aggregation length for addresses ${item.text}`,
      )
    }
  }
}

function shortestPrefix({ blocks }: PoolItem, family: 'IPv4' | 'IPv6'): number | undefined {
  const lengths = blocks.filter(block => block.family === family).map(block => block.prefixLength)
  return lengths.length > 0 ? Math.min(...lengths) : undefined
}
