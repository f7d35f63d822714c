/** What the RIBs are to do, written for being seen to be right: lists and text keys. */
import type { PathSource } from '@typemetal/bgp/rib'
import type { AsPath, FamilyName, PathAttributes } from '@typemetal/bgp/wire'

const sequence = (...asns: number[]): AsPath => [{ type: 2, asns }]

/** Attributes that differ in one step of the decision process each. */
export const ATTRIBUTES: readonly PathAttributes[] = [
  { origin: 0, asPath: sequence(1) },
  { origin: 0, asPath: sequence(2) },
  { origin: 0, asPath: sequence(1, 3) },
  { origin: 2, asPath: sequence(1) },
  { origin: 0, asPath: sequence(1), multiExitDisc: 5 },
  { origin: 0, asPath: sequence(1), multiExitDisc: 9 },
  { origin: 0, asPath: sequence(1, 3), localPref: 200 },
  { origin: 0, asPath: sequence(1), localPref: 50 },
  { origin: 0, asPath: sequence(2), multiExitDisc: 9, communities: [0xffff_0007] },
  { origin: 0, asPath: sequence(1), communities: [0xffff_0006] },
  { origin: 0, asPath: sequence(1), originatorId: 9, clusterList: [1, 2] },
  { origin: 0, asPath: [{ type: 1, asns: [4, 5] }] },
]

const NO_LLGR = 8
const LLGR_STALE = 9

/** Peers whose paths compete. */
export const SOURCES: readonly PathSource[] = [
  { internal: false, bgpIdentifier: 4, address: Uint8Array.of(10, 0, 0, 1) },
  { internal: false, bgpIdentifier: 3, address: Uint8Array.of(10, 0, 0, 2) },
  { internal: true, bgpIdentifier: 2, address: Uint8Array.of(10, 0, 0, 3) },
  { internal: false, bgpIdentifier: 3, address: Uint8Array.of(10, 0, 0, 4) },
]

/** A path as the model has it. */
export interface ModelRoute {
  readonly source: number
  readonly family: FamilyName
  readonly prefix: number
  readonly pathId: number
  /** Number in {@link ATTRIBUTES}. */
  readonly index: number
  readonly isUsed: boolean
  isStale: boolean
  isLongLived: boolean
}

export interface ModelOptions {
  readonly maximumPaths: number
  readonly relax: boolean
}

/** All Adj-RIBs-In. */
export class RibModel {
  readonly #routes = new Map<string, ModelRoute>()

  announce(source: number, family: FamilyName, prefix: number, pathId: number, index: number, isUsed: boolean): void {
    const route = { source, family, prefix, pathId, index, isUsed, isStale: false, isLongLived: false }
    this.#routes.set(`${source} ${family} ${prefix} ${pathId}`, route)
  }

  withdraw(source: number, family: FamilyName, prefix: number, pathId: number): void {
    this.#routes.delete(`${source} ${family} ${prefix} ${pathId}`)
  }

  markStale(source: number, family: FamilyName): void {
    for (const route of this.#of(source, family)) route.isStale = true
  }

  markLongLivedStale(source: number, family: FamilyName): void {
    for (const route of this.#of(source, family)) {
      if (!route.isStale) continue
      if (route.index === NO_LLGR) this.withdraw(source, family, route.prefix, route.pathId)
      else route.isLongLived = true
    }
  }

  deleteStale(source: number, family: FamilyName): void {
    for (const route of this.#of(source, family)) {
      if (route.isStale) this.withdraw(source, family, route.prefix, route.pathId)
    }
  }

  clear(source: number): void {
    for (const [key, route] of this.#routes) if (route.source === source) this.#routes.delete(key)
  }

  size(family: FamilyName): number {
    return [...this.#routes.values()].filter(route => route.family === family).length
  }

  sizeOf(source: number): number {
    return [...this.#routes.values()].filter(route => route.source === source).length
  }

  prefixes(family: FamilyName): Map<number, readonly ModelRoute[]> {
    const groups = new Map<number, readonly ModelRoute[]>()
    for (const route of this.#routes.values()) {
      if (route.family === family) groups.set(route.prefix, [...(groups.get(route.prefix) ?? []), route])
    }
    return groups
  }

  #of(source: number, family: FamilyName): readonly ModelRoute[] {
    return [...this.#routes.values()].filter(route => route.source === source && route.family === family)
  }
}

const attributesOf = ({ index }: ModelRoute): PathAttributes => ATTRIBUTES[index]!
const lengthOf = (route: ModelRoute): number =>
  (attributesOf(route).asPath ?? []).reduce((sum, { type, asns }) => sum + (type === 1 ? 1 : asns.length), 0)
const neighborOf = (route: ModelRoute): number => {
  const [first] = attributesOf(route).asPath ?? []
  return first?.type === 2 ? first.asns[0]! : 0
}
const medOf = (route: ModelRoute): number => attributesOf(route).multiExitDisc ?? 0
const sourceOf = ({ source }: ModelRoute): PathSource => SOURCES[source]!

/** Sections 9.1.1 and 9.1.2.2 up to (d), a number for each step, the lower the better. */
const STEPS: readonly ((route: ModelRoute) => number)[] = [
  route => (route.isLongLived || route.index === LLGR_STALE ? 1 : 0),
  route => -(attributesOf(route).localPref ?? 100),
  lengthOf,
  route => attributesOf(route).origin!,
]
/** And behind MULTI_EXIT_DISC; the last ones find one path of one peer, or several of one that are all as good. */
const TIE_BREAKS: readonly ((route: ModelRoute) => number)[] = [
  route => attributesOf(route).originatorId ?? sourceOf(route).bgpIdentifier,
  route => attributesOf(route).clusterList?.length ?? 0,
  route => sourceOf(route).address[3]!,
]

const least = (routes: readonly ModelRoute[], measure: (route: ModelRoute) => number): readonly ModelRoute[] => {
  const best = Math.min(...routes.map(measure))
  return routes.filter(route => measure(route) === best)
}
const nameOf = ({ source, pathId }: ModelRoute): string => `${source} ${pathId}`

/** What may be used of the paths to one prefix. */
export interface Expected {
  /** Any of these may be the best path: several of one peer may be all as good. */
  readonly best: readonly string[]
  /** All that are used with this one as the best, where multipath has room for them. */
  beside(best: string): readonly string[]
}

/** The decision process on the paths to one prefix. */
export function expectedPaths(routes: readonly ModelRoute[], { relax }: ModelOptions): Expected {
  let left = routes.filter(({ isUsed }) => isUsed)
  for (const step of STEPS) left = [...least(left, step)]
  left = left.filter(route =>
    left.every(other => neighborOf(other) !== neighborOf(route) || medOf(other) >= medOf(route)),
  )
  left = [...least(left, route => (sourceOf(route).internal ? 1 : 0))]
  const best = TIE_BREAKS.reduce(least, left)
  return {
    best: best.map(nameOf),
    beside(name) {
      const first = left.find(route => nameOf(route) === name)
      const through = first && neighborOf(first)
      return left.filter(route => relax || neighborOf(route) === through).map(nameOf)
    },
  }
}
