/** What changed for people from one plan to the next: the source of log lines and events, once per change. */
import type { ObjectKey } from '@typemetal/cluster'
import { PROTOCOLS } from '../plan/types.js'
import type { Plan, Protocol, ServiceDecision, WithdrawReason } from '../plan/types.js'

/** One change of what this node announces. */
export type Transition =
  /** A protocol announces the Service now, or announces other addresses of it. */
  | {
      readonly type: 'announced'
      readonly service: ObjectKey
      readonly protocol: Protocol
      readonly addresses: readonly string[]
      readonly pool: string
    }
  /** No protocol announces the addresses any longer. */
  | {
      readonly type: 'withdrawn'
      readonly service: ObjectKey
      readonly addresses: readonly string[]
      readonly pool: string
      readonly reason: WithdrawReason
    }
  /** This node was elected, but has none of the interfaces it should answer on. */
  | {
      readonly type: 'announceFailed'
      readonly service: ObjectKey
      readonly addresses: readonly string[]
      readonly missing: readonly string[]
    }
  /** A protocol does not announce the Service, for a reason that is new. */
  | {
      readonly type: 'skipped'
      readonly service: ObjectKey
      readonly protocol: Protocol
      readonly reason: WithdrawReason
      readonly detail?: string
    }

/**
 * Compares two plans Service by Service.
 * @param before `undefined` at start
 * @param touched the Services that may differ; absent: all of both
 */
export function transitions(
  before: Plan | undefined,
  after: Plan,
  touched: Iterable<ObjectKey> = new Set([...after.services.keys(), ...(before?.services.keys() ?? [])]),
): readonly Transition[] {
  const list: Transition[] = []
  for (const key of touched) {
    const previous = before?.services.get(key)
    const decision = after.services.get(key)
    if (previous === decision) continue
    if (decision) list.push(...transitionsOf(previous, decision))
    else if (previous) list.push(...withdrawal(previous, 'serviceDeleted'))
  }
  return list
}

/** Protocols that announce the Service. */
export const announcedBy = (decision: ServiceDecision | undefined): readonly Protocol[] =>
  decision ? PROTOCOLS.filter(protocol => decision[protocol].announce) : []

function transitionsOf(before: ServiceDecision | undefined, after: ServiceDecision): readonly Transition[] {
  const moved = before !== undefined && !sameSet(before.addresses, after.addresses)
  const now = announcedBy(after)
  const gone = moved || now.length === 0
  return [
    ...(before && gone
      ? withdrawal(before, moved && isUsable(after) ? 'loadBalancerIPChanged' : reasonOf(before, after))
      : []),
    ...PROTOCOLS.flatMap(protocol => ofProtocol(protocol, moved ? undefined : before, after)),
    ...failure(before, after),
  ]
}

function withdrawal(before: ServiceDecision, reason: WithdrawReason): readonly Transition[] {
  if (announcedBy(before).length === 0) return []
  const { service, addresses, pool = '' } = before
  return [{ type: 'withdrawn', service, addresses, pool, reason }]
}

/** Whether there were addresses to announce, wherever that is: old ones are withdrawn before anybody is asked about the new ones. */
const isUsable = ({ pool }: ServiceDecision): boolean => pool !== undefined

/** As in MetalLB the protocol withdrawn last gives the reason. */
function reasonOf(before: ServiceDecision, after: ServiceDecision): WithdrawReason {
  const last = after[announcedBy(before).at(-1) ?? 'layer2']
  return last.announce ? 'loadBalancerIPChanged' : last.reason
}

function ofProtocol(
  protocol: Protocol,
  before: ServiceDecision | undefined,
  after: ServiceDecision,
): readonly Transition[] {
  const { service, addresses, pool = '' } = after
  const was = before?.[protocol]
  const is = after[protocol]
  if (is.announce) return was?.announce ? [] : [{ type: 'announced', service, protocol, addresses, pool }]
  if (was?.announce === false && was.reason === is.reason) return []
  const detail = 'detail' in is && is.detail !== undefined ? { detail: is.detail } : {}
  return [{ type: 'skipped', service, protocol, reason: is.reason, ...detail }]
}

function failure(before: ServiceDecision | undefined, after: ServiceDecision): readonly Transition[] {
  const missing = missingOf(after)
  if (!missing) return []
  const previous = before && sameSet(before.addresses, after.addresses) ? missingOf(before) : undefined
  if (previous && sameSet(previous, missing)) return []
  return [{ type: 'announceFailed', service: after.service, addresses: after.addresses, missing }]
}

const missingOf = ({ layer2 }: ServiceDecision): readonly string[] | undefined =>
  layer2.announce ? undefined : layer2.missing

const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every(item => b.includes(item))
