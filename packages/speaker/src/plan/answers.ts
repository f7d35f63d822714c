/** The addresses that this node answers for, put together from all Services. */
import { LayeredMap } from '@typemetal/cluster'
import type { ObjectKey } from '@typemetal/cluster'
import { sameList } from './context.js'
import type { DecisionChanges } from './decisions.js'
import { regroup } from './groups.js'
import type { Groups } from './groups.js'
import type { Interfaces, ServiceDecision } from './types.js'

/** One Service that has an address answered. */
interface Answer {
  readonly service: ObjectKey
  readonly interfaces: Interfaces
}

/** All answers by address. */
export interface Answers {
  readonly claims: Groups<Answer>
  /** A shared address is answered on the interfaces of all its Services. */
  readonly layer2: LayeredMap<string, Interfaces>
}

/** What was claimed before anything was. */
const NONE: Answers = { claims: new LayeredMap(), layer2: new LayeredMap() }

/** Brings the answers in line with changed decisions. @returns them, and those that differ; `undefined`: no longer answered */
export function updateAnswers(
  changes: DecisionChanges,
  previous: Answers = NONE,
): { readonly answers: Answers; readonly delta: ReadonlyMap<string, Interfaces | undefined> } {
  const { groups, affected } = regroup(previous.claims, changes, answersOf)
  const delta = new Map<string, Interfaces | undefined>()
  for (const address of affected) {
    const before = previous.layer2.get(address)
    const after = groups.get(address)?.reduce(uniteInterfaces, undefined)
    if (!sameInterfaces(before, after)) delta.set(address, after)
  }
  const layer2 = delta.size === 0 ? previous.layer2 : previous.layer2.with(delta)
  return { answers: { claims: groups, layer2 }, delta }
}

function* answersOf({ service, addresses, layer2 }: ServiceDecision): Generator<readonly [string, Answer]> {
  if (!layer2.announce) return
  for (const address of addresses) yield [address, { service, interfaces: layer2.interfaces }]
}

function uniteInterfaces(a: Interfaces | undefined, { interfaces: b }: Answer): Interfaces {
  if (a === undefined || a === b) return b
  if (a === 'all' || b === 'all') return 'all'
  return [...new Set([...a, ...b])].toSorted()
}

const sameInterfaces = (a: Interfaces | undefined, b: Interfaces | undefined): boolean =>
  a === b || (Array.isArray(a) && Array.isArray(b) && sameList(a, b))
