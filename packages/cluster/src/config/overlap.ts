import type { AddressBlock } from './config.js'
import type { ErrorList } from './error-list.js'
import type { PoolDraft } from './pools.js'

interface Placed {
  readonly draft: PoolDraft
  readonly item: number
  readonly block: AddressBlock
  /** Place in the order of definition: pools by name, items as written. */
  readonly order: number
}

/**
 * Reports every item of a pool that has addresses in common with an item defined before it, in the same pool or another.
 *
 * @param newcomer name of the pool that was defined last; the others were in the order of the list
 */
export function checkOverlaps(drafts: readonly PoolDraft[], errors: ErrorList, newcomer?: string): void {
  const isNew = ({ object }: PoolDraft): boolean => object.metadata.name === newcomer
  const placed = [...drafts.filter(draft => !isNew(draft)), ...drafts.filter(isNew)]
    .flatMap(draft => draft.items.flatMap(({ index, blocks }) => blocks.map(block => ({ draft, item: index, block }))))
    .map((place, order) => ({ ...place, order }))
  const reported = new Set<string>()
  for (const [later, earlier] of overlaps(placed).toSorted(([a], [b]) => a.order - b.order)) {
    const { object } = later.draft
    // The blocks of one range would all say the same.
    const item = `${object.metadata.name}[${later.item}]`
    if (reported.has(item)) continue
    reported.add(item)
    errors.add(
      object,
      `spec.addresses[${later.item}]`,
      `CIDR "${later.block.cidr}" in pool "${object.metadata.name}" overlaps with already defined CIDR ` +
        `"${earlier.block.cidr}" of pool "${earlier.draft.object.metadata.name}"`,
    )
  }
}

/** Overlapping pairs, later definition first. Sweeps over the sorted blocks, so n·log n: each block is held against the farthest-reaching one before it. */
function overlaps(placed: readonly Placed[]): readonly (readonly [later: Placed, earlier: Placed])[] {
  const sorted = placed.toSorted((a, b) => compare(a, b))
  const pairs: [Placed, Placed][] = []
  let reach: Placed | undefined
  for (const place of sorted) {
    if (reach && reach.block.family === place.block.family && place.block.first <= reach.block.last) {
      pairs.push(place.order > reach.order ? [place, reach] : [reach, place])
      if (place.block.last <= reach.block.last) continue
    }
    reach = place
  }
  return pairs
}

function compare(a: Placed, b: Placed): number {
  if (a.block.family !== b.block.family) return a.block.family < b.block.family ? -1 : 1
  if (a.block.first !== b.block.first) return a.block.first < b.block.first ? -1 : 1
  return a.order - b.order
}
