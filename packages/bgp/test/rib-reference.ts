/** The decision process of RFC 4271 section 9.1.2 as it is written there, on values, and paths to decide between. */
import * as fc from 'fast-check'
import { asPathLength, type AsPath, type PathAttributes } from '@typemetal/bgp/wire'
import type { RouteSource } from '../dist/route-source.js'

/** A path: its attributes, and what of its source differs from the external peer 1. */
export interface Given extends PathAttributes {
  readonly from?: Partial<RouteSource>
  /** Long-lived stale, RFC 9494. */
  readonly stale?: boolean
}

/** RFC 4271 section 9.1.2 as it is written there, on values. @returns numbers of the used paths, the best one first */
export function reference(given: readonly Given[], maximumPaths: number, relax: boolean): number[] {
  if (given.length === 0) return []
  let left = given.map((_, index) => index)
  const of = (index: number): Given => given[index]!
  const least = (measure: (path: Given) => number | bigint): void => {
    const values = left.map(index => measure(of(index)))
    const best = values.reduce((a, b) => (b < a ? b : a))
    left = left.filter(index => measure(of(index)) === best)
  }
  const path = ({ asPath = [] }: Given): AsPath => asPath
  const neighbor = (one: Given): number => {
    const [first] = path(one).filter(({ type }) => type <= 2)
    return first?.type === 2 ? first.asns[0]! : 0
  }
  least(({ from }) => (from?.local ? 0 : 1))
  least(({ stale, communities }) => (stale || communities?.includes(0xffff_0006) ? 1 : 0))
  least(({ localPref = 100 }) => -localPref)
  if (left.some(index => of(index).aigp !== undefined)) {
    left = left.filter(index => of(index).aigp !== undefined)
    least(({ aigp }) => aigp!)
  }
  least(one => asPathLength(path(one)))
  least(({ origin = 0 }) => origin)
  const lowest = new Map<number, number>()
  for (const index of left) {
    const { multiExitDisc = 0 } = of(index)
    const as = neighbor(of(index))
    lowest.set(as, Math.min(lowest.get(as) ?? Infinity, multiExitDisc))
  }
  left = left.filter(index => (of(index).multiExitDisc ?? 0) === lowest.get(neighbor(of(index))))
  least(({ from }) => (from?.local ? 0 : from?.internal || from?.confederation ? 1 : 0))
  left = left.toSorted((a, b) => {
    const identifier = (index: number): number => of(index).originatorId ?? of(index).from!.bgpIdentifier!
    const clusters = (index: number): number => of(index).clusterList?.length ?? 0
    return (
      identifier(a) - identifier(b) || clusters(a) - clusters(b) || of(a).from!.address![3]! - of(b).from!.address![3]!
    )
  })
  const first = left[0]!
  return left.filter(index => relax || neighbor(of(index)) === neighbor(of(first))).slice(0, maximumPaths)
}

export const few = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max })
const anySegment = fc.record({
  type: fc.constantFrom(2 as const, 2 as const, 1 as const, 3 as const),
  asns: fc.array(few(2), { minLength: 1, maxLength: 2 }),
})
const anyDifferent: fc.Arbitrary<Given> = fc.record(
  {
    asPath: fc.array(anySegment, { maxLength: 2 }),
    origin: fc.constantFrom(0 as const, 0 as const, 1 as const),
    localPref: fc.constantFrom(100, 101),
    multiExitDisc: few(3),
    aigp: fc.constantFrom(1n, 2n),
    originatorId: few(3),
    clusterList: fc.array(few(3), { minLength: 1, maxLength: 2 }),
    communities: fc.constant([0xffff_0006]),
    stale: fc.boolean(),
    from: fc.record(
      { bgpIdentifier: few(4), internal: fc.boolean(), confederation: fc.boolean(), local: fc.boolean() },
      { requiredKeys: ['bgpIdentifier'] },
    ),
  },
  { requiredKeys: ['asPath', 'from'] },
)
/** Alike but for AS_PATH and MED, so that later steps have something to decide. */
const anyAlike: fc.Arbitrary<Given> = fc.record({
  asPath: few(2).map(asn => [{ type: 2 as const, asns: [asn] }]),
  multiExitDisc: few(3),
  from: fc.record({ bgpIdentifier: few(4), internal: fc.boolean() }),
})
/** Alike for the most part. */
export const anyGiven = fc.oneof({ weight: 3, arbitrary: anyAlike }, { weight: 1, arbitrary: anyDifferent })
/** Several, each from an address of its own. */
export const anyPaths: fc.Arbitrary<Given[]> = fc
  .array(anyGiven, { minLength: 1, maxLength: 7 })
  .map(list => list.map((one, i) => ({ ...one, from: { ...one.from, address: Uint8Array.of(10, 0, 0, i) } })))
